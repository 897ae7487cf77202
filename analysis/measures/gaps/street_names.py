"""The named street nearest to cells, as far away as anybody walks to join one."""

from __future__ import annotations

from functools import partial
from typing import Final, cast

import numpy as np
import shapely

from lifecircle.analysis.measures.landmarks import OfCells
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, Int32Array

_KEPT: Final = "named_streets"
_KEPT_CELLS: Final = "named_streets_of_cells"


def named_street(study: Study, cell: Int32Array) -> Int32Array:
    """Row in ``city.street_names`` of each cell (k,): of the street it joins, else the nearest.

    The nearest named one within the longest access leg, in a straight line; the lowest edge of
    several as near; NOBODY where there is none, and in runs from before names were kept. Each
    cell is looked for once a study.
    """
    names = study.city.street_names
    if names is None or not len(names) or not len(cell):
        return np.full(len(cell), NOBODY, dtype=np.int32)
    kept = study.kept.get(_KEPT_CELLS)
    if kept is None:
        of_edge = names.rows(study.city.network.edge_way)
        work_out = partial(_find_streets, study, of_edge)
        kept = study.kept[_KEPT_CELLS] = OfCells(len(study.city.cells), work_out)
    row: Int32Array = cast("OfCells", kept)(cell)[0]
    return row


def _find_streets(study: Study, of_edge: Int32Array, cell: Int32Array) -> tuple[Int32Array]:
    """As `named_street`; `of_edge` (m,): the row of the name of each edge."""
    city = study.city
    row = np.full(len(cell), NOBODY, dtype=np.int32)
    joined = city.cells.position.edge[cell]
    row[joined != NOBODY] = of_edge[joined[joined != NOBODY]]
    rest = np.flatnonzero(row == NOBODY)
    named = np.flatnonzero(of_edge != NOBODY).astype(np.int32)
    if not len(rest) or not len(named):
        return (row,)
    (point, line), metres = _tree(study, named).query_nearest(
        shapely.points(city.cells.xy_m[cell[rest]]),
        max_distance=study.policy.attachment.max_leg_m.value,
        return_distance=True,
        all_matches=True,
    )
    order = np.lexsort((line, metres, point))
    found, first = np.unique(point[order], return_index=True)
    row[rest[found]] = of_edge[named[line[order][first]]]
    return (row,)


def _tree(study: Study, named: Int32Array) -> shapely.STRtree:
    """A tree over the named edges, made once a study."""
    kept = study.kept.get(_KEPT)
    if kept is None:
        kept = study.kept[_KEPT] = shapely.STRtree(study.city.network.lines(named))
    return cast("shapely.STRtree", kept)

"""The named street nearest to cells, as far away as anybody walks to join one."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import shapely

from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, Int32Array

_KEPT: Final = "named_streets"


def named_street(study: Study, cell: Int32Array) -> Int32Array:
    """Row in ``city.street_names`` of each cell (k,): of the street it joins, else the nearest.

    The nearest named one within the longest access leg, in a straight line; the lowest edge of
    several as near; NOBODY where there is none, and in runs from before names were kept.
    """
    city = study.city
    names = city.street_names
    row = np.full(len(cell), NOBODY, dtype=np.int32)
    if names is None or not len(names) or not len(cell):
        return row
    of_edge = names.rows(city.network.edge_way)
    joined = city.cells.position.edge[cell]
    row[joined != NOBODY] = of_edge[joined[joined != NOBODY]]
    rest = np.flatnonzero(row == NOBODY)
    named = np.flatnonzero(of_edge != NOBODY).astype(np.int32)
    if not len(rest) or not len(named):
        return row
    (point, line), metres = _tree(study, named).query_nearest(
        shapely.points(city.cells.xy_m[cell[rest]]),
        max_distance=study.policy.attachment.max_leg_m.value,
        return_distance=True,
        all_matches=True,
    )
    order = np.lexsort((line, metres, point))
    found, first = np.unique(point[order], return_index=True)
    row[rest[found]] = of_edge[named[line[order][first]]]
    return row


def _tree(study: Study, named: Int32Array) -> shapely.STRtree:
    """A tree over the named edges, made once a study."""
    kept = study.kept.get(_KEPT)
    if kept is None:
        kept = study.kept[_KEPT] = shapely.STRtree(study.city.network.lines(named))
    return cast("shapely.STRtree", kept)

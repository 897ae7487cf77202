"""The named street nearest to cells, as far away as anybody walks to join one."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import shapely

from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, Int32Array
from lifecircle.analysis.readers.osm.street_names import StreetNames

_KEPT: Final = "named_streets"
_KEPT_ROWS: Final = "names_of_edges"


def named_street(study: Study, cell: Int32Array) -> Int32Array:
    """Row in ``city.street_names`` of each cell (k,): of the street it joins, else the nearest.

    The nearest named one within the longest access leg, in a straight line; the lowest edge of
    several as near; NOBODY where there is none, and in runs from before names were kept.
    """
    city = study.city
    row = np.full(len(cell), NOBODY, dtype=np.int32)
    if city.street_names is None or not len(city.street_names) or not len(cell):
        return row
    of_edge = _names_of_edges(study, city.street_names)
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


def _names_of_edges(study: Study, names: StreetNames) -> Int32Array:
    """Row of the name of each edge (m,), NOBODY where it has none; found once a study."""
    kept = study.kept.get(_KEPT_ROWS)
    if kept is None:
        kept = study.kept[_KEPT_ROWS] = names.rows(study.city.network.edge_way)
    return cast("Int32Array", kept)


def _tree(study: Study, named: Int32Array) -> shapely.STRtree:
    """A tree over the named edges, made once a study."""
    kept = study.kept.get(_KEPT)
    if kept is None:
        kept = study.kept[_KEPT] = shapely.STRtree(study.city.network.lines(named))
    return cast("shapely.STRtree", kept)

"""Outlines that are not valid, mended where that is possible; collections made one kind.

Mending an outline takes time with the square of its crossings and more: a star of 101 corners
crosses itself 5,000 times and takes GEOS 44 seconds, one of 401 corners hours. So crossings are
counted first, only as far as it matters.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.quantities import ObjectArray
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.findings import Findings

MOST_CROSSINGS: Final = 500  # mended in less than a second
_COLLECTION: Final = 7  # shapely type id
_AT_ONCE: Final = 32  # segments compared with all others at a time


def repair_shapes(located: Located, found: Findings) -> Located:
    """Valid shapes: broken areas are mended with a warning, the unmendable are a fault."""
    shapes = located.shapes
    there = ~shapely.is_missing(shapes)
    broken = there & ~shapely.is_valid(shapes)
    if not broken.any():
        return located
    mended = shapes.copy()
    heavy = broken & (shapely.get_num_coordinates(shapes) > limits.BROKEN_VERTICES)
    for index in np.flatnonzero(broken & ~heavy):
        heavy[index] = is_tangled(shapes[index])
    found.each("input_geometry_tangled", heavy)
    mended[heavy] = None
    for index in np.flatnonzero(broken & ~heavy):
        mended[index] = _keep_dimension(shapely.make_valid(shapes[index]), shapes[index])
    lost = broken & ~heavy & shapely.is_missing(mended)
    found.each("input_geometry_broken", lost)
    reason = shapely.is_valid_reason(shapes[np.flatnonzero(broken)[0]])
    found.remark("input_geometry_repaired", broken & ~heavy & ~lost, reason=reason)
    return located.with_shapes(mended)


def _keep_dimension(valid: Any, original: Any) -> Any:
    """What a mended geometry has of the original's dimension, None if nothing is left."""
    dimension = shapely.get_dimensions(original)
    parts = [p for p in shapely.get_parts(valid) if shapely.get_dimensions(p) == dimension]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def is_tangled(shape: Any) -> bool:
    """Whether the outlines of a geometry cross themselves or each other too often to be mended."""
    lines = shapely.get_rings(shape) if shapely.get_dimensions(shape) == 2 else np.array([shape])
    segments = np.concatenate([_segments(line) for line in lines] or [np.empty(0, object)])
    tree = shapely.STRtree(segments)
    crossings = 0
    for start in range(0, len(segments), _AT_ONCE):
        some = segments[start : start + _AT_ONCE]
        left, right = tree.query(some, predicate="crosses")
        crossings += int((right > left + start).sum())
        if crossings > MOST_CROSSINGS:
            return True
    return False


def _segments(line: Any) -> ObjectArray:
    """The segments of one ring or line."""
    xy = shapely.get_coordinates(line)
    if len(xy) < 2:
        return np.empty(0, np.object_)
    pairs = np.stack((xy[:-1], xy[1:]), axis=1)
    return np.asarray(shapely.linestrings(pairs), dtype=np.object_)


def open_collections(shapes: ObjectArray, found: Findings) -> ObjectArray:
    """Shapes whose collections are what they hold of the highest dimension, with a remark."""
    mixed = shapely.get_type_id(shapes) == _COLLECTION
    if not mixed.any():
        return shapes
    kept = shapes.copy()
    for index in np.flatnonzero(mixed):
        parts = shapely.get_parts(shapely.get_parts(shapes[index]))
        best = parts[shapely.get_dimensions(parts) == shapely.get_dimensions(shapes[index])]
        kept[index] = best[0] if len(best) == 1 else shapely.union_all(best)
    found.remark("input_collections", np.asarray(mixed, np.bool_))
    return kept

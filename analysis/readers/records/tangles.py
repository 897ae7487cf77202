"""How often an outline crosses itself, counted only as far as it matters.

Mending an outline takes time with the square of its crossings and more: a star of 101 corners
crosses itself 5,000 times and takes GEOS 44 seconds, one of 401 corners hours.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

MOST_CROSSINGS: Final = 500  # mended in less than a second
_AT_ONCE: Final = 32  # segments compared with all others at a time


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


def _segments(line: Any) -> np.ndarray[Any, np.dtype[np.object_]]:
    """The segments of one ring or line."""
    xy = shapely.get_coordinates(line)
    if len(xy) < 2:
        return np.empty(0, np.object_)
    pairs = np.stack((xy[:-1], xy[1:]), axis=1)
    return np.asarray(shapely.linestrings(pairs), dtype=np.object_)

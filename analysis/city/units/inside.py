"""Units drawn inside another unit of their level, without a hole: the inner one is meant there."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.city.shapes import keep_areas
from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import IntArray

_AT_ONCE: Final = 256  # units held against all others at a time: stacked ones would fill memory


def cut_out_inner(geometry: GeometryArray, level: StrArray) -> GeometryArray:
    """Outlines (k,) without the land of those units of their level that lie inside them."""
    cut = geometry.copy()
    for name in dict.fromkeys(level.tolist()):
        members = np.flatnonzero(level == name)
        inner, outer = _find_inside(geometry[members])
        for within in np.unique(outer).tolist():
            holes = shapely.union_all(geometry[members[inner[outer == within]]])
            left = keep_areas(shapely.difference(geometry[members[within]], holes))
            cut[members[within]] = left
    return cut


def _find_inside(shapes: GeometryArray) -> tuple[IntArray, IntArray]:
    """Pairs of shapes, the first of which lies nearly all inside the second, larger one."""
    area = shapely.area(shapes)
    tree = shapely.STRtree(shapes)
    boxes = shapely.bounds(shapes)
    share = plausible().inside_share.value
    found: list[tuple[int, int]] = []
    for start in range(0, len(shapes), _AT_ONCE):
        inner, outer = tree.query(shapes[start : start + _AT_ONCE])  # by their boxes
        inner = inner + start
        keep = (area[inner] < area[outer]) & (area[inner] > 0)
        for i, j in zip(inner[keep].tolist(), outer[keep].tolist(), strict=True):
            enough = share * area[i]
            if shapely.area(shapely.clip_by_rect(shapes[i], *boxes[j].tolist())) < enough:
                continue
            if shapely.area(shapely.intersection(shapes[i], shapes[j])) >= enough:
                found.append((i, j))
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]

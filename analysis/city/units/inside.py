"""Units drawn inside another unit of their level, without a hole: the inner one is meant there."""

from __future__ import annotations

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.city.shapes import keep_areas
from lifecircle.analysis.grouping.pair_blocks import find_in_blocks
from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import FloatArray, IntArray


def cut_out_inner(geometry: GeometryArray, level: StrArray) -> GeometryArray:
    """Outlines (k,) without the land of those units of their level that lie inside them."""
    cut = geometry.copy()
    for name in dict.fromkeys(level.tolist()):
        members = np.flatnonzero(level == name)
        inner, outer = _find_inside(geometry[members])
        if len(inner) == 0:
            continue
        order = np.argsort(outer, kind="stable")
        holders, begins = np.unique(outer[order], return_index=True)
        for within, held in zip(holders.tolist(), np.split(inner[order], begins[1:]), strict=True):
            holes = shapely.union_all(geometry[members[held]])
            left = keep_areas(shapely.difference(geometry[members[within]], holes))
            cut[members[within]] = left
    return cut


def _find_inside(shapes: GeometryArray) -> tuple[IntArray, IntArray]:
    """Pairs of shapes, the first of which lies nearly all inside the second, larger one."""
    area = shapely.area(shapes)
    boxes = shapely.bounds(shapes)
    share = plausible().inside_share.value
    found: list[tuple[int, int]] = []
    for inner, outer in find_in_blocks(shapely.STRtree(shapes), shapes):  # by their boxes
        keep = (area[inner] < area[outer]) & (area[inner] > 0)
        keep[keep] = _share_of_boxes(boxes, inner[keep], outer[keep]) >= share * area[inner[keep]]
        for i, j in zip(inner[keep].tolist(), outer[keep].tolist(), strict=True):
            enough = share * area[i]
            if shapely.area(shapely.clip_by_rect(shapes[i], *boxes[j].tolist())) < enough:
                continue
            if shapely.area(shapely.intersection(shapes[i], shapes[j])) >= enough:
                found.append((i, j))
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _share_of_boxes(boxes: FloatArray, one: IntArray, other: IntArray) -> FloatArray:
    """The area that two boxes (west, south, east, north) have in common, for each pair (p,)."""
    low = np.maximum(boxes[one, :2], boxes[other, :2])
    high = np.minimum(boxes[one, 2:], boxes[other, 2:])
    area: FloatArray = np.prod(np.maximum(high - low, 0.0), axis=1)
    return area

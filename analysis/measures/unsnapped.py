"""Why residents join no street: none is near, or only a piece of streets too short to join."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from lifecircle.analysis.city.streets.pieces import only_short_pieces
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import BoolArray, FloatArray, read_only

_KEPT: Final = "short_piece"
_PIECES: Final = "short_pieces"


def near_short_piece(study: Study) -> BoolArray:
    """Cells (c,) that join no street and are near a piece too short to join; made once a study.

    The others that join none are near no street at all.
    """
    kept = study.kept.get(_KEPT)
    if kept is None:
        cells, rules = study.city.cells, study.policy.attachment
        loose = np.flatnonzero(~cells.position.snapped)
        near = np.zeros(len(cells), dtype=np.bool_)
        near[loose] = only_short_pieces(study.city.network, cells.xy_m[loose], rules)
        read_only(near)
        kept = study.kept[_KEPT] = near
    return cast("BoolArray", kept)


def _short_pieces(study: Study) -> EdgeIndex | None:
    """The streets too short to join, None where there are none; made once a study."""
    if _PIECES not in study.kept:
        network, rules = study.city.network, study.policy.attachment
        there = bool((network.component_length_m < rules.least_piece_m).any())
        study.kept[_PIECES] = EdgeIndex.too_short(network, rules) if there else None
    return cast("EdgeIndex | None", study.kept[_PIECES])


def unsnapped_place(study: Study, xy_m: FloatArray) -> Warn:
    """What is said of a place (1, 2) that joins no street."""
    rules = study.policy.attachment
    told = {"limit_m": f"{rules.max_leg_m.value:g}"}
    short = _short_pieces(study)
    if short is not None and short.snap(xy_m, rules.max_leg_m.value).snapped[0]:
        return Warn("point_short_piece", {**told, "least_m": f"{rules.least_piece_m:g}"})
    return Warn("point_unsnapped", told)

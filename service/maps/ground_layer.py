"""The ground under a map: what of it a page can hold, drawn by zoom."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.osm.ground import KINDS, NAMES, STEPS_PER_DEGREE, Ground
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.folium_map import DataLayer
from lifecircle.service.maps.panel import Swatch, Toggle
from lifecircle.service.maps.shapes import beside, pack

PAGE_BYTES: Final = 2_880_000  # of all layers together, so that a page stays below 3 MB
MOST_VERTICES: Final = 110_000
MOST_NAMES: Final = 1_500
_VERTEX_BYTES, _NAME_BYTES = 9, 60  # about what one takes in a page
_BUILDING: Final = KINDS.index("building")


class GroundLayer(DataLayer):
    """Water, green, buildings, railways, main roads and names under the data."""

    draws = "ground"


def ground_layer(ask: Ask, others: int) -> tuple[GroundLayer, Toggle] | None:
    """The ground of a run beside layers of `others` bytes, and its switch; None without ground."""
    ground = ask.run.city.ground
    if ground is None or not len(ground.kind):
        return None
    legend = tuple(
        Swatch(colour, ask.say(f"ground_{name}"), shape)
        for name, colour, shape in (
            ("water", "#b5d3e6", "box"),
            ("green", "#d3e6c8", "box"),
            ("building", "#dcd9d4", "box"),
            ("rail", "#8d8d96", "line"),
            ("road", "#e2b56b", "line"),
        )
        if (ground.kind == KINDS.index(name)).any()
    )
    room = PAGE_BYTES - others - _NAME_BYTES * min(MOST_NAMES, len(ground.name))
    most = max(0, min(MOST_VERTICES, room // _VERTEX_BYTES))
    layer = GroundLayer(_packed(ground, ask.lang, most, ask.run.city.crs))
    return layer, Toggle("ground", ask.say("layer_ground"), legend)


def _packed(ground: Ground, lang: str, most: int, crs: str) -> dict[str, Any]:
    """Shapes as steps from one vertex to the next, and names, as far as a page can hold them.

    `crs`: of the city, beside which all of it is drawn.
    """
    kept = _kept(ground, most)
    counts = np.diff(ground.start)
    vertex = np.repeat(kept, counts)
    packed = pack(beside(ground.lonlat[vertex] / STEPS_PER_DEGREE, crs))
    order = np.argsort(ground.name_kind, kind="stable")[:MOST_NAMES]
    written = (ground.name_en if lang == "en" else ground.name)[order]
    names = np.where(written == "", ground.name[order], written)
    return {
        **packed,
        "n": counts[kept].tolist(),
        "kind": ground.kind[kept].tolist(),
        "rank": ground.rank[kept].tolist(),
        "feature": ground.feature[kept].tolist(),
        "kinds": list(KINDS),
        "nameKinds": list(NAMES),
        "nameKind": ground.name_kind[order].tolist(),
        "nameAt": beside(ground.name_at[order] / STEPS_PER_DEGREE, crs).round(5).tolist(),
        "names": names.tolist(),
    }


def _kept(ground: Ground, most: int) -> BoolArray:
    """Whole features within `most` vertices: buildings go first, the smallest of them first."""
    features, first, size = np.unique(
        np.repeat(ground.feature, np.diff(ground.start)), return_index=True, return_counts=True
    )
    if size.sum() <= most:
        return np.ones(len(ground.kind), dtype=bool)
    kind = ground.kind[np.searchsorted(ground.start, first, side="right") - 1]
    width = np.maximum.reduceat(ground.lonlat, first) - np.minimum.reduceat(ground.lonlat, first)
    extent = width.astype(np.float64).prod(axis=1)
    order = np.lexsort((-extent, kind == _BUILDING))
    fits = features[order][np.cumsum(size[order]) <= most]
    return np.isin(ground.feature, fits)

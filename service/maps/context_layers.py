"""What lies under the figures, after the first picture: streets, and the ground by zoom.

Both are of a run and no question: a page of the service fetches them from it, once for all its
pages; any other page holds them behind its script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.osm.ground import KINDS, NAMES, STEPS_PER_DEGREE, Ground
from lifecircle.service.errors import MissingError
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.dense import dense
from lifecircle.service.maps.escape import script_json
from lifecircle.service.maps.folium_map import LateLayer
from lifecircle.service.maps.panel import Option, Swatch, Toggle
from lifecircle.service.maps.shapes import beside, pack, pack_streets

STREETS, GROUND = "streets", "ground"
PIECES: Final = (STREETS, GROUND)
GROUNDS: Final = ("colour", "plain", "dark", "none")  # as `lifecircle-grounds.js` has them
TIANDITU: Final = ("tianditu_vec", "tianditu_img")
MOST_VERTICES: Final = 110_000
MOST_NAMES: Final = 1_500
_BUILDING: Final = KINDS.index("building")


class Streets(LateLayer):
    """The walking network as quiet lines."""

    draws = STREETS


class GroundLayer(LateLayer):
    """Water, green, buildings, railways, main roads and names under the data."""

    draws = GROUND


def street_layer(ask: Ask) -> tuple[Streets, Toggle]:
    """The walking network as context."""
    line = Swatch("#c6cbcf", ask.going("legend_streets", "legend_streets_by"), "line")
    label = ask.going("layer_streets", "layer_streets_by")
    return Streets(*_source(ask, STREETS)), Toggle(STREETS, label, (line,))


def ground_layer(ask: Ask) -> tuple[GroundLayer, Toggle] | None:
    """The ground of a run and its switch; None without ground."""
    ground = ask.run.city.ground
    if ground is None or not len(ground.kind):
        return None
    legend = tuple(
        Swatch(colour, ask.say(f"ground_{name}"), shape, ground=name)
        for name, colour, shape in (
            ("water", "#b5d3e6", "box"),
            ("green", "#d3e6c8", "box"),
            ("building", "#dcd9d4", "box"),
            ("rail", "#8d8d96", "line"),
            ("road", "#e2b56b", "line"),
        )
        if (ground.kind == KINDS.index(name)).any()
    )
    layer = GroundLayer(*_source(ask, GROUND))
    return layer, Toggle(GROUND, ask.say("layer_ground"), legend)


def ground_choice(ask: Ask, tianditu: bool) -> tuple[Option, ...]:
    """What the ground may look like; tiles of Tianditu only where the service hands them on."""
    names = (*GROUNDS, *(TIANDITU if tianditu else ()))
    return tuple(Option(name, ask.say(f"grounds_{name}"), name == GROUNDS[0]) for name in names)


def tianditu_offer(ask: Ask, offered: Mapping[str, str]) -> dict[str, str]:
    """Where the page finds tiles, and the credit that it shows with them."""
    number = offered["review_number"]
    credit = ask.say("tianditu_reviewed", number=number) if number else ask.say("tianditu")
    return {"at": offered["at"], "credit": credit}


def _source(ask: Ask, name: str) -> tuple[Markup, str | None]:
    """A piece itself, or nothing and where the page fetches it."""
    if ask.pieces_at is None:
        return piece(ask.run.study, name, ask.lang), None
    about = {"run": ask.run.manifest.run, "lang": ask.lang}
    if ask.profile is not None:
        about["profile"] = ask.profile.id
    return Markup(), f"{ask.pieces_at}/{name}?{urlencode(about)}"


def piece(study: Study, name: str, lang: Language) -> Markup:
    """Streets or ground of a run as JSON, made once.

    Raises
    ------
    MissingError : no such piece, or a run without ground.
    """
    key = ("piece", name, lang if name == GROUND else None)
    if key not in study.kept:
        study.kept[key] = script_json(dense(_made(study, name, lang)))
    return cast(Markup, study.kept[key])


def _made(study: Study, name: str, lang: Language) -> dict[str, Any]:
    city = study.city
    if name == STREETS:
        packed, partial = pack_streets(city.network)
        return packed | {"partial": partial}
    if name == GROUND and city.ground is not None:
        return pack_ground(city.ground, lang, MOST_VERTICES, city.crs)
    raise MissingError("map_piece_unknown", piece=name, known=", ".join(PIECES))


def pack_ground(ground: Ground, lang: str, most: int, crs: str) -> dict[str, Any]:
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
        "n": counts[kept],
        "kind": ground.kind[kept],
        "rank": ground.rank[kept],
        "feature": ground.feature[kept],
        "kinds": list(KINDS),
        "nameKinds": list(NAMES),
        "nameKind": ground.name_kind[order],
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

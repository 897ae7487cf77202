"""Why places join no street, or only a piece of streets by itself: remarks with lengths.

Source: DEFINITIONS.md, Attachment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.rules import AttachmentRules
from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.texts import first_of

_IDS_SHOWN: Final = 10


def nearest_piece_m(
    network: WalkNetwork, geometry: NDArray[np.object_], max_leg_m: float
) -> FloatArray:
    """Length of the piece of streets nearest to each place (k,), however short; 0 = none near.

    `geometry`: points, lines and polygons in the network's CRS.
    """
    length_m = np.zeros(len(geometry))
    if len(geometry):
        index = EdgeIndex.build(network, 0.0)
        found = attach_facilities(geometry, np.zeros(len(geometry), np.bool_), index, max_leg_m)
        component = network.edge_component[found.position.edge]
        length_m[found.facility] = network.component_length_m[component]
    return length_m


def loose_facilities(
    geometry: NDArray[np.object_],
    ids: NDArray[np.object_],
    network: WalkNetwork,
    rules: AttachmentRules,
) -> tuple[Warn, ...]:
    """What is said of facilities that joined no street: none near, or only too short a piece.

    `geometry`, `ids` (k,): where they lie and what they are called, the first of them told.
    """
    metres = rules.max_leg_m.value
    piece_m = nearest_piece_m(network, geometry, metres)
    said = []
    if far := int((piece_m == 0).sum()):
        params = {
            "count": far,
            "metres": metres,
            "ids": first_of(ids[piece_m == 0].tolist(), _IDS_SHOWN),
        }
        said.append(Warn("facilities_unsnapped", params))
    if short := int((piece_m > 0).sum()):
        there = {
            "count": short,
            "metres": metres,
            "ids": first_of(ids[piece_m > 0].tolist(), _IDS_SHOWN),
        }
        params = there | _too_short(piece_m, rules)
        said.append(Warn("facilities_short_pieces", params))
    return tuple(said)


def attachment_remarks(city: City, policy: Policy) -> tuple[Warn, ...]:
    """What is said of residents near too short pieces only, and of all who live on short ones."""
    rules, network, cells = policy.attachment, city.network, city.cells
    loose = np.flatnonzero(~cells.position.snapped)
    piece_m = nearest_piece_m(network, _points(cells.xy_m[loose]), rules.max_leg_m.value)
    said = []
    if residents := int(cells.residents[loose[piece_m > 0]].sum()):
        params = {"residents": residents, **_too_short(piece_m, rules)}
        said.append(Warn("residents_short_pieces", params))
    return (*said, *_on_short_pieces(city, rules))


def _on_short_pieces(city: City, rules: AttachmentRules) -> tuple[Warn, ...]:
    """Residents and facilities that joined a piece shorter than those joined first."""
    network, places = city.network, city.facilities
    short = network.component_length_m < rules.min_component_m.value
    there = np.flatnonzero(city.cells.position.snapped)
    piece = network.edge_component[city.cells.position.edge[there]]
    residents = int(city.cells.residents[there][short[piece]].sum())
    gate = network.edge_component[places.attachment.edge]
    in_city = places.attached_facility[~short[gate]]
    apart = np.setdiff1d(places.attached_facility[short[gate]], in_city)
    if not residents and not len(apart):
        return ()
    used = np.unique(np.concatenate((piece, gate)))
    used = used[short[used]]
    params = {
        "residents": residents,
        "facilities": len(apart),
        "count": len(used),
        "longest_km": f"{network.component_length_m[used].max() / 1000:.1f}",
        "limit_km": f"{rules.min_component_m.value / 1000:g}",
    }
    return (Warn("short_piece", params),)


def only_short_pieces(network: WalkNetwork, xy_m: FloatArray, rules: AttachmentRules) -> BoolArray:
    """Which places (k, 2) that join no street are near a piece of streets that is too short.

    The others are near no street at all.
    """
    if len(xy_m) == 0 or not (network.component_length_m < rules.least_piece_m).any():
        return np.zeros(len(xy_m), dtype=np.bool_)
    return EdgeIndex.too_short(network, rules).snap(xy_m, rules.max_leg_m.value).snapped


def nobody_on_streets(
    xy_m: FloatArray, network: WalkNetwork, rules: AttachmentRules
) -> tuple[str, dict[str, str]]:
    """The message for an area where nobody at all joins a street, and what it names."""
    metres = f"{rules.max_leg_m.value:g}"
    piece_m = nearest_piece_m(network, _points(xy_m), rules.max_leg_m.value)
    if not piece_m.any():
        return "pipeline_nobody_near_streets", {"metres": metres}
    return "pipeline_only_short_pieces", {"metres": metres, **_too_short(piece_m, rules)}


def _points(xy_m: FloatArray) -> NDArray[np.object_]:
    return np.asarray(shapely.points(xy_m), dtype=np.object_)


def _too_short(piece_m: FloatArray, rules: AttachmentRules) -> dict[str, str]:
    """The longest of pieces nobody joins, and how long one must be."""
    return {"longest_m": f"{piece_m.max():.0f}", "limit_m": f"{rules.least_piece_m:g}"}

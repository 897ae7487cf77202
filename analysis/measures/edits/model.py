"""What may be changed on a city: facilities, ways and residents, each change by itself.

Places are degrees (WGS84, lon first), as edits are drawn and written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import shapely

from lifecircle.analysis.city.streets.snap import Positions

Op = Literal[
    "add_facility",
    "remove_facility",
    "change_facility",
    "add_way",
    "close_way",
    "add_residents",
    "remove_residents",
]
WayKind = Literal["street", "path", "footbridge", "steps"]
OPS: Final[tuple[Op, ...]] = get_args(Op)
WAY_KINDS: Final[tuple[WayKind, ...]] = get_args(WayKind)
NONE_KNOWN: Final[Mapping[str, Any]] = MappingProxyType({})

# Far above what a meeting draws, far below what would keep a machine busy.
MOST_EDITS: Final = 500
MOST_VERTICES: Final = 2_000
MOST_RESIDENTS: Final = 5_000_000
MOST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class AddFacility:
    """A new place of a service (its id in the policy); `id` names it in later edits.

    `position`: where it joins the streets, where that is known already; else it is looked for.
    """

    service: str
    lon: float
    lat: float
    id: str
    name: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=lambda: NONE_KNOWN)
    position: Positions | None = None
    op: Literal["add_facility"] = "add_facility"


@dataclass(frozen=True, slots=True)
class RemoveFacility:
    """A place that closes."""

    id: str
    op: Literal["remove_facility"] = "remove_facility"


@dataclass(frozen=True, slots=True)
class ChangeFacility:
    """Other attributes of a place; None makes one unknown."""

    id: str
    attributes: Mapping[str, Any]
    op: Literal["change_facility"] = "change_facility"


@dataclass(frozen=True, slots=True)
class AddWay:
    """A new way along places (lon, lat); a footbridge joins the streets at its ends only."""

    coordinates: tuple[tuple[float, float], ...]
    kind: WayKind
    op: Literal["add_way"] = "add_way"


@dataclass(frozen=True, slots=True)
class CloseWay:
    """Streets closed for walking: at a point, along a line or inside an area, in degrees."""

    geometry: shapely.Geometry
    op: Literal["close_way"] = "close_way"


@dataclass(frozen=True, slots=True)
class AddResidents:
    """People who move in at a point or into an area, in degrees: one more row of residents."""

    geometry: shapely.Geometry
    residents: int
    id: str
    groups: Mapping[str, int] = field(default_factory=lambda: NONE_KNOWN)
    op: Literal["add_residents"] = "add_residents"


@dataclass(frozen=True, slots=True)
class RemoveResidents:
    """Everyone whose cell stands inside an area (degrees) moves out."""

    geometry: shapely.Geometry
    op: Literal["remove_residents"] = "remove_residents"


Edit = (
    AddFacility
    | RemoveFacility
    | ChangeFacility
    | AddWay
    | CloseWay
    | AddResidents
    | RemoveResidents
)

"""Where new places may go, and how supply spreads over distance (``[siting]``, ``[floating]``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ValidationInfo

from lifecircle.analysis.policy.cited import Positive
from lifecircle.analysis.policy.fields import SOME, After, Before, Record


@dataclass(frozen=True, slots=True)
class SitingRules(Record):
    """Generated positions for new places.

    `spacing_m`: one position is offered in each square of this width.
    """

    spacing_m: Positive


@dataclass(frozen=True, slots=True)
class DecayZone(Record):
    """Walks up to `share` of the catchment count with `weight` (zones from near to far)."""

    share: Positive
    weight: Positive


def _listed(zones: Any, _: ValidationInfo) -> Any:
    """The zones of a file, whose names are only for its reader."""
    return list(zones.values()) if isinstance(zones, Mapping) else zones


def _near_first(zones: tuple[DecayZone, ...], _: ValidationInfo) -> tuple[DecayZone, ...]:
    return tuple(sorted(zones, key=lambda zone: zone.share.value))


@dataclass(frozen=True, slots=True)
class FloatingRules(Record):
    """How a place's supply counts with distance in E2SFCA and 3SFCA."""

    zones: Annotated[tuple[DecayZone, ...], SOME, After(_near_first), Before(_listed)]

"""Where new places may go, and how supply spreads over distance (``[siting]``, ``[floating]``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.tables import CitedTable, FloatingTable, SitingTable


@dataclass(frozen=True, slots=True)
class SitingRules:
    """Generated positions for new places.

    `spacing_m`: one position is offered in each square of this width.
    """

    spacing_m: Cited


@dataclass(frozen=True, slots=True)
class DecayZone:
    """Walks up to `share` of the catchment count with `weight` (zones from near to far)."""

    share: Cited
    weight: Cited


@dataclass(frozen=True, slots=True)
class FloatingRules:
    """How a place's supply counts with distance in E2SFCA and 3SFCA."""

    zones: tuple[DecayZone, ...]


def siting_rules(table: SitingTable, cite: Callable[[CitedTable], Cited]) -> SitingRules:
    """The rules of a policy file's ``[siting]``."""
    return SitingRules(spacing_m=cite(table.spacing_m))


def floating_rules(table: FloatingTable, cite: Callable[[CitedTable], Cited]) -> FloatingRules:
    """The rules of a policy file's ``[floating]``, zones from near to far."""
    zones = (DecayZone(cite(z.share), cite(z.weight)) for z in table.zones.values())
    return FloatingRules(tuple(sorted(zones, key=lambda zone: zone.share.value)))

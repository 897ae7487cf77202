"""How slope, stairs and barriers count, as the policy says (``walk.toml``)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import Self

from lifecircle.analysis.policy.cited import Confidence, Positive
from lifecircle.analysis.policy.fields import Record, Source, Text, Values
from lifecircle.analysis.policy.joining import JoiningRules


class WayForm(IntFlag):
    """What a way is beside being walkable, as far as slope and barriers ask."""

    GROUND = 0
    OFF_GROUND = 1  # bridge, tunnel, covered way: does not follow the ground
    STEPS = 2
    MAIN_ROAD = 4
    ABOVE_OR_BELOW = 8  # bridge or tunnel: joined at its ends only


@dataclass(frozen=True, slots=True)
class TerrainRules(Record):
    """Walking on a slope: Tobler's function, stairs, and how heights are read.

    `tobler_peak_km_h`, `tobler_steepness`, `tobler_offset`: W = peak · exp(-steepness ·
    |s + offset|), s = rise over run. `steepest`: slopes beyond are noise of the heights and
    count as this. `cell_m`: finer heights are averaged to cells of this width.
    `stairs_*_m_per_s`: speeds along the ground on the flat, up and down stairs;
    `stairs_gradient`: rise over run of stairs. `implausible_slope`: a mean slope of the streets
    beyond it is doubted aloud. `off_ground`: tags of ways that leave the ground.
    """

    tobler_peak_km_h: Positive
    tobler_steepness: Positive
    tobler_offset: Positive
    steepest: Positive
    cell_m: Positive
    stairs_level_m_per_s: Positive
    stairs_up_m_per_s: Positive
    stairs_down_m_per_s: Positive
    stairs_gradient: Positive
    implausible_slope: Positive
    off_ground: Values


@dataclass(frozen=True, slots=True)
class BarrierRules(Record):
    """What a circle does not cross where the rule is asked for, and how wide a closure is.

    `main_road`, `railway`, `river`: values of ``highway``, ``railway``, ``waterway``.
    `line_width_m`: railways and rivers are cut this wide. `closure_margin_m`: a closure given as
    a point or line reaches this far.
    """

    main_road: Values
    railway: Values
    river: Values
    source: Source
    clause: Text
    line_width_m: Positive
    closure_margin_m: Positive
    confidence: Confidence | None = None  # None only in runs kept from before


@dataclass(frozen=True, slots=True)
class WayForms:
    """Reads the form of a way from its tags."""

    off_ground: tuple[str, ...]
    main_road: frozenset[str]
    on_ground: tuple[tuple[str, frozenset[str]], ...] = ()

    @classmethod
    def of(
        cls, terrain: TerrainRules, barriers: BarrierRules, joining: JoiningRules | None = None
    ) -> Self:
        """The reader of a policy."""
        stays = () if joining is None else joining.on_ground
        return cls(terrain.off_ground, frozenset(barriers.main_road), stays)

    def __call__(self, value_of: Callable[[str], str | None]) -> int:
        """The `WayForm` of a way whose tags `value_of` tells."""
        highway = value_of("highway")
        form = 2 if highway == "steps" else 0
        if highway in self.main_road:
            form |= 4
        for tag in self.off_ground:
            value = value_of(tag)
            if value is not None and value != "no":
                form |= 1
                break
        else:
            return form
        for tag, stays in self.on_ground:
            value = value_of(tag)
            if value is not None and value not in stays:
                return form | 8
        return form

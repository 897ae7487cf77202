"""The rules of a policy as frozen records: services, walkers, circles, who may walk where."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal, Protocol

from pydantic import Field

from lifecircle.analysis.policy.cited import (
    Confidence,
    Counted,
    CountedOrNone,
    OwnTitle,
    Positive,
    Share,
    Title,
)
from lifecircle.analysis.policy.fields import (
    SOME,
    Flag,
    Id,
    Record,
    ServiceGroupId,
    Services,
    Source,
    TagValues,
    Texts,
    Values,
    Words,
)
from lifecircle.analysis.policy.names import has_word, names_of


@dataclass(frozen=True, slots=True)
class TagRule(Record):
    """OSM tags that make a place a facility: all of `tags` hold, none of `without` does.

    Each is ``key -> values``; ``("*",)`` is any value. A thing with several values
    (``"ticket;gift"``) counts as each of them: `tags` holds when one is named, `without` only
    when all are. With `name_has` one of these words must be in a name, with `name_lacks` none may
    be (`lifecircle.analysis.policy.names`). `lines`: open ways and routes count too.
    """

    tags: Annotated[Mapping[str, TagValues], Field(min_length=1)]
    without: Annotated[Mapping[str, TagValues], Field(default_factory=dict)]
    name_has: Texts = ()
    name_lacks: Texts = ()
    lines: Flag = False

    def matches(self, tags: Mapping[str, str], names: str | None = None) -> bool:
        """Whether a place with these tags is such a facility.

        `names`: the tags' own, as `lifecircle.analysis.policy.names.names_of` gives them.
        """
        for key, named in self.tags.items():
            if not _is_one(tags, key, named, any):
                return False
        for key, named in self.without.items():
            if _is_one(tags, key, named, all):
                return False
        if not (self.name_has or self.name_lacks):
            return True
        called = names_of(tags) if names is None else names
        if self.name_has and not has_word(called, self.name_has):
            return False
        return not has_word(called, self.name_lacks)


def values_of(value: str) -> list[str]:
    """The values of a tag that may hold several: ``"ticket;gift"`` is two."""
    return [part.strip() for part in value.split(";") if part.strip()]


def _is_one(
    tags: Mapping[str, str],
    key: str,
    named: tuple[str, ...],
    how_many: Callable[[Iterable[bool]], bool],
) -> bool:
    """Whether any, or all, of a tag's values are among those named."""
    value = tags.get(key)
    if value is None:
        return False
    if named == ("*",) or value in named:
        return True
    return ";" in value and how_many(part in named for part in values_of(value))


@dataclass(frozen=True, slots=True)
class CapacityRule(Record):
    """Residents one facility is meant for: at least `minimum` (0: none), at most `maximum`."""

    minimum: CountedOrNone
    maximum: Counted


@dataclass(frozen=True, slots=True)
class Service(Record):
    """A kind of facility the policy names, and how far residents should have to walk.

    `attachment`: ``outline`` = the nearest point of the facility's outline (buildings, points);
    ``entrances`` = every place where a walkable way meets or enters it (parks, squares, pitches);
    ``grounds`` = the same where it is drawn as an area that is no building (a school's grounds).
    `tier`: ``basic`` (基本保障类), ``upgraded`` (品质提升类) or ``public``.
    `group`: of ``[service_groups]``, where people look for it; None in runs kept from before.
    `optional`: not part of a default run's circles unless asked (opened school grounds).
    `note`: a remark for people about what the places found stand for.
    """

    id: Id
    title: OwnTitle
    tier: Literal["basic", "upgraded", "public"]
    attachment: Literal["outline", "entrances", "grounds"]
    minutes: Positive
    metres: Positive | None = None
    target: Share | None = None
    capacity: CapacityRule | None = None
    osm: tuple[TagRule, ...] = ()
    aliases: Texts = ()
    optional: Flag = False
    note: Title | None = None
    group: ServiceGroupId | None = None


@dataclass(frozen=True, slots=True)
class Walker(Record):
    """A speed preset: `metres` walked in `seconds` (an exact fraction)."""

    id: Id
    title: OwnTitle
    metres: Positive
    seconds: Positive

    @property
    def speed_m_per_s(self) -> Fraction:
        """Speed on the flat, metres per second, exact."""
        return _speed(self.metres.value, self.seconds.value)


@dataclass(frozen=True, slots=True)
class CircleRule(Record):
    """A circle (便民 / 健身): the services that count and how many make the headline.

    `required` is None when every service is required. `upgraded` services are counted apart.
    `night_hour`: the hour of the evening of the night variant, None = there is none.
    """

    id: Id
    title: OwnTitle
    services: Annotated[Services, SOME]
    required: Annotated[Counted | None, Field(default=None)]
    minutes_all: Positive
    upgraded: Services = ()
    night_hour: Positive | None = None


class Tags(Protocol):
    """The tags of an OpenStreetMap object, as a mapping or as pyosmium hands them out."""

    def get(self, key: str, /) -> str | None:
        """The value of a key, None where it is not set."""


@dataclass(frozen=True, slots=True)
class WalkRules(Record):
    """Who may walk where, in the precedence of DEFINITIONS.md (``walk.toml``).

    A table of words, cited as a whole; the citation and what is said of ``motorroad`` are empty in
    runs kept from before.
    """

    highway_no: Words
    foot_no: Words
    foot_yes: Words
    access_no: Words
    motorroad_no: Words = frozenset()
    motorroad_foot: Words = frozenset()
    source: Source = ""
    clause: str = ""
    confidence: Confidence | None = None

    def walkable(self, tags: Tags) -> bool:
        """Whether people may walk along a way with these tags (both directions)."""
        highway = tags.get("highway")
        if highway is None or highway in self.highway_no:
            return False
        foot = tags.get("foot")
        if tags.get("motorroad") in self.motorroad_no and foot not in self.motorroad_foot:
            return False
        if foot in self.foot_no or tags.get("area") == "yes":
            return False
        if foot in self.foot_yes:
            return True
        return tags.get("access") not in self.access_no


@dataclass(frozen=True, slots=True)
class AttachmentRules(Record):
    """How points join the streets.

    No leg is longer than `max_leg_m`; pieces of streets of at least `min_component_m` are joined
    first, then those of at least `min_piece_m` (None in runs kept from before: no others). A gate
    within `gate_m` of a crossing stands on it (None in runs from before: gates are not looked at).
    """

    max_leg_m: Positive
    min_component_m: Positive
    min_piece_m: Positive | None = None
    gate_m: Positive | None = None

    @property
    def least_piece_m(self) -> float:
        """The length that a piece of streets must have for anything to join it."""
        least = self.min_component_m if self.min_piece_m is None else self.min_piece_m
        return float(least.value)


@dataclass(frozen=True, slots=True)
class GapRules(Record):
    """How uncovered cells join into gaps, and what a gap without polygons looks like."""

    link_m: Positive
    disc_radius_m: Positive


@dataclass(frozen=True, slots=True)
class HomeRules(Record):
    """Which buildings without a tagged use are homes too, and how far from streets people live.

    `plain_buildings`: values of ``building`` that say no use; on land of `no_home_land`, in areas
    of `no_home_amenities`, or holding such a place, they are no homes, nor outside the bounds of
    their ground. The tagged alone are meant where they have `tagged_share` of all floor.
    """

    plain_buildings: Values
    no_home_land: Values
    no_home_amenities: Values
    min_ground_m2: Positive
    max_ground_m2: Positive
    tagged_share: Share
    storey_m: Positive
    max_street_m: Positive
    told_share: Share


@dataclass(frozen=True, slots=True)
class SpreadRules(Record):
    """How unit totals are spread over buildings or land; without `homes` over the tagged alone."""

    min_floor_m2_per_resident: Positive
    max_floor_m2_per_resident: Positive
    lattice_m: Positive
    default_levels: Counted
    residential_buildings: Values
    homes: HomeRules | None = None


@dataclass(frozen=True, slots=True)
class CoverageRules(Record):
    """The second published reading of coverage and the sampling of residential land."""

    core_minutes: Positive
    core_metres: Positive
    land_lattice_m: Positive


@lru_cache(maxsize=256)
def _speed(metres: float, seconds: float) -> Fraction:
    exact = (Fraction(one).limit_denominator(10**6) for one in (metres, seconds))
    return next(exact) / next(exact)

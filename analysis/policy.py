"""Policies: judgements as data. Every number is cited, or the file is refused.

A policy is one TOML file in ``analysis/policies/`` (or a user's folder) that may extend
another (``extends = "cn-15min"``). It names services, walkers, circles and the rules of
attachment, gaps, spreading and sampling. See ``docs/policies.md`` for the file format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol

from analysis.policy_capacity import NO_CAPACITIES, Capacities, capacities
from analysis.policy_cited import Cited
from analysis.policy_files import packaged, policy_ids, read_policy_file
from analysis.policy_quality import QualityRules, quality_rules
from analysis.policy_scorecard import Known, read_scorecard
from analysis.policy_scorecard_model import Scorecard
from analysis.policy_siting import FloatingRules, SitingRules, floating_rules, siting_rules
from analysis.policy_tables import (
    CapacityTable,
    CircleTable,
    CitedTable,
    Confidence,
    PolicyFile,
    ServiceTable,
    TagTable,
    TitleTable,
    WalkerTable,
)
from analysis.policy_terrain import BarrierRules, TerrainRules, barrier_rules, terrain_rules

__all__ = [
    "AttachmentRules",
    "BarrierRules",
    "Capacities",
    "CapacityRule",
    "CircleRule",
    "Cited",
    "Confidence",
    "CoverageRules",
    "FloatingRules",
    "GapRules",
    "Policy",
    "QualityRules",
    "Service",
    "SitingRules",
    "SpreadRules",
    "TagRule",
    "TerrainRules",
    "Title",
    "WalkRules",
    "Walker",
    "load_policy",
    "policy_ids",
]


@dataclass(frozen=True, slots=True)
class Title:
    """A name in Chinese and English."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The name in a language (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class TagRule:
    """OSM tags that make a place a facility: all of `tags` hold, none of `without` does.

    Each is ``key -> allowed values``; ``("*",)`` allows any value. A tag with several values
    (``"ticket;gift"``) holds when one of them is allowed. Names are any tag ``name`` or
    ``name:*``: with `name_has` one of these words must be in a name, with `name_lacks` none may be
    (upper and lower case alike).
    """

    tags: Mapping[str, tuple[str, ...]]
    without: Mapping[str, tuple[str, ...]]
    name_has: tuple[str, ...] = ()
    name_lacks: tuple[str, ...] = ()

    def matches(self, tags: Mapping[str, str]) -> bool:
        """Whether a place with these tags is such a facility."""
        if not all(_holds(tags, k, v) for k, v in self.tags.items()):
            return False
        if any(_holds(tags, k, v) for k, v in self.without.items()):
            return False
        if self.name_has and not _named(tags, self.name_has):
            return False
        return not _named(tags, self.name_lacks)


def _holds(tags: Mapping[str, str], key: str, allowed: tuple[str, ...]) -> bool:
    value = tags.get(key)
    if value is None:
        return False
    if allowed == ("*",) or value in allowed:
        return True
    return ";" in value and any(part.strip() in allowed for part in value.split(";"))


def _named(tags: Mapping[str, str], words: tuple[str, ...]) -> bool:
    if not words:
        return False
    names = [v.casefold() for k, v in tags.items() if k == "name" or k.startswith("name:")]
    return any(word.casefold() in name for word in words for name in names)


@dataclass(frozen=True, slots=True)
class CapacityRule:
    """Residents one facility is meant for: at least `minimum`, at most `maximum`."""

    minimum: Cited
    maximum: Cited


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of facility the policy names, and how far residents should have to walk.

    `attachment`: ``outline`` = the nearest point of the facility's outline (buildings, points);
    ``entrances`` = every place where a walkable way meets or enters it (parks, squares, pitches).
    `tier`: ``basic`` (基本保障类), ``upgraded`` (品质提升类) or ``public``.
    `optional`: not part of a default run's circles unless asked (opened school grounds).
    `note`: a remark for people about what the places found stand for.
    """

    id: str
    title: Title
    tier: Literal["basic", "upgraded", "public"]
    attachment: Literal["outline", "entrances"]
    minutes: Cited
    metres: Cited | None
    target: Cited | None
    capacity: CapacityRule | None
    osm: tuple[TagRule, ...]
    aliases: tuple[str, ...]
    optional: bool
    note: Title | None = None


@dataclass(frozen=True, slots=True)
class Walker:
    """A speed preset: `metres` walked in `seconds` (an exact fraction)."""

    id: str
    title: Title
    metres: Cited
    seconds: Cited

    @property
    def speed_m_per_s(self) -> Fraction:
        """Speed on the flat, metres per second, exact."""
        return Fraction(self.metres.value).limit_denominator(10**6) / Fraction(
            self.seconds.value
        ).limit_denominator(10**6)


@dataclass(frozen=True, slots=True)
class CircleRule:
    """A circle (便民 / 健身): the services that count and how many make the headline.

    `required` is None when every service is required. `upgraded` services are counted apart.
    `night_hour`: the hour of the evening of the night variant, None = there is none.
    """

    id: str
    title: Title
    services: tuple[str, ...]
    required: Cited | None
    minutes_all: Cited
    upgraded: tuple[str, ...] = ()
    night_hour: Cited | None = None


class Tags(Protocol):
    """The tags of an OpenStreetMap object, as a mapping or as pyosmium hands them out."""

    def get(self, key: str, /) -> str | None:
        """The value of a key, None where it is not set."""


@dataclass(frozen=True, slots=True)
class WalkRules:
    """Who may walk where, in the precedence of DEFINITIONS.md (``walk.toml``)."""

    highway_no: frozenset[str]
    foot_no: frozenset[str]
    foot_yes: frozenset[str]
    access_no: frozenset[str]

    def walkable(self, tags: Tags) -> bool:
        """Whether people may walk along a way with these tags (both directions)."""
        highway = tags.get("highway")
        if highway is None or highway in self.highway_no:
            return False
        foot = tags.get("foot")
        if foot in self.foot_no or tags.get("area") == "yes":
            return False
        if foot in self.foot_yes:
            return True
        return tags.get("access") not in self.access_no


@dataclass(frozen=True, slots=True)
class AttachmentRules:
    """How points join the streets."""

    max_leg_m: Cited
    min_component_m: Cited


@dataclass(frozen=True, slots=True)
class GapRules:
    """How uncovered cells join into gaps, and what a gap without polygons looks like."""

    link_m: Cited
    disc_radius_m: Cited


@dataclass(frozen=True, slots=True)
class SpreadRules:
    """How unit totals are spread over buildings or land."""

    min_floor_m2_per_resident: Cited
    max_floor_m2_per_resident: Cited
    lattice_m: Cited
    default_levels: Cited
    residential_buildings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageRules:
    """The second published reading of coverage and the sampling of residential land."""

    core_minutes: Cited
    core_metres: Cited
    land_lattice_m: Cited


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that was judged, in one immutable object with the digest of its files.

    `terrain` and `barriers` are None only in runs kept from before there were such rules.
    """

    id: str
    title: Title
    digest: str
    services: Mapping[str, Service]
    walkers: Mapping[str, Walker]
    circles: Mapping[str, CircleRule]
    walk: WalkRules
    attachment: AttachmentRules
    gaps: GapRules
    spread: SpreadRules
    coverage: CoverageRules
    unit_levels: Mapping[str, Title]
    terrain: TerrainRules | None = None
    barriers: BarrierRules | None = None
    scorecard: Scorecard | None = None
    quality: QualityRules | None = None  # None only in runs kept from before
    capacities: Capacities = NO_CAPACITIES
    siting: SitingRules | None = None  # None only in runs kept from before
    floating: FloatingRules | None = None


def load_policy(policy: str | Path = "kunming-2022-77") -> Policy:
    """A policy by the id of a packaged one or the path of a TOML file, checked and complete.

    Raises
    ------
    PolicyError
        A file that cannot be read, a number without a citation, an unknown or missing key,
        a contradiction. All faults of one stage are told at once, with file and key.
    """
    file, digest = read_policy_file(policy)
    cite = _Citations(file.sources)
    scorecard, digest = _scorecard(policy, file, digest)
    return Policy(
        id=file.id,
        title=_title(file.title),
        digest=digest,
        services={i: _service(i, t, cite) for i, t in file.services.items()},
        walkers={i: _walker(i, t, cite) for i, t in file.walkers.items()},
        circles={i: _circle(i, t, cite) for i, t in file.circles.items()},
        walk=_walk(file),
        attachment=AttachmentRules(
            max_leg_m=cite(file.attachment.max_leg_m),
            min_component_m=cite(file.attachment.min_component_m),
        ),
        gaps=GapRules(link_m=cite(file.gaps.link_m), disc_radius_m=cite(file.gaps.disc_radius_m)),
        spread=_spread(file, cite),
        coverage=CoverageRules(
            core_minutes=cite(file.coverage.core_minutes),
            core_metres=cite(file.coverage.core_metres),
            land_lattice_m=cite(file.coverage.land_lattice_m),
        ),
        unit_levels={i: _title(t) for i, t in file.unit_levels.items()},
        terrain=terrain_rules(file.terrain, cite),
        barriers=barrier_rules(file.barriers, file.sources, cite),
        scorecard=scorecard,
        quality=quality_rules(file.quality, cite),
        capacities=capacities(file.capacities, cite),
        siting=siting_rules(file.siting, cite),
        floating=floating_rules(file.floating, cite),
    )


def _scorecard(policy: str | Path, file: PolicyFile, digest: str) -> tuple[Scorecard | None, str]:
    """The scorecard the policy names, and the digest over both."""
    if file.scorecard is None:
        return None, digest
    known = Known(tuple(file.services), tuple(file.unit_levels), tuple(file.circles))
    beside = None if policy in packaged() else Path(policy).parent
    scorecard, own = read_scorecard(file.scorecard, beside, known)
    return scorecard, sha256(f"{digest}{own}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Citations:
    """Turns a cited table of a file into a number with the full title of its source."""

    sources: Mapping[str, str]

    def __call__(self, table: CitedTable) -> Cited:
        return Cited(table.value, self.sources[table.source], table.clause, table.confidence)

    def maybe(self, table: CitedTable | None) -> Cited | None:
        return None if table is None else self(table)


def _title(table: TitleTable) -> Title:
    return Title(zh=table.zh, en=table.en)


def _tags(tags: Mapping[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {key: tuple(values) for key, values in tags.items()}


def _tag_rule(table: TagTable) -> TagRule:
    return TagRule(
        tags=_tags(table.tags),
        without=_tags(table.without),
        name_has=tuple(table.name_has),
        name_lacks=tuple(table.name_lacks),
    )


def _capacity(table: CapacityTable | None, cite: _Citations) -> CapacityRule | None:
    if table is None:
        return None
    return CapacityRule(minimum=cite(table.minimum), maximum=cite(table.maximum))


def _service(name: str, table: ServiceTable, cite: _Citations) -> Service:
    return Service(
        id=name,
        title=_title(table),
        tier=table.tier,
        attachment=table.attachment,
        minutes=cite(table.minutes),
        metres=cite.maybe(table.metres),
        target=cite.maybe(table.target),
        capacity=_capacity(table.capacity, cite),
        osm=tuple(_tag_rule(rule) for rule in table.osm),
        aliases=tuple(table.aliases),
        optional=table.optional,
        note=None if table.note is None else _title(table.note),
    )


def _walker(name: str, table: WalkerTable, cite: _Citations) -> Walker:
    return Walker(name, _title(table), metres=cite(table.metres), seconds=cite(table.seconds))


def _circle(name: str, table: CircleTable, cite: _Citations) -> CircleRule:
    return CircleRule(
        id=name,
        title=_title(table),
        services=tuple(table.services),
        required=cite.maybe(table.required),
        minutes_all=cite(table.minutes_all),
        upgraded=tuple(table.upgraded),
        night_hour=cite.maybe(table.night_hour),
    )


def _walk(file: PolicyFile) -> WalkRules:
    return WalkRules(
        highway_no=frozenset(file.walk.highway_no),
        foot_no=frozenset(file.walk.foot_no),
        foot_yes=frozenset(file.walk.foot_yes),
        access_no=frozenset(file.walk.access_no),
    )


def _spread(file: PolicyFile, cite: _Citations) -> SpreadRules:
    return SpreadRules(
        min_floor_m2_per_resident=cite(file.spread.min_floor_m2_per_resident),
        max_floor_m2_per_resident=cite(file.spread.max_floor_m2_per_resident),
        lattice_m=cite(file.spread.lattice_m),
        default_levels=cite(file.spread.default_levels),
        residential_buildings=tuple(file.spread.residential_buildings),
    )

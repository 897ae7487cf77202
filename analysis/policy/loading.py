"""A policy from its files: read, checked, every number with its citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lifecircle.analysis.policy.capacity import NO_CAPACITIES, Capacities, capacities
from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.files import packaged, read_policy_file
from lifecircle.analysis.policy.joining import JoiningRules, ReadingRules, joining_rules
from lifecircle.analysis.policy.life_cycle import LifeCycle, life_cycle
from lifecircle.analysis.policy.quality import QualityRules, quality_rules
from lifecircle.analysis.policy.rules import (
    AttachmentRules,
    CapacityRule,
    CircleRule,
    CoverageRules,
    GapRules,
    Service,
    SpreadRules,
    TagRule,
    Title,
    Walker,
    WalkRules,
)
from lifecircle.analysis.policy.scorecard import Known, read_scorecard
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.analysis.policy.siting import (
    FloatingRules,
    SitingRules,
    floating_rules,
    siting_rules,
)
from lifecircle.analysis.policy.tables import (
    CapacityTable,
    CircleTable,
    CitedTable,
    PolicyFile,
    ServiceTable,
    TagTable,
    TitleTable,
    WalkerTable,
)
from lifecircle.analysis.policy.terrain import (
    BarrierRules,
    TerrainRules,
    barrier_rules,
    terrain_rules,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that was judged, in one immutable object with the digest of its files.

    `terrain`, `barriers`, `joining`, `reading` and `life_cycle` are None only in runs kept from
    before there were such rules.
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
    joining: JoiningRules | None = None
    reading: ReadingRules | None = None
    life_cycle: LifeCycle | None = None
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
            min_piece_m=cite(file.attachment.min_piece_m),
        ),
        joining=joining_rules(file.joining),
        reading=ReadingRules(cite(file.reading.missing_refused)),
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
        life_cycle=life_cycle(file.life_cycle),
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
        lines=table.lines,
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
        motorroad_no=frozenset(file.walk.motorroad_no),
        motorroad_foot=frozenset(file.walk.motorroad_foot),
    )


def _spread(file: PolicyFile, cite: _Citations) -> SpreadRules:
    return SpreadRules(
        min_floor_m2_per_resident=cite(file.spread.min_floor_m2_per_resident),
        max_floor_m2_per_resident=cite(file.spread.max_floor_m2_per_resident),
        lattice_m=cite(file.spread.lattice_m),
        default_levels=cite(file.spread.default_levels),
        residential_buildings=tuple(file.spread.residential_buildings),
    )

"""The tables a policy file may hold, as pydantic models: which keys there are and of what kind.

Every key of ``analysis/policies/*.toml`` is here; one that is not is refused. What a key means is
told in ``docs/policies.md``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Confidence = Literal["verified", "second_hand", "unverified", "derived", "interpretation"]
Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
Values = Annotated[list[Text], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TitleTable(_Table):
    """A name in both languages."""

    zh: Text
    en: Text


class CitedTable(_Table):
    """One number with its citation; `source` is a key of ``[sources]``."""

    value: float
    source: Text
    clause: Text
    confidence: Confidence


class TagTable(_Table):
    """One OSM rule."""

    tags: Annotated[dict[str, Values], Field(min_length=1)]
    without: dict[str, Values] = {}
    name_has: list[Text] = []
    name_lacks: list[Text] = []
    lines: bool = False


class WordListTable(_Table):
    """``[lists.<id>]``: words by language, tag values, or a list of lists; cited as a whole."""

    source: Text
    clause: Text
    confidence: Confidence
    of: list[Text] = []
    values: list[Text] = []
    zh: list[Text] = []
    en: list[Text] = []
    es: list[Text] = []
    pt: list[Text] = []
    it: list[Text] = []
    mt: list[Text] = []
    other: list[Text] = []


class LifeCycleTable(_Table):
    """``[life_cycle]``: how OpenStreetMap says that a thing is not open; cited as a whole."""

    source: Text
    clause: Text
    confidence: Confidence
    gone: Values
    planned: Values
    unsaid: Values
    value_keys: Values
    prefixed_keys: Values
    hours_closed: Values
    status_keys: list[Text] = []
    status_closed: list[Text] = []
    gone_names: list[Text] = []
    planned_names: list[Text] = []


class CapacityTable(_Table):
    """Residents one facility is meant for."""

    minimum: CitedTable
    maximum: CitedTable


class ServiceTable(TitleTable):
    """``[services.<id>]``."""

    tier: Literal["basic", "upgraded", "public"]
    attachment: Literal["outline", "entrances"]
    minutes: CitedTable
    metres: CitedTable | None = None
    target: CitedTable | None = None
    capacity: CapacityTable | None = None
    osm: list[TagTable] = []
    aliases: list[Text] = []
    optional: bool = False
    note: TitleTable | None = None


class WalkerTable(TitleTable):
    """``[walkers.<id>]``."""

    metres: CitedTable
    seconds: CitedTable


class CircleTable(TitleTable):
    """``[circles.<id>]``."""

    services: Values
    required: CitedTable | None = None
    minutes_all: CitedTable
    upgraded: list[Text] = []
    night_hour: CitedTable | None = None


class WalkTable(_Table):
    """``[walk]``: a table of words, cited as a whole."""

    source: Text
    clause: Text
    confidence: Confidence
    highway_no: Values
    foot_no: Values
    foot_yes: Values
    access_no: Values
    motorroad_no: Values
    motorroad_foot: Values


class AttachmentTable(_Table):
    """``[attachment]``."""

    max_leg_m: CitedTable
    min_component_m: CitedTable
    min_piece_m: CitedTable


class JoiningTable(_Table):
    """``[joining]``, cited as a whole."""

    source: Text
    clause: Text
    confidence: Confidence
    bridge_on_ground: Values
    tunnel_on_ground: Values


class ReadingTable(_Table):
    """``[reading]``."""

    missing_refused: CitedTable


class GapTable(_Table):
    """``[gaps]``."""

    link_m: CitedTable
    disc_radius_m: CitedTable


class SpreadTable(_Table):
    """``[spread]``."""

    min_floor_m2_per_resident: CitedTable
    max_floor_m2_per_resident: CitedTable
    lattice_m: CitedTable
    default_levels: CitedTable
    residential_buildings: Values


class CoverageTable(_Table):
    """``[coverage]``."""

    core_minutes: CitedTable
    core_metres: CitedTable
    land_lattice_m: CitedTable


class TerrainTable(_Table):
    """``[terrain]``."""

    tobler_peak_km_h: CitedTable
    tobler_steepness: CitedTable
    tobler_offset: CitedTable
    steepest: CitedTable
    cell_m: CitedTable
    stairs_level_m_per_s: CitedTable
    stairs_up_m_per_s: CitedTable
    stairs_down_m_per_s: CitedTable
    stairs_gradient: CitedTable
    implausible_slope: CitedTable
    off_ground: Values


class BarrierTable(_Table):
    """``[barriers]``: tables of words, cited as a whole, and two widths."""

    source: Text
    clause: Text
    confidence: Confidence
    main_road: Values
    railway: Values
    river: Values
    line_width_m: CitedTable
    closure_margin_m: CitedTable


class QualityTable(_Table):
    """``[quality]``."""

    same_name_m: CitedTable
    like_name_m: CitedTable
    nameless_m: CitedTable
    likeness: CitedTable
    spread_square_m: CitedTable
    place_words: list[Text] = []
    company_words: list[Text] = []
    telling: str = ""


class RungTable(_Table):
    """One rung of a ladder: from this floor area on, a facility serves up to so many."""

    area_m2: CitedTable
    persons: CitedTable


class CatchmentTable(_Table):
    """``[capacities.catchments.<service>]``."""

    group: Text = "total"
    stated: list[Text] = []
    area_columns: list[Text] = []
    m2_per_person: CitedTable | None = None
    ladder: list[RungTable] = []


class PopulationRuleTable(_Table):
    """``[capacities.population_rule]``."""

    service: Text
    levels: Values
    ownership: Values
    other_kinds: list[Text] = []


class CapacitiesTable(_Table):
    """``[capacities]``."""

    closed_levels: list[Text] = []
    catchments: dict[str, CatchmentTable] = {}
    population_rule: PopulationRuleTable | None = None


class SitingTable(_Table):
    """``[siting]``."""

    spacing_m: CitedTable


class ZoneTable(_Table):
    """``[floating.zones.<id>]``."""

    share: CitedTable
    weight: CitedTable


class FloatingTable(_Table):
    """``[floating]``."""

    zones: Annotated[dict[str, ZoneTable], Field(min_length=1)]


class PolicyFile(_Table):
    """A whole policy after joining along ``extends``."""

    id: Text
    title: TitleTable
    sources: dict[str, Text]
    lists: dict[str, WordListTable] = {}
    life_cycle: LifeCycleTable
    services: Annotated[dict[str, ServiceTable], Field(min_length=1)]
    walkers: Annotated[dict[str, WalkerTable], Field(min_length=1)]
    circles: dict[str, CircleTable] = {}
    walk: WalkTable
    attachment: AttachmentTable
    joining: JoiningTable
    reading: ReadingTable
    terrain: TerrainTable
    barriers: BarrierTable
    gaps: GapTable
    spread: SpreadTable
    coverage: CoverageTable
    quality: QualityTable
    siting: SitingTable
    floating: FloatingTable
    unit_levels: Annotated[dict[str, TitleTable], Field(min_length=1)]
    scorecard: Text | None = None
    capacities: CapacitiesTable = CapacitiesTable()

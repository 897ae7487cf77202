"""A whole policy as one record, and what reads and writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter
from pydantic_core import core_schema

from lifecircle.analysis.policy.cited import Title
from lifecircle.analysis.policy.fields import BY_ID_TITLED, As, Record, Text
from lifecircle.analysis.policy.joining import JoiningRules, ReadingRules
from lifecircle.analysis.policy.scorecard_model import Scorecard, scorecard_reader
from lifecircle.analysis.policy.sections.capacity import NO_CAPACITIES, Capacities
from lifecircle.analysis.policy.sections.life_cycle import LifeCycle
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.policy.sections.quality import QualityRules
from lifecircle.analysis.policy.sections.rules import (
    AttachmentRules,
    CircleRule,
    CoverageRules,
    GapRules,
    Service,
    SpreadRules,
    Walker,
    WalkRules,
)
from lifecircle.analysis.policy.sections.siting import FloatingRules, SitingRules
from lifecircle.analysis.policy.sections.terrain import BarrierRules, TerrainRules
from lifecircle.analysis.policy.sections.word_lists import WordList


def _scorecard(kept: Any) -> Scorecard | None:
    """The scorecard of a run; that of a file is read by itself."""
    if kept is None or isinstance(kept, Scorecard):
        return kept
    return scorecard_reader().validate_python(
        {**kept, "#id": kept["id"], "#source": kept["source"]}, extra="ignore"
    )


def _kept(scorecard: Scorecard | None) -> Any:
    return None if scorecard is None else scorecard_reader().dump_python(scorecard, by_alias=True)


_CARD: Final = core_schema.no_info_plain_validator_function(
    _scorecard, serialization=core_schema.plain_serializer_function_ser_schema(_kept)
)


@dataclass(frozen=True, slots=True)
class Policy(Record):
    """Everything that was judged, in one immutable object with the digest of its files.

    `life_cycle`, `terrain`, `barriers`, `joining`, `reading`, `quality`, `siting` and `floating`
    are None only in runs kept from before there were such rules; these have no `profiles`. The
    rules of services hold the words of `lists`.

    Examples
    --------
    >>> import lifecircle as lc
    >>> policy = lc.load_policy("kunming-2022-77")
    >>> policy.services["health_centre"].minutes.value
    15.0
    """

    id: Text
    title: Title
    digest: Annotated[str, Field(validation_alias="#digest")]
    services: Annotated[Mapping[str, Service], Field(min_length=1), BY_ID_TITLED]
    walkers: Annotated[Mapping[str, Walker], Field(min_length=1), BY_ID_TITLED]
    circles: Annotated[Mapping[str, CircleRule], Field(default_factory=dict), BY_ID_TITLED]
    walk: WalkRules
    attachment: AttachmentRules
    gaps: GapRules
    spread: SpreadRules
    coverage: CoverageRules
    unit_levels: Annotated[Mapping[str, Title], Field(min_length=1)]
    lists: Annotated[Mapping[str, WordList], Field(default_factory=dict)]
    life_cycle: LifeCycle | None = None
    terrain: TerrainRules | None = None
    barriers: BarrierRules | None = None
    joining: JoiningRules | None = None
    reading: ReadingRules | None = None
    scorecard: Annotated[Scorecard | None, Field(validation_alias="#scorecard"), As(_CARD)] = None
    quality: QualityRules | None = None
    capacities: Capacities = NO_CAPACITIES
    siting: SitingRules | None = None
    floating: FloatingRules | None = None
    profiles: Annotated[Mapping[str, TravelProfile], BY_ID_TITLED] = field(default_factory=dict)
    service_groups: Mapping[str, Title] = field(default_factory=dict)

    @property
    def capacity_services(self) -> tuple[str, ...]:
        """Services whose facilities have a known way to a capacity, in the policy's order."""
        return tuple(
            name
            for name, service in self.services.items()
            if service.capacity is not None or name in self.capacities.catchments
        )

    def grouped(self, services: Iterable[str]) -> list[tuple[Title | None, list[str]]]:
        """Some services by their groups, in the order of both; those of none last, under None."""
        known = {*services}
        of = {name: one.group for name, one in self.services.items() if name in known}
        groups: tuple[tuple[str | None, Title | None], ...]
        groups = (*self.service_groups.items(), (None, None))
        found = ((title, [name for name in of if of[name] == group]) for group, title in groups)
        return [(title, names) for title, names in found if names]

    def __repr__(self) -> str:
        return (
            f"<Policy {self.id!r}: {len(self.services)} services, walkers "
            f"{', '.join(self.walkers)}>"
        )


@cache
def policy_reader() -> TypeAdapter[Policy]:
    """What reads and writes a whole policy."""
    return TypeAdapter(Policy)

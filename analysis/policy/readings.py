"""The ways to compute a row of a scorecard: one record per kind, with the keys that it takes.

No row has code of its own: a reading names one of a few evaluators by its `kind`. What each kind
takes is told in ``docs/scorecard.md``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lifecircle.analysis.policy.fields import (
    SOME,
    BaseLevel,
    CircleId,
    ColumnId,
    Flag,
    ServiceId,
    Services,
    Text,
)
from lifecircle.analysis.policy.reading_bases import (
    OfUnits,
    ShareReading,
    SomeServices,
    SomeTests,
    SumReading,
    WithinReading,
)
from lifecircle.analysis.policy.reading_checks import (
    Contradiction,
    one_of,
    one_source,
    tested,
    whole_conditions,
)
from lifecircle.analysis.policy.sections.amounts import (
    Condition,
    Given,
    Operands,
    Selectors,
    Test,
    chosen,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHas(OfUnits):
    """Units with at least so many qualifying facilities ÷ units."""

    kind: Literal["unit_has"] = "unit_has"
    any_of: Services = ()
    all_of: Services = ()
    where: tuple[Condition, ...] = ()
    at_least: Given | None = None
    filters: tuple[Test, ...] = ()

    def _contradictions(self) -> Iterator[Contradiction]:
        """One of `any_of` and `all_of`."""
        yield from one_of(self, "any_of", "all_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMeets(OfUnits):
    """Units that hold all (or any) tests ÷ units."""

    kind: Literal["unit_meets"] = "unit_meets"
    tests: SomeTests
    combine: Literal["all", "any"] = "all"
    filters: tuple[Test, ...] = ()

    def _contradictions(self) -> Iterator[Contradiction]:
        """Tests of units."""
        yield from tested(self.tests, "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityMeets(ShareReading):
    """Facilities that hold the tests ÷ facilities."""

    kind: Literal["facility_meets"] = "facility_meets"
    any_of: SomeServices
    tests: SomeTests
    combine: Literal["all", "any"] = "all"

    def _contradictions(self) -> Iterator[Contradiction]:
        """Tests of facilities."""
        yield from tested(self.tests, "tests", facility=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist(OfUnits):
    """Units × kinds of facility that are there."""

    kind: Literal["checklist"] = "checklist"
    all_of: SomeServices
    filters: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(SumReading):
    """Σ over ÷ Σ under × per; without `under`: ÷ how many units or facilities (their mean)."""

    kind: Literal["ratio"] = "ratio"
    each: Literal["unit", "facility"] = "unit"
    units: Selectors = ()
    any_of: Services = ()
    over: Annotated[Operands, SOME]
    under: Operands = ()
    per: Given | None = None
    share: Flag = False
    bases: tuple[Annotated[tuple[BaseLevel, ...], SOME], ...] = ()
    filters: tuple[Test, ...] = ()

    @property
    def of_units(self) -> bool:
        """It adds up units, unless it adds up facilities or the first base that is known."""
        return self.each == "unit" and not self.bases

    def _contradictions(self) -> Iterator[Contradiction]:
        """Facilities have columns and no units; units have no columns."""
        if self.each == "facility":
            if not self.any_of:
                yield ("any_of",), "policy_missing_key", {}
            for name in ("units", "bases", "filters"):
                if getattr(self, name):
                    yield (name,), "scorecard_only_units", {}
        elif self.any_of:
            yield ("any_of",), "scorecard_only_facilities", {}
        if self.bases and (self.units or self.filters):
            yield ("units" if self.units else "filters",), "scorecard_with_bases", {}
        if self.share and not self.under:
            yield ("under",), "policy_missing_key", {}
        of_facilities = self.each == "facility"
        for name in ("over", "under"):
            for at, operand in enumerate(getattr(self, name), start=1):
                yield from one_source(operand, (name, at), facility=of_facilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(SumReading):
    """A figure summed, in its latest year; or how many facilities of `any_of` qualify."""

    kind: Literal["count"] = "count"
    over: Operands = ()
    bases: tuple[Annotated[tuple[BaseLevel, ...], SOME], ...] = ()
    any_of: Services = ()
    where: tuple[Condition, ...] = ()

    def _contradictions(self) -> Iterator[Contradiction]:
        """Facilities, or one statistic of the bases that are named."""
        yield from one_of(self, "over", "any_of")
        if not self.over:
            if self.bases:
                yield ("bases",), "scorecard_only_units", {}
            return
        if self.where:
            yield ("where",), "scorecard_only_facilities", {}
        first = self.over[0]
        if len(self.over) > 1 or first.sources() != ["stat"] or first.times or first.over:
            yield ("over",), "scorecard_one_statistic", {}
        if not self.bases:
            yield ("bases",), "policy_missing_key", {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled(ShareReading):
    """Units of other readings counted together."""

    kind: Literal["pooled"] = "pooled"
    of: Annotated[tuple[Text, ...], SOME]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentsWithin(WithinReading):
    """Residents within the walk ÷ residents (P), or those of a `group`."""

    kind: Literal["residents_within"] = "residents_within"
    group: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LandWithin(WithinReading):
    """Residential land within the walk ÷ residential land (L)."""

    kind: Literal["land_within"] = "land_within"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjacent(ShareReading):
    """Facilities with another kind beside them ÷ facilities.

    `by` ``network`` or ``straight``: within the distance, or on one parcel; ``*_only``: without
    parcels; ``parcel``: on one parcel only. `to_where`: which of the others count.
    """

    kind: Literal["adjacent"] = "adjacent"
    any_of: SomeServices
    to: SomeServices
    to_where: tuple[Condition, ...] = ()
    distance: Given | None = None
    by: Annotated[Text, chosen("network", "straight", "network_only", "straight_only", "parcel")]
    except_in: Selectors = ()

    def columns(self) -> Iterator[str]:
        """Where both lie, and what qualifies the others."""
        if not self.by.endswith("_only"):
            yield "parcel"
        for condition in self.to_where:
            yield condition.attribute

    def _contradictions(self) -> Iterator[Contradiction]:
        """A distance wherever one is measured."""
        yield from whole_conditions(self.to_where, "to_where")
        if self.by != "parcel" and self.distance is None:
            yield ("distance",), "policy_missing_key", {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(ShareReading):
    """Residents served once every facility's capacity is respected ÷ residents (C).

    `borders`: whether catchments may cross the borders that the policy closes.
    """

    kind: Literal["capacity"] = "capacity"
    walks: ClassVar[bool] = True
    service: ServiceId
    maximum: Given | None = None
    column: ColumnId | None = None
    where: tuple[Condition, ...] = ()
    minutes: Given | None = None
    borders: Annotated[Text, chosen("open", "closed")] = "open"

    def places(self) -> Iterator[str]:
        """Its one service."""
        yield self.service

    def columns(self) -> Iterator[str]:
        """What qualifies a facility, and how many it takes."""
        yield from super(Capacity, self).columns()
        if self.column is not None:
            yield self.column

    def _contradictions(self) -> Iterator[Contradiction]:
        """One of `maximum` and `column`."""
        yield from one_of(self, "maximum", "column")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle(ShareReading):
    """Residents with a complete circle ÷ residents; `score`: the mean share of types reached."""

    kind: Literal["circle"] = "circle"
    walks: ClassVar[bool] = True
    circle: CircleId
    minutes: Given | None = None
    all_types: Flag = False
    optional: Flag = False
    score: Flag = False
    night: Flag = False

    def columns(self) -> Iterator[str]:
        """When places are open and lit, where the evening counts."""
        if self.night:
            yield from ("opening_hours", "lit")

    def _contradictions(self) -> Iterator[Contradiction]:
        """A mean share knows neither evening nor completeness."""
        if self.score and (self.night or self.all_types):
            yield ("score",), "scorecard_score_alone", {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(OfUnits):
    """Units whose population rule is met ÷ units.

    `reads`: which of the rule's readings A and B must hold. `overloaded`: whether a unit that is
    met but overloaded counts as met.
    """

    kind: Literal["rule"] = "rule"
    service: ServiceId
    minimum: Given
    maximum: Given
    where: tuple[Condition, ...] = ()
    reads: Annotated[Text, chosen("either", "A", "B")] = "either"
    overloaded: Annotated[Text, chosen("met", "not_met")] = "met"

    def places(self) -> Iterator[str]:
        """Its one service."""
        yield self.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive(WithinReading):
    """Residents whom a profile of travelling brings within the minutes ÷ residents.

    `direction` ``from``: from the facility to the resident, as a fire engine goes. Without a
    profile (runs of before), or where the run has no roads of it, it is not computed.
    """

    walks: ClassVar[bool] = False
    kind: Literal["drive"] = "drive"
    any_of: Services = ()
    profile: Text | None = None
    direction: Literal["to", "from"] = "to"
    group: Text | None = None


Reading = Annotated[
    UnitHas
    | UnitMeets
    | FacilityMeets
    | Checklist
    | Ratio
    | Count
    | Pooled
    | ResidentsWithin
    | LandWithin
    | Adjacent
    | Capacity
    | Circle
    | Rule
    | Drive,
    Field(discriminator="kind"),
]

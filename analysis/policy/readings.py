"""The ways to compute a row of a scorecard: one record per kind, with the keys that it takes.

No row has code of its own: a reading names one of a few evaluators by its `kind`. What each kind
takes is told in ``docs/scorecard.md``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from lifecircle.analysis.policy.cited import Titled
from lifecircle.analysis.policy.fields import (
    SOME,
    BaseLevel,
    CircleId,
    ColumnId,
    Flag,
    Id,
    ServiceId,
    Services,
    Text,
    UnitId,
)
from lifecircle.analysis.policy.reading_checks import (
    Contradiction,
    one_of,
    one_source,
    tested,
    units_in_scope,
    whole_conditions,
)
from lifecircle.analysis.policy.sections.amounts import (
    Condition,
    Given,
    Operand,
    Operands,
    Selectors,
    Test,
    chosen,
)

SHARE: Final = "fraction"  # the unit of a share, 0-1

SomeServices = Annotated[Services, SOME]
SomeTests = Annotated[tuple[Test, ...], SOME]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading(Titled):
    """What every kind has: `zh`, `en` its name, and whether it `walks`."""

    id: Id
    walks: ClassVar[bool] = False

    @property
    def of_units(self) -> bool:
        """Whether it is about units: the row's, where it names none of its own."""
        return False

    def contradictions(self) -> Iterator[Contradiction]:
        """Keys that do not go together: path, message and its parameters."""
        yield from whole_conditions(getattr(self, "where", ()))
        yield from tested(getattr(self, "filters", ()), "filters")
        yield from self._contradictions()

    def _contradictions(self) -> Iterator[Contradiction]:
        """Those of the kind itself."""
        yield from ()

    def places(self) -> Iterator[str]:
        """The services it names, those of its operands aside."""
        for key in ("any_of", "all_of", "to"):
            yield from getattr(self, key, ())

    def columns(self) -> Iterator[str]:
        """The columns of facilities it reads, those of its operands aside."""
        for condition in getattr(self, "where", ()):
            yield condition.attribute

    def operands(self) -> Iterator[Operand]:
        """The sources of its numbers."""
        for key in ("over", "under"):
            yield from getattr(self, key, ())
        for key in ("tests", "filters"):
            for test in getattr(self, key, ()):
                yield from (*test.value, *test.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share(_Reading):
    """A reading that is a share, 0-1, and so takes no unit."""

    unit: ClassVar[str] = SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfUnits(_Share):
    """A share of units: those named, else the row's."""

    units: Selectors = ()

    @property
    def of_units(self) -> bool:
        """It counts units."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum(_Reading):
    """A reading that is a sum or a quotient of sums; left out, its unit is the row's."""

    unit: UnitId = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHas(_OfUnits):
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
class UnitMeets(_OfUnits):
    """Units that hold all (or any) tests ÷ units."""

    kind: Literal["unit_meets"] = "unit_meets"
    tests: SomeTests
    combine: Literal["all", "any"] = "all"
    filters: tuple[Test, ...] = ()

    def _contradictions(self) -> Iterator[Contradiction]:
        """Tests of units."""
        yield from tested(self.tests, "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityMeets(_Share):
    """Facilities that hold the tests ÷ facilities."""

    kind: Literal["facility_meets"] = "facility_meets"
    any_of: SomeServices
    tests: SomeTests
    combine: Literal["all", "any"] = "all"

    def _contradictions(self) -> Iterator[Contradiction]:
        """Tests of facilities."""
        yield from tested(self.tests, "tests", facility=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist(_OfUnits):
    """Units × kinds of facility that are there."""

    kind: Literal["checklist"] = "checklist"
    all_of: SomeServices
    filters: tuple[Test, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(_Sum):
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
class Count(_Sum):
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
class Pooled(_Share):
    """Units of other readings counted together."""

    kind: Literal["pooled"] = "pooled"
    of: Annotated[tuple[Text, ...], SOME]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Within(_Share):
    """A share within a walk; with `within_scope` only of what lies in the units."""

    walks: ClassVar[bool] = True
    units: Selectors = ()
    any_of: SomeServices
    where: tuple[Condition, ...] = ()
    minutes: Given | None = None
    within_scope: Flag = False

    @property
    def of_units(self) -> bool:
        """It may be kept to units."""
        return self.within_scope

    def _contradictions(self) -> Iterator[Contradiction]:
        """Units count only where the reading is kept to them."""
        yield from units_in_scope(self.units, within=self.within_scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentsWithin(_Within):
    """Residents within the walk ÷ residents (P), or those of a `group`."""

    kind: Literal["residents_within"] = "residents_within"
    group: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LandWithin(_Within):
    """Residential land within the walk ÷ residential land (L)."""

    kind: Literal["land_within"] = "land_within"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjacent(_Share):
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
class Capacity(_Share):
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
class Circle(_Share):
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
class Rule(_OfUnits):
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
class Drive(_Within):
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

"""What several kinds of readings have in common: their keys, checks and what they name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from lifecircle.analysis.policy.cited import Titled
from lifecircle.analysis.policy.fields import (
    SOME,
    Flag,
    Id,
    Services,
    UnitId,
)
from lifecircle.analysis.policy.reading_checks import (
    Contradiction,
    tested,
    units_in_scope,
    whole_conditions,
)
from lifecircle.analysis.policy.sections.amounts import (
    Condition,
    Given,
    Operand,
    Selectors,
    Test,
)

SHARE: Final = "fraction"  # the unit of a share, 0-1

SomeServices = Annotated[Services, SOME]
SomeTests = Annotated[tuple[Test, ...], SOME]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingBase(Titled):
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
class ShareReading(ReadingBase):
    """A reading that is a share, 0-1, and so takes no unit."""

    unit: ClassVar[str] = SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class OfUnits(ShareReading):
    """A share of units: those named, else the row's."""

    units: Selectors = ()

    @property
    def of_units(self) -> bool:
        """It counts units."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SumReading(ReadingBase):
    """A reading that is a sum or a quotient of sums; left out, its unit is the row's."""

    unit: UnitId = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinReading(ShareReading):
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

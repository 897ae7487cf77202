"""An OpenStreetMap file read in a process of its own while a build imports what it needs.

What is needed first is handed over first: the streets, then places, then roads, then the ground.
Importing this module costs next to nothing, so that the other process can begin before anything
else: it imports what it needs by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecircle.analysis.machine import may_fork, using_threads
from lifecircle.analysis.working_copy import WorkingCopy

if TYPE_CHECKING:
    from typing import Protocol

    from lifecircle.analysis.errors import Fault
    from lifecircle.analysis.policy import Policy
    from lifecircle.analysis.policy.sections.profiles import TravelProfile
    from lifecircle.analysis.readers.osm.ground import Ground
    from lifecircle.analysis.readers.osm.place_rows import OsmPlaces, PlaceRows
    from lifecircle.analysis.readers.osm.roads import RawRoads
    from lifecircle.analysis.readers.osm.streets import RawStreets

    class Asked(Protocol):
        """What a build is asked for: `lifecircle.analysis.build_request.BuildRequest`."""

        @property
        def osm(self) -> Path | None:
            """The file."""

        @property
        def today(self) -> date | None:
            """The day for which dates are read."""

        @property
        def policy(self) -> str | Path | Policy | None:
            """The policy, or what it is called."""


class ChangedError(Exception):
    """What was handed over first does not hold any more: the file has to be read again."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """Ground and remarks of a file, which nobody asks for first."""

    ground: Ground | None
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Last:
    """The last thing handed over, with what was not before; `same`: what was before holds."""

    streets: RawStreets | None
    places: PlaceRows | None
    roads: RawRoads | None
    remainder: Remainder
    same: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A file that is being read. `policy`: as it was named; `today`: the day it is read for."""

    path: Path
    policy: str | Path | None
    today: date
    _made: WorkingCopy[tuple[str, Any]]  # what each thing is, and the thing

    def suits(self, asked: Asked, policy: Policy, profiles: Collection[str]) -> bool:
        """Whether a build asks for what is being read; `policy`, `profiles`: what it comes to."""
        mine = (self.path, self.policy, self.today)
        same = (asked.osm, asked.policy, asked.today) == mine
        return same and set(profiles) == set(_profiles_of(policy))

    def read(
        self, met: Callable[[RawStreets], None]
    ) -> tuple[RawStreets, OsmPlaces, Callable[[], RawRoads | None], Callable[[], Remainder]]:
        """Streets and places, and what waits for roads, then for the remainder; each once.

        `met` is told of the streets as soon as they are sure. Waiting may raise `ChangedError`.
        """
        what, one = next(self._made)
        streets: RawStreets | None = None
        if what == "streets":
            met(streets := one)
            what, one = next(self._made)
            if what == "places":
                return streets, one.framed(), self._roads, self._remainder
        last = _sure(what, one)
        streets, places = last.streets or streets, last.places
        assert streets is not None and places is not None
        return streets, places.framed(), lambda: last.roads, lambda: _fixed(last.remainder)

    def leave(self) -> None:
        """Read no further: nobody asks for the file."""
        self._made.close()

    def _roads(self) -> RawRoads | None:
        what, one = next(self._made)
        if what != "roads":
            raise ChangedError
        roads: RawRoads | None = one
        return roads

    def _remainder(self) -> Remainder:
        return _fixed(_sure(*next(self._made)).remainder)


def _sure(what: str, one: Any) -> _Last:
    """The last thing, under which all before it holds."""
    if what != "last" or not one.same:
        raise ChangedError
    last: _Last = one
    return last


def _fixed(rest: Remainder) -> Remainder:
    """The ground as it was before it was sent."""
    if rest.ground is not None:
        for field in fields(rest.ground):
            getattr(rest.ground, field.name).setflags(write=False)
    return rest


def begin_reading(
    osm: Path | None, policy: str | Path | None, threads: int | None = None
) -> Ahead | None:
    """Begin to read a file for a build of today; None where nothing can be done beside it.

    Whatever is wrong with the file or the policy is for the build to say.

    Raises
    ------
    ParameterError : `threads` less than one.
    """
    with using_threads(threads, copies=True):
        if osm is None or not may_fork():
            return None
        today = datetime.now(UTC).date()
        return Ahead(osm, policy, today, WorkingCopy(partial(_read, osm, policy, today)))


def _profiles_of(policy: Policy) -> Mapping[str, TravelProfile]:
    """The profiles whose roads are read: those that the scorecard asks for."""
    names = frozenset() if policy.scorecard is None else policy.scorecard.profiles
    return {name: one for name, one in policy.profiles.items() if name in names}


def _read(
    osm: Path, named: str | Path | None, today: date, give: Callable[[tuple[str, Any]], None]
) -> object:
    """Give the streets of a file, its places and roads where they are sure, then the rest.

    What it was all made of is returned, to be kept to the end.
    """
    from lifecircle.analysis.policy import load_policy
    from lifecircle.analysis.readers.osm.extract import read_extract
    from lifecircle.analysis.readers.osm.way_forms import way_forms

    met: dict[str, Any] = {}

    def meet(what: str, one: Any) -> None:
        met[what] = one
        give((what, one))

    policy = load_policy(named)
    found = read_extract(
        osm, policy, way_forms(policy), today, _tell_nobody, _profiles_of(policy), met=meet
    )
    now: dict[str, Any] = {"streets": found.streets, "places": found.mapped, "roads": found.roads}
    same = all(one is now[what] for what, one in met.items() if what != "places")
    early = met.get("places")
    same &= early is None or early.facilities is found.mapped.facilities
    rest = {what: None if what in met else one for what, one in now.items()}
    give(("last", _Last(**rest, remainder=Remainder(found.ground, found.warnings), same=same)))
    return found


def _tell_nobody(_: str) -> None:
    """Nobody watches the steps of another process."""

"""An OpenStreetMap file read in a process of its own while a build imports what it needs.

What is needed first is handed over first: the streets, then the places, then ground and roads.
Importing this module costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from lifecircle.analysis.errors import Fault, LifecircleError
from lifecircle.analysis.machine import may_fork, using_threads
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.osm.extract import Extract, read_extract
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces, PlaceRows
from lifecircle.analysis.readers.osm.roads import RawRoads
from lifecircle.analysis.readers.osm.streets import RawStreets
from lifecircle.analysis.readers.osm.way_forms import way_forms
from lifecircle.analysis.working_copy import WorkingCopy


class Asked(Protocol):
    """What a build is asked for: `lifecircle.analysis.build_request.BuildRequest`."""

    @property
    def osm(self) -> Path | None:
        """The file."""

    @property
    def today(self) -> date | None:
        """The day for which dates are read."""


class ChangedError(Exception):
    """What was handed over first does not hold any more: the file has to be read again."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """Ground, roads and remarks of a file, which nobody asks for first."""

    ground: Ground | None
    roads: RawRoads | None
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Last:
    """The last thing handed over. `streets`, `places`: those that were not handed over before.

    `same`: those handed over before hold.
    """

    streets: RawStreets | None
    places: PlaceRows | None
    remainder: Remainder
    same: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A file that is being read. `policy`, `today`, `profiles`: by what it is."""

    path: Path
    policy: Policy
    today: date
    profiles: frozenset[str]
    _made: Iterator[RawStreets | PlaceRows | _Last]

    def suits(self, asked: Asked, policy: Policy, profiles: Collection[str]) -> bool:
        """Whether a build asks for what is being read."""
        same = (asked.osm, asked.today) == (self.path, self.today)
        return same and policy is self.policy and self.profiles == set(profiles)

    def read(
        self, met: Callable[[RawStreets], None]
    ) -> tuple[RawStreets, OsmPlaces, Callable[[], Remainder]]:
        """Streets and places, and what waits for the remainder; to be asked for once.

        `met` is told of the streets as soon as they are sure. Waiting may raise `ChangedError`.
        """
        streets: RawStreets | None = None
        one = next(self._made)
        if isinstance(one, RawStreets):
            streets = one
            met(streets)
            one = next(self._made)
        if isinstance(one, PlaceRows) and streets is not None:
            return streets, one.framed(), self._remainder
        last = _checked(one)
        streets, places = last.streets or streets, last.places
        assert streets is not None and places is not None
        return streets, places.framed(), lambda: last.remainder

    def _remainder(self) -> Remainder:
        return _checked(next(self._made)).remainder


def _checked(one: RawStreets | PlaceRows | _Last) -> _Last:
    if not isinstance(one, _Last) or not one.same:
        raise ChangedError
    ground = one.remainder.ground
    if ground is not None:
        for field in fields(ground):
            getattr(ground, field.name).setflags(write=False)  # as it was before it was sent
    return one


def begin_reading(
    osm: Path | None, policy: str | Path | None, threads: int | None = None
) -> Ahead | None:
    """Begin to read a file for a build of today; None where nothing can be done beside it.

    Whatever is wrong with the file or the policy is for the build to say.
    """
    with using_threads(threads, copies=True):
        if osm is None or not may_fork():
            return None
        try:
            known = load_policy(policy)
            forms = way_forms(known)
        except LifecircleError:
            return None
        names = frozenset() if known.scorecard is None else known.scorecard.profiles
        profiles = {name: one for name, one in known.profiles.items() if name in names}
        today = datetime.now(UTC).date()
        read = partial(read_extract, osm, known, forms, today, _tell_nobody, profiles)
        return Ahead(osm, known, today, frozenset(profiles), WorkingCopy(partial(_read, read)))


def _read(
    read: Callable[..., Extract], give: Callable[[RawStreets | PlaceRows | _Last], None]
) -> None:
    """Give the streets of a file and its places where they are sure, then the rest."""
    met: list[Any] = []

    def meet(one: RawStreets | PlaceRows) -> None:
        met.append(one)
        give(one)

    found = read(met=meet)
    same = all(one is two for one, two in zip(met, (found.streets, found.mapped), strict=False))
    streets = None if len(met) > 0 else found.streets
    mapped = found.mapped
    assert isinstance(mapped, PlaceRows)  # nobody knew them before
    places = None if len(met) > 1 else mapped
    give(_Last(streets, places, Remainder(found.ground, found.roads, found.warnings), same))


def _tell_nobody(_: str) -> None:
    """Nobody watches the steps of another process."""

"""An OpenStreetMap file read in a process of its own while a build imports what it needs.

What is needed first is handed over first: the streets, then what the file says of places and
ground, then the roads of profiles as networks. Importing this module costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.machine import Apart, may_fork, using_threads
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.osm.extract import Extract, read_extract
from lifecircle.analysis.readers.osm.streets import RawStreets
from lifecircle.analysis.readers.osm.way_forms import way_forms

if TYPE_CHECKING:
    from lifecircle.analysis.city.streets.roads import RoadNetwork


_NO_STREETS: Final = RawStreets(
    np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty((0, 2))
)


class Asked(Protocol):
    """What a build is asked for: `lifecircle.analysis.facts.BuildRequest`."""

    @property
    def osm(self) -> Path | None:
        """The file."""

    @property
    def today(self) -> date | None:
        """The day for which dates are read."""


@dataclass(frozen=True, slots=True)
class Roads:
    """The roads of profiles as networks in a metric CRS."""

    crs: str
    networks: Mapping[str, RoadNetwork]


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of a file; without its streets where they are the `same` that were met."""

    extract: Extract
    same: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A file that is being read. `policy`, `today`, `profiles`: by what it is."""

    path: Path
    policy: Policy
    today: date
    profiles: frozenset[str]
    _made: Iterator[Any]

    def suits(self, asked: Asked, policy: Policy, profiles: Collection[str]) -> bool:
        """Whether a build asks for what is being read."""
        same = (asked.osm, asked.today) == (self.path, self.today)
        return same and policy is self.policy and self.profiles == set(profiles)

    def extract(self, met: Callable[[RawStreets], None]) -> Extract:
        """What the file holds, once; `met` is told of its streets as soon as they are sure."""
        made, streets = next(self._made), None
        if isinstance(made, RawStreets):
            streets = made
            met(streets)
            made = next(self._made)
        assert isinstance(made, _Rest)
        _make_read_only(made.extract.ground)
        if made.same and streets is not None:
            return replace(made.extract, streets=streets)
        return made.extract

    def roads(self) -> Roads:
        """The roads of the profiles, asked for once, after the file."""
        made = next(self._made)
        assert isinstance(made, Roads)
        _make_read_only(made)
        return made


def begin_reading(
    osm: Path | None, policy: str | Path | None, threads: int | None = None
) -> Ahead | None:
    """Begin to read a file for a build; None where nothing can be done beside it.

    Whatever is wrong with the file or the policy is for the build to say.
    """
    with using_threads(threads):
        if osm is None or not may_fork():
            return None
        try:
            known = load_policy(policy)
            forms = way_forms(known)
        except LifecircleError:
            return None
        names = frozenset() if known.scorecard is None else frozenset(known.scorecard.profiles)
        profiles = {name: one for name, one in known.profiles.items() if name in names}
        today = datetime.now(UTC).date()
        read = partial(read_extract, osm, known, forms, today, _tell_nobody, profiles)
        return Ahead(osm, known, today, frozenset(profiles), Apart(partial(_read, read)))


def _read(read: Callable[..., Extract], give: Callable[[Any], None]) -> None:
    """Give the streets of a file where they are sure, all of it, and its roads as networks."""
    met: list[RawStreets] = []

    def met_now(streets: RawStreets) -> None:
        met.append(streets)
        give(streets)

    extract = read(met=met_now)
    same = bool(met) and met[-1] is extract.streets
    give(_Rest(replace(extract, streets=_NO_STREETS) if same else extract, same))
    from lifecircle.analysis.city.crs import metric_crs
    from lifecircle.analysis.city.streets.roads import road_networks

    crs = metric_crs(extract.streets.lonlat)
    give(Roads(crs, {} if extract.roads is None else road_networks(extract.roads, crs)))


def _make_read_only(made: Any) -> None:
    """Arrays in records, however deep, as they were before they were handed over."""
    if isinstance(made, np.ndarray):
        made.setflags(write=False)
    elif isinstance(made, Mapping):
        for one in made.values():
            _make_read_only(one)
    elif is_dataclass(made):
        for field in fields(made):
            _make_read_only(getattr(made, field.name))


def _tell_nobody(_: str) -> None:
    """Nobody watches the steps of another process."""

"""What is asked: service, minutes, walker, group and unit level, checked against what exists."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from threading import Lock
from typing import Any, Final, TypeVar, cast

import numpy as np

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.access.walking import WalkCosts, walk_costs
from lifecircle.analysis.city.extents import Judged, judged_by
from lifecircle.analysis.city.id_order import ids_in_order
from lifecircle.analysis.city.model import City, StrArray, Units
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.landmarks import Landmarks, OfCells
from lifecircle.analysis.measures.names import (
    TOTAL,
    group_words,
    level_words,
    service_of,
    walker_of,
    walker_words,
)
from lifecircle.analysis.policy import Policy, Service, Walker
from lifecircle.analysis.quantities import (
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    Int32Array,
    IntArray,
    limit_cm,
    read_only,
)
from lifecircle.analysis.readers.services.names import service_words
from lifecircle.analysis.unknown_names import find_id, fold_name, unknown

T = TypeVar("T")
MINUTES_PER_DAY: Final = 24 * 60
WHOLE: Final = "none"  # in place of a level: gaps are not cut at the borders of units


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a study; what is left out takes its default.

    `service`: None where the measure needs none or all are meant. `minutes`: longest walk, None =
    the service's own. `group`: ``total`` or a population group of the area. `by`: unit level,
    None = `default_level`; of gaps also ``none``. `at`: a moment of the week (``Sa 19:00``), None =
    opening hours do not count.

    Examples
    --------
    >>> import lifecircle as lc
    >>> lc.Question("pharmacy", minutes=10).about("park")
    Question(service='park', minutes=10, walker='adult', group='total', by=None, at=None)
    """

    service: str | None = None
    minutes: float | None = None
    walker: str = "adult"
    group: str = TOTAL
    by: str | None = None
    at: str | None = None

    def about(self, service: str) -> Question:
        """The same question about one service."""
        return replace(self, service=service)


class Recent:
    """The last answers by what was asked; the least recently asked is let go."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def __call__(self, asked: Hashable, make: Callable[[], T]) -> T:
        """The answer, made now where it is not held; two who ask at once may both make it."""
        with self._lock:
            found: T | None = self._held.get(asked)
            if found is not None:
                self._held.move_to_end(asked)
                return found
        found = make()
        with self._lock:
            self._held[asked] = found
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._held)


@dataclass(frozen=True, eq=False)
class Study:
    """A city with the walks of its residents under a policy: what every measure works on.

    `catchments`: by service, those the build has solved (`measures.catchments.Catchments`).
    `known_costs`: the walking costs of the city's streets where they were made before.
    `origin`: the study that edits made this one from.

    Examples
    --------
    >>> import lifecircle as lc
    >>> lc.tiny_town().study.city
    <City in EPSG:4543: 900 residents in 9 cells, 4 facilities, 2 units, 140 streets>
    """

    city: City
    travel: NearestFacility
    policy: Policy
    catchments: Mapping[str, object] = field(default_factory=dict)
    known_costs: WalkCosts | None = None
    origin: Origin | None = None

    def __repr__(self) -> str:
        return f"<Study under {self.policy.id} of {self.city!r}>"

    @cached_property
    def costs(self) -> WalkCosts:
        """Walking costs of the city's streets, made once."""
        return walk_costs(self.city.network) if self.known_costs is None else self.known_costs

    @cached_property
    def _judged(self) -> dict[str, Judged]:
        return {}

    def judged(self, service: str) -> Judged:
        """Of whom a service can be judged, worked out once: all, or those its list covers."""
        about = service if service in self.city.extents else ""  # all others have one answer
        kept = self._judged.get(about)
        if kept is None:
            kept = self._judged[about] = judged_by(self.city, service)
        return kept

    @cached_property
    def kept(self) -> dict[object, object]:
        """Answers about this study that are asked for again and again, by what was asked."""
        return {}

    def recent(self, kind: str, most: int) -> Recent:
        """The answers of a kind that were asked for last, at most so many."""
        found = self.kept.get(kind)
        if found is None:
            found = self.kept.setdefault(kind, Recent(most))
        return cast(Recent, found)

    @cached_property
    def cell_names(self) -> tuple[StrArray, IntArray]:
        """The ids of cells in the order of texts, and the place of each cell (c,) among them."""
        return ids_in_order(self.city.cells.id)

    @cached_property
    def default_level(self) -> str:
        """The level of units asked about where none is named, found once."""
        return default_level(self.city)

    @cached_property
    def home_unit(self) -> Int32Array:
        """The unit that names each cell (c,), -1 outside all, found once."""
        return home_unit(self.city, self.city.cells.unit)

    @cached_property
    def landmarks(self) -> Landmarks:
        """Named places, made once."""
        return Landmarks.of(self.city)

    @cached_property
    def nearest_landmark(self) -> OfCells:
        """As `Landmarks.nearest` of cells (k,), each cell looked for once."""
        xy_m = self.city.cells.xy_m
        return OfCells(len(xy_m), lambda cell: self.landmarks.nearest(xy_m[cell]))

    @cached_property
    def edges(self) -> EdgeIndex:
        """Where a place may join the streets, made once."""
        return EdgeIndex.by(self.city.network, self.policy.attachment)


@dataclass(frozen=True, slots=True)
class Origin:
    """A study before edits, and which of its cells (c,) and facilities (f,) those after were.

    int32, -1 = new ones. What no edit touches need not be worked out again.
    """

    study: Study
    cell_before: Int32Array
    facility_before: Int32Array


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked question about one service, with the cut-off in whole centimetres."""

    service: Service
    minutes: float
    walker: Walker
    limit_cm: int


def ask(study: Study, question: Question) -> Asked:
    """The question checked against the policy.

    Raises
    ------
    UnknownNameError : no such service or walker in the policy.
    ParameterError : minutes not above 0 or beyond a day.
    """
    policy = study.policy
    wanted = service_of(policy, question.service)
    walking = walker_of(policy, question.walker)
    minutes = wanted.minutes.value if question.minutes is None else question.minutes
    time = checked_minutes(minutes)
    return Asked(wanted, time, walking, limit_cm(time, walking.speed_m_per_s))


def covered(cm: Int32Array, position: Positions, limit_cm: int) -> BoolArray:
    """Who is on the streets and walks no farther than the limit, bool (k,)."""
    found: BoolArray = (position.edge != NOBODY) & (cm <= limit_cm)
    return found


def circle_state(
    reached: Int32Array | int, required: int, unassessed: Int32Array | int
) -> Int32Array:
    """1 when enough types are reached, 0 when it is not even with all unassessed ones, else -1."""
    near = np.asarray(reached)
    return np.select([near >= required, near + unassessed < required], [1, 0], -1).astype(np.int32)


def one_circle(reached: int, required: int, unassessed: int) -> bool | None:
    """`circle_state` of one place: complete, incomplete, or None where it is not known."""
    if reached >= required:
        return True
    return False if reached + unassessed < required else None


def settle(study: Study, question: Question) -> Question:
    """The question with ids in place of titles and aliases; names that are none stay as they are.

    Examples
    --------
    >>> import lifecircle as lc
    >>> from lifecircle.analysis.measures.question import settle
    >>> settle(lc.tiny_town().study, lc.Question("药店", by="街道")).about("park").by
    'subdistrict'
    """
    policy, city = study.policy, study.city
    service, by = question.service, question.by
    walker, group = question.walker, question.group
    if service is not None and service not in policy.services:
        service = find_id(service, service_words(policy)) or service
    if walker not in policy.walkers:
        walker = find_id(walker, walker_words(policy)) or walker
    if group != TOTAL and group not in city.cells.groups:
        group = find_id(group, group_words(city.cells)) or group
    if by is not None and by not in city.units.levels:
        by = find_id(by, level_words(city, policy)) or _whole(by)
    return replace(question, service=service, walker=walker, group=group, by=by)


def _whole(by: str) -> str:
    """``none`` however it is written, anything else as it is."""
    return WHOLE if fold_name(by) == WHOLE else by


def checked_minutes(minutes: float) -> float:
    """The minutes as a float; they are finite, above 0 and within a day."""
    if not math.isfinite(minutes) or not 0 < minutes <= MINUTES_PER_DAY:
        raise ParameterError("minutes_out_of_range", minutes=minutes, most=MINUTES_PER_DAY)
    return float(minutes)


def level_of(city: City, by: str | None) -> str:
    """The unit level asked for, or the default one."""
    if by is None:
        return default_level(city)
    if by in city.units.levels:
        return by
    found = find_id(by, level_words(city))
    if found is None:
        raise unknown("unknown_level", by, city.units.levels)
    return found


def default_level(city: City) -> str:
    """The lowest level with polygons whose units hold more than half of all residents.

    Levels such as new estates or central towns hold only some: they are used when asked for.
    Where no level holds so many it is the lowest with polygons, and the lowest of all where
    none has any.
    """
    units, cells = city.units, city.cells
    drawn = [level for level in reversed(units.levels) if _has_polygons(units, level)]
    everyone = int(cells.residents.sum())
    for level in drawn:
        if 2 * int(cells.residents[cells.unit[level] >= 0].sum()) > everyone:
            return level
    return drawn[0] if drawn else units.levels[-1]


def level_beside(city: City) -> str | None:
    """The level that holds those whom the default level leaves out, None where there is none.

    Villages stand beside urban communities: they share no resident with them and hold more than
    half of the others. Of several such levels the nearest to the default one in the policy's
    order, the lower of two as near.
    """
    units, cells = city.units, city.cells
    level = default_level(city)
    inside = cells.unit[level] >= 0 if level in cells.unit else np.zeros(len(cells), np.bool_)
    outside = int(cells.residents[~inside].sum())
    order = list(units.levels)
    beside: list[tuple[int, int]] = []
    for place, other in enumerate(order):
        here = cells.unit[other] >= 0
        shared = int(cells.residents[here & inside].sum())
        held = int(cells.residents[here & ~inside].sum())
        if other != level and _has_polygons(units, other) and shared == 0 and 2 * held > outside:
            beside.append((abs(place - order.index(level)), -place))
    return order[-min(beside)[1]] if beside else None


def home_unit(city: City, unit: Mapping[str, Int32Array]) -> Int32Array:
    """The unit that names a place, int32 (n,), -1 outside all: the one of the default level,
    else the one of the level beside it.

    Parameters
    ----------
    unit : per level the unit of each place, as in ``city.cells.unit``.
    """
    home = unit[default_level(city)]
    beside = level_beside(city)
    if beside is None:
        return home
    joined: Int32Array = np.where(home >= 0, home, unit[beside])
    return joined


def _has_polygons(units: Units, level: str) -> bool:
    shapes = units.geometry[units.of_level(level)]
    return any(shape is not None and not shape.is_empty for shape in shapes)


@dataclass(frozen=True, slots=True)
class Walks:
    """Walks of the cells and land samples to the nearest facility of one service.

    `cell_cm` (c,), `cell_facility` (c,), `land_cm` (s,); `any_facility`: the area has one.
    """

    cell_cm: Int32Array
    cell_facility: Int32Array
    land: Callable[[], Int32Array]
    any_facility: bool

    @property
    def land_cm(self) -> Int32Array:
        """Walks of the land samples, looked up when they are asked for."""
        return self.land()


def walks_to(study: Study, service: str) -> Walks | None:
    """The walks to one service, None where the service is not assessed.

    Raises
    ------
    UnknownNameError : the run holds facilities of the service but no walks to them.
    """
    city, travel = study.city, study.travel
    if not city.assessed(service):
        return None
    exists = city.facilities.offers(service)
    if service in travel.services:
        row = travel.row(service)
        return Walks(*travel.cells_to(row), partial(travel.land_to, row), exists)
    if exists:
        raise unknown("service_without_walks", service, travel.services)
    samples = 0 if city.land is None else len(city.land.position)
    return Walks(
        _full(len(city.cells), UNREACHED_CM),
        _full(len(city.cells), -1),
        partial(_full, samples, UNREACHED_CM),
        False,
    )


def _full(size: int, value: int) -> Int32Array:
    array = np.full(size, value, dtype=np.int32)
    read_only(array)
    return array

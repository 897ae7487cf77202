"""A city's piece of a larger map: how much ground it needs, and what the cut leaves open.

Within the margin nothing that a resident may be asked to walk to is missing, and a piece of
streets that reaches the cut is as long as one must be to be joined. What is asked for however far
is exact where it was found nearer than the margin; the rest is told with the answers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.build_request import BuildRequest, CutFrom
from lifecircle.analysis.city.crs import metric_crs, to_lonlat, to_metric
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import CM_PER_M, SECONDS_PER_MINUTE, UNREACHED_CM, FloatArray
from lifecircle.analysis.readers.tables.units import read_units
from lifecircle.analysis.texts import Title, first_of
from lifecircle.analysis.texts import cut as cut_off

_WIDER: Final = 1.01  # a buffer's corners are cut, and metres of a projection are not quite true
_KM: Final = 1000
_KM_DIGITS: Final = 2  # as told; never more than there is
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground of a city's piece, in degrees of WGS84, and what is to be told of its cut."""

    shape: shapely.Geometry
    cut: CutFrom


def least_margin_m(policy: Policy) -> float:
    """How far around its units a city's piece of a map reaches at least, metres.

    The farthest anybody walks to a service of the policy, downhill all the way, with both access
    legs; no less than the length that a piece of streets must have to be joined.
    """
    attachment = policy.attachment
    speed = max(float(walker.speed_m_per_s) for walker in policy.walkers.values())
    minutes = max((service.minutes.value for service in policy.services.values()), default=0)
    walk_m = (
        minutes * SECONDS_PER_MINUTE * speed / _least_cost(policy) + 2 * attachment.max_leg_m.value
    )
    return float(max(walk_m, attachment.min_component_m.value))


def _least_cost(policy: Policy) -> float:
    """The least that a metre of street costs, in metres on the flat: less than one downhill."""
    rules = policy.terrain
    if rules is None:
        return 1.0
    return math.exp(-rules.tobler_steepness.value * rules.tobler_offset.value)


def ground_of(
    request: BuildRequest,
    policy: Policy,
    map_name: str,
    places: Mapping[str, FloatArray],
    margin_m: float | None = None,
) -> Ground:
    """The ground that a city needs of a map: its units and a margin around them.

    Parameters
    ----------
    places : boxes (k, 4) in degrees of the places of each service in the whole map.
    margin_m : another margin than `least_margin_m`.

    Raises
    ------
    ParameterError : no units, which say where the city lies.
    InputError : units that cannot be read.
    """
    if not request.units:
        raise ParameterError("cut_needs_units", area=request.area, map=map_name)
    table = read_units(request.units, policy, request.declared(), request.year)
    crs = metric_crs(table.where.centres()[~np.isnan(table.where.centres()[:, 0])])
    shapes = table.where.in_metres(crs)
    home = shapely.union_all(shapes[~shapely.is_missing(shapes)])
    margin = least_margin_m(policy) if margin_m is None else margin_m
    ground = shapely.buffer(home, margin * _WIDER)
    away = {service: _away_m(home, boxes, crs) for service, boxes in places.items()}
    beyond = {service: far for service, far in sorted(away.items()) if far > margin}
    in_degrees = shapely.transform(ground, lambda xy: to_lonlat(xy, crs))
    return Ground(in_degrees, CutFrom(map_name, margin, beyond))


def _away_m(home: shapely.Geometry, boxes: FloatArray, crs: str) -> float:
    """How far around some ground one must look to have the nearest of some boxes whole, metres."""
    corners = [to_metric(boxes[:, list(pair)], crs) for pair in ((0, 1), (2, 1), (0, 3), (2, 3))]
    shapely.prepare(home)
    away: Any = [shapely.distance(home, shapely.points(one)) for one in corners]
    return float(np.max(away, axis=0).min())


def cut_remarks(
    cut: CutFrom, policy: Policy, city: City, travel: NearestFacility
) -> Iterator[Warn]:
    """What the cut leaves open: services that lie beyond it, nearest places that may do so."""
    km = f"{float(cut_off(cut.margin_m / _KM, _KM_DIGITS)):g}"
    yield Warn("cut_from_map", {"map": cut.map_name, "km": km})
    lacking = [name for name in cut.beyond if name in policy.services and not city.assessed(name)]
    if lacking:
        away_km = math.ceil(max(cut.beyond[name] for name in lacking) / _KM)
        told = {"services": _titles(lacking, policy), "km": km, "away_km": away_km}
        yield Warn("cut_service_beyond", told)
    sure_cm = cut.margin_m * CM_PER_M * _least_cost(policy)
    on_streets, residents = city.cells.position.snapped, city.cells.residents
    far: dict[str, tuple[int, int]] = {}
    lost: dict[str, int] = {}
    for name, walk_cm in zip(travel.services, travel.cell_cm, strict=True):
        if not city.facilities.offers(name):
            continue
        nowhere = walk_cm == UNREACHED_CM
        unsure = (walk_cm > sure_cm) & ~nowhere
        if people := int(residents[unsure].sum()):
            far[name] = people, int(walk_cm[unsure].max())
        if people := int(residents[nowhere & on_streets].sum()):
            lost[name] = people
    if far:
        most_m = max(walk for _, walk in far.values()) / CM_PER_M / _least_cost(policy)
        told = {"services": _titles(far, policy), "km": km, "away_km": math.ceil(most_m / _KM)}
        yield Warn("cut_nearest_beyond", told | {"residents": max(n for n, _ in far.values())})
    if lost:
        told = {"services": _titles(lost, policy), "km": km, "residents": max(lost.values())}
        yield Warn("cut_no_way", told)


def _titles(services: Collection[str], policy: Policy) -> Title:
    """Some services by name, the first few where they are many."""
    titles = [policy.services[name].title for name in services]
    zh = first_of([one.zh for one in titles], _SHOWN).replace(", ", "、")
    return Title(zh, first_of([one.en for one in titles], _SHOWN))

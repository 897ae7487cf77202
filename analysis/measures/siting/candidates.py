"""Candidate sites: given in a table, places of other kinds, or generated where people live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City, GeometryArray, StrArray
from lifecircle.analysis.city.shapes import anchor_xy, project_located
from lifecircle.analysis.city.streets.attach import Attachments, attach_facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.city.units.units import assign_units
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.names import service_of
from lifecircle.analysis.policy import Policy, SitingRules
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.tables import SiteTable
from lifecircle.analysis.texts import first_of

PLANNED: Final = "planned"  # as `NotOpen.state` says it, and the kind of such a site


@dataclass(frozen=True, slots=True)
class Sites:
    """Candidate sites (s) with every position by which each can be reached.

    `name_en`: None where the place has none.
    `kind`: ``given``, ``generated``, ``planned`` or the service of the place that stands there.
    `xy_m` (s, 2) in the city's CRS. ``attachments.facility`` counts sites. `unit[level]` int32
    (s,).
    `warnings`: what was left out.
    """

    id: StrArray
    name: StrArray
    name_en: StrArray
    kind: StrArray
    xy_m: FloatArray
    unit: dict[str, Int32Array]
    attachments: Attachments
    warnings: tuple[Warn, ...] = ()

    def __len__(self) -> int:
        return len(self.id)

    def of(self, site: int) -> Positions:
        """The positions of one site."""
        return self.attachments.position.take(np.flatnonzero(self.attachments.facility == site))


def siting_rules(policy: Policy) -> SitingRules:
    """The policy's rules of siting.

    Raises
    ------
    ParameterError : the run was built before there were such rules.
    """
    if policy.siting is None:
        raise ParameterError("siting_no_rules")
    return policy.siting


def given_sites(table: SiteTable, city: City, index: EdgeIndex, max_leg_m: float) -> Sites:
    """Sites of a table (`lifecircle.analysis.readers.tables.candidate_sites.read_sites`)."""
    geometry = project_located(table.where, city.crs)
    kind = _repeat("given", len(table))
    return _place(table.id, table.name, kind, geometry, city, index, max_leg_m)


def planned_sites(city: City, service: str, index: EdgeIndex, max_leg_m: float) -> Sites:
    """Places of a service that an input calls planned or under construction."""
    planned = [
        one for one in city.notes.not_open if one.state == PLANNED and one.service == service
    ]
    ids = object_array([one.id for one in planned])
    names = object_array([one.name for one in planned])
    xy_m = np.array([(one.x_m, one.y_m) for one in planned], dtype=np.float64).reshape(-1, 2)
    geometry = np.asarray(shapely.points(xy_m), dtype=object)
    return _place(ids, names, _repeat(PLANNED, len(ids)), geometry, city, index, max_leg_m)


def site_at(lonlat_m: FloatArray, city: City, index: EdgeIndex, max_leg_m: float) -> Sites:
    """Sites at bare points (s, 2) in the city's CRS."""
    ids = np.array([f"added/{k + 1}" for k in range(len(lonlat_m))], dtype=object)
    geometry = np.asarray(shapely.points(lonlat_m), dtype=object)
    return _place(
        ids, _repeat(None, len(ids)), _repeat("given", len(ids)), geometry, city, index, max_leg_m
    )


def _place(
    ids: StrArray,
    names: StrArray,
    kind: StrArray,
    geometry: GeometryArray,
    city: City,
    index: EdgeIndex,
    max_leg_m: float,
) -> Sites:
    entrances = np.zeros(len(ids), dtype=np.bool_)
    attachments = attach_facilities(geometry, entrances, index, max_leg_m)
    xy_m = anchor_xy(geometry)
    loose = np.setdiff1d(np.arange(len(ids)), attachments.facility)
    warnings: tuple[Warn, ...] = ()
    if len(loose):
        shown = first_of([ids[i] for i in loose], 10)
        told = {"count": len(loose), "ids": shown, "metres": f"{max_leg_m:g}"}
        warnings = (Warn("siting_unsnapped", told),)
    unit = assign_units(xy_m, city.units)
    return Sites(ids, names, _repeat(None, len(ids)), kind, xy_m, unit, attachments, warnings)


def places_of_kinds(city: City, policy: Policy, service: str, kinds: Sequence[str]) -> Sites:
    """Places of other kinds as sites; without `kinds` all that the policy calls public.

    Raises
    ------
    UnknownNameError : no such service in the policy.
    """
    wanted = {service_of(policy, kind).id for kind in kinds} or {
        s.id for s in policy.services.values() if s.tier == "public"
    }
    wanted.discard(service)
    places = city.facilities
    chosen = np.flatnonzero(places.of_services(wanted))
    row = np.full(len(places), -1, dtype=np.int32)
    row[chosen] = np.arange(len(chosen), dtype=np.int32)
    mine = np.flatnonzero(row[places.attached_facility] >= 0)
    kind_of = np.array([places.service_ids[k] for k in places.service[chosen]], dtype=object)
    ids = np.array(
        [f"{places.id[i]}@{kind}" for i, kind in zip(chosen, kind_of, strict=True)], dtype=object
    )
    english = places.attributes.get("name_en")
    xy_m = anchor_xy(places.geometry[chosen]) if len(chosen) else np.zeros((0, 2))
    return Sites(
        ids,
        places.name[chosen],
        _repeat(None, len(chosen)) if english is None else english[chosen],
        kind_of,
        xy_m,
        {level: index[chosen] for level, index in places.unit.items()},
        Attachments(row[places.attached_facility[mine]], places.attachment.take(mine)),
    )


def generated_sites(
    city: City, costs: WalkCosts, spacing_m: float, lacking: BoolArray, limit_cm: int | None
) -> Sites:
    """Places on the streets where people live, one in each square of `spacing_m`.

    With `limit_cm` only those from which some cell of `lacking` (c,) is that near. In every
    square it is the place where most residents join the streets (on a tie the first cell).
    """
    cells = city.cells
    usable = cells.position.snapped & (cells.residents > 0)
    if limit_cm is not None:
        usable &= _keep_near(city, costs, lacking, limit_cm)
    chosen = _thin(cells.position.xy_m, cells.residents, np.flatnonzero(usable), spacing_m)
    position = cells.position.take(chosen)
    on_street = Positions(position.edge, position.at_m, np.zeros(len(chosen)), position.xy_m)
    return Sites(
        np.array([f"street/{one}" for one in cells.id[chosen]], dtype=object),
        _repeat(None, len(chosen)),
        _repeat(None, len(chosen)),
        _repeat("generated", len(chosen)),
        position.xy_m,
        assign_units(position.xy_m, city.units),
        Attachments(np.arange(len(chosen), dtype=np.int32), on_street),
    )


def join_sites(one: Sites, other: Sites) -> Sites:
    """The sites of both, those of `one` first."""
    return Sites(
        np.concatenate([one.id, other.id]),
        np.concatenate([one.name, other.name]),
        np.concatenate([one.name_en, other.name_en]),
        np.concatenate([one.kind, other.kind]),
        np.concatenate([one.xy_m, other.xy_m]),
        {level: np.concatenate([index, other.unit[level]]) for level, index in one.unit.items()},
        Attachments(
            np.concatenate(
                [one.attachments.facility, other.attachments.facility + np.int32(len(one))]
            ),
            one.attachments.position.followed_by(other.attachments.position),
        ),
        (*one.warnings, *other.warnings),
    )


def _keep_near(city: City, costs: WalkCosts, lacking: BoolArray, limit_cm: int) -> BoolArray:
    """Cells within the limit of a cell that lacks."""
    wanted = np.flatnonzero(lacking & city.cells.position.snapped & (city.cells.residents > 0))
    if not len(wanted):
        return np.zeros(len(city.cells), dtype=np.bool_)
    position = city.cells.position.take(wanted)
    goals = goals_of(costs, Attachments(np.arange(len(wanted), dtype=np.int32), position))
    field = nearest_from_nodes(costs, goals, limit_cm)
    near = nearest_from_positions(costs, goals, field, city.cells.position, limit_cm)
    found: BoolArray = near.facility >= 0
    return found


def _thin(xy_m: FloatArray, residents: IntArray, usable: IntArray, spacing_m: float) -> IntArray:
    square = np.floor(xy_m[usable] / spacing_m).astype(np.int64)
    order = np.lexsort((usable, -residents[usable], square[:, 1], square[:, 0]))
    square = square[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.any(square[1:] != square[:-1], axis=1)
    return np.sort(usable[order][first])


def _repeat(word: str | None, size: int) -> StrArray:
    out = np.empty(size, dtype=object)
    out[:] = word
    return out

"""One area as published and as worked out again: what every check looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from tests.oracles.audit.attach import Attached, Joiner, starts
from tests.oracles.audit.barriers import Barriers, read_barriers
from tests.oracles.audit.goals import GoalFinder, Goals
from tests.oracles.audit.product import Product
from tests.oracles.audit.shortest import Along, Walks, build_walks
from tests.oracles.audit.streets import Floats, Ints, Streets, read_streets

ADULT_S_PER_M = 900 / 1000
LINK_M = 250.0  # cells of one gap
EXPORT_M = 0.02  # coordinates and legs are published to about a centimetre


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files an area was built from."""

    osm: Path
    units: tuple[Path, ...] = ()
    population: Path | None = None
    facilities: tuple[Path, ...] = ()
    elevation: Path | None = None
    tags: Path | None = None
    default_levels: float = 3.0
    surveyed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # service: codes


class Scene:
    """Everything asked for and worked out once, when first needed."""

    def __init__(self, product: Product, inputs: Inputs) -> None:
        self.product = product
        self.inputs = inputs
        self.summary = product.document()
        self.crs: str = self.summary["crs"]
        self.cells: gpd.GeoDataFrame = product.layer("cells")
        self.facilities: gpd.GeoDataFrame = product.layer("facilities")
        # A place that is several services has a row for each, told apart behind its id.
        self.facilities["place"] = [
            name.removesuffix(f"@{service}")
            for name, service in zip(self.facilities["id"], self.facilities["service"], strict=True)
        ]

    @cached_property
    def streets(self) -> Streets:
        return read_streets(self.inputs.osm)

    @cached_property
    def joiner(self) -> Joiner:
        return Joiner.of(self.streets, self.crs, self.product.layer("network"))

    @cached_property
    def barriers(self) -> Barriers:
        return read_barriers(self.inputs.osm)

    @cached_property
    def services(self) -> dict[str, float]:
        """Assessed services and their own minutes."""
        return {
            one["service"]: float(one["minutes"])
            for one in self.summary["service_table"]
            if one["assessed"]
        }

    @cached_property
    def shapes(self) -> Any:
        """Cells as drawn, in the area's metres."""
        return self.joiner.metric(np.asarray(self.cells.geometry.array, dtype=object))

    @cached_property
    def homes(self) -> Attached:
        return self._joined[0]

    @cached_property
    def elsewhere(self) -> Ints:
        """Cells whose start could not be told: the centroid lies outside, and no point fits."""
        return self._joined[1]

    @cached_property
    def _joined(self) -> tuple[Attached, Ints]:
        """Cells attached from their start.

        Where the centroid lies outside, the definition says "representative point", which is no
        one place: the point inside of the metric shape or of the shape in degrees is taken,
        whichever explains the published leg, and what neither explains is told.
        """
        first = self.joiner.join_metric(starts(self.shapes))
        told = self.cells["access_m"].to_numpy(dtype=float)
        surface = shapely.get_dimensions(self.shapes) == 2
        outside = surface & ~shapely.covers(self.shapes, shapely.centroid(self.shapes))
        odd = np.flatnonzero(outside & ~(np.abs(first.leg_m - told) <= EXPORT_M))
        if not len(odd):
            return first, odd
        degrees = np.asarray(self.cells.geometry.array, dtype=object)[odd]
        second = self.joiner.join(shapely.point_on_surface(degrees))
        fits = np.abs(second.leg_m - told[odd]) <= EXPORT_M
        parts = [part.copy() for part in (first.segment, first.share, first.leg_m)]
        short = first.short_piece.copy()
        for own, other in zip(parts, (second.segment, second.share, second.leg_m), strict=True):
            own[odd[fits]] = other[fits]
        short[odd[fits]] = second.short_piece[fits]
        return Attached(parts[0], parts[1], parts[2], short), odd[~fits]

    @cached_property
    def goals(self) -> list[Goals]:
        return GoalFinder.of(self.joiner, self.barriers).goals(self.facilities)

    @cached_property
    def along(self) -> Along | None:
        """Costs along segments where heights count."""
        if self.inputs.elevation is None:
            return None
        from tests.oracles.audit.hills import hilly

        step_m = float(self.summary["walking"]["slope"]["cell_m"])
        return hilly(self.streets, self.inputs.osm, self.inputs.elevation, step_m)

    @cached_property
    def walks(self) -> Walks:
        return build_walks(self.streets, self.homes, self.goals, self.along)

    def facilities_of(self, service: str) -> Ints:
        return np.flatnonzero(self.facilities["service"].to_numpy() == service)

    @cached_property
    def seconds(self) -> dict[str, Floats]:
        """Own walking seconds of every cell to the nearest facility of each service."""
        return {
            service: self.walks.nearest_m(self.facilities_of(service)) * ADULT_S_PER_M
            for service in self.services
        }

    def told_s(self, service: str) -> Floats:
        """The product's walking seconds; inf = no way."""
        told = self.cells[f"minutes_{service}"].to_numpy(dtype=float) * 60
        return np.where(np.isnan(told), np.inf, told)

    @cached_property
    def residents(self) -> Ints:
        return self.cells["residents"].to_numpy(dtype=np.int64)

    @cached_property
    def unit_of_cell(self) -> pd.Series:
        return self.cells["unit_code"].astype("string").fillna("")

    def inside(self, service: str) -> Any:
        """Which cells the list of a service covers: those of the units it was said to cover."""
        codes = self.inputs.surveyed.get(service)
        if codes is None:
            return np.ones(len(self.residents), dtype=bool)
        return self.unit_of_cell.isin(codes).to_numpy(dtype=bool)

    def assessed(self, service: str) -> Ints:
        """Residents of every cell, 0 where the list of a service does not go."""
        return np.where(self.inside(service), self.residents, 0)

    def edge_m(self, service: str) -> Floats:
        """Metres from every cell to where the list of a service ends; inf where it does not."""
        codes = self.inputs.surveyed.get(service)
        if codes is None:
            return np.full(len(self.residents), np.inf)
        units = self.unit_files
        own = units.geometry[units["code"].isin(codes)].to_numpy()
        held = shapely.union_all(self.joiner.metric(np.asarray(own, dtype=object)))
        rim = shapely.multilinestrings(
            [shapely.linestrings(shapely.get_coordinates(ring))
             for part in shapely.get_parts(held) for ring in shapely.get_rings(part)]
        )  # fmt: skip
        found: Floats = shapely.distance(starts(self.shapes), rim)
        return found

    @cached_property
    def linkable(self) -> Ints:
        """Pairs of cells of one unit and component whose attachments lie within 250 m."""
        homes = self.homes
        place = np.where(
            homes.snapped[:, None],
            self.joiner.place(homes),
            shapely.get_coordinates(shapely.centroid(self.shapes)),
        )
        component = np.where(homes.snapped, self.streets.component[homes.segment], -1)
        unit = self.unit_of_cell.to_numpy(dtype=object)
        pairs = KDTree(place).query_pairs(LINK_M, output_type="ndarray").astype(np.int64)
        one, other = pairs[:, 0], pairs[:, 1]
        return pairs[(component[one] == component[other]) & (unit[one] == unit[other])]

    @cached_property
    def coverage(self) -> dict[str, dict[str, Any]]:
        """The coverage document of every assessed service."""
        found = self.product.document("/coverage")
        blocks = found.get("services", [found])
        return {one["service"]: one for one in blocks if one["service"] in self.services}

    @cached_property
    def gaps(self) -> dict[str, list[dict[str, Any]]]:
        """Properties of the gaps of every assessed service."""
        answer: dict[str, list[dict[str, Any]]] = {service: [] for service in self.services}
        for one in self.product.document("/gaps")["features"]:
            answer.setdefault(one["properties"]["service"], []).append(
                {"id": one.get("id"), **one["properties"]}
            )
        return answer

    @cached_property
    def unit_files(self) -> gpd.GeoDataFrame:
        """Units of the input in code order, with code, residents (NaN unknown) and shape."""
        frames = [gpd.read_file(path, engine="pyogrio") for path in self.inputs.units]
        return pd.concat([_units(frame) for frame in frames], ignore_index=True).sort_values(
            "code", ignore_index=True
        )


CODE_COLUMNS: Sequence[str] = ("code", "osm_id", "id", "gid")
TOTAL_COLUMNS: Sequence[str] = ("population", "residents", "pop")


def _units(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame = frame.to_crs("EPSG:4326")
    code = next(name for name in CODE_COLUMNS if name in frame.columns)
    total = next((name for name in TOTAL_COLUMNS if name in frame.columns), None)
    residents = frame[total].astype(float) if total else np.full(len(frame), np.nan)
    return gpd.GeoDataFrame(
        {"code": frame[code].astype(str), "residents": residents},
        geometry=frame.geometry.array,
        crs=frame.crs,
    )

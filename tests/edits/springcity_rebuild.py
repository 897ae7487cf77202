"""The generated city built anew from files with edits written into them, by other means than
those of the engine: rows of tables, a file of closures, ways of the streets as read."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis import facts
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.readers.osm.extract import Extract, read_extract
from lifecircle.analysis.readers.osm.streets import RawStreets

DEGREES = "EPSG:4326"
SERVICES = ("health_centre", "market", "pharmacy", "shelter", "elder_care", "fitness_trail")
OWNERS = ("government", "private")
KINDS = ("way", "way", "place", "place", "gone", "change", "people", "leave")
_BRIDGE = int(WayForm.OFF_GROUND | WayForm.ABOVE_OR_BELOW)
_NEAR_DEG = 0.0005


@dataclass
class Town:
    """The files of the generated city, its map read once, and the study built from them."""

    files: SpringCityFiles
    folder: Path
    extract: Extract | None = None

    @cached_property
    def study(self) -> Study:
        """Before any edit."""
        return self.build([], "base")

    @cached_property
    def places(self) -> pd.DataFrame:
        """The bureau's table, as it is written."""
        return pd.read_csv(self.files.facilities, dtype=str, keep_default_na=False)

    @cached_property
    def people(self) -> gpd.GeoDataFrame:
        """The cells of residents."""
        return gpd.read_file(self.files.population)

    def build(self, edits: list[dict[str, Any]], name: str) -> Study:
        """The study of the files with some edits written into them."""
        folder = self.folder / name
        folder.mkdir()
        request = springcity_request(self.files)
        places, people = self.places, self.people
        streets: list[dict[str, Any]] = []
        closed: list[shapely.Geometry] = []
        for number, edit in enumerate(edits, start=1):
            op = edit["op"]
            if op == "add_way":
                streets.append(edit)
            elif op == "close_way":
                closed.append(shapely.Point(edit["lon"], edit["lat"]))
            elif op.endswith("residents"):
                people = _with_people(people, edit, number)
            else:
                places = _with_places(places, edit, number)
        if places is not self.places:
            places.to_csv(folder / "facilities.csv", index=False)
            request = replace(request, facilities=(folder / "facilities.csv",))
        if people is not self.people:
            people.to_file(folder / "population.gpkg", layer="population", engine="pyogrio")
            request = replace(request, population=folder / "population.gpkg")
        if closed:
            shapes = gpd.GeoDataFrame(geometry=closed, crs=DEGREES)
            shapes.to_file(folder / "closed.gpkg", layer="closed", engine="pyogrio")
            request = replace(request, closures=(folder / "closed.gpkg",))

        def read(*given: Any) -> Extract:
            if self.extract is None:
                self.extract = read_extract(*given)
            return replace(self.extract, streets=_with_ways(self.extract.streets, streets))

        with patch.object(facts, "read_extract", read):
            _, policy, city, travel = analyse_city(request)
        return Study(city, travel, policy)


def draw_edits(rng: random.Random, town: Town) -> list[dict[str, Any]]:
    """Some edits of every kind; closures last and away from drawn ways, which they close too."""
    study, edits = town.study, []
    network = study.city.network
    corners = np.flatnonzero(np.diff(network.vertex_start) >= 2)
    rows = town.places[town.places["type"].isin(SERVICES)]
    free = [one for one in rows["id"] if one in set(study.city.facilities.id)]
    rng.shuffle(free)
    lonlat = _junctions(town)
    for _ in range(rng.randint(2, 6)):
        kind = rng.choice(KINDS)
        if kind == "way":
            edits.append(_bridge(rng, lonlat))
        elif kind == "place":
            lon, lat = _home(rng, town)
            edits.append({"op": "add_facility", "service": rng.choice(SERVICES), "lon": lon,
                          "lat": lat, "name": f"新设施{rng.random()}",
                          "attributes": {"ownership": rng.choice(OWNERS)}})  # fmt: skip
        elif kind == "gone":
            edits.append({"op": "remove_facility", "id": free.pop()})
        elif kind == "change":
            edits.append({"op": "change_facility", "id": free.pop(),
                          "attributes": {"ownership": rng.choice(OWNERS)}})  # fmt: skip
        else:
            (x, y), half = _home(rng, town), rng.uniform(0.2, 1.0) * _NEAR_DEG
            ring = [[x - half, y - half], [x + half, y - half], [x, y + half], [x - half, y - half]]
            shape = {"type": "Polygon", "coordinates": [[[round(v, 7) for v in at] for at in ring]]}
            if kind == "leave":
                edits.append({"op": "remove_residents", "geometry": shape})
            else:
                people = rng.randint(1, 4000)
                edits.append({"op": "add_residents", "geometry": shape, "residents": people,
                              "groups": {"0_3": people // 30, "65": people // 9,
                                         "households": people // 3}})  # fmt: skip
    drawn = [one["coordinates"] for one in edits if one["op"] == "add_way"]
    ways = shapely.MultiLineString(drawn)
    for _ in range(rng.randint(0, 2)):
        edge = int(rng.choice(corners))
        (x, y), (x1, y1) = (lonlat[k] for k in (network.edge_u[edge], network.edge_v[edge]))
        spot = ((x + x1) / 2, (y + y1) / 2)
        if ways.is_empty or ways.distance(shapely.Point(spot)) > _NEAR_DEG:
            edits.append({"op": "close_way", "lon": round(spot[0], 7), "lat": round(spot[1], 7)})
    return edits


def _junctions(town: Town) -> np.ndarray:
    """Where the junctions of the streets are as the file has them, by number."""
    assert town.extract is not None
    streets = town.extract.streets
    order = np.argsort(streets.node_ref, kind="stable")
    at = np.searchsorted(streets.node_ref, town.study.city.network.node_osm_id, sorter=order)
    return streets.lonlat[order[at]]


def _bridge(rng: random.Random, lonlat: np.ndarray) -> dict[str, Any]:
    """A footbridge from a junction to one of those near it."""
    first = rng.randrange(len(lonlat))
    away = np.hypot(*(lonlat - lonlat[first]).T)
    last = int(np.argsort(away)[rng.randint(3, 60)])
    ends = [lonlat[first].tolist(), lonlat[last].tolist()]
    return {"op": "add_way", "kind": "footbridge", "coordinates": ends}


def _home(rng: random.Random, town: Town) -> tuple[float, float]:
    """A place some steps from a home, to the digits that files keep."""
    shape = town.people.geometry.iloc[rng.randrange(len(town.people))].centroid
    return round(shape.x + rng.uniform(-1e-3, 1e-3), 7), round(
        shape.y + rng.uniform(-1e-3, 1e-3), 7
    )


def _with_people(people: gpd.GeoDataFrame, edit: dict[str, Any], number: int) -> gpd.GeoDataFrame:
    shape = shapely.geometry.shape(edit["geometry"])
    if edit["op"] == "remove_residents":
        metric = people.to_crs("EPSG:4543")
        return people[~metric.centroid.to_crs(DEGREES).intersects(shape)]
    row = {"id": [f"edit-{number}"], "population": [edit["residents"]],
           "pop_0_3": [edit["groups"]["0_3"]], "pop_65": [edit["groups"]["65"]],
           "households": [edit["groups"]["households"]], "source": ["edit"]}  # fmt: skip
    more = gpd.GeoDataFrame(row, geometry=[shape], crs=DEGREES)
    return gpd.GeoDataFrame(pd.concat([people, more], ignore_index=True), crs=DEGREES)


def _with_places(places: pd.DataFrame, edit: dict[str, Any], number: int) -> pd.DataFrame:
    if edit["op"] == "remove_facility":
        return places[places["id"] != edit["id"]]
    if edit["op"] == "change_facility":
        changed = places.copy()
        changed.loc[changed["id"] == edit["id"], "ownership"] = edit["attributes"]["ownership"]
        return changed
    row = dict.fromkeys(places.columns, "")
    row |= {"id": f"edit-{number}", "type": edit["service"], "name": edit["name"],
            "lon": repr(edit["lon"]), "lat": repr(edit["lat"]),
            "ownership": edit["attributes"]["ownership"], "source": "edit"}  # fmt: skip
    return pd.concat([places, pd.DataFrame([row])], ignore_index=True)


def _with_ways(streets: RawStreets, ways: list[dict[str, Any]]) -> RawStreets:
    """The streets with footbridges between nodes that are there, as ways of a file of their own."""
    for k, way in enumerate(ways):
        ends = np.array(way["coordinates"])
        ref = [int(streets.node_ref[(streets.lonlat == end).all(axis=1)][0]) for end in ends]
        assert streets.form is not None
        streets = replace(
            streets,
            way_id=np.append(streets.way_id, 10**15 + k),
            way_start=np.append(streets.way_start, streets.way_start[-1] + 2),
            node_ref=np.append(streets.node_ref, ref),
            lonlat=np.vstack((streets.lonlat, ends)),
            form=np.append(streets.form, np.uint8(_BRIDGE)),
        )
    return streets

"""A study after edits equals the study of a town built from the edited files, to the person."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.measures.edits.apply import apply_edits, with_catchments
from lifecircle.analysis.measures.edits.reading import read_edits
from lifecircle.analysis.measures.question import Study
from tests.edits.rebuild import (
    SERVICES,
    STEP,
    TO_PLANE,
    Inputs,
    build,
    draw_town,
    spot,
    written,
)

JOINS_DEG = 1e-4  # an end so near to a street joins it: no end of the rebuild does
WAYS = ("street", "path", "footbridge")


@cache
def town(folder: Path, seed: int) -> tuple[Inputs, Study]:
    inputs = draw_town(seed)
    return inputs, build(inputs, folder / f"town-{seed}")


def draw_edits(rng: random.Random, inputs: Inputs) -> list[dict[str, Any]]:
    """A few edits of every kind; closures last, for a file of closures closes new ways too."""
    edits: list[dict[str, Any]] = []
    streets = shapely.MultiLineString(
        [[(inputs.streets.nodes[n]["x"], inputs.streets.nodes[n]["y"]) for n in pair]
         for pair in inputs.streets.edges()]
    )  # fmt: skip
    nodes = [(d["x"], d["y"]) for _, d in inputs.streets.nodes(data=True)]
    free = list(inputs.facilities["id"])
    rng.shuffle(free)
    for _ in range(rng.randint(2, 6)):
        kind = rng.choice(["way", "way", "place", "gone", "change", "people", "leave"])
        if kind == "way":
            ends = [rng.choice(nodes), rng.choice([rng.choice(nodes), spot(rng)])]
            free_end = streets.distance(shapely.Point(ends[1]))
            if ends[0] != ends[1] and (free_end == 0 or free_end > JOINS_DEG):
                edits.append({"op": "add_way", "coordinates": ends, "kind": rng.choice(WAYS)})
        elif kind == "place":
            lon, lat = spot(rng)
            edits.append({"op": "add_facility", "service": rng.choice(SERVICES), "lon": lon,
                          "lat": lat, "name": f"new {rng.random()}",
                          "attributes": {"ownership": "private"}})  # fmt: skip
        elif kind == "gone":
            edits.append({"op": "remove_facility", "id": free.pop()})
        elif kind == "change":
            edits.append({"op": "change_facility", "id": free.pop(),
                          "attributes": {"beds": float(rng.randint(0, 50))}})  # fmt: skip
        else:
            (x, y), half = spot(rng), rng.uniform(0.2, 1.2) * STEP
            ring = [[x - half, y - half], [x + half, y - half], [x, y + half], [x - half, y - half]]
            shape = {"type": "Polygon", "coordinates": [ring]}
            if kind == "leave":
                edits.append({"op": "remove_residents", "geometry": shape})
            else:
                people = rng.randint(0, 4000)
                edits.append({"op": "add_residents", "geometry": shape, "residents": people,
                              "groups": {"65": people // 9}})  # fmt: skip
    for _ in range(rng.randint(0, 2)):
        u, v = rng.choice(list(inputs.streets.edges()))
        a, b = (inputs.streets.nodes[n] for n in (u, v))
        t = rng.uniform(0.1, 0.9)
        lon, lat = (round(a[k] + t * (b[k] - a[k]), 7) for k in ("x", "y"))
        edits.append({"op": "close_way", "lon": lon, "lat": lat})
    return edits or [{"op": "remove_facility", "id": free.pop()}]


def walks_of(study: Study) -> dict[str, Any]:
    """Everything a figure rests on, by ids."""
    city, travel = study.city, study.travel
    places = city.facilities
    names = np.array([*places.id, None], dtype=object)
    return {
        "cells": dict(zip(city.cells.id, city.cells.residents.tolist(), strict=True)),
        "groups": {g: held.to_list() for g, held in city.cells.groups.items()},
        "units": {level: held.tolist() for level, held in city.cells.unit.items()},
        "facilities": list(zip(places.id, places.service.tolist(), strict=True)),
        "beds": np.nan_to_num(places.numbers("beds"), nan=-1).tolist(),
        "walks": {s: travel.cell_cm[travel.row(s)].tolist() for s in travel.services},
        "whom": {s: names[travel.cell_facility[travel.row(s)]].tolist() for s in travel.services},
        "edges": (city.network.edge_count, city.network.node_count),
    }


@pytest.mark.parametrize("seed", range(12))
def test_edits_are_a_rebuild(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    inputs, study = town(base, seed % 3)
    drawn = draw_edits(random.Random(seed), inputs)
    edited = apply_edits(study, read_edits(study, {"edits": drawn}))
    again = build(written(inputs, drawn), base / f"again-{seed}")
    mine, theirs = walks_of(edited.study), walks_of(again)
    for part in mine:
        assert mine[part] == theirs[part], (part, drawn)
    solved, rebuilt = (
        with_catchments(edited, study).catchments,
        with_catchments(apply_edits(again, ()), again).catchments,
    )
    assert {k: v.natural.served for k, v in solved.items()} == {
        k: v.natural.served for k, v in rebuilt.items()
    }


def test_slope_stays_with_the_streets(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Uphill costs a tenth more and downhill a twentieth less, also on streets that are cut."""
    inputs, study = town(tmp_path_factory.getbasetemp(), 0)
    flat = study.city.network
    at_m = flat.vertex_at_m
    slope = SlopeProfile(flat.vertex_start, at_m, 0.1 * at_m, -0.05 * at_m)
    hilly = replace(study.city, network=replace(flat, slope=slope))
    costs = walk_costs(hilly.network)
    study = Study(hilly, travel_table(hilly, costs, SERVICES), study.policy)
    nodes = [(d["x"], d["y"]) for _, d in inputs.streets.nodes(data=True)]
    way = {"op": "add_way", "kind": "street", "coordinates": [nodes[0], nodes[24]]}
    edited = apply_edits(study, read_edits(study, [way]))
    assert [warning.key for warning in edited.warnings] == ["edit_way_flat"]
    network = edited.study.city.network
    assert network.slope is not None
    last = network.slope.point_start[1:] - 1
    ahead = network.slope.extra_uv_m[last] / network.edge_length_m
    back = network.slope.extra_vu_m[last] / network.edge_length_m
    drawn = (ahead == 0) & (back == 0)
    up, down = np.isclose(ahead, 0.1), np.isclose(ahead, -0.05)
    assert (drawn | (up & np.isclose(back, -0.05)) | (down & np.isclose(back, 0.1))).all()
    line = shapely.LineString([TO_PLANE(*nodes[0]), TO_PLANE(*nodes[24])])
    assert network.edge_length_m[drawn].sum() == pytest.approx(line.length, rel=1e-3)
    again = travel_table(edited.study.city, walk_costs(network), SERVICES)
    assert edited.study.travel.cell_cm.tolist() == again.cell_cm.tolist()

"""Coverage by unit recomputed with pandas: from published times, and from our own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

from tests.oracles.audit.areas import polygon_area
from tests.oracles.audit.checking.check_walks import BAR_S
from tests.oracles.audit.checks import Ledger
from tests.oracles.audit.ground import Land
from tests.oracles.audit.homes import units_of
from tests.oracles.audit.scene import ADULT_S_PER_M, Scene
from tests.oracles.audit.shortest import build_walks
from tests.oracles.audit.streets import Floats

CORE_M = 800.0
CORE_MINUTES = 15.0
LAND_LATTICE_M = 25.0
L_WITHIN = 1e-6
EDGE_M = 0.05  # cells are published to about a centimetre
ROUNDED_S = 1e-6  # published minutes are decimals of whole centimetres


def check_coverage(scene: Scene, ledger: Ledger, land: Land | None) -> None:
    told: list[tuple[str, Any, Any]] = []
    own: list[tuple[str, Any, Any]] = []
    known: list[tuple[str, Any, Any]] = []
    capacity: list[tuple[str, Any, Any]] = []
    lists: list[tuple[str, Any, Any]] = []
    for service, document in scene.coverage.items():
        theirs = _count(scene, service, scene.told_s(service), ROUNDED_S)
        ours = _count(scene, service, scene.seconds[service], 0.0)
        edge = _on_the_edge(scene, service)
        for row in (document["total"], *document["units"]):
            code, name = row["code"], f"{service} {row['code']}"
            ours_known = int(theirs.residents.get(code, 0))
            if row["residents"] is not None or ours_known:  # unknown: null, and no cell
                known.append((name, row["residents"], ours_known))
            if not row["residents"]:
                continue
            lists.extend(_parts(scene, service, name, row, theirs.loc[code]))
            if row["covered"] is None:  # the list ends before it
                lists.append((f"{name} assessed", 0, int(theirs.loc[code].assessed)))
                continue
            told.extend(_fields(name, row, theirs.loc[code]))
            if row["C"] is not None:
                share = 1 - theirs.unserved[code] / theirs.assessed[code]
                capacity.append((f"{name} C", row["C"], float(share)))
                capacity.append((f"{name} P >= C", row["P"] >= row["C"], True))
            apart = abs(row["covered"] - int(ours.loc[code].covered))
            ok = apart <= int(edge.get(code, 0))
            own.append(
                (name, row["covered"], row["covered"] if ok else int(ours.loc[code].covered))
            )
    ledger.same("coverage.known", "known residents by unit and service", known, unit="persons")
    ledger.same(
        "coverage.told", "covered, unsnapped, cut_off, P, P_core, U from published times", told,
        within=1e-12,
    )  # fmt: skip
    ledger.same(
        "coverage.own", "covered by our own times", own, unit="persons",
        note="cells within 0.1 s of the limit may fall on either side",
    )  # fmt: skip
    if capacity:
        ledger.same(
            "coverage.C", "C from the unserved of the cells, P >= C", capacity, within=1e-12
        )
    if scene.inputs.surveyed:
        ledger.same(
            "coverage.lists", "known = covered + not covered + not assessed; the edge of lists",
            lists, unit="persons",
            note=f"the edge to {EDGE_M} m",
        )  # fmt: skip
    _area_U(scene, ledger)
    _units(scene, ledger)
    if land is not None and land.residential:
        _land(scene, ledger, land)


def _count(scene: Scene, service: str, seconds: Floats, slack_s: float) -> pd.DataFrame:
    limit = scene.services[service] * 60
    snapped = scene.cells["snapped"].to_numpy(dtype=bool)
    reached = np.isfinite(seconds)
    core = seconds / ADULT_S_PER_M <= CORE_M + slack_s
    assessed = scene.assessed(service)
    beyond = assessed * (seconds > limit + slack_s)
    edge_m, reach_m = scene.edge_m(service), limit / ADULT_S_PER_M
    frame = pd.DataFrame(
        {
            "unit": scene.unit_of_cell,
            "residents": scene.residents,
            "assessed": assessed,
            "covered": assessed * (seconds <= limit + slack_s),
            "core": assessed * (core & (seconds <= limit + slack_s)),
            "unsnapped": assessed * ~snapped,
            "cut_off": assessed * (snapped & ~reached),
            "beyond": beyond,
            "edge_low": beyond * (edge_m < reach_m - EDGE_M),
            "edge_high": beyond * (edge_m < reach_m + EDGE_M),
            "unserved": _unserved(scene, service),
        }
    )
    by_unit = frame.groupby("unit").sum()
    by_unit.loc["total"] = frame.drop(columns="unit").sum()
    holders = scene.facilities.loc[scene.facilities["service"] == service, "unit_code"]
    by_unit["U"] = [float(code in set(holders)) for code in by_unit.index]
    return by_unit


def _unserved(scene: Scene, service: str) -> Any:
    """Persons of each cell whom the balanced catchments do not serve; 0 where there are none."""
    column = f"unserved_{service}"
    if column not in scene.cells.columns:
        return np.zeros(len(scene.cells), dtype=np.int64)
    return scene.cells[column].fillna(0).to_numpy(dtype=np.int64)


def _area_U(scene: Scene, ledger: Ledger) -> None:
    """U of the area: units with a facility of their own, of all units."""
    rows = []
    for service, document in scene.coverage.items():
        each = [one["U"] for one in document["units"] if one["U"] is not None]
        if document["total"]["U"] is not None and each:
            rows.append((service, document["total"]["U"], sum(each) / len(each)))
    ledger.same("coverage.U", "U of the area from its units", rows, within=1e-12)


def _on_the_edge(scene: Scene, service: str) -> dict[str, int]:
    """Residents by unit whose time lies within the bar of the limit, or cannot be told."""
    limit = scene.services[service] * 60
    near = np.abs(scene.seconds[service] - limit) <= BAR_S
    near[scene.elsewhere] = True
    frame = pd.DataFrame({"unit": scene.unit_of_cell, "n": scene.assessed(service) * near})
    found = frame.groupby("unit")["n"].sum()
    return {**found.to_dict(), "total": int(found.sum())}


def _parts(
    scene: Scene, service: str, name: str, row: dict[str, Any], ours: Any
) -> list[tuple[str, Any, Any]]:
    """The parts of the known residents, where a list was said to cover some units only."""
    if service not in scene.inputs.surveyed:
        return [(f"{name} not assessed", row["not_assessed"], 0)]
    parts = [row[key] or 0 for key in ("covered", "not_covered", "not_assessed")]
    rows: list[tuple[str, Any, Any]] = [
        (f"{name} sum", sum(parts), row["residents"]),
        (f"{name} not assessed", row["not_assessed"], int(ours.residents - ours.assessed)),
        (f"{name} not covered", parts[1], int(ours.beyond)),
    ]
    if row["edge_of_list"] is not None:
        low, high = int(ours.edge_low), int(ours.edge_high)
        told = row["edge_of_list"]
        rows.append((f"{name} edge", told, told if low <= told <= high else low))
    return rows


def _fields(name: str, row: dict[str, Any], ours: Any) -> list[tuple[str, Any, Any]]:
    rows: list[tuple[str, Any, Any]] = [
        (f"{name} {field}", row[field], int(ours[field]))
        for field in ("covered", "unsnapped", "cut_off")
    ]
    rows.append((f"{name} P", row["P"], float(ours.covered / ours.assessed)))
    if row["P_core"] is not None:
        rows.append((f"{name} P_core", row["P_core"], float(ours.core / ours.assessed)))
    if row["U"] is not None and row["code"] != "total":
        rows.append((f"{name} U", row["U"], float(ours.U)))
    return rows


def _units(scene: Scene, ledger: Ledger) -> None:
    """The unit of every cell and facility by our own look, where units were given."""
    if not scene.inputs.units:
        return
    units = scene.unit_files
    codes = [*units["code"], None]
    for name, frame, shapes in (
        ("cells", scene.cells, scene.shapes),
        ("facilities", scene.facilities,
         scene.joiner.metric(np.asarray(scene.facilities.geometry.array, dtype=object))),
    ):  # fmt: skip
        middle = shapely.centroid(shapes)
        outside = (shapely.get_dimensions(shapes) == 2) & ~shapely.covers(shapes, middle)
        middle[outside] = shapely.point_on_surface(shapes[outside])
        found = units_of(middle, units, scene.joiner)
        told = frame["unit_code"].astype(object).where(frame["unit_code"].notna(), None)
        ledger.same(
            f"units.{name}", f"unit of {name}",
            [(one, a, codes[k]) for one, a, k in
             zip(frame["id"].tolist(), told.tolist(), found.tolist(), strict=True)],
        )  # fmt: skip


def _land(scene: Scene, ledger: Ledger, land: Land) -> None:
    """L by our own samples on residential land.

    A lattice that starts at 0,0 has its samples there, or in the middle of squares that start
    there: DEFINITIONS do not say. Both are tried, and the note names the one that fits better.
    """
    tries = []
    for name, offset_m in (("at 0,0", 0.0), ("in the middle of squares", LAND_LATTICE_M / 2)):
        points, weight = land_samples(scene, land, offset_m)
        rows = _land_rows(scene, points, weight)
        fitting = sum(abs(one[1] - one[2]) <= L_WITHIN for one in rows)
        tries.append((fitting, rows, f"{len(points):,} samples, {name}"))
    _, rows, note = max(tries, key=lambda one: one[0])
    ledger.same(
        "coverage.L", "L, share of residential land within reach", rows, note, within=L_WITHIN
    )


def _land_rows(scene: Scene, points: Floats, weight: Floats) -> list[tuple[str, Any, Any]]:
    at = scene.joiner.join_metric(shapely.points(points))
    walks = build_walks(scene.streets, at, scene.goals, scene.along)
    code = np.full(len(points), "area", dtype=object)
    if scene.inputs.units:
        units = scene.unit_files
        row = units_of(shapely.points(points), units, scene.joiner)
        code = np.array([*units["code"], ""], dtype=object)[row]
    weight = np.where(code == "", 0.0, weight)  # outside every unit: not in the area
    rows: list[tuple[str, Any, Any]] = []
    for service, document in scene.coverage.items():
        seconds = walks.nearest_m(scene.facilities_of(service)) * ADULT_S_PER_M
        limit = scene.services[service] * 60
        frame = pd.DataFrame(
            {
                "unit": code,
                "all": weight,
                "within": weight * (seconds <= limit),
                "edge": weight * (np.abs(seconds - limit) <= BAR_S),
            }
        )
        by_unit = frame.groupby("unit").sum()
        by_unit.loc["total"] = frame.drop(columns="unit").sum()
        for one in (document["total"], *document["units"]):
            if one["code"] not in by_unit.index or one["L"] is None:
                continue
            ours = by_unit.loc[one["code"]]
            share, edge = float(ours.within / ours["all"]), float(ours.edge / ours["all"])
            close = abs(one["L"] - share) <= edge + L_WITHIN
            rows.append((f"{service} {one['code']}", one["L"], one["L"] if close else share))
    return rows


def land_samples(scene: Scene, land: Land, offset_m: float) -> tuple[Floats, Floats]:
    """Samples of a 25 m lattice on residential polygons, each with its share of the area."""
    merged = shapely.union_all(
        shapely.make_valid(scene.joiner.metric(np.array(land.residential, dtype=object)))
    )
    points, weights = [], []
    for part in shapely.get_parts(merged):
        if shapely.get_dimensions(part) != 2:
            continue
        x0, y0, x1, y1 = (np.array(shapely.bounds(part)) - offset_m) / LAND_LATTICE_M
        grid = (
            np.stack(
                np.meshgrid(np.arange(np.ceil(x0), x1 + 1e-9), np.arange(np.ceil(y0), y1 + 1e-9)),
                -1,
            ).reshape(-1, 2)
            * LAND_LATTICE_M
            + offset_m
        )
        shapely.prepare(part)
        inside = grid[shapely.covers(part, shapely.points(grid))] if len(grid) else grid
        if not len(inside):
            inside = shapely.get_coordinates(shapely.point_on_surface(part))
        points.append(inside)
        weights.append(np.full(len(inside), polygon_area(part) / len(inside)))
    return np.concatenate(points), np.concatenate(weights)

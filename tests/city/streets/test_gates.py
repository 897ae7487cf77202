"""Areas that streets cross: gates, fences, and the ways inside; answers by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import load_policy
from tests.oracles.audit_world import World, closed_way
from tests.oracles.test_audit_by_hand import DEGREE_M, GATES, draw

POLICY = load_policy()


def walks(osm: Path, cells: Path, service: str) -> dict[str, float]:
    """Metres from every cell to the nearest place of a service."""
    request = BuildRequest("t", osm=osm, population=cells, datum="wgs84", policy=POLICY)
    _, _, city, travel = analyse_city(request)
    cm = travel.cell_cm[travel.row(service)]
    return {str(k): v / 100 for k, v in zip(city.cells.id, cm.tolist(), strict=True)}


def write_cells(path: Path, places: dict[str, tuple[float, float]]) -> Path:
    """People by metres east and north of 102.7, 25."""
    rows = [
        f"{name},{102.7 + x / (DEGREE_M * np.cos(np.radians(25))):.7f},{25 + y / DEGREE_M:.7f},10"
        for name, (x, y) in places.items()
    ]
    path.write_text("\n".join(["id,lon,lat,population", *rows]), encoding="utf-8")
    return path


@pytest.mark.parametrize(("gate", "fence", "is_open"), GATES.values(), ids=list(GATES))
def test_gates_and_fences(
    tmp_path: Path, gate: dict[str, str] | None, fence: str | None, is_open: bool
) -> None:
    """A path enters the park at its west side, A, and ends inside; another touches it in the east.

    From 2,000 m west of A through its gate, or 1,000 m back and all around to the east side. Who
    stands on the path inside is there.

    ::

        10 ─────────────────────────────── 11     500 m up, 6,200 m along
        │                                  │
        1 ──home── A ┌─x────┐ B ────────── 5
                     └──────┘
    """
    osm = tmp_path / "gate.osm"
    draw(osm, gate, fence)
    places = {"home": (-2100.0, 0.0), "inside": (-75.0, 0.0)}
    cells = write_cells(tmp_path / "cells.csv", places)
    found = walks(osm, cells, "park")
    around = 1000 + 500 + 6200 + 500 + 3000
    # The drawing's degrees are rough: half a percent.
    assert found["home"] == pytest.approx(2000 if is_open else around, rel=0.01)
    assert found["inside"] == 0
    world = World(osm)
    at = np.loadtxt(cells, delimiter=",", skiprows=1, usecols=(1, 2))
    minutes = world.minutes(at, [closed_way(osm, "leisure", "park")])
    by_auditor = dict(zip(places, (minutes * 60 / 0.9).tolist(), strict=True))
    assert found == pytest.approx(by_auditor, abs=0.11)


def test_a_school_has_two_gates_and_a_park_is_its_paths(shared_data: Path) -> None:
    """t_campus: 20 m from either gate; on a path in the middle of the park it is there."""
    field = shared_data / "field"
    osm, cells = field / "t_campus.osm", field / "t_campus.csv"
    school = walks(osm, cells, "primary_school")
    gates = [school[f"school_{side}_gate"] for side in ("west", "east")]
    assert gates == pytest.approx([20, 20], abs=0.1)
    park = walks(osm, cells, "park")
    assert park["mid_park_path"] == pytest.approx(0, abs=0.02)
    assert park["park_west"] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("file", ["05_park_bridge.osm", "05_park_without_bridge.osm"])
def test_a_bridge_over_a_park_is_no_entrance(shared_data: Path, file: str) -> None:
    """FIELD 6: 23.25 minutes from west and east, not 11.25."""
    field = shared_data / "field"
    found = walks(field / file, field / "05_three_cells.csv", "park")
    assert [found[side] * 0.9 / 60 for side in "we"] == pytest.approx([23.25] * 2, abs=0.01)

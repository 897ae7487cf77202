"""What a list covers: residents outside it are not assessed, whatever they reach."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import lifecircle as lc
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.extents import extents_of, find_units, judged_by
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.measures.catchments.catchments import catchments
from lifecircle.analysis.measures.circles import circles
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.gaps.gaps import find_gaps
from lifecircle.analysis.measures.point.point import PointPlan
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.readers.tables.surveyed import split_sayings
from lifecircle.area import Area
from lifecircle.service.catalog.coverage import coverage_document
from lifecircle.service.wording import Words
from lifecircle.town import tiny_inputs
from tests.worlds.parts import ORIGIN, study_of
from tests.worlds.tiny import tiny_city, tiny_policy, tiny_travel

POLICY = tiny_policy()
CITY = tiny_city()
TRAVEL = tiny_travel(CITY)


def listed(
    *words: str, service: str = "health_centre", drawn: shapely.Geometry | None = None
) -> City:
    """The tiny city with a list that covers some units, or the inside of a polygon."""
    named = {service: find_units(words, CITY.units, service)} if words else {}
    polygons = {} if drawn is None else {service: shapely.transform(drawn, lambda xy: xy + ORIGIN)}
    return replace(CITY, extents=extents_of(named, polygons, CITY.units))


def test_of_units_named_only_those_are_assessed() -> None:
    study = study_of(listed("C2", "C3"), POLICY, travel=TRAVEL)
    found = coverage(study, Question("health_centre"))
    total = found.total
    # C2 holds c3 (300, 970 m) and c4 (400, 2,070 m), C3 holds c5 (250) and c6 (150): 1,100 of
    # 1,910 are assessed, c3 alone walks 1,000 m at most. c1 and c2 of C1 reach it all the same.
    assert (total.residents, total.covered, total.not_covered, total.not_assessed) == (
        1910, 300, 800, 810)  # fmt: skip
    assert total.P == 300 / 1100
    assert total.U == 0.0  # of C2 and C3; the centre stands in C1
    # land: 1450 (1,000 m²) and 1200 (3,000) lie in C2, 4000 (5,000) in C3; 1200 alone is near
    assert total.L == 3000 / 9000
    first = next(row for row in found.units if row.code == "C1")
    assert (first.residents, first.covered, first.not_covered, first.not_assessed) == (
        300, None, None, 300)  # fmt: skip
    assert (first.P, first.U, first.L, first.unsnapped) == (None, None, None, None)
    # x 1000 to 4500, and y -500 to 1500: c4 is 550 m from the edge (it does not count where it is
    # an inner one: C2 and C3 touch), c5 550, c6 100: all three are nearer than 1,000 m
    assert total.edge_of_list == 800
    assert [warn.key for warn in found.warnings][1:3] == ["list_extent", "edge_of_list"]


def test_a_unit_counts_for_u_where_95_percent_of_it_lies_inside() -> None:
    # 1,900 of the 2,000 m of C2, and 940 of the 1,000 m of C1
    wide = shapely.box(60, -500, 2900, 1500)
    judged = judged_by(listed(drawn=wide), "health_centre")
    codes = CITY.units.code[np.flatnonzero(judged.unit)].tolist()
    assert codes == ["C2"]
    assert judged.cell.tolist() == [True] * 4 + [False] * 6
    assert not judged.everywhere
    assert judged_by(listed(drawn=wide), "pharmacy").everywhere


def test_units_below_a_named_one_lie_inside() -> None:
    judged = judged_by(listed("东街道"), "health_centre")
    assert CITY.units.code[np.flatnonzero(judged.unit)].tolist() == ["S1", "C1", "C2"]


def test_gaps_and_the_bridge_leave_out_who_is_not_assessed() -> None:
    study = study_of(listed("C2"), POLICY, travel=TRAVEL)
    found = find_gaps(study, Question("health_centre"))
    bridge = found.bridge
    assert (bridge.known, bridge.covered, bridge.not_covered, bridge.not_assessed) == (
        1910, 300, 400, 1210)  # fmt: skip
    assert [(gap.residents, gap.unit_code, gap.edge_of_list) for gap in found.gaps] == [
        (400, "C2", 400)
    ]
    words = Words("en", "cli").bridge(
        {"known": 1910, "covered": 300, "not_covered": 400, "not_assessed": 1210, "served": None}
        | {"reachable_full": None}
    )
    assert "all 700 residents" in words and "1,210 more are not assessed" in words


def test_catchments_and_circles_are_of_the_assessed() -> None:
    town = built("health_centre:E", name="served")
    served = catchments(town.study, Question("health_centre"))
    assert (served.residents, served.not_assessed) == (500, 400)
    assert (served.natural.served, served.balanced.served) == (500, 200)
    study = study_of(listed("C1"), POLICY, travel=TRAVEL)
    for kind in POLICY.circles:
        free = circles(study_of(CITY, POLICY, travel=TRAVEL), Question(), kind=kind)
        if "health_centre" in free.assessed:
            part = circles(study, Question(), kind=kind)
            missing = dict(part.total.missing)
            assert missing.get("health_centre", 0) == 0  # the 300 of C1 reach it, others are open


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(("health_centre", "pharmacy", "convenience_store", "swimming_pool")),
    st.integers(0, 6000),
    st.integers(1, 6000),
    st.sampled_from(("community", "subdistrict")),
    st.sampled_from(("total", "0_3", "65")),
    st.sampled_from((3.0, 15.0, 40.0)),
)
def test_residents_are_conserved_whatever_a_list_covers(
    service: str, west: int, width: int, level: str, group: str, minutes: float
) -> None:
    city = listed(service=service, drawn=shapely.box(west, -400, west + width, 3400))
    study = study_of(city, POLICY, travel=TRAVEL)
    question = Question(service, minutes, group=group, by=level)
    found, free = coverage(study, question), coverage(
        study_of(CITY, POLICY, travel=TRAVEL), question)  # fmt: skip
    for row, whole in zip((found.total, *found.units), (free.total, *free.units), strict=True):
        parts = (row.covered or 0, row.not_covered or 0, row.not_assessed or 0)
        assert row.residents == whole.residents == sum(parts)
        assert parts[0] <= (whole.covered or 0)
        assert (row.edge_of_list or 0) <= parts[1]
        assert (row.P is None) == (row.residents == row.not_assessed)
    gaps = find_gaps(study, question)
    bridge = gaps.bridge
    assert bridge.known == (bridge.covered or 0) + (bridge.not_covered or 0) + bridge.not_assessed
    assert sum(gap.residents for gap in gaps.gaps) == bridge.not_covered


@pytest.mark.parametrize("word", ["C2", "二社区", "二社区居委会", "Second"])
def test_units_are_named_by_code_or_name(word: str) -> None:
    assert CITY.units.code[find_units([word], CITY.units, "park")].tolist() == ["C2"]


def test_a_unit_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ParameterError) as told:
        find_units(["二社"], CITY.units, "park")
    assert "二社区" in told.value.text("zh") and "park" in told.value.text("zh")


def test_sayings_are_split_at_signs_of_either_width() -> None:
    whole, named, drawn = split_sayings(["park", "market：M01，甲街道; 3", "pharmacy:a/b.geojson"])
    assert (whole.service, whole.units, whole.file) == ("park", (), None)
    assert named.units == ("M01", "甲街道", "3")
    assert drawn.file is not None and drawn.text == "pharmacy:b.geojson"


# ---- through the door -----------------------------------------------------------------------


@cache
def _home() -> str:
    return tempfile.mkdtemp(prefix="lists-")


def built(*surveyed: str, name: str = "listed") -> Area:
    return lc.build(name, **tiny_inputs(), surveyed=surveyed, workspace=_home())


def test_a_list_of_one_street_office_survives_the_build() -> None:
    town = built("社区卫生服务中心:东街道", "park")
    # E holds 500 residents, of whom the two hundred nearest reach the centre in W
    again = lc.open(_home())["listed"]
    for area in (town, again):
        total = coverage_document(area.run, Question("health_centre"))["total"]
        assert (total["covered"], total["not_covered"], total["not_assessed"]) == (200, 300, 400)
        rows = coverage_document(area.run, Question("health_centre"))["units"]
        assert [(row["code"], row["P"]) for row in rows] == [("E", 0.4), ("W", None)]
    layer = again.layer("units").set_index("code")["P_health_centre"]
    assert layer["E"] == 0.4 and np.isnan(layer["W"])
    assert town.run.manifest.parameters["surveyed"] == ["health_centre:东街道", "park"]


def test_a_polygon_and_a_mapping_file_say_the_same(tmp_path: Path) -> None:
    folder = tmp_path
    given = tiny_inputs()
    for name in ("units", "population", "facilities"):
        given[name].to_file(folder / f"{name}.geojson")  # type: ignore[literal-required]
    nx.write_graphml(given["streets"], folder / "streets.graphml")
    east = given["units"].query("code == 'E'")[["geometry"]]
    east.to_file(folder / "east.geojson")
    east.boundary.to_frame("geometry").set_geometry("geometry").to_file(folder / "line.geojson")
    (folder / "said.toml").write_text(
        '[surveyed]\npark = true\nhealth_centre = "east.geojson"\npharmacy = ["W"]\n', "utf-8"
    )
    request = BuildRequest(
        "drawn",
        graph=folder / "streets.graphml",
        population=folder / "population.geojson",
        units=(folder / "units.geojson",),
        facilities=(folder / "facilities.geojson",),
        mapping=folder / "said.toml",
    )
    _, _, city, _ = analyse_city(request)
    assert city.surveyed == {"park"}
    assert int(city.cells.residents[judged_by(city, "health_centre").cell].sum()) == 500
    assert int(city.cells.residents[judged_by(city, "pharmacy").cell].sum()) == 400
    with pytest.raises(InputError) as told:
        bare = replace(request, mapping=None, surveyed=(f"park:{folder / 'line.geojson'}",))
        analyse_city(bare)
    assert "line.geojson" in told.value.text("en")


def test_a_place_in_a_unit_without_polygon_is_judged_by_who_lives_beside_it() -> None:
    city = tiny_city()
    shapes = city.units.geometry.copy()
    shapes[list(city.units.code).index("C2")] = None
    units = replace(city.units, geometry=shapes)
    named = {"pharmacy": find_units(["C2"], units, "pharmacy")}
    city = replace(city, units=units, extents=extents_of(named, {}, units))
    plan = PointPlan.of(study_of(city, tiny_policy(), travel=tiny_travel(city)), Question())
    within = []
    for x, y in ((1450, 50), (3500, 50), (1400, 400)):  # beside c3 of C2, c5 of C3, nobody
        xy_m = np.array([[x + ORIGIN[0], y + ORIGIN[1]]])
        told = plan.services(plan.position(xy_m), xy_m)
        within.append(next(one.within for one in told if one.service == "pharmacy"))
    # 950 m along the street, 50 m and 20 m off it: 1,020 m, beyond 1,000 m
    assert within == [False, None, None]

"""Whole persons from fractions: cases of the field, and what always holds along the curve."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.tables.population_and_facilities import read_population
from lifecircle.analysis.readers.tables.units import read_units
from lifecircle.analysis.whole_persons import (
    Along,
    hilbert_keys,
    keep_to_room,
    round_along,
    round_people,
    share_along,
)
from tests.files.tables import said
from tests.oracles.audit.persons import hilbert_key, on_curve
from tests.readers.test_rasters import write

rasterio = pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")


def build(folder: Path, facilities: str = "town_centres.csv", **given_: Path):
    """Residents by unit (None: unknown) and P of the health centres, as `build` makes them."""
    units = given_.pop("units")
    request = BuildRequest(
        "t", osm=folder / "town.osm", units=(units,), facilities=(folder / facilities,),
        datum="wgs84", **given_,
    )  # fmt: skip
    _, policy, city, travel = analyse_city(request)
    found = coverage(Study(city, travel, policy), Question(service="health_centre"))
    by_unit = {row.code: row.residents for row in found.units}
    return by_unit, found.total


@pytest.mark.parametrize(
    ("raster", "units", "persons", "share"),
    [
        ("01_raster_04.tif", "01_halves.geojson", (2_000, 2_000), 0.657),
        ("01_raster_06_01.tif", "01_west_east.geojson", (3_000, 500), None),
    ],
)
def test_fractions_of_a_raster_stay_where_they_are(shared_data, raster, units, persons, share):
    field = shared_data / "field"
    by_unit, total = build(field, population=field / raster, units=field / units)
    assert len(by_unit) == 2
    for found, right in zip(sorted(by_unit.values(), reverse=True), persons, strict=True):
        assert abs(found - right) <= 1
    if share is not None:
        assert pytest.approx(share, abs=0.002) == total.P


@pytest.mark.parametrize(
    ("each", "side", "half"), [(1.37, 100, 6_850), (0.001, 200, 20)], ids=["1.37", "0.001"]
)
def test_a_smear_of_equal_pixels_is_emptied_nowhere(shared_data, tmp_path, each, side, half):
    field = shared_data / "field"
    with rasterio.open(field / "01_raster_04.tif") as source:
        west, south, east, north = source.bounds
        crs = source.crs
    path = write(
        tmp_path / "p.tif", np.full((side, side), each, np.float64), crs=crs, nodata=None,
        transform=rasterio.Affine((east - west) / side, 0, west, 0, -(north - south) / side, north),
    )  # fmt: skip
    by_unit, total = build(field, population=path, units=field / "01_halves.geojson")
    assert all(abs(found - half) <= 1 for found in by_unit.values())
    assert pytest.approx(0.657, abs=0.03) == total.P


def test_coverage_of_a_unit_does_not_depend_on_its_total(shared_data):
    field = shared_data / "field"
    shares = []
    for total in (400, 160_000):
        units = field / f"01_unit_{total}.geojson"
        _, found = build(field, "01_east_centre.csv", units=units)
        assert found.residents == total
        shares.append(found.P)
    assert shares == pytest.approx([0.374, 0.374], abs=0.01)


# ---- invariants

fractions = st.one_of(
    st.floats(0, 3), st.sampled_from([0.0, 0.1, 0.4, 0.5, 1.0, 1 / 3, 2.0**-40, 1e-9, 700.25])
)
rows = st.lists(
    st.tuples(fractions, st.integers(0, 3), st.integers(0, 50), st.integers(0, 50)),
    min_size=1,
    max_size=25,
)


def parts(cells):
    amount, block, x, y = (np.array(column) for column in zip(*cells, strict=True))
    lonlat = np.column_stack((102.7 + x * 0.001, 25.0 + y * 0.001))
    return amount.astype(float), lonlat, block.astype(np.int64)


@given(rows)
@settings(max_examples=150, deadline=None)
def test_every_stretch_of_the_curve_keeps_its_people_to_one_person(cells):
    amount, lonlat, block = parts(cells)
    along = Along.curve(lonlat, amount, block)
    persons = round_along(amount, along)
    exact = [Fraction(one) for one in amount.tolist()]
    assert persons.min() >= 0
    assert persons.sum() == int(sum(exact) + Fraction(1, 2))
    for unit in along.blocks():
        assert len(set(block[unit])) == 1
        for low in range(len(unit)):
            for high in range(low, len(unit)):
                there = sum(exact[row] for row in unit[low : high + 1])
                assert abs(int(persons[unit[low : high + 1]].sum()) - there) <= 1


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_row_order_and_edits_elsewhere_change_no_cell(cells, shuffle):
    amount, lonlat, block = parts(cells)
    persons = round_along(amount, Along.curve(lonlat, amount, block))
    turn = list(range(len(amount)))
    shuffle.shuffle(turn)
    again = round_along(amount[turn], Along.curve(lonlat[turn], amount[turn], block[turn]))
    places = sorted(zip(block.tolist(), lonlat.tolist(), amount.tolist(), persons.tolist(),
                        strict=True))  # fmt: skip
    assert places == sorted(
        zip(block[turn].tolist(), lonlat[turn].tolist(), amount[turn].tolist(), again.tolist(),
            strict=True)
    )  # fmt: skip
    here = block == block[0]
    more = amount + 5  # elsewhere five persons more, wherever a double holds exactly that
    exact = np.array([Fraction(b) == Fraction(a) + 5 for a, b in zip(amount, more, strict=True)])
    edited = np.where(here | ~exact, amount, more)
    after = round_along(edited, Along.curve(lonlat, edited, block))
    assert (after[here] == persons[here]).all()


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 50), st.integers(0, 50)), min_size=1),
    st.integers(0, 10**7),
)
@settings(max_examples=80, deadline=None)
def test_a_total_is_shared_as_the_slow_way_shares_it(cells, total):
    weight, lonlat, _ = parts([(w, 0, x, y) for w, x, y in cells])
    weight = weight.astype(np.int64)
    if weight.sum() == 0:
        return
    owner = np.zeros(len(weight), dtype=np.int64)
    along = Along.curve(lonlat, weight.astype(float), owner)
    shares = share_along(np.array([total]), weight, owner, along)
    assert shares.sum() == total
    assert shares.tolist() == on_curve(total, weight.astype(float), *lonlat.T).tolist()


def test_the_curve_is_the_textbooks():
    place = np.random.default_rng(3).uniform((-180, -90), (180, 90), (5_000, 2))
    edges = np.array([[-180.0, -90.0], [180.0, 90.0], [0.0, 0.0]])
    lonlat = np.vstack((place, edges))
    assert hilbert_keys(lonlat).tolist() == hilbert_key(*lonlat.T).tolist()


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 2)), min_size=1,
             max_size=20)
)  # fmt: skip
def test_a_group_finds_room_along_the_curve(cells):
    share, room, block = (np.array(column) for column in zip(*cells, strict=True))
    lonlat = np.column_stack((np.arange(len(share)) * 0.01, np.zeros(len(share))))
    kept = keep_to_room(share, room, Along.curve(lonlat, room.astype(float), block))
    assert ((kept >= 0) & (kept <= room)).all()
    assert kept.sum() == min(share.sum(), room.sum())
    if all(share[block == b].sum() <= room[block == b].sum() for b in set(block)):
        assert all(kept[block == b].sum() == share[block == b].sum() for b in set(block))


def test_children_and_old_people_are_never_more_than_the_residents_of_a_cell():
    rng = np.random.default_rng(8)
    persons = rng.exponential(0.7, 400)
    cut = rng.uniform(0, 1, 400)
    groups = {"65": persons * cut, "0_3": persons * (1 - cut)}
    lonlat = rng.uniform(0, 1, (400, 2))
    people, counts = round_people(persons, groups, Along.curve(lonlat, persons))
    assert ((counts["65"].value + counts["0_3"].value) <= people.value).all()
    assert abs(counts["65"].value.sum() - groups["65"].sum()) <= 1


# ---- decimals in tables

HEADER = "id,lon,lat,population,pop_65\n"


def test_decimals_of_a_table_become_whole_persons(tmp_path):
    path = tmp_path / "cells.csv"
    lines = [f"c{i},{102.7 + i * 0.001:.3f},25.0,0.4,0.1\n" for i in range(50)]
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    table = read_population(path, said("wgs84"))
    assert table.residents.sum() == 20
    assert table.groups["65"].value.sum() == 5
    assert (table.groups["65"].value <= table.residents).all()
    assert [w.key for w in table.warnings].count("input_fractions") == 2
    whole = tmp_path / "whole.csv"
    whole.write_text(HEADER + "a,102.7,25.0,3.0000000001,1\n", encoding="utf-8")
    table = read_population(whole, said("wgs84"))
    assert table.fractions is None
    assert table.residents.tolist() == [3]


def test_decimals_of_unit_totals_add_up_in_the_order_of_codes(tmp_path):
    path = tmp_path / "units.csv"
    rows_ = [
        f'{code},单元{code},{people},"POLYGON(({x} 25,{x + 0.01} 25,{x} 25.01,{x} 25))"\n'
        for code, people, x in (("10", 1.4, 102.0), ("2", 2.4, 102.1), ("1", 0.4, 102.2))
    ]
    path.write_text("code,name,population,wkt\n" + "".join(rows_), encoding="utf-8")
    table = read_units([path], declared=said("wgs84"), policy=load_policy())
    # by code 1, 2, 10: 0.4 2.8 4.2 -> 0 3 4
    found = dict(zip(table.code, table.residents.value.tolist(), strict=True))
    assert found == {"1": 0, "2": 3, "10": 1}

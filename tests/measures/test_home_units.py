"""The unit that names a place: the default level's, or the one of the level beside it."""

from __future__ import annotations

from pathlib import Path

from lifecircle.analysis.measures.gaps.gaps import gaps
from lifecircle.analysis.measures.question import Question, default_level, home_unit, level_beside
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run
from tests.worlds.parts import Cell, Unit, study_of
from tests.worlds.tiny import TINY_UNITS, tiny_city, tiny_manifest, tiny_policy, walks

LEVELS = ("district", "subdistrict", "township", "community", "village", "natural_village")
COUNTRY = (
    Unit("D1", "区", "district", ((0, -500, 12_000, 4_500),), None),
    Unit("T1", "一乡", "township", ((7_000, -500, 12_000, 1_500),), "D1"),
    Unit("V1", "东村", "village", ((7_000, -500, 9_000, 1_500),), "T1"),
    Unit("V2", "西村", "village", ((9_000, -500, 12_000, 1_500),), "T1"),
    Unit("N1", "一组", "natural_village", ((8_000, -500, 9_000, 1_500),), "V1"),
)
CELLS = (
    Cell("town", 500, 50, 900),
    Cell("east", 8_500, 50, 40),
    Cell("west", 9_500, 50, 30),
    Cell("away", 20_000, 50, 5),
)


def test_villages_stand_beside_communities() -> None:
    city = tiny_city(units=(*TINY_UNITS, *COUNTRY), levels=LEVELS, cells=CELLS)
    assert default_level(city) == "community"
    # The township holds the same residents and lies one level above, the villages one below;
    # the district shares residents with the communities.
    assert level_beside(city) == "village"
    codes = [None if i < 0 else city.units.code[i] for i in home_unit(city, city.cells.unit)]
    assert codes == ["C1", "V1", "V2", None]


def test_a_level_that_holds_half_of_the_others_or_less_names_nobody() -> None:
    levels = tuple(level for level in LEVELS if level != "township")
    few = tuple(unit for unit in COUNTRY if unit.code not in {"V2", "T1", "N1"})
    cells = (CELLS[0], CELLS[1], Cell("west", 9_500, 50, 40))
    city = tiny_city(units=(*TINY_UNITS, *few), levels=levels, cells=cells)
    assert level_beside(city) is None
    codes = [None if i < 0 else city.units.code[i] for i in home_unit(city, city.cells.unit)]
    assert codes == ["C1", None, None]


def test_without_rural_levels_nothing_stands_beside() -> None:
    city = tiny_city()
    assert level_beside(city) is None


def test_gaps_and_layers_name_the_village() -> None:
    city = tiny_city(
        units=(*TINY_UNITS, *COUNTRY), levels=LEVELS, cells=CELLS, surveyed=("swimming_pool",)
    )
    policy = tiny_policy()
    travel = walks(city, tuple(policy.services))
    found = gaps(study_of(city, policy, travel=travel), Question(service="swimming_pool"))
    assert {gap.unit_code for gap in found} == {"C1", "V1", "V2", None}
    run = Run(Path(), tiny_manifest(city, policy), policy, city, travel)
    frame = layer_frame(run, "cells").set_index("id")
    assert frame.loc["east", "unit_name"] == "东村"
    assert frame.loc["west", "unit_code"] == "V2"
    assert frame["unit_code"].isna().sum() == 1

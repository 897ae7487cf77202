"""Residents from another source: a raster against the totals of units, runs beside, and why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import lifecircle as lc
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.robustness.beside import UNIT_TOTALS, lives_otherwise
from lifecircle.analysis.measures.robustness.figures import Asking, asking_of
from lifecircle.analysis.measures.robustness.parameters import SOURCE, parameters_of, unmoved_of
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.beside import runs_beside
from lifecircle.service.catalog.firm.robustness import (
    FirmWords,
    RobustnessTask,
    robustness_document,
)
from lifecircle.service.report.robustness import robustness_page
from lifecircle.town import tiny_inputs
from tests.measures.test_robustness import same_figures

TOTALS = {"W": 700, "E": 333}


@dataclass(frozen=True)
class Town:
    """The tiny town in files, so that builds of it hold the same digests."""

    folder: Path

    def build(self, workspace: str = "workspace", **further: object) -> Run:
        given = {"units": self.folder / "units.geojson", **further}
        return lc.build(
            "tiny",
            self.folder / "streets.graphml",
            facilities=self.folder / "places.geojson",
            surveyed=["health_centre", "pharmacy", "park"],
            workspace=self.folder / workspace,
            **given,  # type: ignore[arg-type]
        ).run


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Cells of whole persons, a raster of fractions, units with totals of their own."""
    import rasterio

    folder, given = tmp_path_factory.mktemp("sources"), tiny_inputs()
    nx.write_graphml(given["streets"], folder / "streets.graphml")
    for name in ("units", "facilities"):
        frame = given[name]  # type: ignore[literal-required]
        if name == "units":
            frame = frame.assign(population=frame["code"].map(TOTALS))
        frame.to_file(folder / f"{'places' if name == 'facilities' else name}.geojson")
    given["population"].to_file(folder / "cells.geojson")
    west, south, east, north = given["units"].total_bounds
    counts = np.random.default_rng(7).uniform(0, 9, (12, 12)).astype(np.float32)
    counts[counts < 4] = 0
    with rasterio.open(
        folder / "people.tif", "w", driver="GTiff", width=12, height=12, count=1, dtype="float32",
        crs="EPSG:4326", nodata=-1.0,
        transform=rasterio.Affine((east - west) / 12, 0, west, 0, (south - north) / 12, north),
    ) as out:  # fmt: skip
        out.write(counts, 1)
    return Town(folder)


def asked_beside(run: Run) -> Asking:
    return asking_of(run.study, Question(), runs_beside(run)[0].usable(run.study))


def test_cells_held_to_the_totals_of_units_are_the_build_that_calibrates(town: Town) -> None:
    run = town.build(population=town.folder / "cells.geojson")
    asking = asked_beside(run)
    assert not asking.worlds.beside.residents
    (moved,) = (one for one in parameters_of(run.study) if one.id == SOURCE)
    assert moved.values == ("as_built", UNIT_TOTALS)
    given = Assumptions(population=UNIT_TOTALS)
    plain = town.build(population=town.folder / "cells.geojson", calibrate=True)
    assert asking.worlds.study_of(given).city.cells.residents.sum() == sum(TOTALS.values())
    same_figures(asking.figures(given), plain.study, asking)
    assert asking.figures(given).P.tolist() != asking.figures(Assumptions()).P.tolist()


@pytest.fixture(scope="module")
def raster(town: Town) -> tuple[Run, dict[str, Run]]:
    """The town from the raster, and beside it: scaled to totals, totals spread, spread on land."""
    people = town.folder / "people.tif"
    rules = load_policy()
    on_land = replace(rules.spread, residential_buildings=frozenset(), homes=None)
    beside = {
        "scaled": town.build("rasters", population=people, calibrate=True),
        "totals": town.build("rasters"),
        "otherwise": town.build("rasters", policy=replace(rules, spread=on_land, digest="0" * 64)),
    }
    return town.build("rasters", population=people), beside


@pytest.mark.parametrize(
    "assumed",
    [Assumptions(), Assumptions(leg_m=150.0), Assumptions(speed=0.8, minutes=True)],
    ids=["alone", "short_leg", "slow"],
)
def test_a_raster_against_totals_is_the_run_beside_figure_for_figure(
    raster: tuple[Run, dict[str, Run]], assumed: Assumptions
) -> None:
    run, beside = raster
    asking = asked_beside(run)
    assert set(asking.worlds.beside.residents) == {one.manifest.run for one in beside.values()}
    for other in beside.values():
        given = replace(assumed, population=other.manifest.run)
        plain = asking_of(other.study, Question()).figures(assumed)
        found = asking.figures(given)
        assert np.array_equal(found.P, plain.P, equal_nan=True)
        assert np.array_equal(found.unit_P, plain.unit_P, equal_nan=True)
        assert np.array_equal(found.C, plain.C, equal_nan=True)
        assert (found.status, found.value) == (plain.status, plain.value)
        assert found.circles == plain.circles
        assert np.array_equal(found.near, asking.figures(assumed).near)  # of the run's own cells
    if assumed == Assumptions():
        for other in beside.values():
            given = Assumptions(population=other.manifest.run)
            same_figures(asking.figures(given), other.study, asking)


def test_missed_places_lie_where_the_run_s_own_people_live(
    raster: tuple[Run, dict[str, Run]],
) -> None:
    run, beside = raster
    asking = asked_beside(run)
    given = Assumptions(missed={"pharmacy": 1.0}, seed=(3,))
    for other in beside.values():
        moved = asking.worlds.study_of(replace(given, population=other.manifest.run)).city
        own = asking.worlds.study_of(given).city
        assert moved.facilities.id.tolist() == own.facilities.id.tolist()
        for mine, its in zip(own.facilities.geometry, moved.facilities.geometry, strict=True):
            assert mine.equals(its)


def test_sources_are_named_in_both_languages_and_drawn(
    raster: tuple[Run, dict[str, Run]],
) -> None:
    run, beside = raster
    made = robustness_document(run, Question("pharmacy"), RobustnessTask(24, 2, lists=False))
    (told,) = (one for one in made["parameters"] if one["parameter"] == SOURCE)
    titles = told["choices"]
    assert titles[beside["scaled"].manifest.run]["en"].startswith("people.tif, scaled to the tot")
    assert titles[beside["totals"].manifest.run]["zh"].startswith("单元总数分摊所得（")
    assert "其他规则" in titles[beside["otherwise"].manifest.run]["zh"]
    for lang in ("zh", "en"):
        for title in titles.values():
            assert title[lang] in robustness_page(made, lang)
    people = made["services"][0]["residents"]
    assert people["always"] + people["sometimes"] + people["never"] == made["residents"]
    assert SOURCE in [one["parameter"] for one in made["services"][0]["swings"]]


def test_runs_with_other_walks_or_services_are_another_city() -> None:
    study = lc.tiny_town().study
    fewer = replace(study.city.cells, residents=study.city.cells.residents // 2)
    other = replace(study, city=replace(study.city, cells=fewer))
    assert lives_otherwise(study, other)
    assert not lives_otherwise(study, study)
    steep = replace(other.costs, uv_cm=other.costs.uv_cm + np.int32(1))
    assert not lives_otherwise(study, replace(other, known_costs=steep))
    some = replace(other.travel, services=other.travel.services[:-1])
    assert not lives_otherwise(study, replace(other, travel=some))


def reason_of(study: Study) -> str | None:
    return next((one.reason for one in unmoved_of(study) if one.parameter == SOURCE), None)


def test_what_cannot_be_moved_is_told_with_the_reason(town: Town) -> None:
    cells, half = town.folder / "cells.geojson", town.folder / "half.geojson"
    frame = tiny_inputs()["population"]
    frame[frame.geometry.x < 102.708].to_file(half)
    builds: dict[str, Callable[[], Run]] = {
        "no_totals": lambda: lc.tiny_town().run,
        "no_cells": town.build,
        "scaled_already": lambda: town.build(population=cells, calibrate=True),
        "units_empty": lambda: town.build(population=half),
    }
    for reason, build in builds.items():
        assert reason_of(build().study) == reason
    own = lc.tiny_town().run.study
    sums = np.bincount(own.city.cells.unit["subdistrict"], weights=own.city.cells.residents)
    agreed = replace(own.city.units, residents=Counts.listed(map(int, sums)))
    assert reason_of(replace(own, city=replace(own.city, units=agreed))) == "totals_agree"
    made = robustness_document(lc.tiny_town().run, Question("park"), RobustnessTask(4, lists=False))
    stays = {one["parameter"]: one["reason"] for one in made["not_moved"]}
    assert stays == {"slope": "no_heights", "barriers": "no_run_beside",
                     SOURCE: "no_totals", "spread": "nobody_modelled"}  # fmt: skip
    moved = {one["parameter"] for one in made["parameters"]}
    assert not moved & set(stays)
    for lang in ("zh", "en"):
        words, page = FirmWords.of(made, lang), robustness_page(made, lang)
        for one in made["not_moved"]:
            assert all(part in page for part in words.stays(one))

"""Catchments as a run keeps them: files, the layer, columns of cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.catchments.kept import catchments_behind, catchments_of
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.layers.layers import layer_columns, layer_frame, layers_of
from lifecircle.analysis.results.store import Workspace
from tests.worlds.capacity import asked, capacity_policy, centre, city_with, costs_of
from tests.worlds.tiny import tiny_policy, tiny_run

H1, H2 = centre("h1", 500), centre("h2", 5000)


def test_a_run_keeps_its_catchments(tmp_path: Path) -> None:
    policy = capacity_policy(100, 500)
    places = (H1, H2, centre("e1", 500, service="elder_care", beds=60))
    run = tiny_run(tmp_path, policy=policy, change=lambda _: city_with(*places))
    assert set(run.catchments) == {"health_centre", "elder_care"}
    assert run.manifest.counts["catchments"] == 2
    again = Workspace(tmp_path).open("tiny")
    for service, kept in again.catchments.items():
        made = asked(run.city, policy, service=service)
        for one, other in ((kept.natural, made.natural), (kept.balanced, made.balanced)):
            assert one.centres == other.centres
            assert np.array_equal(one.part.persons, other.part.persons)
            assert np.array_equal(one.part.walk_cm, other.part.walk_cm)
            assert np.array_equal(one.part.unserved, other.part.unserved)
            assert np.array_equal(one.part.reachable, other.part.reachable)
            assert replace(one, part=other.part) == replace(other, part=other.part)
        assert kept.warnings == made.warnings
    asked_for = Question("health_centre")
    assert catchments_of(again.study, asked_for) is again.catchments["health_centre"]
    longer = replace(asked_for, minutes=20)
    other = catchments_of(again.study, longer)
    assert other.minutes == 20
    for_c = catchments_behind(again.study, longer)
    assert for_c is not None and for_c.minutes == 20
    assert catchments_behind(again.study, Question("market")) is None


def test_the_layer_and_the_columns_of_cells(tmp_path: Path) -> None:
    policy = capacity_policy(100, 500)
    run = tiny_run(tmp_path, policy=policy, change=lambda _: city_with(H1, H2))
    assert layers_of(run)[-1] == "catchments"
    frame = layer_frame(run, "catchments").set_index("id")
    names = [column.name for column in layer_columns(run, "catchments")]
    assert names[:6] == ["id", "service", "service_zh", "service_en", "solution", "facility"]
    row = frame.loc["health_centre-balanced-h1"]
    assert (row["load"], row["min"], row["max"], row["state"]) == (500, 100, 500, "within")
    assert frame.loc["health_centre-natural-h1", "overload"] == 500
    assert frame.geometry.is_valid.all() and not frame.geometry.is_empty.any()
    cells = layer_frame(run, "cells").set_index("id")
    assert cells.loc["c1", "centre_health_centre"] == "h1"
    assert cells.loc["c3", "unserved_health_centre"] == 100
    assert cells.loc["c8", "centre_health_centre"] is None
    assert cells["unserved_elder_care"].isna().all()
    assert (run.path / "layer.catchments.parquet").is_file()
    units = layer_frame(run, "units")
    assert "P_health_centre" in units.columns
    over = layer_frame(run, "gaps")
    assert "over_capacity" in set(over[over["service"] == "health_centre"]["reason"])


def test_a_policy_without_rules_has_no_catchments(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, policy=tiny_policy())
    assert run.catchments == {} and "catchments" not in run.manifest.counts
    assert "catchments" not in layers_of(run)
    with pytest.raises(UnknownNameError):
        layer_frame(run, "catchments")
    assert costs_of(run.city).largest_cm > 0

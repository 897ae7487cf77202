"""Runs of large cities keep where they join the roads of a profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.city import by_profile
from lifecircle.analysis.city.by_profile import city_by, join_roads
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.roads import RoadNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.measures.facility_subset import with_only
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.results.run_files.roads import read_roads, write_roads
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city

POLICY = load_policy("kunming-2022-77")


def on_roads() -> City:
    city = tiny_city()
    km_h = np.full(city.network.edge_count, 30.0)
    return replace(city, roads={"car": RoadNetwork(city.network, km_h, km_h)})


def positions(city: City) -> list[np.ndarray]:
    tables = [city.cells.position, city.facilities.attachment]
    tables += [] if city.land is None else [city.land.position]
    arrays = [getattr(one, name) for one in tables for name in ("edge", "at_m", "leg_m", "xy_m")]
    return [*arrays, city.facilities.attached_facility]


def test_joins_are_read_and_nothing_is_joined_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = on_roads()
    found = positions(city_by(city, city.roads["car"], POLICY))
    write_roads(tmp_path, join_roads(city, POLICY))
    opened = replace(city, roads=read_roads(tmp_path, city))
    monkeypatch.setattr(EdgeIndex, "by", None)
    again = positions(city_by(opened, opened.roads["car"], POLICY))
    assert len(found[0]) > 0
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_not_the_kept_city_is_joined_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    city = join_roads(on_roads(), POLICY)
    keep = np.arange(len(city.facilities)) > 0
    fewer = with_only(study_of(city, POLICY), keep, city.facilities.service_ids).city
    assert len(fewer.facilities) < len(city.facilities)
    bare = replace(fewer, roads={"car": replace(city.roads["car"], joins=None)})
    for one, other in zip(
        positions(city_by(fewer, fewer.roads["car"], POLICY)),
        positions(city_by(bare, bare.roads["car"], POLICY)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    asked = []
    monkeypatch.setattr(by_profile, "_attached", lambda *given: asked.append(given))
    with pytest.raises(AttributeError):
        city_by(fewer, fewer.roads["car"], POLICY)
    assert len(asked) == 1


def test_a_run_without_joins_opens(tmp_path: Path) -> None:
    city = on_roads()
    write_roads(tmp_path, city)
    assert read_roads(tmp_path, city)["car"].joins is None

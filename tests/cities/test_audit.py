"""Malta, Macau and Porto Alegre built and served by the product, and audited by the oracle.

Everything goes the way a user's data go: the command builds, a service answers on loopback, and
``tests.oracles.audit`` works every figure out again. What still differs is marked with its kind;
the marks are strict, so that they have to go when the figures become right. Malta and Porto Alegre
take ten times as long as Macau and are audited with ``LIFECIRCLE_WHOLE=1``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.command.run import lifecircle
from tests.oracles.audit.__main__ import TAGS
from tests.oracles.audit.checks import Check, table
from tests.oracles.audit.product import Product
from tests.oracles.audit.run import audit
from tests.oracles.audit.scene import Inputs
from tests.pages.served import running

WALKS = (
    "streets.length", "streets.pieces", "homes.snapped", "homes.leg", "homes.start",
    "facilities.snapped", "facilities.leg", "facilities.area", "times",
)  # fmt: skip
COUNTS = (
    "residents.total", "lists.osm", "coverage.known", "coverage.told", "coverage.own",
    "coverage.U", "gaps.sum", "gaps.reasons", "gaps.each", "gaps.ids", "gaps.units",
)  # fmt: skip
LOADS = (
    "coverage.C", "loads.sums", "loads.natural", "loads.least", "loads.walking", "loads.balanced",
)  # fmt: skip
SPREAD = (
    "residents.areas", "residents.method", "residents.units", "residents.cells",
    "residents.squares", "units.cells", "units.facilities",
)  # fmt: skip

KEYS = {
    "malta": (*WALKS, *COUNTS, *LOADS, *SPREAD, "coverage.L"),
    "macau": (*WALKS, *COUNTS, *LOADS, *SPREAD, "lists.rows", "coverage.lists"),
    "poa": (*WALKS, *COUNTS, *LOADS, "residents.table", "lists.rows"),
}

# The list of health places covers two of eight parishes; stations are left without an extent.
TAIPA_AND_COLOANE = dict.fromkeys(("health_centre", "pharmacy"), ("M01", "M02"))

# What differs today, by its kind: nothing.
TODAY: dict[tuple[str, str], str] = {}


def macau_health(shared_data: Path, folder: Path) -> Path:
    """The list of Taipa and Coloane, its kinds said in the policy's words."""
    kinds = {"hospitals": "health_centre", "clinics": "health_station", "pharmacies": "pharmacy"}
    rows = pd.read_csv(shared_data / "macau" / "macau_health_taipa_coloane.csv")
    rows["type"] = rows["类型"].map(kinds)
    rows = rows[rows["type"].notna()].reset_index(drop=True)
    rows["id"] = [f"H{k}" for k in range(len(rows))]
    rows = rows.rename(columns={"机构名称": "name", "经度": "lon", "纬度": "lat"})
    file = folder / "macau_health.csv"
    rows[["id", "type", "name", "lon", "lat"]].to_csv(file, index=False)
    return file


def poa_places(shared_data: Path, folder: Path) -> Path:
    """The middle of every hexagon that holds health places or schools."""
    hexagons = pd.read_csv(shared_data / "porto_alegre" / "poa_hexgrid.csv")
    kinds = {"healthcare": "health_centre", "schools": "kindergarten"}
    parts = [
        hexagons[hexagons[column] > 0].assign(type=kind)[["id", "type", "lon", "lat"]]
        for column, kind in kinds.items()
    ]
    rows = pd.concat(parts)
    rows["name"] = rows["id"]
    rows["id"] = rows["type"] + "-" + rows["id"]
    file = folder / "poa_places.csv"
    rows.to_csv(file, index=False)
    return file


def inputs_of(city: str, shared_data: Path, folder: Path) -> Inputs:
    if city == "malta":
        data = shared_data / "malta"
        units = (data / "malta_local_councils_pop.gpkg",)
        return Inputs(osm=data / "malta-latest.osm.pbf", units=units, tags=TAGS)
    if city == "macau":
        data = shared_data / "macau"
        return Inputs(
            osm=data / "macau.osm.pbf",
            units=(data / "macau_parishes_population_2021.gpkg",),
            facilities=(macau_health(shared_data, folder),),
            tags=TAGS,
            surveyed=TAIPA_AND_COLOANE,
        )
    data = shared_data / "porto_alegre"
    return Inputs(
        osm=data / "poa_osm.pbf",
        population=data / "poa_hexgrid.csv",
        facilities=(poa_places(shared_data, folder),),
        tags=TAGS,
    )


def build(city: str, inputs: Inputs, workspace: Path) -> None:
    """The product's own command, in a process of its own."""
    words: list[str | Path] = ["build", city, "--osm", inputs.osm, "--datum", "wgs84"]
    for option, files in (
        ("--units", inputs.units),
        ("--facilities", inputs.facilities),
        ("--population", [inputs.population] if inputs.population else []),
    ):
        for file in files:
            words += [option, file]
    for service, codes in inputs.surveyed.items():
        words += ["--surveyed", f"{service}:{','.join(codes)}"]
    done = lifecircle(*words, workspace=workspace)
    assert done.returncode == 0, done.stdout + done.stderr


CITIES = tuple(KEYS) if os.environ.get("LIFECIRCLE_WHOLE") else ("macau",)


@pytest.fixture(scope="module", params=CITIES)
def audited(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, list[Check]]]]:
    """A city built, served and audited: checks by key, all times together."""
    city: str = request.param
    inputs = inputs_of(city, shared_data, tmp_path_factory.mktemp(f"{city}-files"))
    if city == "malta":
        workspace = request.getfixturevalue("malta_runs")
    else:
        workspace = tmp_path_factory.mktemp(city)
        build(city, inputs, workspace)
    with running(workspace) as base:
        checks = audit(Product(base, city), inputs)
    print(f"\n{city}\n{table(checks)}")
    found: dict[str, list[Check]] = {}
    for check in checks:
        found.setdefault("times" if check.key.startswith("times.") else check.key, []).append(check)
    yield city, found


def test_every_check_is_listed(audited: tuple[str, dict[str, list[Check]]]) -> None:
    """No check comes or goes without a word, and none compares nothing."""
    city, found = audited
    assert set(found) == set(KEYS[city])
    assert all(check.compared for checks in found.values() for check in checks)


@pytest.mark.parametrize("key", sorted({key for keys in KEYS.values() for key in keys}))
def test_audit(
    audited: tuple[str, dict[str, list[Check]]], key: str, request: pytest.FixtureRequest
) -> None:
    city, found = audited
    if key not in KEYS[city]:
        return
    if (city, key) in TODAY:
        request.applymarker(pytest.mark.xfail(strict=True, reason=TODAY[city, key]))
    wrong = [check for check in found[key] if not check.holds]
    assert not wrong, "\n" + table(wrong)

"""Do bands hold the truth? Drawn towns with truths of another hand, and moves a run beside allows.

The truths are drawn by this file's own code from the ranges of docs/robustness.md, and measured
by its own arithmetic (one street: leg + difference of x + leg); the seed was named beforehand.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import lifecircle as lc
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.measures.catchments.catchments import catchments
from lifecircle.analysis.measures.catchments.most_served import share_served
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.robustness.beside import Beside, is_twin
from lifecircle.analysis.measures.robustness.figures import Asking, asking_of
from lifecircle.analysis.measures.robustness.parameters import (
    BARRIERS,
    joint_draws,
    parameters_of,
)
from lifecircle.analysis.measures.robustness.robustness import robustness
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.catalog.beside import runs_beside
from lifecircle.service.catalog.firm.robustness import RobustnessTask, robustness_document
from tests.worlds.drawn import Way, draw
from tests.worlds.parts import Cell, Place, Street, Unit, make_city, study_of, walks
from tests.worlds.policy import drawn, tiny_policy

SEED = 20261201  # named before the first run; those before were 20261129 and 20261130
WHOLE = bool(os.environ.get("LIFECIRCLE_WHOLE"))
TOWNS, TRUTHS, DRAWS = (50, 20, 400) if WHOLE else (1, 20, 60)
LONG_M, LEG_M, HOMES, LISTED = 20_000.0, 50.0, 120, 20


def town(number: int) -> tuple[Study, np.ndarray, np.ndarray, np.ndarray]:
    """A street of 20 km with 120 homes and 20 pharmacies: its study, homes, people, places."""
    rng = np.random.default_rng([SEED, 0, number])
    homes = np.sort(rng.uniform(0, LONG_M, HOMES).round(1))
    people = rng.integers(50, 500, HOMES)
    places = np.sort(rng.uniform(0, LONG_M, LISTED).round(1))
    policy = tiny_policy()
    pharmacy = replace(policy.services["pharmacy"], minutes=drawn(15))
    policy = replace(policy, services=MappingProxyType({"pharmacy": pharmacy}), circles={})
    city = make_city(
        streets=(Street(0, 0, LONG_M),),
        units=(Unit("U", "县", "district", ((-500, -500, LONG_M + 500, 500),)),),
        levels=("district",),
        cells=[
            Cell(f"c{i:03d}", x, LEG_M, n)
            for i, (x, n) in enumerate(zip(homes.tolist(), people.tolist(), strict=True))
        ],
        places=[Place(f"p{i:02d}", "pharmacy", x, -LEG_M) for i, x in enumerate(places.tolist())],
        surveyed=("pharmacy",),
    )
    study = study_of(city, policy, travel=walks(city, ("pharmacy",)))
    return study, homes, people, places


def truth(homes: np.ndarray, people: np.ndarray, places: np.ndarray, rng: Any) -> float:
    """P in one of the worlds that the ranges allow."""
    metres = 1000.0 * rng.uniform(0.8, 1.2)
    metres *= 0.8 if rng.random() < 0.25 else 1.0  # the inner ring
    metres *= 10 / 15 if rng.random() < 0.25 else 1.0  # ten minutes in place of fifteen
    lived = np.rint(people * np.exp(0.05 * rng.standard_normal(HOMES) - 0.05**2 / 2))
    gone, more = round(LISTED * rng.uniform(0, 0.1)), round(LISTED * rng.uniform(0, 0.2))
    stay = rng.permutation(places)[gone:]
    new = homes[rng.integers(0, HOMES, more)]
    far = np.abs(homes[:, None] - stay).min(axis=1) + 2 * LEG_M
    if more:
        far = np.minimum(far, np.abs(homes[:, None] - new).min(axis=1) + LEG_M)
    return float(lived[far <= metres].sum() / lived.sum())


def test_bands_of_95_percent_hold_the_truth() -> None:
    """Of 1,000 truths 930 to 970 (``LIFECIRCLE_WHOLE=1``); of twenty, more than half."""
    held = 0
    for number in range(TOWNS):
        study, homes, people, places = town(number)
        asking: Asking = asking_of(study, Question())
        parameters, doubts = parameters_of(study), asking.worlds.doubts
        given = joint_draws(parameters, doubts, DRAWS, number)
        asking.worlds.prepare(given)
        drawn_P = [float(asking.figures(one).P[0]) for one in given]
        low, high = np.quantile(drawn_P, (0.025, 0.975))
        rng = np.random.default_rng([SEED, 1, number])
        held += sum(low <= truth(homes, people, places, rng) <= high for _ in range(TRUTHS))
    print(f"{held} of {TOWNS * TRUTHS} truths held")
    assert (930 <= held <= 970) if WHOLE else held > TRUTHS // 2


def test_the_town_s_own_figure_is_the_arithmetic_of_this_file() -> None:
    study, homes, people, places = town(0)
    far = np.abs(homes[:, None] - places).min(axis=1) + 2 * LEG_M
    usual = asking_of(study, Question()).figures(Assumptions()).P[0]
    assert usual == people[far <= 1000].sum() / people.sum()


@pytest.mark.parametrize("minutes", [2, 5, 10, 15, 30])
def test_the_most_that_are_served_are_those_of_the_balanced_catchments(minutes: int) -> None:
    study = lc.tiny_town().study
    question = Question("health_centre", minutes=minutes)
    whole = catchments(study, question)
    assert share_served(study, question) == whole.balanced.served / whole.residents


def test_c_is_drawn_and_lies_below_p() -> None:
    made = robustness(lc.tiny_town().study, Question(), draws=12, seed=4, lists=False)
    bands = {one.service: one for one in made.services}
    centre = bands["health_centre"]
    assert centre.C.usual == coverage(lc.tiny_town().study, Question("health_centre")).total.C
    assert centre.C.low is not None
    assert centre.P.low is not None
    assert centre.C.low <= centre.P.low
    assert bands["pharmacy"].C.usual is None


# ---- the rule of barriers, moved by a run beside -------------------------------------------

TOWN = draw(
    {"w": (-6000, 0), "m": (0, 0), "b": (500, 0), "e": (6000, 0), "r": (500, 900),
     "s": (500, -900)},
    "w m b e", Way(("r", "s"), {"waterway": "river"}),
)  # fmt: skip
HOMES_AT = {"west": (-900, 8, 300), "east": (900, 8, 200), "far": (-3000, 8, 100)}


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same files built without and with the rule that nobody walks across a river."""
    folder: Path = tmp_path_factory.mktemp("twins")
    lines = ("{},{:.7f},{:.7f},{}\n".format(name, *TOWN.lonlat((x, y)), n)
             for name, (x, y, n) in HOMES_AT.items())  # fmt: skip
    (folder / "homes.csv").write_text("id,lon,lat,population\n" + "".join(lines), "utf-8")
    place = "h1,health_centre,中心,{:.7f},{:.7f}\n".format(*TOWN.lonlat((0, 8)))
    (folder / "places.csv").write_text("id,type,name,lon,lat\n" + place, "utf-8")
    plain, ruled = (
        build_area(
            BuildRequest(
                "town",
                osm=TOWN.write(folder / "town.osm.pbf"),
                population=folder / "homes.csv",
                facilities=(folder / "places.csv",),
                datum="wgs84",
                barrier_rule=rule,
            ),
            Workspace(folder / "workspace"),
        )
        for rule in ((), ("river",))
    )
    return plain, ruled


def test_the_rule_of_barriers_moved_is_the_run_built_with_it(twins: tuple[Run, Run]) -> None:
    question = Question("health_centre")
    for run, other in (twins, twins[::-1]):
        found = runs_beside(run)[0].rule
        assert found is not None
        assert is_twin(run.study, found)
        asking = asking_of(run.study, Question(), Beside(found))
        row = asking.services.index("health_centre")
        for leg_m, moved in ((None, other), (150.0, other)):
            given = Assumptions(other_barriers=True, leg_m=leg_m)
            told = coverage(moved.study, question).total
            assert asking.figures(given).P[row] == told.P
            assert asking.figures(Assumptions(leg_m=leg_m)).P[row] == (
                coverage(run.study, question).total.P
            )
    assert [coverage(run.study, question).total.covered for run in twins] == [500, 300]


def test_a_run_beside_is_moved_and_named_and_one_alone_moves_none(twins: tuple[Run, Run]) -> None:
    plain, _ = twins
    task = RobustnessTask(24, 1, lists=False)
    made = robustness_document(plain, Question("health_centre"), task)
    assert BARRIERS in [one["parameter"] for one in made["parameters"]]
    assert BARRIERS in [one["parameter"] for one in made["services"][0]["swings"]]
    alone = [one.id for one in parameters_of(plain.study)]
    assert BARRIERS not in alone
    assert runs_beside(lc.tiny_town().run)[0].rule is None

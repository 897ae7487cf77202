"""Do proposals stay the best? Every draw asked again by plain arithmetic, all pairs of sites."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.robustness.figures import asking_of
from lifecircle.analysis.measures.robustness.parameters import joint_draws, parameters_of
from lifecircle.analysis.measures.robustness.proposals import firm_proposals
from lifecircle.analysis.measures.robustness.world import Assumptions
from lifecircle.analysis.measures.siting.candidates import Sites, site_at
from lifecircle.analysis.measures.siting.place import place_sites
from lifecircle.service.catalog.firm.robustness import (
    FirmWords,
    RobustnessTask,
    robustness_document,
)
from lifecircle.service.cli import app
from lifecircle.service.report.robustness import robustness_page, robustness_workbook
from tests.measures.test_bands_hold import LEG_M, LONG_M, town
from tests.pages.served import client

QUESTION = Question("pharmacy")
DRAWS, SEED = 40, 5


def standing(study: Study) -> Sites:
    """Ten sites on the street of 20 km."""
    origin = study.city.network.node_xy_m[0]
    xs = np.linspace(0.03, 0.97, 10) * LONG_M
    along = np.column_stack((xs, np.zeros(10)))
    return site_at(origin + along, study.city, study.edges, 250.0)


def gains(study: Study, given: Assumptions, xs: np.ndarray, homes: np.ndarray) -> np.ndarray:
    """Residents (homes, sites) whom a site would newly cover, by this file's own arithmetic."""
    metres = 1000.0 * given.speed * (0.8 if given.core else 1) * (2 / 3 if given.minutes else 1)
    places = study.city.facilities
    at = np.array([one.x for one in places.geometry]) - study.city.network.node_xy_m[0, 0]
    legs = np.where([str(one).startswith("missed/") for one in places.id], 0.0, LEG_M)
    far = (np.abs(homes[:, None] - at) + legs).min(axis=1) + LEG_M
    near = np.abs(homes[:, None] - xs) + LEG_M <= metres
    return np.where((far > metres)[:, None], near, False) * study.city.cells.residents[:, None]


def test_every_draw_is_asked_again_and_brute_force_agrees() -> None:
    study, homes, _, _ = town(3)
    sites = standing(study)
    found = firm_proposals(study, QUESTION, sites, 2, draws=DRAWS, seed=SEED)
    today = place_sites(study, QUESTION, sites, add=2)
    own = [one.site for one in found.sites if one.rank]
    assert own == [one.site for one in today.proposals]
    assert [one.new.usual for one in found.sites if one.new] == [
        one.residents_new for one in today.proposals
    ]
    asking = asking_of(study, Question())
    given = joint_draws(parameters_of(study), asking.worlds.doubts, DRAWS, SEED)
    xs = sites.xy_m[:, 0] - study.city.network.node_xy_m[0, 0]
    stays, shares, first = 0, [], []
    for one in given:
        each = gains(asking.worlds.study_of(one), one, xs, homes)
        covers = {
            pair: int(each[:, list(pair)].max(axis=1).sum())
            for pair in combinations(range(len(sites)), 2)
        }
        mine, best = covers[tuple(sorted(own))], max(covers.values())
        stays += mine == best
        shares.append(mine / best if best else 1.0)
        first.append(int(each[:, own[0]].sum()))
    assert found.stays == stays
    assert 0 < stays < DRAWS
    assert (found.share.low, found.share.high) == tuple(np.quantile(shares, (0.05, 0.95)))
    told = found.sites[0].new
    assert told is not None
    assert (told.low, told.high) == tuple(np.quantile(first, (0.05, 0.95)))
    assert found.stays >= found.proven
    for one in found.sites:
        assert 0 <= one.chosen <= one.near <= DRAWS
    assert sum(one.chosen for one in found.sites if one.rank) >= 2 * stays
    again = firm_proposals(study, QUESTION, sites, 2, draws=DRAWS, seed=SEED)
    assert again == found


def test_where_nothing_can_be_gained_nothing_is_proposed() -> None:
    study, homes, _, places = town(3)
    at = study.city.network.node_xy_m[:1] + np.array([[places[0], 0.0]])
    assert np.abs(homes - places[0]).min() > 0
    sites = site_at(at, study.city, study.edges, 250.0)
    found = firm_proposals(study, QUESTION, sites, 1, draws=4)
    assert (found.sites, found.stays, found.share.usual) == ((), 0, None)


def test_what_is_no_question_is_refused() -> None:
    study = lc.tiny_town().study
    sites = site_at(np.zeros((1, 2)), study.city, study.edges, 250.0)
    run = lc.tiny_town().run
    refused: dict[str, Callable[[], object]] = {
        "siting_how_many": lambda: firm_proposals(study, QUESTION, sites, 0, draws=4),
        "siting_not_assessed": lambda: firm_proposals(study, Question("market"), sites, 1),
        "robustness_draws": lambda: firm_proposals(study, QUESTION, sites, 1, draws=1),
        "robustness_propose_what": lambda: robustness_document(
            run, Question(), RobustnessTask(4, propose=1)
        ),
    }
    for key, ask in refused.items():
        with pytest.raises(ParameterError) as caught:
            ask()
        assert caught.value.key == key


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    task = RobustnessTask(6, 3, lists=False, propose=1)
    return robustness_document(lc.tiny_town().run, Question("health_centre"), task)


def test_the_document_page_and_workbook_tell_it(told: dict[str, Any]) -> None:
    made = told["proposals"]
    assert (made["add"], made["sites"][0]["rank"]) == (1, 1)
    assert made["sites"][0]["residents_new"]["value"] == 300
    assert 0 <= made["proven"] <= made["stays"] <= 6
    for lang in ("zh", "en"):
        words, page = FirmWords.of(told, lang), robustness_page(told, lang)
        assert words("proposals") in page
        assert words.proposals(made) in page
        for site in made["sites"]:
            assert words.where(site) in page
        book = load_workbook(io.BytesIO(robustness_workbook(told, lang)))
        sheet = book[words("proposals")]
        assert sheet.max_row == 1 + len(made["sites"])
    plain = robustness_document(
        lc.tiny_town().run, Question("park"), RobustnessTask(4, lists=False)
    )
    assert plain["proposals"] is None
    assert FirmWords.of(plain, "zh")("proposals") not in robustness_page(plain, "zh")


def test_command_and_http_ask_for_it(told: dict[str, Any]) -> None:
    home = lc.tiny_town().run.path.parents[2]
    with client(home) as served:
        asked = {"service": "health_centre", "draws": 6, "seed": 3, "propose": 1}
        answer = served.get("/areas/tiny/robustness", params=asked)
        assert answer.json()["proposals"] == told["proposals"]
        assert served.get("/areas/tiny/robustness", params={"propose": 1}).status_code == 400
        asked["propose"] = 11
        assert served.get("/areas/tiny/robustness", params=asked).status_code == 400
    done = CliRunner().invoke(
        app,
        ["robust", "tiny", "--workspace", str(home), "--service", "health_centre", "--draws", "6",
         "--seed", "3", "--no-lists", "--propose", "1", "--lang", "en"],
        env={"COLUMNS": "200"},
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "Proposals that stay best" in done.output

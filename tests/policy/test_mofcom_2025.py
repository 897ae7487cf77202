"""The convenience circle of 2025 beside the plan: its circles, its three rows, what is marked."""

from __future__ import annotations

import pytest

from lifecircle.analysis.measures.circles import circles
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.policy.scorecard_model import Scorecard
from tests.worlds.parts import study_of
from tests.worlds.tiny import tiny_city, tiny_travel


@pytest.fixture(scope="module")
def notice() -> Policy:
    return load_policy("mofcom-2025")


@pytest.fixture(scope="module")
def card(notice: Policy) -> Scorecard:
    assert notice.scorecard is not None
    return notice.scorecard


def test_elder_care_is_one_of_the_types_and_2021_stays_beside(notice: Policy) -> None:
    plan = load_policy().circles["convenience"]
    now, then = notice.circles["convenience"], notice.circles["convenience_2021"]
    assert set(now.services) - set(plan.services) == {"elder_care"}
    assert set(plan.services) <= set(now.services)
    assert (then.services, then.upgraded) == (plan.services, plan.upgraded)
    assert "elder_care" not in now.upgraded
    assert "recycling" in now.services
    kunming = set(notice.circles["kunming_service"].services) - set(plan.services)
    assert kunming == {"service_station", "day_care", "childcare", "health_centre"}
    assert list(load_policy().circles) == ["convenience", "fitness"]


def test_the_rows_stand_beside_the_plan_s(card: Scorecard) -> None:
    plan = load_policy().scorecard
    assert plan is not None
    assert list(card.rows) == [*plan.rows, "D01", "D02", "D03"]
    targets = {k: card.rows[k].target for k in ("D01", "D02", "D03")}
    assert {k: one and one.value for k, one in targets.items()} == {
        "D01": 1.0, "D02": 0.9, "D03": 0.3,
    }  # fmt: skip
    for name in targets:
        assert card.rows[name].source != card.source
        assert card.rows[name].nature is None
        assert card.rows[name].note is not None
        assert "2030" in card.rows[name].note.zh


def test_nothing_of_the_notice_is_called_verified(notice: Policy) -> None:
    """Its words are the press's; what no text lists together is an interpretation."""
    assert notice.circles["convenience"].minutes_all.confidence == "second_hand"
    assert notice.circles["kunming_service"].minutes_all.confidence == "interpretation"


def test_the_circles_can_be_asked(notice: Policy) -> None:
    city = tiny_city()
    study = study_of(city, notice, travel=tiny_travel(city, notice))
    for kind in ("convenience", "convenience_2021", "kunming_service"):
        assert circles(study, Question(), kind=kind).kind == kind

"""The worst service against the plan, against coverage; the one place that mends most."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.policy import load_policy
from lifecircle.service.catalog import coverage_document, headline_document, worst_service
from lifecircle.service.catalog.headline import Promised, promised_services
from lifecircle.service.maps.pages import first_service
from tests.pages.map_pages import drawn_run


def test_the_promises_of_the_plan_that_are_read_as_a_walk() -> None:
    # A01, A05 (at 5 and at 15 minutes), A06, A07, A11 name a share; canteens have no target
    assert promised_services(load_policy("kunming-2022-77")) == {
        "health_centre": Promised(1.0, 15.0),
        "day_care": Promised(0.9, 15.0),
        "elder_care": Promised(0.65, 15.0),
        "childcare": Promised(1.0, 15.0),
        "service_station": Promised(1.0, 15.0),
    }


def test_a_policy_without_a_plan_has_no_worst() -> None:
    run = drawn_run()
    assert run.policy.scorecard is None
    assert worst_service(run) is None
    told = headline_document(run)
    assert (told["service"], told["not_covered"], told["site"]) == (None, None, None)
    assert first_service(run) == next(s for s in run.manifest.services if run.city.assessed(s))


def test_the_worst_is_that_of_coverage() -> None:
    run = drawn_run()
    plan = load_policy("kunming-2022-77")
    services = {**plan.services, **run.policy.services}
    policy = replace(
        run.policy,
        scorecard=plan.scorecard,
        services=MappingProxyType(services),
        siting=plan.siting,
    )
    run = replace(run, policy=policy)
    shorts = {}
    for service, promised in promised_services(policy).items():
        if service not in run.travel.services or not run.city.assessed(service):
            continue
        total = coverage_document(run, Question(service, promised.minutes))["total"]
        shorts[service] = (promised.target - total["P"], total["not_covered"])
    worst = worst_service(run)
    assert worst is not None
    expected = max(shorts, key=lambda service: shorts[service][0])
    assert worst.service == expected
    assert np.isclose(worst.short, shorts[expected][0])
    assert worst.not_covered == shorts[expected][1]
    asked = Question(worst.service, worst.promised.minutes)
    assert headline_document(run)["rests_on"] == coverage_document(run, asked)["rests_on"]
    assert first_service(run) == expected

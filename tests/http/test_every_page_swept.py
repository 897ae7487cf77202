"""No page of the service is left out of the sweep of `tests/maps/test_page_rules.py`."""

from __future__ import annotations

from types import SimpleNamespace

from starlette.testclient import TestClient

from lifecircle.service.maps.scene import COMPARE, DESK, layers_for
from tests.pages.addresses import ABSENT, PAGES, asked_by_get

# Pages of what the tiny city lacks: runs of two years, a plan.
ELSEWHERE = frozenset({"/areas/{area}/siting", "/areas/{area}/scorecard"})
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "host": "localhost"}


def test_every_route_with_a_page_is_swept(served: TestClient) -> None:
    pages = set(ELSEWHERE)
    for route, address, query in asked_by_get(served.app):
        answer = served.get(address, params=query, headers=BROWSER)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status_code >= 400:
            assert route in ABSENT | ELSEWHERE, f"{route}: say in addresses.py how it is asked"
        elif is_page:
            pages.add(route)
    assert pages == set(PAGES)


def test_every_map_is_swept() -> None:
    rules = SimpleNamespace(capacity_services=("centre",), capacities=SimpleNamespace(referral=1))
    all_there_are = layers_for(SimpleNamespace(policy=rules))  # type: ignore[arg-type]
    swept = {one.rpartition("/")[2] for one in PAGES["/maps/{area}/{layer}"]}
    assert swept == {*all_there_are, COMPARE, DESK}

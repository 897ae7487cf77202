"""What a page shows is what the API answers, figure by figure, on the generated city."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.pages import figures, table_figures
from tests.pages.served import ask, client

SERVICE = "health_centre"


@pytest.fixture(scope="module")
def served(springcity_runs: Path) -> TestClient:
    return client(springcity_runs)


def cells_of(served: TestClient) -> list[dict[str, Any]]:
    """All cells with their properties."""
    cells: list[dict[str, Any]] = []
    while True:
        page = ask(served, "/collections/springcity.cells/items", limit=1000, offset=len(cells))
        cells += [{"id": one["id"], **one["properties"]} for one in page["features"]]
        if len(cells) >= page["numberMatched"]:
            return cells


def table_pairs_of(served: TestClient, *, draws: int = 0) -> list[figures.Pair]:
    """Figures of pages that tables and panels tell beside the API's; robustness where `draws`."""

    def html(layer: str, **query: Any) -> str:
        return shown(f"/maps/springcity/{layer}", **query)

    def shown(path: str, **query: Any) -> str:
        form = {} if "/maps/" in path else {"f": "html"}
        answer = served.get(path, params={"lang": "en", **form, **query})
        assert answer.status_code == 200, answer.text
        return answer.text

    def told(path: str, **query: Any) -> Any:
        return ask(served, f"/areas/springcity/{path}", lang="en", **query)

    found = [*table_figures.referral_figures(html, told, cells_of(served))]
    found += table_figures.proposal_figures(html, told, SERVICE)
    staged = {"service": SERVICE, "objective": "capacity", "add": 1, "stages": "2020,2025"}
    page = shown("/areas/springcity/siting", **staged)
    found += table_figures.stage_figures(page, told("siting", **staged))
    if draws:
        page = shown("/areas/springcity/robustness", draws=draws)
        found += table_figures.robustness_figures(page, told("robustness", draws=draws))
    for layer in ("units", "gaps", "catchments"):
        items = f"/collections/springcity.{layer}/items"
        features = ask(served, items, limit=100)["features"]
        columns = list(features[0]["properties"])
        found += table_figures.item_figures(shown(items, limit=100), columns, features)
    return found


def pairs_of(served: TestClient, services: tuple[str, ...] = (SERVICE,)) -> list[figures.Pair]:
    """All figures of the pages of an area beside the API's."""

    def html(layer: str, **query: Any) -> str:
        answer = served.get(f"/maps/springcity/{layer}", params={"lang": "en", **query})
        assert answer.status_code == 200, answer.text
        return answer.text

    def told(path: str, **query: Any) -> Any:
        return ask(served, f"/areas/springcity/{path}", lang="en", **query)

    cells = cells_of(served)
    card = served.get("/areas/springcity/scorecard", params={"lang": "en", "f": "html"})
    found = [
        *figures.circle_figures(html, told, cells),
        *figures.scorecard_figures(card.text, told("scorecard")),
        *figures.quality_figures(html, cells),
    ]
    for service in services:
        found += figures.coverage_figures(html, told, cells, service)
        found += figures.gap_figures(html, told, service)
        found += figures.compare_figures(html, told, service)
    return [*found, *figures.catchment_figures(html, told, SERVICE)]


def test_figures_of_pages_are_those_of_the_api(served: TestClient) -> None:
    found = pairs_of(served)
    assert len(found) > 10_000
    assert [one for one in found if one[1] != one[2]] == []


def test_figures_of_tables_are_those_of_the_api(served: TestClient) -> None:
    found = table_pairs_of(served)
    assert len(found) > 8_000
    assert [one for one in found if one[1] != one[2]] == []


@pytest.mark.whole
def test_robustness_shows_the_figures_of_the_api(served: TestClient) -> None:
    found = table_pairs_of(served, draws=5)
    assert len(found) > 8_700
    assert [one for one in found if one[1] != one[2]] == []

"""What a page shows is what the API answers, figure by figure, on the generated city."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.pages import figures
from tests.pages.served import ask, client

SERVICE = "health_centre"


@pytest.fixture(scope="module")
def served(springcity_runs: Path) -> TestClient:
    return client(springcity_runs)


def pairs_of(served: TestClient, services: tuple[str, ...] = (SERVICE,)) -> list[figures.Pair]:
    """All figures of the pages of an area beside the API's."""

    def html(layer: str, **query: Any) -> str:
        answer = served.get(f"/maps/springcity/{layer}", params={"lang": "en", **query})
        assert answer.status_code == 200, answer.text
        return answer.text

    def told(path: str, **query: Any) -> Any:
        return ask(served, f"/areas/springcity/{path}", lang="en", **query)

    cells: list[dict[str, Any]] = []
    while True:
        page = ask(served, "/collections/springcity.cells/items", limit=1000, offset=len(cells))
        cells += [{"id": one["id"], **one["properties"]} for one in page["features"]]
        if len(cells) >= page["numberMatched"]:
            break
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

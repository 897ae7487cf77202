"""A page whose answer is solved for opens before it, and is there whole once it is worked out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.maps import pages
from lifecircle.service.settings import Settings

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PATIENT = {**BROWSER, "prefer": "wait=60"}
WAITS = 'class="lc-working"'


@pytest.fixture(scope="module")
def hasty(root: Path) -> Iterator[TestClient]:
    """A service that lets no browser wait."""
    app = create_app(Settings(workspace=root, page_patience_seconds=0, dear_apart=False))
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000)) as served:
        yield served


def test_proposed_sites_follow_the_map(hasty: TestClient) -> None:
    """At once: who is covered today and no number of what is not known; then the sites."""
    at = "/maps/tiny/proposals?service=health_centre&lang=zh"
    first = hasty.get(at, headers=BROWSER)
    assert (first.status_code, WAITS in first.text) == (200, True)
    assert "600 人" in first.text and "新覆盖（" not in first.text and "仍未覆盖" not in first.text
    assert '"working"' in first.text and "lifecircle-working.js" in first.text
    assert hasty.head(at, headers=PATIENT).status_code == 200
    whole = hasty.get(at, headers=BROWSER)
    assert WAITS not in whole.text
    assert "新覆盖（" in whole.text


def test_the_map_does_not_queue_behind_what_is_solved(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One dear answer at once, and it is under way: the page opens all the same."""
    solve, solved, drawn = threading.Event(), [], pages.map_page

    def slow(*asked: Any) -> str:
        if not asked[3].waits:
            solve.wait(5)
            solved.append(asked[3])
        return drawn(*asked)

    monkeypatch.setattr(pages, "map_page", slow)
    told = Settings(workspace=root, page_patience_seconds=0, dear_apart=False, dear_at_once=1)
    near = ("127.0.0.1", 50_000)
    with TestClient(create_app(told), base_url="http://127.0.0.1", client=near) as served:
        try:
            for asked, waits in (
                ("health_centre", True),
                ("health_centre&minutes=10", True),
                ("market", False),
            ):  # not assessed: nothing is solved for it
                first = served.get(f"/maps/tiny/proposals?service={asked}", headers=BROWSER)
                assert (first.status_code, WAITS in first.text, solved) == (200, waits, [])
                assert ('"working"' in first.text) == waits
        finally:
            solve.set()


def test_a_program_waits_for_the_sites(hasty: TestClient) -> None:
    told = hasty.get("/maps/tiny/proposals", params={"service": "market", "lang": "en"})
    assert told.status_code == 200 and WAITS not in told.text


@pytest.mark.parametrize(("lang", "words"), [("zh", "正在计算"), ("en", "Working it out")])
def test_a_page_of_robustness_waits_in_the_open(hasty: TestClient, lang: str, words: str) -> None:
    at = f"/areas/tiny/robustness?service=health_centre&draws=10&f=html&lang={lang}"
    first = hasty.get(at, headers=BROWSER)
    assert (first.status_code, WAITS in first.text, words in first.text) == (202, True, True)
    whole = hasty.get(at, headers=PATIENT)
    assert (whole.status_code, WAITS in whole.text) == (200, False)
    assert hasty.get(at, headers=BROWSER).content == whole.content


def test_what_is_refused_is_refused_at_once(hasty: TestClient) -> None:
    at = "/maps/tiny/proposals?service=nothing"
    assert hasty.get(at, headers=BROWSER).status_code == 404

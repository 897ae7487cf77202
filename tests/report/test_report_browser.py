"""The report and the page of two runs in a real browser: nothing asked outside, nothing runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.report import report_page
from tests.pages.browser import NO_CHROMIUM, saved, watched
from tests.pages.map_pages import hostile_run

pytestmark = NO_CHROMIUM

PAST_THE_MARGIN = """() => [...document.querySelectorAll('table, svg, p, dl')].filter(one => {
  const page = one.closest('article'), right = parseFloat(getComputedStyle(page).paddingRight);
  return one.getBoundingClientRect().right > page.getBoundingClientRect().right - right + 1;
}).map(one => one.tagName + ' ' + one.className)"""


@pytest.mark.parametrize("languages", [("zh",), ("en",), ("zh", "en")])
def test_the_report_opens_alone(browser: Any, tmp_path: Path, languages: Any) -> None:
    run = hostile_run()
    address = saved(tmp_path, report_page(run, languages))
    with watched(browser, address) as seen:
        seen.page.goto(address)
        assert seen.page.locator("article").count() == len(languages)
        assert seen.page.locator("svg").count() >= 4 * len(languages)
        size = seen.page.evaluate("getComputedStyle(document.querySelector('h2')).fontSize")
        assert size == "20px"  # 15pt: the page's own style was let in
        wide = seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert wide is True
        past = seen.page.evaluate(PAST_THE_MARGIN)
        assert past == []
        seen.assert_clean()
        printed = seen.page.pdf(format="A4")
        assert printed[:5] == b"%PDF-"


def test_two_hostile_runs_compared(browser: Any, tmp_path: Path) -> None:
    run = hostile_run()
    before = replace(run, manifest=replace(run.manifest, run="r0"))
    for lang in ("zh", "en"):
        page = map_page(run, "compare", Question(), Page(before=before, lang=lang, mode="inline"))
        address = saved(tmp_path, page)
        with watched(browser, address) as seen:
            seen.open(address)
            seen.page.mouse.click(400, 400)
            seen.assert_clean()

"""The check page and the quality map in a real browser: a file dropped, the answer taken home."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.city.test_quality import noted
from tests.files.planted_sheet import planted_rows, write_sheet
from tests.pages.browser import CHROMIUM, READY, watched
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

DROP = """([text, name]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  document.getElementById("drop").dispatchEvent(
    new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("workspace")
    tiny_run(root, change=noted)
    with running(root) as address:
        yield address


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sheet(tmp_path_factory.mktemp("sheet") / "a.xlsx", planted_rows())


def test_a_file_is_dropped_checked_and_taken_home(
    browser: Any,
    base: str,
    sheet: Path,
    tmp_path: Path,
):
    with watched(browser, base) as seen:
        page = seen.page
        page.goto(f"{base}/check?lang=zh")
        text = base64.b64encode(sheet.read_bytes()).decode()
        page.evaluate(DROP, [text, "设施<b>.xlsx"])
        assert page.text_content("#chosen") == "设施<b>.xlsx"
        page.select_option("select[name=datum]", "wgs84")
        page.click("button[type=submit]")
        page.wait_for_selector(".verdict")
        assert page.locator(".verdict h2").text_content() == "设施<b>.xlsx"
        assert page.locator("tbody .mark.error, tbody .mark.warning").count() == 39
        for place, first in enumerate(("检查结果", "数据")):
            with page.expect_download() as taken:
                page.locator("a[download]").nth(place).click()
            target = tmp_path / f"{place}.xlsx"
            taken.value.save_as(target)
            assert openpyxl.load_workbook(target).sheetnames[0] == first
        seen.assert_clean()


@pytest.mark.parametrize(("lang", "words"), [("zh", "远离道路"), ("en", "far from any street")])
def test_the_quality_map_answers_a_click(browser: Any, base: str, lang: str, words: str):
    with watched(browser, base) as seen:
        seen.open(f"{base}/maps/tiny/quality?lang={lang}")
        page = seen.page
        # the one cell off the streets, clicked where the layer says it lies
        box = page.evaluate(
            """() => {
              const map = window.main || Object.values(window).find((v) => v instanceof L.Map);
              const cells = lifecircle.scene(map).layers.cells;
              const i = cells.data.c.lastIndexOf(cells.data.colours.length - 1);
              map.removeLayer(lifecircle.scene(map).layers.dots);
              const at = map.latLngToContainerPoint(cells.at(i));
              const frame = map.getContainer().getBoundingClientRect();
              return [at.x + frame.x, at.y + frame.y];
            }"""
        )
        page.mouse.click(*box)
        page.wait_for_selector(".lc-bubble")
        told = page.text_content(".lc-bubble")
        assert words in told
        assert "60" in told
        seen.assert_clean()
        page.locator(".lc-tabs a").nth(0).click()
        page.wait_for_selector(READY, state="attached")
        assert "/coverage" in page.url

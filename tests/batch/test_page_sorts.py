"""The page of a batch in a browser: its tables sort by their heads, in both languages, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.service.batch.page import Worst, add_worst, batch_page
from tests.pages.browser import NO_CHROMIUM, browser

__all__ = ["browser"]

RESIDENTS = {"东市": 900, "西市": 12_000, "北市": 3_000}
LOST = {"东市": 90, "西市": 600, "北市": None}  # nobody looked for the service in the last


def figures(name: str) -> dict[str, Any]:
    residents, lost = RESIDENTS[name], LOST[name]
    share = None if lost is None else 1 - lost / residents
    counts = {"residents": residents, "not_covered": lost, "P": share}
    unit = {"code": "area", "name": "全区", **counts}
    block = {"service": "park", "title": {"zh": "公园", "en": "Park"}, "total": counts}
    return {
        "title": {"zh": name, "en": name}, "residents": residents, "rows": [],
        "services": [{**block, "units": [unit]}],
        "shapes": [{"code": "area", "name_en": "Whole area"}],
    }  # fmt: skip


def page_of(lang: Language) -> str:
    worst: dict[str, Worst] = {}
    for i, name in enumerate(RESIDENTS):
        add_worst(worst, i, figures(name))
    return batch_page({}, {name: figures(name) for name in RESIDENTS}, worst, lang)


def test_units_have_their_english_names_on_the_english_page() -> None:
    assert "全区" not in page_of("en")
    assert page_of("en").count("Whole area") == 2  # of the two cities with somebody out of reach
    assert "Whole area" not in page_of("zh")


@NO_CHROMIUM
def test_heads_sort_by_click_and_by_key_and_say_how(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(page_of("zh"), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())

    def table(column: int) -> list[str]:
        return page.locator(f"#ranking tbody td:nth-child({column})").all_inner_texts()

    def told() -> dict[str, str]:
        heads = page.locator("#ranking th[aria-sort]").all()
        return {head.inner_text().strip("▴▾"): head.get_attribute("aria-sort") for head in heads}

    assert (table(2), table(1)) == (["东市", "西市", "北市"], ["1", "2", ""])
    assert told() == {"名次": "ascending"}
    residents = page.get_by_role("button", name="常住人口")
    residents.click()
    assert table(3) == ["12,000", "3,000", "900"]
    assert told() == {"常住人口": "descending"}
    residents.press("Enter")
    assert table(3) == ["900", "3,000", "12,000"]
    assert table(1) == ["1", "", "2"]  # a rank is that of the figure, however the rows stand
    assert told() == {"常住人口": "ascending"}
    page.locator("#beside").click()
    assert table(6) == ["600", "90", ""]
    page.locator("#beside").click()
    assert table(6) == ["90", "600", ""]  # unknown stays last
    page.fill("#search", "市")
    assert table(6) == ["90", "600", ""]
    page.locator("#units th button").nth(4).click()
    assert page.locator("#units tbody td:nth-child(6)").all_inner_texts() == ["600", "90"]
    page.close()

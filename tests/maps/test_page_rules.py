"""Every page of the service in a browser: titles, languages, labels, width, keys, links, controls.

Some pages of the tiny city in short; with `LIFECIRCLE_WHOLE` all pages of the generated city, in
both languages and at three sizes (minutes).
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from tests.pages.addresses import addresses
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, Watched, watched
from tests.pages.rules import faults_of, faults_of_keys, names_in
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

pytestmark = NO_CHROMIUM
SIZES = {"desk": (1600, 900), "wall": (1920, 1080), "phone": (390, 844)}
SHORT = (
    ("en", "desk", "/"), ("zh", "phone", "/areas/tiny?f=html"), ("en", "phone", "/build"),
    ("en", "phone", "/collections/tiny.units/items?f=html"), ("zh", "desk", "/check"),
    ("en", "phone", "/maps/tiny/gaps"), ("en", "desk", "/maps/tiny/desk"),
)  # fmt: skip
MAP = "html[data-lifecircle=ready]"
BAD = "type,name,lon,lat\n药店,<b>东药房</b>,不详,25.04\n"


def opened(seen: Watched, path: str, lang: str, size: str) -> None:
    """A page in a language and size, whole."""
    page = seen.page
    page.set_default_timeout(6 * LONGEST_MS)
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    page.goto(f"{seen.own}{path}{'&' if '?' in path else '?'}lang={lang}", wait_until="load")
    if "/maps/" in path:
        page.wait_for_selector(MAP, state="attached")
    elif path.startswith(("/docs", "/api")):
        page.wait_for_selector("#swagger .opblock")
    page.wait_for_timeout(200)


@pytest.mark.parametrize(("lang", "size", "path"), SHORT)
def test_some_pages_in_short(browser: Any, host: str, lang: str, size: str, path: str) -> None:
    with watched(browser, host) as seen:
        opened(seen, path, lang, size)
        assert faults_of(seen.page, lang) + faults_of_keys(seen.page) == []
        seen.assert_clean()


# ---- all of them -----------------------------------------------------------------------------


def asked(base: str, path: str) -> Any:
    with urllib.request.urlopen(base + path, timeout=300) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def city(request: pytest.FixtureRequest) -> Iterator[tuple[str, tuple[str, ...], set[str]]]:
    """A service over the generated city, its pages, and the Chinese that its data bring."""
    root: Path = request.getfixturevalue("springcity_runs")
    with running(root) as base:
        home = f"{base}/areas/springcity"
        units = asked(base, "/collections/springcity.units/items?lang=en&limit=10000")
        told = [asked(home, path) for path in ("?lang=en", "/scorecard?lang=en", "/report?lang=en")]
        told += [
            asked(base, f"/collections/springcity.{layer}/items?lang=en&limit=10000")
            for layer in ("facilities", "gaps")
        ]
        pages = addresses("springcity", units["features"][0]["id"], "2020,2025")
        yield base, pages, names_in([units, *told])


@pytest.mark.whole
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page(browser: Any, city: Any, lang: str, size: str) -> None:
    base, pages, names = city
    found: dict[str, list[str]] = {}
    for path in pages:
        with watched(browser, base) as seen:
            opened(seen, path, lang, size)
            faults = faults_of(seen.page, lang, names)
            if not path.startswith(("/docs", "/api")):  # what is drawn there is Swagger's
                faults += faults_of_keys(seen.page)
            if "/maps/" not in path:
                faults += by_mouse(seen)
            said = [one for one in seen.said if "404" not in one or "nowhere" not in path]
            faults += [*said, *seen.outside, *seen.page.evaluate("window.ran")]
            found |= {path: faults} if faults else {}
    assert found == {}


def by_mouse(seen: Watched) -> list[str]:
    """Folds, ticks and choices of a page that is no map; what its form says then."""
    page, found = seen.page, []
    if page.locator("#swagger").count():
        page.locator(".opblock-summary-control").first.click()
        page.wait_for_selector(".opblock-body")
        return found
    for fold in page.locator("summary:visible").all()[:30]:
        fold.click()
    for tick in page.locator("input[type=checkbox]:visible").all():
        was = tick.is_checked()
        tick.click()
        found += [] if tick.is_checked() != was else ["a tick that does not"]
        tick.click()
    for choice in page.locator("select:visible").all():
        was = choice.input_value()
        for option in choice.locator("option").all():
            choice.select_option(option.get_attribute("value") or option.inner_text())
        choice.select_option(was)
    if page.locator("form[method=get] button:visible").count():
        with page.expect_navigation() as onward:
            page.locator("form[method=get] button").first.click()
        found += [] if onward.value.ok else ["its form is refused"]
    return found


@pytest.mark.whole
def test_every_link_leads_somewhere(browser: Any, city: Any) -> None:
    base, pages, _ = city
    told: dict[str, str] = {}
    with watched(browser, base) as seen:
        for path in pages:
            opened(seen, path, "zh", "desk")
            script = "Array.from(document.querySelectorAll('a[href]')).map((e) => e.href)"
            for href in seen.page.evaluate(script):
                if href.startswith("http"):
                    told.setdefault(href.partition("#")[0], path)
        elsewhere = {href: at for href, at in told.items() if not href.startswith(base)}
        assert set(elsewhere.values()) <= {"/conformance?f=html"}  # names of standards
        tables = [one for one in told if "/items/" in one]
        for href in set(told) - set(elsewhere) - set(tables[20:]):
            answer = seen.page.request.head(href, timeout=120_000)
            itself = href.startswith(base + told[href])  # in the other language, a page of an error
            assert answer.status < 400 or itself, (href, told[href])


@pytest.mark.whole
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_that_answer_a_form(browser: Any, tmp_path: Path, lang: str) -> None:
    """A checked file, a wrong key, somebody who is logged in: by keyboard alone."""
    tiny_run(tmp_path)
    _, key = add_key(open_database(tmp_path), "王工 <img src=x onerror=alert(1)>", "planner",
                     None, "test")  # fmt: skip
    file = tmp_path / "表 <img src=x>.csv"
    file.write_text(BAD, encoding="utf-8")
    with running(tmp_path, behind_proxy=True) as base, watched(browser, base) as seen:
        page = seen.page
        for given in ("wrong", key):
            opened(seen, "/login?next=/login", lang, "phone")
            assert page.evaluate("document.activeElement.id") == "key"
            page.keyboard.type(given)
            with page.expect_navigation():
                page.keyboard.press("Enter")
            names = {"王工"} if lang == "en" else None
            assert faults_of(page, lang, names) + faults_of_keys(page) == []
        assert page.locator("button[type=submit]").count() == 1  # out again
        opened(seen, "/check", lang, "phone")
        page.set_input_files("#file", file)
        page.locator("form.form button").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator(".verdict").count() == 1
        assert faults_of(page, lang, {"东药房", "表", "不详"}) + faults_of_keys(page) == []
        assert page.locator("main img").count() == 0
        seen.said[:] = [one for one in seen.said if "401" not in one]
        seen.assert_clean()


if os.environ.get("LIFECIRCLE_AXE"):  # a copy of axe-core on this machine, not one of ours

    @pytest.mark.parametrize("lang", ["zh", "en"])
    def test_axe_finds_nothing_serious(browser: Any, city: Any, lang: str) -> None:
        """WCAG 2.1 A and AA; scrolling tables get the focus by the browser itself."""
        base, pages, _ = city
        axe = Path(os.environ["LIFECIRCLE_AXE"]).read_text(encoding="utf-8")
        found = []
        for path in (one for one in pages if not one.startswith(("/docs", "/api"))):
            for size in ("desk", "phone"):
                context = browser.new_context(bypass_csp=True)
                seen = Watched(context.new_page(), base)
                opened(seen, path, lang, size)
                seen.page.evaluate(axe)
                told = seen.page.evaluate(
                    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })"
                )
                for one in told["violations"]:
                    grave = one["impact"] in ("serious", "critical")
                    if grave and one["id"] != "scrollable-region-focusable":
                        target = one["nodes"][0]["target"]
                        found.append((path, size, one["id"], len(one["nodes"]), target))
                context.close()
        assert found == []

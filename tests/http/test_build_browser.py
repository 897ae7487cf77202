"""A clerk builds a town in a browser, without a terminal; a bomb among the files harms nothing."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.batch.towns import write_town
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, READY, WATCH, browser
from tests.pages.served import running

__all__ = ["browser"]
pytestmark = [
    NO_CHROMIUM,
    pytest.mark.whole,
]


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(64 * 2**20))
        archive.writestr("../../../../evil.csv", "lon,lat,population\n0,0,1\n")
    return packed.getvalue()


def ask(base: str, path: str, content: bytes | None = None) -> Any:
    told = urllib.request.Request(base + path, data=content, headers={
        "Content-Type": "application/json", "Accept": "application/json"})  # fmt: skip
    with urllib.request.urlopen(told, timeout=60) as answer:
        return json.load(answer)


def test_a_town_is_built_and_its_map_opened(browser: Any, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    workspace.mkdir()
    write_town(tmp_path, "东")
    with running(workspace) as base:
        context = browser.new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(LONGEST_MS)
        said: list[str] = []
        page.on("pageerror", lambda fault: said.append(str(fault)))
        page.on("console", lambda line: said.append(line.text))
        page.goto(f"{base}/build?lang=zh")
        for name, value in (("area", "east"), ("title_zh", "东镇"), ("title_en", "East")):
            page.fill(f"#{name}", value)
        page.select_option("#datum", "wgs84")
        with page.expect_response(lambda one: "/uploads?" in one.url):
            page.set_input_files("#file-streets", tmp_path / "东.osm")
        for role, file in (("population", "东.csv"), ("facilities", "东-places.csv")):
            page.set_input_files(f"#file-{role}", tmp_path / file)
            page.wait_for_selector(f"[data-role={role}] .file:is(.good, .so)")
        page.click("#start")
        page.wait_for_selector("#map", state="visible", timeout=60_000)
        page.fill("#title_en", "East town")  # built once more: what was used up is sent again
        with page.expect_response(lambda one: "/execution" in one.url) as begun:
            page.click("#start")
        assert begun.value.status == 201
        page.wait_for_selector("#map", state="visible", timeout=60_000)
        page.click("#map")
        page.wait_for_selector(READY, state="attached")
        assert "东镇" in page.content()
        assert page.evaluate("window.ran") == []
        assert said == []
        told = ask(base, "/areas/east/coverage?service=pharmacy&minutes=15")
        assert (told["total"]["residents"], told["total"]["covered"]) == (
            300,
            100,
        )  # 200 live 1.9 km from the shop
        context.close()

        sent = ask(base, "/uploads?name=..%2F..%2Fa.zip", bomb())
        assert sent["name"] == "a.zip"
        found = ask(base, f"/uploads/{sent['id']}/check", b'{"kind": "units", "datum": "wgs84"}')
        assert (found["usable"], found["errors"]) == (False, 1)
        streets = ask(base, "/uploads?name=a.osm", (tmp_path / "东.osm").read_bytes())
        inputs = {"area": "b", "osm": streets["id"], "units": [sent["id"]], "datum": "wgs84"}
        job = ask(base, "/processes/build/execution", json.dumps({"inputs": inputs}).encode())
        end = time.monotonic() + 60
        while job["status"] in ("accepted", "running"):
            assert time.monotonic() < end
            time.sleep(0.1)
            job = ask(base, f"/jobs/{job['jobID']}")
        assert job["status"] == "failed"
        assert not re.search(re.escape(str(tmp_path)), json.dumps(job))
        assert ask(base, "/areas")["areas"][0]["area"] == "east"
        assert not list(tmp_path.rglob("evil.csv")) + list(tmp_path.parent.glob("evil.csv"))
        assert ask(base, "/readyz")

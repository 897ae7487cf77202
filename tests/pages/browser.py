"""A real browser for tests: watched pages, nothing outside asked, and a server of linked pages."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.model import Run
from lifecircle.service.maps.offline import asset, page_policy
from lifecircle.service.maps.pages import Page, map_page

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
NO_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

READY = "html[data-lifecircle=ready]"
LONGEST_MS = 20_000
WATCH = """
window.ran = [];
window.alert = window.confirm = window.prompt = function () { window.ran.push("dialog"); };
document.addEventListener("securitypolicyviolation", function (event) {
  window.ran.push("policy " + event.violatedDirective + " " + event.blockedURI);
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@dataclass
class Watched:
    """A page with everything it said, asked for and let run."""

    page: Any
    own: str
    said: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_selector(READY, state="attached", timeout=LONGEST_MS)

    def assert_clean(self) -> None:
        assert self.said == []
        assert self.outside == []
        assert self.page.evaluate("window.ran") == []


@contextmanager
def watched(browser: Any, own: str) -> Iterator[Watched]:
    """A page that may ask `own` only; everything else is noted and stopped."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    page = context.new_page()
    seen = Watched(page, own)

    def guard(route: Any) -> None:
        address = route.request.url
        if address.startswith((own, "data:")):
            route.continue_()
        else:
            seen.outside.append(address)
            route.abort()

    context.route("**/*", guard)
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("dialog", lambda dialog: (seen.said.append(dialog.message), dialog.dismiss()))
    yield seen
    context.close()


@contextmanager
def standing(run: Run, answers: TestClient | None = None, **asked: Any) -> Iterator[str]:
    """A loopback server of the linked pages of a run with their policy; yields its address.

    `answers`: the service that pages ask about places.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/static/"):
                body, kind = asset(path.removeprefix("/static/")), "text/css"
                kind = "text/javascript" if path.endswith(".js") else kind
            elif answers is not None and (path.startswith("/areas/") or "/pieces/" in path):
                body, kind = answers.get(self.path).content, "application/json"
            else:
                layer = path.rpartition("/")[2]
                asks = None if answers is None else "/areas/tiny"
                pieces = None if answers is None else "/maps/tiny/pieces"
                page = Page(nonce="n0nce", ask_at=asks, pieces_at=pieces)
                body = map_page(run, layer, Question(**asked), page).encode()
                kind = "text/html; charset=utf-8"
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("x-content-type-options", "nosniff")
            if kind.startswith("text/html"):
                self.send_header(
                    "content-security-policy", page_policy("n0nce", asks=answers is not None)
                )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def saved(folder: Path, html: str) -> str:
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


def click_at(page: Any, script: str) -> None:
    """Click the map where `script` (of the map's layers) says, [x, y] inside the map."""
    x, y = page.evaluate(
        "(() => { const layers = lifecircle.scene(map_main).layers;"
        f" const at = map_main.latLngToContainerPoint({script}); return [at.x, at.y]; }})()"
    )
    page.mouse.move(x, y)
    page.wait_for_timeout(60)
    page.mouse.click(x, y)

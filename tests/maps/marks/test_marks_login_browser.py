"""Marks made by a reviewer who logged in with a browser, and by a page of somebody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.request_origin import CSRF_COOKIE
from tests.pages.browser import LONGEST_MS, NO_CHROMIUM, READY, WATCH
from tests.pages.served import running
from tests.worlds.tiny import tiny_run

pytestmark = NO_CHROMIUM
FORGED = """<!doctype html><form method=post enctype=text/plain action="{address}">
<input value='"}}'
  name='{{"target":{{"kind":"facility","id":"h1"}},"verdict":"wrong_data","note":"'>
</form><script>
fetch("{address}", {{method: "POST", mode: "no-cors", credentials: "include",
  body: '{{"target":{{"kind":"facility","id":"h1"}},"verdict":"wrong_data","note":"x"}}'}})
  .finally(() => document.forms[0].submit());
</script>"""


@contextmanager
def stranger(address: str) -> Iterator[str]:
    """A page of another server on the same host, to which the browser sends its cookies too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(FORGED.format(address=address).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def test_a_mark_needs_the_session_and_its_token(browser: Any, tmp_path: Path) -> None:
    tiny_run(tmp_path)
    _, key = add_key(open_database(tmp_path), "王工", "reviewer", None, "test")
    with running(tmp_path, behind_proxy=True) as base:
        reviews = f"{base}/areas/tiny/reviews"
        context = browser.new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"{base}/maps/tiny/gaps?service=health_centre&lang=zh")
        page.fill("[name=key]", key)
        page.keyboard.press("Enter")
        page.wait_for_selector(READY, state="attached", timeout=LONGEST_MS)

        def mark() -> None:
            page.locator("button[data-area=gaps]").first.click()
            page.locator("[data-mark-as=confirmed]").first.click()
            page.locator(".lc-mark-form [type=submit]").click()

        page.wait_for_selector(".lc-marks[data-loaded]", state="attached")
        mark()
        page.wait_for_selector(".lc-marks[data-told='1']", state="attached", timeout=LONGEST_MS)
        (made,) = page.request.get(reviews).json()["reviews"]
        assert (made["verdict"], made["author"]) == ("confirmed", "王工")

        with stranger(reviews) as theirs:  # its cookie goes along, the token does not
            other = context.new_page()
            with other.expect_response(lambda one: one.request.is_navigation_request()) as sent:
                other.goto(theirs)
                other.wait_for_url(reviews, timeout=LONGEST_MS)
            assert sent.value.ok  # the stranger's own page
            assert other.evaluate("document.body.textContent").count("csrf_missing") == 1
            other.close()
        assert len(page.request.get(reviews).json()["reviews"]) == 1

        context.clear_cookies(name=CSRF_COOKIE)
        mark()
        page.locator(".lc-problem:not(:empty)").wait_for(timeout=LONGEST_MS)
        assert len(page.request.get(reviews).json()["reviews"]) == 1
        assert page.evaluate("window.ran") == []
        context.close()

"""The application: no import effects, two in one process, safe headers, honest health."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.results.store import Workspace
from lifecircle.service import i18n
from lifecircle.service.app import create_app
from lifecircle.service.errors import ExposureError
from lifecircle.service.responses import choose
from lifecircle.service.settings import Settings, check_exposure, is_loopback, settings_from
from tests.pages.served import client
from tests.worlds.tiny import tiny_run

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("osmnx", "rasterio", "matplotlib", "dask")

ONE_REQUEST = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings
from lifecircle.analysis.results.store import Workspace

settings = Settings(workspace=Path(sys.argv[1]), allowed_hosts=("testserver",))
with TestClient(create_app(settings), client=("127.0.0.1", 50_000)) as client:
    for path in ("/", "/areas/tiny/gaps", "/collections/tiny.cells/items", "/maps/tiny/coverage"):
        assert client.get(path).status_code == 200, path
print(" ".join(name for name in sys.argv[2:] if name in sys.modules))
"""


def test_the_web_process_never_imports_the_heavy_ones(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONE_REQUEST, str(root), *HEAVY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_the_app_reads_no_environment_and_makes_no_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "LIFECIRCLE_WORKSPACE": str(tmp_path / "asked")}
    code = (
        "import lifecircle.service.app, lifecircle.service.settings as s;"
        "print(s.Settings().workspace)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "workspace"
    assert list(tmp_path.iterdir()) == []


def test_two_apps_live_in_one_process(root: Path, tmp_path: Path) -> None:
    tiny_run(tmp_path, area="other")
    with client(root) as first, client(tmp_path, language="en") as second:
        assert [row["area"] for row in first.get("/areas").json()["areas"]] == ["tiny"]
        assert [row["area"] for row in second.get("/areas").json()["areas"]] == ["other"]
        assert first.get("/areas/other").status_code == 404
        assert first.get("/areas/x").json()["lang"] == "zh"
        assert second.get("/areas/x").json()["lang"] == "en"


def test_a_workspace_can_be_given(root: Path, tmp_path: Path) -> None:
    app = create_app(Settings(workspace=tmp_path, allowed_hosts=("*",)), Workspace(root))
    assert TestClient(app, client=("127.0.0.1", 50_000)).get("/areas/tiny").status_code == 200


def test_an_empty_workspace_is_served(tmp_path: Path) -> None:
    with client(tmp_path / "none yet") as empty:
        assert empty.get("/areas").json()["areas"] == []
        page = empty.get("/", headers={"accept": "text/html"})
        assert "lifecircle demo" in page.text
        empty.app.state.warmth.done = True  # type: ignore[attr-defined]
        early = empty.get("/readyz")
        assert (early.status_code, early.json()["key"]) == (503, "workspace_missing")
        (tmp_path / "none yet").mkdir()
        assert empty.get("/readyz").status_code == 200


# ---- listening ---------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "example.org", ""])
def test_listening_beyond_loopback_is_refused_unless_said_out_loud(host: str) -> None:
    with pytest.raises(ExposureError) as refused:
        check_exposure(Settings(host=host))
    assert "--public-read" in refused.value.text("en")
    assert "--public-read" in refused.value.text("zh")
    assert refused.value.exit_code == 2
    check_exposure(Settings(host=host, public_read=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_loopback_needs_no_word(host: str) -> None:
    assert is_loopback(host)
    check_exposure(Settings(host=host))


def test_settings_from_the_environment_and_what_was_given() -> None:
    environment = {"LIFECIRCLE_PORT": "9000", "LIFECIRCLE_PUBLIC_READ": "1", "PATH": "/x"}
    told = settings_from(environment, port=None, host="0.0.0.0")
    assert (told.port, told.public_read, told.host) == (9000, True, "0.0.0.0")
    assert settings_from(environment, port=8001).port == 8001
    with pytest.raises(ValueError, match="frozen"):
        told.port = 1  # type: ignore[misc]


# ---- health ------------------------------------------------------------------------------


def test_ready_only_once_warm(root: Path) -> None:
    cold = client(root)
    assert cold.get("/healthz").json() == {"status": "ok"}
    early = cold.get("/readyz")
    assert early.status_code == 503
    assert early.json()["key"] == "warming"
    with cold:
        cold.app.state.warmth.warm(cold.app.state.areas)  # type: ignore[attr-defined]
        assert cold.get("/readyz").json()["status"] == "ready"


def test_a_broken_area_does_not_stop_the_service(root: Path, tmp_path: Path) -> None:
    tiny_run(tmp_path, area="good")
    tiny_run(tmp_path, area="bad")
    tiny_run(tmp_path, area="worse")
    tiny_run(tmp_path, area="worst")
    (tmp_path / "bad" / "current").write_text("gone\n", encoding="utf-8")
    (tmp_path / "worse" / "current").write_bytes(b"\xff\xfe")
    (tmp_path / "worst" / "current").unlink()
    (tmp_path / "worst" / "current").mkdir()
    with client(tmp_path) as served:
        listed = served.get("/areas?lang=en").json()
        assert [row["area"] for row in listed["areas"]] == ["good"]
        assert [row["area"] for row in listed["unreadable"]] == ["bad", "worse", "worst"]
        assert served.get("/areas/bad").status_code == 503
        assert served.get("/areas/worse").status_code == 503
        folder = served.get("/areas/worst/coverage")
        assert (folder.status_code, folder.json()["key"]) == (503, "current_broken")
        assert served.get("/readyz").status_code == 200
        assert served.get("/api").status_code == 200
        assert len(served.get("/collections").json()["collections"]) == 6
        assert "gone" in served.get("/?f=html&lang=en").text


# ---- headers and pages ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/areas", "/nowhere", "/static/leaflet/leaflet.js"])
def test_every_answer_is_protected(root: Path, path: str) -> None:
    headers = client(root).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


PAGES = ("/?f=html", "/areas/tiny?f=html", "/collections?f=html", "/docs", "/maps/tiny/coverage")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", [*PAGES, "/collections/tiny.facilities/items?f=html", "/gone"])
def test_pages_ask_nothing_from_outside_and_scripts_carry_the_nonce(
    root: Path, path: str, lang: str
) -> None:
    joined = f"{path}{'&' if '?' in path else '?'}lang={lang}"
    answer = client(root).get(joined, headers={"accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == lang
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert "unsafe-eval" not in policy
    for tag in re.findall(r"<script[^>]*>", answer.text):
        assert f'nonce="{nonce[1]}"' in tag or 'type="application/json"' in tag
    for asked in re.findall(r"(?:src|href)=\"((?:https?:)?//[^\"]*)\"", answer.text):
        assert asked.startswith("http://testserver/"), asked
    again = client(root).get(joined, headers={"accept": "text/html"})
    assert again.headers["content-security-policy"] != policy


def test_what_pages_link_to_is_there(root: Path) -> None:
    served = client(root)
    for page in (*PAGES, "/collections/tiny.gaps/items?f=html"):
        text = served.get(page, headers={"accept": "text/html"}).text
        for found in set(re.findall(r"(?:src|href)=\"(/[^\"]*)\"", text)):
            assert served.get(found.replace("&amp;", "&")).status_code == 200, found


def test_names_are_escaped(root: Path) -> None:
    text = client(root).get("/collections/tiny.facilities/items?f=html").text
    assert "=2+3 &lt;b&gt;药房&lt;/b&gt;" in text
    assert "<b>药房" not in text


def test_an_unknown_error_says_nothing_of_what_is_inside(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password in /etc/secret")

    monkeypatch.setattr("lifecircle.service.routes.areas.coverage_document", broken)
    answer = client(root).get("/areas/tiny/coverage?lang=en")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["key"] == "internal"
    assert "secret" not in answer.text


@pytest.mark.parametrize("declared", [True, False])
def test_too_large_a_body_is_refused(declared: bool) -> None:
    app = create_app(Settings(max_body_bytes=10, allowed_hosts=("*",)))

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    served = TestClient(app, client=("127.0.0.1", 50_000))
    assert served.post("/read", content=b"x" * 10).json() == 10
    content = b"x" * 11 if declared else iter([b"x" * 6, b"x" * 6])
    answer = served.post("/read?lang=en", content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["key"] == "http_413"


# ---- what a reader would rather have -------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "liked"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
        ("text/html", "text/html"),
        ("text/*", "text/html"),
        ("TEXT/HTML", "text/html"),
        ("text/html;q=0.5, */*;q=0.9", "application/json"),
        ("text/html, */*;q=0.9", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("application/*;q=0.2, application/geo+json;q=0.1, text/html;q=0.15", "application/json"),
        ("application/geo+json, application/json", "application/geo+json"),
        ("*/*, text/html", "text/html"),
        ("text/html; charset=utf-8; Q=0.3, application/json;q=0.2", "text/html"),
        ("text/html;q=nan, application/json;q=x", "application/json"),
    ],
)
def test_the_form_a_reader_would_rather_have(accept: str | None, liked: str) -> None:
    offered = ("application/json", "application/geo+json", "text/html")
    assert choose(accept, offered) == liked


# ---- languages -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "accept", "lang"),
    [
        ("en", "zh", "en"),
        (None, "en-GB,en;q=0.8,zh;q=0.9", "en"),
        (None, "fr, zh-CN;q=0.7, en;q=0.3", "zh"),
        (None, "en;q=0, zh;q=0.1", "zh"),
        (None, "fr", "zh"),
        (None, None, "zh"),
        ("fr", "en", "en"),
        (None, "en;q=x", "zh"),
    ],
)
def test_the_language_of_a_reader(asked: str | None, accept: str | None, lang: str) -> None:
    assert i18n.negotiate(asked, accept) == lang


def test_errors_of_the_service_have_texts() -> None:
    error = ExposureError("exposure", host="0.0.0.0")
    assert isinstance(error, LifecircleError)
    assert error.text("en") != error.text("zh")


# ---- the documentation -----------------------------------------------------------------------


def test_docs_name_every_route_and_every_setting() -> None:
    text = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text, (method, path)
    for setting in Settings.model_fields:
        assert f"`{setting}`" in text, setting

"""Before the router: which names are answered, what is logged, names that look like addresses."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.policy import load_policy
from lifecircle.service.app import create_app
from lifecircle.service.edge.hosts import host_name
from lifecircle.service.observing.logs import JsonLines, TextLines, request_id
from lifecircle.service.settings import Settings, settings_from
from tests.pages.served import client
from tests.worlds.tiny import TINY_PLACES, TINY_UNITS, tiny_city, tiny_run


def asked(root: Path, name: str, **settings: object) -> int:
    app = create_app(Settings(workspace=root, **settings))  # type: ignore[arg-type]
    served = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
    return served.get("/areas", headers={"host": name}).status_code


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9", "127.8.0.1", "[::1]:8000", "localhost."]
)
def test_names_of_this_machine_are_answered(root: Path, host: str) -> None:
    assert asked(root, host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "user@localhost",
        "localhost/x",
        "192.168.1.20",
        "",
        "[::1",
    ],
)
def test_other_names_are_refused_whatever_is_asked(root: Path, host: str) -> None:
    served = TestClient(
        create_app(Settings(workspace=root)),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 50_000),
    )
    for path in ("/areas", "/areas/tiny/coverage", "/static/lifecircle.js", "/healthz", "/nowhere"):
        answer = served.get(path, headers={"host": host})
        assert answer.status_code == 403, path
        assert answer.json()["key"] == "host_not_allowed"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_names_told_in_the_settings_are_answered(root: Path) -> None:
    assert asked(root, "gis.example.cn", allowed_hosts=("GIS.example.cn",)) == 200
    assert asked(root, "gis.example.cn:8000", base_url="https://gis.example.cn/circle") == 200
    assert asked(root, "b.example.cn", allowed_hosts=("gis.example.cn",)) == 403
    assert asked(root, "anything.example", allowed_hosts=("*",)) == 200
    # opened to a network: addresses in figures can be no name of a page elsewhere
    assert asked(root, "192.168.1.20:8000", public_read=True, host="0.0.0.0") == 200
    assert asked(root, "evil.example", public_read=True, host="0.0.0.0") == 403
    told = settings_from({"LIFECIRCLE_ALLOWED_HOSTS": "a.cn, b.cn"})
    assert told.allowed_hosts == ("a.cn", "b.cn")


def test_the_name_in_a_host_header() -> None:
    assert host_name("a.cn:80") == "a.cn"
    assert host_name("::1") == host_name("[::1]:80") == "::1"
    assert host_name("[::1") == host_name("a/b") == host_name("a@b") == ""


def test_every_answer_has_a_request_id_and_a_line(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served = client(root)
    with caplog.at_level(logging.INFO, logger="lifecircle"):
        own = served.get("/healthz").headers["x-request-id"]
        kept = served.get("/areas?lang=en", headers={"x-request-id": "proxy-7.1"})
        strange = served.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]
    assert len(own) == 16
    assert kept.headers["x-request-id"] == "proxy-7.1"
    assert strange != "a b\tc"
    line = next(one for one in caplog.records if one.getMessage() == "GET /areas")
    assert line.name == "lifecircle.access"
    assert line.status == 200  # type: ignore[attr-defined]
    assert line.bytes == int(kept.headers["content-length"])  # type: ignore[attr-defined]


def test_every_500_is_logged_with_its_id(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lifecircle.analysis.errors import PolicyError

    def refuse(*_: object, **__: object) -> None:
        raise PolicyError("policy_two_places")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("inside")

    served = client(root)
    for fault in (refuse, broken):
        monkeypatch.setattr("lifecircle.service.routes.areas.coverage_document", fault)
        caplog.clear()
        answer = served.get("/areas/tiny/coverage", headers={"x-request-id": "asked-1"})
        assert answer.status_code == 500
        assert answer.headers["x-request-id"] == "asked-1"
        errors = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert errors
        assert all(one.exc_info for one in errors)


def test_lines_of_the_log() -> None:
    record = logging.makeLogRecord(
        {"name": "lifecircle.access", "levelname": "INFO", "msg": "GET %s", "args": ("/a\nb",),
         "created": 0.0, "status": 200}
    )  # fmt: skip
    token = request_id.set("r1")
    try:
        text, told = TextLines().format(record), json.loads(JsonLines().format(record))
    finally:
        request_id.reset(token)
    assert text == "1970-01-01T00:00:00.000Z INFO lifecircle.access [r1] GET /a\\nb status=200"
    assert told == {
        "time": "1970-01-01T00:00:00.000Z", "level": "INFO", "logger": "lifecircle.access",
        "request": "r1", "message": "GET /a\nb", "status": 200,
    }  # fmt: skip


STRANGE = "http://evil.example//x"
PAGES = (
    "/areas/odd/scorecard?f=html", "/areas/odd/report?f=html", "/areas/odd/quality?f=html",
    "/maps/odd/coverage", "/maps/odd/units", "/maps/odd/gaps", "/maps/odd/facilities",
    "/collections/odd.units/items?f=html", "/areas/odd?f=html",
)  # fmt: skip


def test_names_that_look_like_addresses_are_data(tmp_path: Path) -> None:
    odd = tiny_city(
        units=tuple(replace(one, name=STRANGE, name_en=STRANGE) for one in TINY_UNITS),
        places=tuple(replace(one, name=STRANGE) for one in TINY_PLACES),
    )
    tiny_run(tmp_path, area="odd", policy=load_policy(), change=lambda _: odd)
    served = client(tmp_path)
    for page in PAGES:
        for lang in ("zh", "en"):
            answer = served.get(page, params={"lang": lang})
            assert answer.status_code == 200, (page, lang, answer.text[:300])
            assert not re.search(r'(?:href|src)="(?:https?:)?//evil', answer.text)

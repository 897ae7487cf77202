"""Logging in with a browser: new sessions, gone with their key; no write without the token."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key, now_utc, revoke_key
from lifecircle.service.database.sessions import csrf_token, open_session
from lifecircle.service.database.tables import AuditRow, SessionRow
from lifecircle.service.edge import keys as gate
from lifecircle.service.settings import Settings
from tests.worlds.tiny import tiny_run

AWAY = ("10.0.0.9", 1)
PAGE = {"accept": "text/html"}
BODY = {"remove": ["h1"]}
HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FRESH_S", 0.0)


@pytest.fixture(scope="module")
def written(root: Path) -> tuple[str, str]:
    """A reviewer's key: its id, and what is written on it."""
    made, text = add_key(open_database(root), "王<b>工", "reviewer", None, "test")
    return made.id, text


def browser(root: Path, base: str = f"http://{HOST}", **settings: object) -> TestClient:
    app = create_app(Settings(workspace=root, **settings))  # type: ignore[arg-type]
    return TestClient(app, base_url=base, client=AWAY, follow_redirects=False)


def log_in(client: TestClient, key: str, onward: str = "/areas") -> str:
    """The session that the browser holds afterwards."""
    answer = client.post("/login", data={"key": key, "next": onward}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, onward), answer.text
    return str(client.cookies["lifecircle"])


def test_a_browser_is_sent_to_the_login_and_back(root: Path, written: tuple[str, str]) -> None:
    client = browser(root)
    sent = client.get("/areas/tiny/coverage?minutes=10&f=json", headers=PAGE)
    assert sent.status_code == 303
    assert sent.headers["location"] == (
        "/login?next=%2Fareas%2Ftiny%2Fcoverage%3Fminutes%3D10%26f%3Djson"
    )
    shown = client.get(sent.headers["location"] + "&lang=en", headers=PAGE)
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    assert 'value="/areas/tiny/coverage?minutes=10&amp;f=json&amp;lang=en"' in shown.text
    told = client.get("/login?lang=en&next=%2F%3Flang%3Dzh%23a", headers=PAGE)
    assert 'value="/?lang=zh#a"' in told.text  # what an address says itself stands
    wrong = client.post("/login?lang=en", data={"key": written[1][:-2]}, headers=PAGE)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    assert written[1][:-2] not in wrong.text
    answer = client.post(
        "/login", data={"key": f" {written[1]}\n", "next": "/areas/tiny/coverage?minutes=10"}
    )
    cookies = answer.headers.get_list("set-cookie")
    assert [("HttpOnly" in one, "SameSite=lax" in one, "Secure" in one) for one in cookies] == [
        (True, True, False),
        (False, True, False),
    ]
    assert client.get(answer.headers["location"]).status_code == 200
    assert client.get("/maps/tiny/coverage", headers=PAGE).status_code == 200
    assert client.get("/areas/tiny/point", params={"lon": 102, "lat": 25}).status_code == 200
    me = client.get("/login?lang=en", headers=PAGE).text
    assert "王&lt;b&gt;工" in me
    assert "reviewer" in me


def test_no_write_without_the_token(root: Path, written: tuple[str, str]) -> None:
    client = browser(root)
    token = csrf_token(log_in(client, written[1]))
    assert client.cookies["lifecircle-csrf"] == token
    for headers in (
        {}, {"x-csrf-token": ""}, {"x-csrf-token": token[:-1] + "0" * (token[-1] != "0") + "1"},
        {"x-csrf-token": token, "origin": "http://evil.example"},
        {"x-csrf-token": token, "sec-fetch-site": "cross-site"},
        {"x-csrf-token": token, "origin": "null"},
    ):  # fmt: skip
        refused = client.post("/areas/tiny/what-if", json=BODY, headers=headers)
        assert (refused.status_code, refused.json()["key"]) == (403, "csrf_missing"), headers
    sent = {"x-csrf-token": token, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}
    assert client.post("/areas/tiny/what-if", json=BODY, headers=sent).status_code == 200
    key = {"x-api-key": written[1]}  # a program: no page can make a browser send that
    assert browser(root).post("/areas/tiny/what-if", json=BODY, headers=key).status_code == 200


def test_a_form_carries_the_token_as_its_first_field(root: Path) -> None:
    _, planner = add_key(open_database(root), "p", "planner", None, "test")
    client = browser(root)
    token = csrf_token(log_in(client, planner))
    shown = client.get("/check", headers=PAGE).text
    assert f'name="csrf_token" value="{token}"' in shown
    file = {"file": ("a.csv", b"name,lon,lat\n" + b"x,102,25\n" * 9, "text/csv")}
    told = {"kind": "facilities", "datum": "wgs84"}
    answer = client.post("/check", files=file, data=told)
    assert answer.json()["key"] == "csrf_missing"
    answer = client.post("/check", files=file, data={"csrf_token": "0" * 64, **told})
    assert answer.json()["key"] == "csrf_missing"
    answer = client.post("/check", files=file, data={"csrf_token": token, **told})
    assert answer.status_code == 200, answer.text
    assert answer.json()["file"] == "a.csv"  # the body came through whole


def test_a_session_ends_with_its_key(root: Path) -> None:
    engine = open_database(root)
    made, key = add_key(engine, "a", "viewer", None, "test")
    client = browser(root)
    token = log_in(client, key)
    assert client.get("/areas").status_code == 200
    revoke_key(engine, made.id, "test")
    assert client.get("/areas").json()["key"] == "key_missing"
    replayed = {"cookie": f"lifecircle={token}", "x-csrf-token": csrf_token(token)}
    assert browser(root).get("/areas", headers=replayed).status_code == 401
    assert browser(root).post("/areas/tiny/what-if", json=BODY, headers=replayed).status_code == 401
    assert client.post("/login", data={"key": key}).status_code == 401


def test_a_session_ends_by_itself(
    root: Path, written: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(root, session_hours=1)
    log_in(client, written[1])
    later = now_utc() + timedelta(hours=1)
    monkeypatch.setattr("lifecircle.service.database.sessions.now_utc", lambda: later)
    assert client.get("/areas").status_code == 401
    engine = open_database(root)
    assert open_session(engine, written[1], 1) is not None  # which sweeps what is over
    with Session(engine) as session:
        rows = list(session.scalars(select(SessionRow)))
    assert all(row.expires > later for row in rows)


def test_logging_out(root: Path, written: tuple[str, str]) -> None:
    client = browser(root)
    token = log_in(client, written[1])
    assert client.post("/logout").status_code == 403
    assert client.get("/logout").status_code == 405
    shown = client.get("/login", headers=PAGE).text
    field = re.search(r'name="csrf_token" value="(\w+)"', shown)
    assert field is not None
    done = client.post("/logout", data={"csrf_token": field[1]})
    assert done.status_code == 303
    assert done.headers["clear-site-data"] == '"cache"'
    assert "lifecircle" not in client.cookies
    assert browser(root).get("/areas", headers={"cookie": f"lifecircle={token}"}).status_code == 401


def test_a_session_is_always_a_new_one(root: Path, written: tuple[str, str]) -> None:
    """Fixation: what an attacker put into the browser before is never taken up."""
    client = browser(root)
    planted = "a" * 43
    client.cookies.set("lifecircle", planted, domain=HOST)
    first = log_in(browser(root), written[1])
    assert first != planted
    again = browser(root).post(
        "/login", data={"key": written[1]}, headers={"cookie": f"lifecircle={first}"}
    )
    assert again.status_code == 303
    assert first not in again.headers["set-cookie"]
    for old in (planted, first):
        held = {"cookie": f"lifecircle={old}"}
        assert browser(root).get("/areas", headers=held).status_code == 401


@pytest.mark.parametrize(
    "cookie",
    ["lifecircle=", "lifecircle=x", "lifecircle=" + "é" * 43, "lifecircle=' or 1=1 --",
     "lifecircle=" + "a" * 10_000, "lifecircle", ";;=;lifecircle=\x01", "lifecircle=\ud800"],
)  # fmt: skip
def test_cookies_that_open_nothing(root: Path, written: tuple[str, str], cookie: str) -> None:
    sent = {"cookie": cookie.encode("utf-8", "surrogatepass")}
    assert browser(root).get("/areas", headers=sent).status_code == 401


def test_another_site_logs_nobody_in(root: Path, written: tuple[str, str]) -> None:
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused = browser(root).post("/login", data={"key": written[1]}, headers=headers)
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)",
     "/\t/evil", "/a\r\nset-cookie: x=y", "", "evil", "/\\/x", "/" + "a" * 9_000, "/<script>é"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(root: Path, written: tuple[str, str], onward: str) -> None:
    answer = browser(root).post("/login", data={"key": written[1], "next": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'value="/"' in browser(root).get("/login", params={"next": onward}).text


def test_behind_tls_the_cookie_is_of_this_host_alone(root: Path, written: tuple[str, str]) -> None:
    base = "https://gis.example.cn"
    told = {"behind_proxy": True, "allowed_hosts": ("gis.example.cn",), "base_url": base}
    client = browser(root, base, **told)
    answer = client.post(
        "/login", data={"key": written[1]}, headers={"origin": base, "x-forwarded-proto": "https"}
    )
    assert answer.status_code == 303
    session, token = answer.headers.get_list("set-cookie")
    assert session.startswith("__Host-lifecircle=")
    assert all(part in session for part in ("; Secure", "; HttpOnly", "; Path=/"))
    assert "Domain" not in session
    assert "Secure" in token
    assert client.get("/areas").status_code == 200
    value = client.cookies["__Host-lifecircle"]
    plain = {"cookie": f"lifecircle={value}"}  # a page without TLS could have set that
    assert browser(root, base, **told).get("/areas", headers=plain).status_code == 401


def test_bad_forms(root: Path) -> None:
    client = browser(root)
    assert client.post("/login").status_code == 401
    assert client.post("/login", data={str(k): "x" for k in range(50)}).status_code == 400
    assert client.post("/login", data={"key": "x" * 900_000}).status_code in (400, 401)
    assert client.post("/login", data={"key": "x" * 3_000_000}).status_code == 413
    sent = client.post("/login", files={"key": ("k", b"x")})
    assert sent.status_code == 400


def test_sessions_and_their_tokens_stand_nowhere(root: Path, written: tuple[str, str]) -> None:
    client = browser(root)
    log_in(client, written[1])
    token = log_in(client, written[1])  # which ends the one before
    for file in root.rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes()
    with Session(open_database(root)) as session:
        actions = set(session.scalars(select(AuditRow.action)))
    assert {"session.open", "session.end"} <= actions


def test_without_a_key_nothing_is_opened(tmp_path: Path) -> None:
    client = browser(tmp_path, public_read=True)
    assert client.get("/login").status_code == 200
    assert client.post("/login", data={"key": "lc_x"}).status_code == 401
    assert not (tmp_path / ".service").exists()


# ---- a disk that is full or read-only, a database that is broken ---------------------------


@pytest.mark.parametrize(
    ("setting", "said"),
    [("query_only=ON", "readonly"), ("max_page_count=1", "full")],
)
def test_a_writer_is_told_and_readers_read_on(tmp_path: Path, setting: str, said: str) -> None:
    tiny_run(tmp_path)
    _, key = add_key(open_database(tmp_path), "a" * 200, "reviewer", None, "test")
    client = browser(tmp_path)
    engine = client.app.state.database.engine()  # type: ignore[attr-defined]
    event.listen(engine, "checkout", lambda line, *_: line.execute(f"PRAGMA {setting}"))
    headers = {"x-api-key": key}
    for _ in range(60):  # until what is left of the last page is used up
        refused = client.post("/login?lang=en", data={"key": key})
        if refused.status_code == 503:
            break
    assert refused.status_code == 503
    assert refused.json()["key"] == "database_unreachable"
    assert said in refused.json()["detail"]
    assert "set-cookie" not in refused.headers
    assert client.get("/areas/tiny/coverage", headers=headers).status_code == 200
    with Session(engine) as session:
        done = list(session.scalars(select(AuditRow.action)))
        opened = done.count("session.open") - done.count("session.end")
        assert len(list(session.scalars(select(SessionRow.id)))) == opened  # nothing half


def test_a_broken_database_is_no_defect_of_the_service(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    (tmp_path / ".service").mkdir()
    (tmp_path / ".service" / "lifecircle.sqlite3").write_bytes(b"?" * 5_000)
    for headers in ({"x-api-key": "lc_" + "0" * 12 + "_" + "a" * 43},
                    {"cookie": "lifecircle=" + "a" * 43}):  # fmt: skip
        told = browser(tmp_path).get("/areas", headers=headers)
        assert (told.status_code, told.json()["key"]) == (503, "database_unreachable")
    near = TestClient(
        create_app(Settings(workspace=tmp_path)), base_url=f"http://{HOST}", client=(HOST, 1)
    )
    assert near.get("/areas/tiny/coverage").status_code == 200

"""Logging in with an account of an issuer: what opens a session, and everything that must not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from anyio import to_thread
from joserfc.jwk import ECKey
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from lifecircle.service import serving
from lifecircle.service.apart.children import clean_environment
from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import ROLES, list_keys, revoke_key
from lifecircle.service.database.sessions import csrf_token
from lifecircle.service.database.tables import AuditRow, KeyRow
from lifecircle.service.edge import keys as gate
from lifecircle.service.errors import SettingError
from lifecircle.service.outside import accounts
from lifecircle.service.serving import settings_of, told_to_workers
from lifecircle.service.settings import Settings, check_exposure, settings_from
from tests.http.serving.issuer import CLIENT, PEOPLE, SECRET, Issuer, issuing

AWAY = ("10.0.0.9", 1)
HOST = "https://gis.example.cn"
PAGE = {"accept": "text/html"}
ASKED = {"service": "pharmacy"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FRESH_S", 0.0)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture(autouse=True)
def as_it_was(issuer: Issuer) -> Iterator[None]:
    yield
    issuer.people, issuer.signing, issuer.metadata = dict(PEOPLE), issuer.key, {}
    issuer.change = lambda header, claims: None


def told(issuer: Issuer, **settings: Any) -> dict[str, Any]:
    return {
        "base_url": HOST,
        "oidc_issuer": issuer.address,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles": ("gis-planners=planner", "gis-readers=viewer"),
        **settings,
    }


def browser(root: Path, issuer: Issuer, **settings: Any) -> TestClient:
    app = create_app(Settings(workspace=root, **told(issuer, **settings)))
    return TestClient(app, base_url=HOST, client=AWAY, follow_redirects=False)


def back(client: TestClient, issuer: Issuer, onward: str = "/areas/tiny") -> str:
    """Where the issuer sends a browser that began at the login page and logged in there."""
    shown = client.get("/login", params={"next": onward, "lang": "en"}, headers=PAGE)
    assert ('href="/login/oidc?next=' in shown.text) != ("You are logged in" in shown.text)
    sent = client.get("/login/oidc", params={"next": onward})
    assert sent.status_code == 303
    return issuer.log_in(sent.headers["location"])


def refused(client: TestClient, address: str, status: int, says: str) -> None:
    answer = client.get(address + "&lang=en", headers=PAGE)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert not any(one.startswith("__Host-lifecircle=") for one in cookies(answer))
    assert client.get("/areas/tiny/coverage", params=ASKED).status_code == 401


def cookies(answer: Any) -> list[str]:
    found: list[str] = answer.headers.get_list("set-cookie")
    return found


def test_an_account_opens_a_session_with_its_role(root: Path, issuer: Issuer) -> None:
    client = browser(root, issuer)
    assert client.get("/areas/tiny/coverage", params=ASKED).status_code == 401
    sent = client.get("/login/oidc?next=/areas/tiny%3Fminutes%3D10")
    (kept,) = cookies(sent)
    assert kept.startswith("__Host-lifecircle-oidc=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=600"):
        assert word in kept
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{HOST}/login/oidc/callback"]
    assert asked["scope"] == ["openid profile"]
    seed = kept.partition("=")[2].partition(".")[0]
    assert seed not in sent.headers["location"]
    answer = client.get(issuer.log_in(sent.headers["location"]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/areas/tiny?minutes=10")
    held = client.cookies["__Host-lifecircle"]
    assert client.cookies["lifecircle-csrf"] == csrf_token(held)
    assert "__Host-lifecircle-oidc" not in client.cookies
    assert client.get("/areas/tiny/coverage", params=ASKED).status_code == 200
    shown = client.get("/login?lang=en", headers=PAGE).text
    assert "王工" in shown
    assert "planner" in shown
    assert client.delete("/uploads/0123456789ab").status_code == 403  # without the token
    token = {"x-csrf-token": csrf_token(held)}
    assert client.delete("/uploads/0123456789ab", headers=token).status_code == 404
    with Session(open_database(root)) as session:
        actions = [row.action for row in session.scalars(select(AuditRow))]
        (row,) = session.scalars(select(KeyRow))
        assert actions[-2:] == ["key.add", "session.open"]
        assert (row.name, row.role) == ("王工", "planner")
        assert row.expires is not None


def test_a_session_of_before_is_never_taken_up(root: Path, issuer: Issuer) -> None:
    client = browser(root, issuer)
    assert client.get(back(client, issuer)).status_code == 303
    first = client.cookies["__Host-lifecircle"]
    issuer.people["groups"] = ["gis-readers", "others"]
    assert client.get(back(client, issuer)).status_code == 303
    second = client.cookies["__Host-lifecircle"]
    assert first != second
    client.cookies.set("__Host-lifecircle", first)
    again = TestClient(client.app, base_url=HOST, client=AWAY, follow_redirects=False)
    again.cookies.set("__Host-lifecircle", first)
    assert again.get("/areas/tiny/coverage", params=ASKED).status_code == 401
    (row,) = [one for one in list_keys(open_database(root)) if one.id.startswith("oidc")]
    assert row.role == "viewer"  # one account, as the issuer says it now


@pytest.mark.parametrize(
    "wrong",
    ["nonce", "no nonce", "audience", "two audiences", "expired", "early", "issuer", "none",
     "secret", "another key", "no subject", "no iat"],
)  # fmt: skip
def test_a_token_that_is_wrong_opens_nothing(root: Path, issuer: Issuer, wrong: str) -> None:
    def change(header: dict[str, Any], claims: dict[str, Any]) -> None:
        now = int(time.time())
        bent: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "0" * 64}, "no nonce": {"nonce": None},
            "audience": {"aud": "another"}, "two audiences": {"aud": [CLIENT, "x"], "azp": "x"},
            "expired": {"exp": now - 3_600, "iat": now - 7_200},
            "early": {"nbf": now + 3_600}, "issuer": {"iss": "https://evil.example"},
            "no subject": {"sub": ""}, "no iat": {"iat": None},
        }  # fmt: skip
        claims.update(bent.get(wrong, {}))
        for name in [name for name, value in claims.items() if value is None]:
            del claims[name]
        header["alg"] = {"none": "none", "secret": "HS256"}.get(wrong, "ES256")

    if wrong == "another key":
        issuer.signing = ECKey.generate_key("P-256", {"kid": "k1"})
    issuer.change = change
    client = browser(root, issuer)
    refused(client, back(client, issuer), 502, "no answer that can be trusted")


def test_an_answer_to_nothing_that_was_begun_opens_nothing(root: Path, issuer: Issuer) -> None:
    client = browser(root, issuer)
    address = back(client, issuer)
    other = browser(root, issuer)
    refused(other, address, 401, "another browser or tab")  # login CSRF: a stranger's code
    back(other, issuer)
    refused(other, address, 401, "another browser or tab")
    refused(client, address.replace("state=", "state=x"), 401, "another browser or tab")
    refused(client, address, 401, "another browser or tab")  # its cookie went with that
    for extra, status, says in (
        ("&error=access_denied%3Cb%3E", 401, "access_denied&lt;b&gt;"),
        ("&iss=https%3A%2F%2Fevil.example", 502, "no answer"),
    ):
        refused(client, back(client, issuer) + extra, status, says)
    address = back(client, issuer).replace("code=code", "code=stolen")
    refused(client, address, 502, "no answer")
    assert client.get(back(client, issuer)).status_code == 303


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil", "/a b"])
def test_it_leads_on_nowhere_else(root: Path, issuer: Issuer, onward: str) -> None:
    client = browser(root, issuer)
    sent = client.get("/login/oidc", params={"next": onward})
    answer = client.get(issuer.log_in(sent.headers["location"]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_who_has_no_role_or_was_revoked_stays_out(root: Path, issuer: Issuer) -> None:
    client = browser(root, issuer)
    issuer.people = {"sub": "u-99", "name": "<b>李</b>", "groups": ["others", "*"]}
    refused(client, back(client, issuer), 403, "&lt;b&gt;李&lt;/b&gt; has no role here")
    everyone = browser(root, issuer, oidc_roles=("gis-planners=planner", "*=viewer"))
    assert everyone.get(back(everyone, issuer)).status_code == 303
    assert everyone.get("/areas/tiny/coverage", params=ASKED).status_code == 200
    engine = open_database(root)
    (held,) = [one for one in list_keys(engine) if one.name == "<b>李</b>"]
    assert held.role == "viewer"
    revoke_key(engine, held.id, "test")
    assert everyone.get("/areas/tiny/coverage", params=ASKED).status_code == 401
    refused(everyone, back(everyone, issuer), 403, "was revoked here")


@pytest.mark.parametrize(
    ("claims", "claim", "role"),
    [
        ({"realm_access": {"roles": ["a", "gis-planners"]}}, "realm_access.roles", "planner"),
        ({"https://x/roles": "gis-readers"}, "https://x/roles", "viewer"),
        ({"roles": ["gis-readers", 3, "gis-planners"]}, "roles", "planner"),
        ({"realm_access": "gis-planners"}, "realm_access.roles", None),
    ],
)
def test_roles_follow_from_a_claim(
    root: Path, issuer: Issuer, claims: dict[str, Any], claim: str, role: str | None
) -> None:
    named = f"{claim}-{role}"
    issuer.people = {"sub": named, "email": named, **claims}
    client = browser(root, issuer, oidc_role_claim=claim)
    assert client.get(back(client, issuer)).status_code == (303 if role else 403)
    found = [one for one in list_keys(open_database(root)) if one.name == named]
    assert [one.role for one in found] == ([role] if role else [])


def test_what_the_issuer_tells_of_itself_is_not_believed_blindly(
    root: Path, issuer: Issuer
) -> None:
    for bent in (
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://gis.example.cn/authorize"},  # beyond here without TLS
        {"authorization_endpoint": "javascript:alert(1)"},
    ):
        issuer.metadata = bent
        answer = browser(root, issuer).get("/login/oidc?lang=en", headers=PAGE)
        assert (answer.status_code, "no answer that can be trusted" in answer.text) == (502, True)
    gone = browser(root, issuer, oidc_issuer="http://127.0.0.1:9/")
    assert gone.get("/login/oidc", headers=PAGE).status_code == 502


def test_new_keys_of_the_issuer_are_asked_for(
    root: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(root, issuer)
    assert client.get(back(client, issuer)).status_code == 303
    known = issuer.key
    issuer.key = issuer.signing = ECKey.generate_key("P-256", {"kid": "k2", "alg": "ES256"})
    issuer.change = lambda header, claims: header.update(kid="k2")
    try:
        issuer.asked.clear()
        assert client.get(back(client, issuer)).status_code == 303  # however late the keys came
        assert issuer.asked.count("/keys") == 1
        issuer.change = lambda header, claims: header.update(kid="k3")
        for _ in range(3):
            assert client.get(back(client, issuer)).status_code == 502
        assert issuer.asked.count("/keys") == 1  # a key nobody knows: no flood of requests
        issuer.key = issuer.signing = ECKey.generate_key("P-256", {"kid": "k3", "alg": "ES256"})
        monkeypatch.setattr(accounts, "ASKED_AGAIN_S", 0.0)
        assert client.get(back(client, issuer)).status_code == 303
    finally:
        issuer.key = known


def test_an_issuer_that_is_down_takes_few_threads(
    root: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, goes = create_app(Settings(workspace=root, **told(issuer))), threading.Event()
    monkeypatch.setattr(app.state.accounts, "begin", lambda: goes.wait(20) and ("/", "seed"))

    scope = {
        "type": "http", "method": "GET", "path": "/login/oidc", "query_string": b"",
        "scheme": "https", "server": ("city.example", 443), "client": AWAY,
        "headers": [(b"host", HOST.partition("//")[2].encode())],
    }  # fmt: skip

    async def story() -> None:
        said: list[Any] = []

        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            said.append(message.get("status"))

        asking = [asyncio.create_task(app(dict(scope), receive, send)) for _ in range(50)]
        while app.state.accounts.at_once.statistics().tasks_waiting < 40:
            await asyncio.sleep(0.01)
        assert to_thread.current_default_thread_limiter().borrowed_tokens == 0
        goes.set()
        await asyncio.gather(*asking)
        assert said.count(303) == len(asking)

    asyncio.run(story())


def test_off_unless_configured(root: Path, issuer: Issuer) -> None:
    plain = TestClient(
        create_app(Settings(workspace=root)), base_url="http://127.0.0.1", client=AWAY
    )
    assert "/login/oidc" not in plain.get("/login", headers=PAGE).text
    for path in ("/login/oidc", "/login/oidc/callback?code=x&state=y"):
        assert plain.get(path).status_code == 404
    given = told(issuer)
    for missing in ("base_url", "oidc_client_id", "oidc_roles"):
        lacking = {name: value for name, value in given.items() if name != missing}
        with pytest.raises(SettingError, match=missing):
            accounts.accounts_of(Settings(**lacking))
    with pytest.raises(SettingError, match="TLS"):
        accounts.accounts_of(Settings(**{**given, "oidc_issuer": "http://id.example.cn"}))


def test_settings_come_from_variables_and_hide_the_secret(issuer: Issuer) -> None:
    named = {f"LIFECIRCLE_{name.upper()}": value for name, value in told(issuer).items()}
    named["LIFECIRCLE_OIDC_ROLES"] = "gis-planners=planner, *=viewer"
    found = settings_from(named)
    assert found.oidc_roles == ("gis-planners=planner", "*=viewer")
    assert SECRET not in repr(found)
    assert settings_of(told_to_workers(found)) == found
    named["LIFECIRCLE_OIDC_ROLES"] = "gis-planners=king"
    with pytest.raises(SettingError, match="oidc_roles") as fault:
        settings_from(named)
    assert SECRET not in fault.value.text("en")
    assert accounts.ROLES == ROLES
    check_exposure(Settings(host="0.0.0.0"), keys=accounts.accounts_of(found) is not None)


def test_a_job_is_told_no_secret() -> None:
    database = "postgresql://u:pass@h/d"
    settings = Settings(database=database, oidc_client_secret=SecretStr(SECRET))
    told = {
        serving._SERVED: told_to_workers(settings), "LIFECIRCLE_DATABASE": database,
        "LIFECIRCLE_OIDC_CLIENT_SECRET": SECRET, "PATH": "/bin",
    }  # fmt: skip
    assert clean_environment(told) == {"PATH": "/bin"}


def test_an_issuer_that_tells_its_name_has_to(root: Path, issuer: Issuer) -> None:
    issuer.metadata = {"authorization_response_iss_parameter_supported": True}
    client = browser(root, issuer)
    refused(client, back(client, issuer), 502, "can be trusted")
    address = back(client, issuer)
    assert client.get(f"{address}&iss={issuer.address}").status_code == 303


def test_a_session_at_the_issuer_can_be_ended_too(root: Path, issuer: Issuer) -> None:
    silent = browser(root, issuer)
    assert silent.get("/login/oidc/end").status_code == 502
    issuer.metadata = {"end_session_endpoint": f"{issuer.address}/end?tenant=1"}
    client = browser(root, issuer)
    assert "/login/oidc/end" not in client.get("/login", headers=PAGE).text  # not heard yet
    sent = client.get("/login/oidc/end")
    assert sent.headers["location"] == (
        f"{issuer.address}/end?tenant=1&client_id={CLIENT}"
        "&post_logout_redirect_uri=https%3A%2F%2Fgis.example.cn%2Flogin"
    )
    assert "/login/oidc/end" in client.get("/login", headers=PAGE).text
    issuer.metadata = {"end_session_endpoint": "http://elsewhere.example/end"}
    assert browser(root, issuer).get("/login/oidc/end").status_code == 502  # without TLS

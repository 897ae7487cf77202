"""``python -m benchmarks.trials.hostile``: what a served workspace answers to whoever means ill.

Two workers behind a proxy serve a drawn city. Tried are a name of somebody else's for this
machine (DNS rebinding), writes that another page sends (CSRF), a session given to a victim
(fixation), a key after its revoking, more questions than a key may ask, heads that never end,
SQL and CQL in every parameter, names that lead out of the inbox, and what `hostile_wire` has. One
line each: what was tried, what it got, whether that holds. Limits of the jail (memory, time, files)
are tried by ``tests/http/serving/test_jail.py``.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.trials.hostile_wire import WIRE
from benchmarks.trials.serving import UNLIMITED, serve_workspace
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key, revoke_key
from tests.worlds.tiny import tiny_run

A_MINUTE, ASKED, SLOW, HEAD_S, GONE_S = 300, 500, 200, 20, 1.5
ASKED_S = 120  # an upload may be read for 60 s, and has to wait for its turn
TEXTS = (
    "' OR 1=1 --", "'; DROP TABLE keys; --", "1) OR (1=1", "residents > 0) OR (1=1",
    "id = 'x' UNION SELECT * FROM keys", "%27%20OR%20%271%27=%271", '{"op":"or","args":[1,"x"]}',
    "residents = (SELECT 1)", "pg_sleep(9)", "\x00", "${jndi:ldap://x}", "{{7*7}}", "<script>",
    "../../etc/passwd", "NOT " * 900 + "snapped", "(" * 3_000,
)  # fmt: skip
OUT = ("../../evil", "..%2F..%2Fevil", "/etc/cron.d/evil", "..\\..\\evil", "a/../../evil",
       "\x00evil",
       "....//evil", "%252e%252e%252fevil")  # fmt: skip
Told = tuple[str, str, bool]


@dataclass(frozen=True)
class Place:
    """Where the service is, its workspace, and a planner's key."""

    host: str
    port: int
    root: Path
    key: str

    def ask(
        self, path: str, method: str = "GET", body: str | bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        line = http.client.HTTPConnection(self.host, self.port, timeout=ASKED_S)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            line.request(method, path, body, sent)
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            line.close()

    def log_in(self, **headers: str) -> tuple[str, str]:
        """Cookies of a new session, and its token."""
        form = urlencode({"key": self.key})
        line = http.client.HTTPConnection(self.host, self.port, timeout=ASKED_S)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", "/login", form, {**kind, **headers})
        answer = line.getresponse()
        cookies = dict(
            one.partition(";")[0].split("=", 1) for one in answer.headers.get_all("set-cookie", [])
        )
        line.close()
        return cookies.get("lifecircle", ""), cookies.get("lifecircle-csrf", "")


def rebinding(at: Place) -> Iterator[Told]:
    for name in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example"):
        status = at.ask("/areas", Host=name, X_API_Key=at.key)[0]
        yield f"DNS rebinding: Host: {name}", str(status), status in (400, 403)
    status = at.ask("/areas", X_Forwarded_For="127.0.0.1", X_Forwarded_Host="localhost")[0]
    yield "says of itself that it is this machine (X-Forwarded-For)", str(status), status == 401


def forgery(at: Place) -> Iterator[Told]:
    session, token = at.log_in()
    cookie = f"lifecircle={session}"
    path, body = "/areas/tiny/scenarios", b'{"title": "t", "edits": []}'
    kind = "application/json"
    for what, headers, wanted in (
        ("no token", {}, {403}),
        ("a wrong token", {"X_CSRF_Token": "0" * 64}, {403}),
        ("the token, from another site", {"X_CSRF_Token": token, "Origin": "http://evil.example"},
         {403}),
        ("the token, from our page", {"X_CSRF_Token": token}, {201, 400}),
    ):  # fmt: skip
        status = at.ask(path, "POST", body, Cookie=cookie, Content_Type=kind, **headers)[0]
        yield f"CSRF: a write with a cookie and {what}", str(status), status in wanted


def fixation(at: Place) -> Iterator[Told]:
    given = "A" * 43
    session, _ = at.log_in(Cookie=f"lifecircle={given}")
    old = at.ask("/areas", Cookie=f"lifecircle={given}")[0]
    new = at.ask("/areas", Cookie=f"lifecircle={session}")[0]
    fine = session not in ("", given) and (old, new) == (401, 200)
    yield "session fixation: logged in with a session of the attacker's", f"{old}, new {new}", fine


def replay(at: Place) -> Iterator[Told]:
    engine = open_database(at.root)
    made, written = add_key(engine, "short", "viewer", None, "hostile")
    for _ in range(20):
        at.ask("/areas", X_API_Key=written)
    revoke_key(engine, made.id, "hostile")
    begun, last = time.monotonic(), 0.0
    while time.monotonic() - begun < 2 * GONE_S:
        if at.ask("/areas", X_API_Key=written)[0] == 200:
            last = time.monotonic() - begun
    yield (
        "a key asked again after its revoking, both workers",
        f"200 for {last:.1f} s",
        last < GONE_S,
    )


def flood(at: Place) -> Iterator[Told]:
    engine = open_database(at.root)
    _, written = add_key(engine, "flood", "viewer", None, "hostile")

    def one(_: int) -> tuple[int, bool]:
        status, headers, _ = at.ask("/areas", X_API_Key=written)
        return status, "retry-after" in {name.lower() for name in headers}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(ASKED)))
    counts = Counter(status for status, _ in found)
    fine = 0 < counts[200] <= A_MINUTE and all(waits for status, waits in found if status == 429)
    yield f"{ASKED} questions of one key that may ask {A_MINUTE} a minute", str(dict(counts)), fine


def slowloris(at: Place) -> Iterator[Told]:
    lines = [socket.create_connection((at.host, at.port)) for _ in range(SLOW)]
    for line in lines:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    worst, ended, begun = 0.0, 0, time.monotonic()
    while time.monotonic() - begun < HEAD_S + 15 and lines:
        asked = time.monotonic()
        at.ask("/healthz")
        worst = max(worst, time.monotonic() - asked)
        for line in list(lines):
            try:
                line.sendall(b"X: a\r\n")
                line.setblocking(False)
                gone = line.recv(1_000) is not None
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            line.setblocking(True)
            if gone:
                lines.remove(line)
                ended += 1
        time.sleep(0.5)
    took = time.monotonic() - begun
    said = f"{ended} ended after {took:.0f} s; others waited {worst:.2f} s at most"
    yield f"{SLOW} heads that never end (slowloris)", said, ended == SLOW and worst < 5


def injection(at: Place) -> Iterator[Told]:
    counts: Counter[int] = Counter()
    leaks = 0
    items = "/collections/tiny.cells/items"
    for text in TEXTS:
        said = quote(text, safe="")
        for path in (
            f"{items}?filter={said}", f"{items}?filter-lang=cql2-json&filter={said}",
            f"{items}?sortby={said}", f"{items}?properties={said}", f"{items}?unit_code={said}",
            f"{items}/{said}", f"/areas/tiny/search?q={said}",
            f"/areas/tiny/coverage?service={said}",
            f"/areas/{said}", f"/areas/tiny/scenarios/{said}", f"/areas/tiny/reviews/{said}",
            f"/jobs/{said}", f"/uploads/{said}",
        ):  # fmt: skip
            status, _, body = at.ask(path, X_API_Key=at.key)
            counts[status] += 1
            leaks += status == 200 and b'"numberMatched":10' in body
        counts[
            at.ask("/areas", X_API_Key=text.encode("ascii", "replace").decode().strip("\x00"))[0]
        ] += 1
    fine = not leaks and all(status < 500 for status in counts)
    tried = sum(counts.values())
    yield (
        f"SQL and CQL in {tried} parameters, paths and keys",
        f"{dict(counts)}, {leaks} leaks",
        fine,
    )


def traversal(at: Place) -> Iterator[Told]:
    before = set(at.root.parent.rglob("*evil*"))
    statuses: Counter[int] = Counter()
    for name in OUT:
        path = f"/uploads?name={quote(name, safe='%')}.csv"
        statuses[at.ask(path, "POST", b"lon,lat\n1,2\n", X_API_Key=at.key)[0]] += 1
    for name in OUT:
        said = quote(name, safe="%")
        for path in (
            f"/static/{said}",
            f"/areas/{said}",
            f"/maps/{said}/coverage",
            f"/jobs/{said}",
        ):
            statuses[at.ask(path, X_API_Key=at.key)[0]] += 1
    found = set(at.root.parent.rglob("*evil*")) - before
    outside = [one for one in found if ".service" not in one.parts]
    outside += [one for one in (Path("/etc/cron.d/evil.csv"), Path("/evil.csv")) if one.exists()]
    fine = not outside and all(status < 500 for status in statuses)
    yield f"{sum(statuses.values())} names that lead out", f"{dict(statuses)}, {outside}", fine


ATTACKS = (rebinding, forgery, fixation, replay, flood, slowloris, traversal, injection, *WIRE)


def main() -> int:
    """Try all; 1 where something does not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trials.hostile", description=__doc__
    )
    parser.add_argument("only", nargs="*", help=", ".join(one.__name__ for one in ATTACKS))
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "w"
        tiny_run(root)
        engine = open_database(root)
        _, key = add_key(engine, "planner", "planner", None, "hostile")
        UNLIMITED["LIFECIRCLE_REQUESTS_PER_MINUTE"] = str(A_MINUTE)
        os.environ["LIFECIRCLE_BEHIND_PROXY"] = "1"
        wrong = 0
        with serve_workspace(root, 2) as served:
            parts = urlsplit(served.base)
            for attack in [one for one in ATTACKS if not only or one.__name__ in only]:
                _, key = add_key(engine, attack.__name__, "planner", None, "hostile")
                at = Place(str(parts.hostname), int(parts.port or 0), root, key)
                for what, got, fine in attack(at):
                    wrong += not fine
                    print(f"{'holds' if fine else 'WRONG'}  {what}: {got}", flush=True)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The nginx example, really started: TLS, login, a page, and whose host it passes on."""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from tests.pages.served import free_port, running
from tests.worlds.tiny import tiny_run

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "serving" / "nginx.conf"
NGINX, OPENSSL = (shutil.which(one, path="/usr/sbin:/usr/bin") for one in ("nginx", "openssl"))
HOST = "gis.example.cn"
AROUND = """daemon off; pid {folder}/pid; error_log stderr error;
events {{}}
http {{
access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{example}
}}"""
pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(not (NGINX and OPENSSL), reason="no nginx or openssl on this machine"),
]


@contextmanager
def nginx(folder: Path, service: str) -> Iterator[tuple[int, int]]:
    """The ports without and with TLS of nginx as the example has it, before a service."""
    assert NGINX
    assert OPENSSL
    key, certificate = folder / "key", folder / "pem"
    subprocess.run(
        [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}"],
        check=True, capture_output=True,
    )  # fmt: skip
    plain, sealed = free_port(), free_port()
    example = EXAMPLE.read_text("utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{sealed} ssl"),
        ("/etc/ssl/gis.example.cn.pem", str(certificate)),
        ("/etc/ssl/gis.example.cn.key", str(key)),
        ("http://127.0.0.1:8000", service),
    ):
        assert old in example
        example = example.replace(old, new)
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, example=example), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-c", config], stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 10
        while not (folder / "pid").is_file() or not (folder / "pid").read_text():
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield plain, sealed
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_people_log_in_through_the_proxy(tmp_path: Path) -> None:
    tiny_run(tmp_path / "w")
    _, key = add_key(open_database(tmp_path / "w"), "王工", "viewer", None, "test")
    (tmp_path / "n").mkdir()
    with (
        running(tmp_path / "w", behind_proxy=True, base_url=f"https://{HOST}") as service,
        nginx(tmp_path / "n", service) as (plain, sealed),
    ):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "n" / "pem"))
        trusted.check_hostname = False  # the connection goes to this machine, not to that name

        def ask(
            path: str, form: dict[str, str] | None = None, /, **headers: str
        ) -> tuple[http.client.HTTPResponse, str]:
            line = http.client.HTTPSConnection("127.0.0.1", sealed, context=trusted, timeout=30)
            sent = {"Host": HOST, "Accept": "text/html", **headers}
            body = None if form is None else urlencode(form)
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            line.request("GET" if form is None else "POST", path, body, sent)
            answer = line.getresponse()
            said = answer.read().decode()
            line.close()
            return answer, said

        line = http.client.HTTPConnection("127.0.0.1", plain, timeout=30)
        line.request("GET", "/areas?lang=en", headers={"Host": HOST})
        moved = line.getresponse()
        assert (moved.status, moved.headers["location"]) == (301, f"https://{HOST}/areas?lang=en")
        line.close()

        page = "/maps/tiny/coverage?lang=zh"
        away, _ = ask(page)  # nobody behind the proxy counts as this machine
        assert away.status == 303
        entry = urlsplit(away.headers["location"])
        assert entry.path == "/login"
        assert entry.netloc in ("", HOST)
        told, _ = ask("/login", {"key": key, "next": page})
        assert (told.status, told.headers["location"]) == (303, page)
        cookies = told.headers.get_all("set-cookie") or []
        assert all("Secure" in one for one in cookies)
        assert [one.startswith("__Host-") and "HttpOnly" in one for one in cookies] == [True, False]
        held = "; ".join(one.partition(";")[0] for one in cookies)
        shown, said = ask(page, Cookie=held)
        assert shown.status == 200
        assert "<html" in said
        assert shown.headers["strict-transport-security"]
        areas, said = ask("/areas", Cookie=held, Accept="application/json")
        assert areas.status == 200
        hosts = {urlsplit(one).netloc for one in re.findall(r'"(https?://[^"]+)"', said)}
        assert hosts == {HOST}

        for name, status in (("Host", 403), ("X-Forwarded-Host", 200)):
            answer, said = ask("/areas", **{"Cookie": held, name: "evil.example"})
            assert answer.status == status
            assert "evil.example/" not in said
        assert ask("/metrics", Cookie=held)[0].status == 404
        tries = [ask("/login", {"key": "wrong"})[0].status for _ in range(12)]
        assert tries[0] == 401
        assert tries[-1] == 503  # more than ten at once wait a minute

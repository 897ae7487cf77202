"""The examples of nginx and Caddy, really started: TLS, login, pages, whose host is passed on."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from tests.pages.served import free_port, running
from tests.worlds.tiny import tiny_run

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "serving"
NGINX, OPENSSL, CADDY = (
    shutil.which(one, path="/usr/sbin:/usr/bin") for one in ("nginx", "openssl", "caddy")
)
HOST = "gis.example.cn"
AROUND = """daemon off; pid {folder}/pid; error_log stderr error;
events {{}}
http {{
access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{example}
}}"""
pytestmark = pytest.mark.whole


@dataclass(frozen=True)
class Proxy:
    """A proxy that is running: its ports, who signed it, and whether it holds back many logins."""

    plain: int
    sealed: int
    signed_by: Path
    slows_logins: bool


@contextmanager
def nginx(folder: Path, service: str) -> Iterator[Proxy]:
    """nginx as the example has it, before a service."""
    if not (NGINX and OPENSSL):
        pytest.skip("no nginx or openssl on this machine")
    key, certificate = folder / "key", folder / "pem"
    subprocess.run(
        [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}"],
        check=True, capture_output=True,
    )  # fmt: skip
    plain, sealed = free_port(), free_port()
    example = (EXAMPLES / "nginx.conf").read_text("utf-8")
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
        yield Proxy(plain, sealed, certificate, slows_logins=True)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def caddy(folder: Path, service: str) -> Iterator[Proxy]:
    """Caddy as the example has it, with ``tls internal``, before a service."""
    if not CADDY:
        pytest.skip("no caddy on this machine")
    plain, sealed = free_port(), free_port()
    example = (EXAMPLES / "Caddyfile").read_text("utf-8")
    around = (
        f"{{\nadmin off\nskip_install_trust\nhttp_port {plain}\nhttps_port {sealed}\n"
        f"default_bind 127.0.0.1\nstorage file_system {folder}\n}}\n"
    )
    for old, new in (
        (f"{HOST} {{", f"{HOST} {{\n\ttls internal"),
        ("127.0.0.1:8000", service.removeprefix("http://")),
    ):
        assert old in example
        example = example.replace(old, new)
    config = folder / "Caddyfile"
    config.write_text(around + example, encoding="utf-8")
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [CADDY, "run", "--adapter", "caddyfile", "--config", config], stderr=log, cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    signed_by = folder / "pki" / "authorities" / "local" / "root.crt"
    try:
        deadline = time.monotonic() + 60
        while not _greets(sealed, signed_by):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield Proxy(plain, sealed, signed_by, slows_logins=False)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _greets(port: int, signed_by: Path) -> bool:
    """Whether a certificate of HOST is ready on a port."""
    try:
        trusted = ssl.create_default_context(cafile=str(signed_by))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            trusted.wrap_socket(line, server_hostname=HOST).close()
    except (OSError, ssl.SSLError):
        return False
    return True


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_people_log_in_through_the_proxy(
    tmp_path: Path, proxy: Callable[[Path, str], AbstractContextManager[Proxy]]
) -> None:
    tiny_run(tmp_path / "w")
    _, key = add_key(open_database(tmp_path / "w"), "王工", "viewer", None, "test")
    (tmp_path / "n").mkdir()
    with (
        running(tmp_path / "w", behind_proxy=True, base_url=f"https://{HOST}") as service,
        proxy(tmp_path / "n", service) as at,
    ):
        trusted = ssl.create_default_context(cafile=str(at.signed_by))

        def ask(
            path: str, form: dict[str, str] | None = None, /, **headers: str
        ) -> tuple[http.client.HTTPResponse, str]:
            line = http.client.HTTPConnection("127.0.0.1", at.sealed, timeout=30)
            line.connect()  # to this machine, by that name
            line.sock = trusted.wrap_socket(line.sock, server_hostname=HOST)
            sent = {"Host": HOST, "Accept": "text/html", **headers}
            body = None if form is None else urlencode(form)
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            line.request("GET" if form is None else "POST", path, body, sent)
            answer = line.getresponse()
            said = answer.read().decode("utf-8", "replace")  # a tile is none
            line.close()
            return answer, said

        line = http.client.HTTPConnection("127.0.0.1", at.plain, timeout=30)
        line.request("GET", "/areas?lang=en", headers={"Host": HOST})
        moved = line.getresponse()
        assert moved.status in (301, 308)
        assert moved.headers["location"] == f"https://{HOST}/areas?lang=en"
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

        tile = "/collections/tiny.cells/tiles/WebMercatorQuad/0/0/0"
        assert ask(tile, Cookie=held)[0].status == 200
        assert ask("/readyz")[0].status == 200
        near = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "Accept": "*/*"}
        assert ask("/areas", **near)[0].status == 401  # nobody says of himself that he is here
        for name in ("Host", "X-Forwarded-Host"):
            answer, said = ask("/areas", **{"Cookie": held, name: "evil.example"})
            assert "evil.example/" not in said
            if name == "Host":  # refused by the service, or by a proxy that has no such site
                assert answer.status == 403 or '"area"' not in said
            else:
                assert answer.status == 200
        assert ask("/metrics", Cookie=held)[0].status == 404
        tries = [ask("/login", {"key": "wrong"})[0].status for _ in range(12)]
        assert tries[0] == 401
        if at.slows_logins:
            assert tries[-1] == 503  # more than ten at once wait a minute

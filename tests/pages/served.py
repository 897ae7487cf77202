"""A service over the drawn city: in this process for HTTP tests, beside it for real clients."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.serving import server_options
from lifecircle.service.settings import Settings
from tests.worlds.tiny import tiny_run

SERVE = """
import json
import sys
from pathlib import Path
import uvicorn
from lifecircle.service.app import create_app
from lifecircle.service.settings import Settings

more = json.loads(sys.argv[3])
settings = Settings(workspace=Path(sys.argv[1]), port=int(sys.argv[2]), **more)
uvicorn.run(create_app(settings), port=settings.port, log_level="warning", ws="none")
"""


def client(root: Path, **settings: object) -> TestClient:
    """A client of a service over the workspace `root` (its lifespan does not run)."""
    told = {"allowed_hosts": ("testserver",), **settings}
    app = create_app(Settings(workspace=root, **{"dear_apart": False, **told}))  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50_000))


def ask(served: TestClient, path: str, **query: Any) -> Any:
    """The answer of a path that must succeed."""
    answer = served.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def answering(root: Path, protocol: type[asyncio.Protocol]) -> Iterator[int]:
    """The port of a service in a thread of this process, by a protocol of the test's own."""
    port = free_port()
    options: dict[str, Any] = {**server_options("text"), "http": protocol, "log_config": None}
    app = create_app(Settings(workspace=root))
    server = uvicorn.Server(uvicorn.Config(app, port=port, **options))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(30)


@contextmanager
def running(root: Path, **settings: object) -> Iterator[str]:
    """The address of a real service in a process of its own, ready to answer."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(root), str(port), json.dumps(settings)],
        cwd=Path(__file__).resolve().parents[2],
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 120
        while not _ready(base):
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
            assert time.monotonic() < deadline, "the service did not get ready"
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.communicate(timeout=120)


def _ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service of the tiny city alone, for one file of tests."""
    root = tmp_path_factory.mktemp("host")
    tiny_run(root)
    with running(root) as base:
        yield base

"""Several workers answer as one; a service that is told to stop waits for no compiler."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.analysis.results.run_files.manifest import read_manifest, write_manifest
from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.settings import Settings
from tests.pages.served import free_port
from tests.worlds.tiny import tiny_run

ROOT = Path(__file__).resolve().parents[3]


def test_nobody_waits_for_a_compiler_at_the_end(root: Path) -> None:
    app = create_app(Settings(workspace=root))
    compiled = threading.Event()
    app.state.warmth.warm = lambda _: compiled.wait(60)
    began = time.monotonic()
    with TestClient(app):
        pass
    took = time.monotonic() - began
    compiled.set()
    assert took < 30  # the machine may be busy; a compiler takes its minute
    assert app.state.warmth.stopped


def ask(base: str, path: str) -> bytes:
    with urllib.request.urlopen(f"{base}{path}", timeout=60) as answer:
        return bytes(answer.read())


def _let_in(base: str, written: str) -> bool:
    """Whether a request with a key is answered, on a connection of its own."""
    asked = urllib.request.Request(f"{base}/areas", headers={"Authorization": f"Bearer {written}"})
    try:
        with urllib.request.urlopen(asked, timeout=60):
            return True
    except urllib.error.HTTPError as refused:
        assert refused.code == 429
        return False


def wait_for(base: str, served: subprocess.Popen[bytes]) -> None:
    """Until somebody answers."""
    deadline = time.monotonic() + 300
    while True:
        assert served.poll() is None
        assert time.monotonic() < deadline
        try:
            ask(base, "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return


def _counted(base: str) -> float:
    """Answers about the area, of both workers."""
    total = 'lifecircle_requests_total{method="GET",route="/areas/*",status="200"} '
    told = ask(base, "/metrics").decode().splitlines()
    return sum(float(one.removeprefix(total)) for one in told if one.startswith(total))


@pytest.mark.skipif(sys.platform == "win32", reason="stops as Unix does")
def test_two_workers_see_a_swap_at_once_and_stop_at_once(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    folders = AreaFolders(tmp_path)
    (first,) = folders.runs("tiny")
    runs = tmp_path / "tiny" / "runs"
    second = f"{first}-2"
    shutil.copytree(runs / first, runs / second)
    manifest = read_manifest(runs / first)
    write_manifest(runs / second, dataclasses.replace(manifest, run=second))
    engine = open_database(tmp_path)
    _, written = add_key(engine, "王工", "viewer", None, "test")
    engine.dispose()
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    program = "import sys; from lifecircle.service.cli import main; sys.exit(main())"
    served = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--workspace", str(tmp_path),
         "--port", str(port), "--workers", "2"],
        cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        env=os.environ | {"LIFECIRCLE_REQUESTS_PER_MINUTE": "20"},
    )  # fmt: skip
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    pointed = [first]  # a run is named here just before it is pointed to
    moved = [first]  # and here just after
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            since = len(moved) - 1  # what was there for sure when it was asked, and all since
            told = json.loads(ask(base, "/areas/tiny"))["run"]
            seen[told] += 1
            if told not in pointed[since:]:
                wrong.append(told)

    try:
        wait_for(base, served)
        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        for k in range(6):
            time.sleep(0.3)
            aside, run = tmp_path / "tiny" / "next", (second, first)[k % 2]
            aside.write_text(run + "\n", "utf-8")
            pointed.append(run)
            aside.replace(tmp_path / "tiny" / "current")
            moved.append(run)
        stop.set()
        for reader in readers:
            reader.join()
        until = time.monotonic() + 20  # an answer is counted when it has been sent
        while _counted(base) != sum(seen.values()):
            assert time.monotonic() < until
            time.sleep(0.1)
        began = time.monotonic()
        let_in = sum(_let_in(base, written) for _ in range(60))
        # by any worker; each alone would let in 20, and one more falls out every three seconds
        assert 20 <= let_in <= 21 + (time.monotonic() - began) / 3
    finally:
        served.send_signal(signal.SIGTERM)
        began = time.monotonic()
        served.wait(60)
    assert time.monotonic() - began < 30
    assert wrong == []
    assert set(seen) == {first, second}

"""What processes beside the service are given, and that none of them outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecircle.service.apart.children import clean_environment, without_settings
from lifecircle.service.apart.jail import Jail, Limits
from lifecircle.service.flights import ReaderLeftError
from tests.pages.served import free_port
from tests.worlds.tiny import tiny_run

HERE = "tests.http.serving.test_children"
ROOT = Path(__file__).resolve().parents[3]
SECRETS = {
    "LIFECIRCLE_OIDC_CLIENT_SECRET": "s3cret-oidc",
    "LIFECIRCLE_DATABASE": "postgresql://u:s3cret-db@h/d",
    "LIFECIRCLE_SERVED": "{}",
    "PGPASSWORD": "s3cret-pg",
    "AWS_SECRET_ACCESS_KEY": "s3cret-aws",
    "GDAL_HTTP_USERPWD": "u:s3cret-gdal",
    "HTTPS_PROXY": "http://u:s3cret-proxy@h",
}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as Linux does")


# ---- what the processes do ---------------------------------------------------------------


def tells(told: bytes) -> bytes:
    """The environment as the system has it, of this process and of the one that made it."""
    own, parent = (Path(f"/proc/{pid}/environ").read_bytes() for pid in (os.getpid(), os.getppid()))
    files = sorted(
        str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()
    )
    here = {**os.environ, "files": files, "proc": (own + parent).decode("utf-8", "replace")}
    return json.dumps(here).encode()


def sleeps(told: bytes) -> bytes:
    Path(told.decode()).write_text(f"{os.getpid()} {os.getppid()}", encoding="utf-8")
    time.sleep(120)
    return b""


JAILED = f"""
import sys, threading
from lifecircle.service.apart.jail import Jail, Limits
print("ready", flush=True)
Jail(Limits(2**32, 60.0, 2**20), 1).run("{HERE}:" + sys.argv[1], sys.argv[2].encode(),
                                         sys.argv[3], threading.Event())
"""
SERVED = f"""
import sys, threading
from pathlib import Path
import uvicorn
from lifecircle.service.app import create_app
from lifecircle.service.serving import server_options
from lifecircle.service.settings import Settings
app = create_app(Settings(workspace=Path(sys.argv[1]), port=int(sys.argv[2])))
@app.get("/slow")
def slow() -> str:
    app.state.jail.run("{HERE}:sleeps", sys.argv[3].encode(), sys.argv[4], threading.Event())
told = server_options("text") | {{"timeout_graceful_shutdown": 1}}
uvicorn.run(app, port=int(sys.argv[2]), **told)
"""


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended but was not waited for does not)."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


def test_a_reader_of_hostile_files_is_told_no_secret(tmp_path: Path) -> None:
    program = f"""
import json, sys, threading
from lifecircle.service.apart.jail import Jail, Limits
told = Jail(Limits(2**32, 60.0, 2**20), 1).run("{HERE}:tells", b"", sys.argv[1], threading.Event())
print(told.decode())
"""
    secret = os.open(tmp_path / "open", os.O_RDWR | os.O_CREAT)
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, env=os.environ | SECRETS, capture_output=True, text=True, check=True,
        pass_fds=(secret,), timeout=120,
    ).stdout  # fmt: skip
    os.close(secret)
    here = json.loads(told)
    assert "s3cret" not in told
    assert not SECRETS.keys() & here.keys()
    assert here["PATH"] == os.environ["PATH"]
    assert str(tmp_path / "open") not in here["files"]


def test_what_a_killed_process_began_ends_with_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    served = subprocess.Popen(
        [sys.executable, "-c", JAILED, "sleeps", str(said), str(tmp_path)], cwd=ROOT
    )
    try:
        until(lambda: said.exists() and said.read_text("utf-8"))
        pids = [int(pid) for pid in said.read_text("utf-8").split()]
        assert all(map(alive, pids))
        served.send_signal(signal.SIGKILL)
        served.wait(10)
        until(lambda: not any(map(alive, pids)), 5)
    finally:
        served.kill()
        served.wait()


def test_a_service_told_to_stop_ends_what_is_under_way_after_its_grace(tmp_path: Path) -> None:
    tiny_run(tmp_path / "workspace")
    said, port = tmp_path / "said", free_port()
    served = subprocess.Popen(
        [sys.executable, "-c", SERVED, str(tmp_path / "workspace"), str(port), str(said),
         str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:

        def ask() -> None:
            while not said.exists() and served.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/slow", timeout=100).close()
                except OSError:
                    time.sleep(0.1)

        threading.Thread(target=ask, daemon=True).start()
        until(lambda: said.exists() and said.read_text("utf-8"), 120)
        pids = [int(pid) for pid in said.read_text("utf-8").split()]
        began = time.monotonic()
        served.terminate()
        served.wait(60)
        assert time.monotonic() - began < 30  # not the minute that the work may take
        until(lambda: not any(map(alive, pids)), 5)
    finally:
        served.kill()
        served.wait()


def test_end_gives_the_place_back(tmp_path: Path) -> None:
    jail, said = Jail(Limits(2**32, 60.0, 2**20), 1), tmp_path / "said"

    def ask() -> None:
        with pytest.raises(ReaderLeftError):
            jail.run(f"{HERE}:sleeps", str(said).encode(), str(tmp_path), threading.Event())

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: said.exists() and said.read_text("utf-8"))
    jail.end()
    asking.join(10)
    assert not asking.is_alive()


def test_who_is_given_what() -> None:
    told = {**SECRETS, "PATH": "/bin", "LC_ALL": "zh_CN.UTF-8", "NUMBA_CACHE_DIR": "k"}
    assert clean_environment(told) == {
        "PATH": "/bin", "LC_ALL": "zh_CN.UTF-8", "NUMBA_CACHE_DIR": "k",
    }  # fmt: skip
    own = without_settings(told)
    assert own["PGPASSWORD"] == SECRETS["PGPASSWORD"]  # a city of a batch reads a person's tables
    assert not [name for name in own if name.startswith("LIFECIRCLE_")]

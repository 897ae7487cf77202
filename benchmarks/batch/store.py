"""A batch with an S3 over HTTP: runs put there, inputs taken from there, and what it refuses.

::

    pip install --target /somewhere/moto 'moto[server]'; pip install --target /somewhere/s3 s3fs
    PYTHONPATH=/somewhere/s3 python -m benchmarks.batch.store --moto /somewhere/moto

Neither is part of the project: s3fs wants an older dateutil than it has. `--moto` is the folder
that moto lies in (none: that of this Python). Printed as JSON: each try, and whether it came out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import fsspec
import numpy as np

from benchmarks.batch.cities import contents, write_grids
from benchmarks.batch.cluster import batch_command
from lifecircle.analysis.provenance import sha256_of

_UP_S: Final = 60
_CITIES: Final = 2


class Store:
    """The server, a client for looking, and how to shut its door."""

    def __init__(self, port: int, moto: Path | None) -> None:
        self.address = f"http://127.0.0.1:{port}"
        path = {} if moto is None else {"PYTHONPATH": str(moto)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | path,
        )  # fmt: skip
        self._wait()
        self.files = fsspec.filesystem("s3")
        self.files.mkdir("there")

    def _wait(self) -> None:
        until = time.monotonic() + _UP_S
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.address}/moto-api/").read()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(self.address)

    def shut(self, actions: bytes) -> None:
        """Let so many more be done by whoever asks; then only known keys, of which none is."""
        head = {"Content-Type": "text/plain"}
        address = f"{self.address}/moto-api/reset-auth"
        asked = urllib.request.Request(address, data=actions, method="POST", headers=head)
        urllib.request.urlopen(asked).read()

    def find(self, place: str) -> list[str]:
        """All files of a place."""
        self.files.invalidate_cache()
        return [str(one) for one in self.files.find(place)]

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def _run(plan: Path, workspace: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        batch_command(plan, workspace, "--runner", "here", *more),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def _whole(store: Store, place: str, workspace: Path) -> bool:
    """Whether every city's current run lies there with every byte, and is named."""
    store.files.invalidate_cache()
    for area in sorted(path.parent for path in workspace.glob("*/current")):
        name = (area / "current").read_text(encoding="utf-8").strip()
        if store.files.cat_file(f"{place}/{area.name}/current").decode() != name:
            return False
        files = [file for file in (area / "runs" / name).rglob("*") if file.is_file()]
        there = {file: f"{place}/{area.name}/runs/{name}/{file.name}" for file in files}
        if not all(store.files.cat_file(there[file]) == file.read_bytes() for file in files):
            return False
    return True


def _sent(store: Store, folder: Path, plan: Path) -> dict[str, Any]:
    code, _ = _run(plan, folder / "ws", "--runs-to", "s3://there/runs", "--resume")
    return {"exit_code": code, "ok": code == 0 and _whole(store, "there/runs", folder / "ws")}


def _inputs(store: Store, folder: Path, plan: Path) -> dict[str, Any]:
    """Streets, residents and places by address and digest; another file there is refused."""
    text, digests = plan.read_text(encoding="utf-8"), ["[digests]"]
    for file in sorted(folder.glob("city*.*")):
        store.files.put_file(str(file), f"there/in/{file.name}")
        text = text.replace(f'"{file.name}"', f'"s3://there/in/{file.name}"')
        digests.append(f'"s3://there/in/{file.name}" = "{sha256_of(file)}"')
    fetched = folder / "fetched.toml"
    fetched.write_text(f"{text}\n" + "\n".join(digests), encoding="utf-8")
    code, _ = _run(fetched, folder / "ws-in")
    same = contents(folder / "ws-in") == contents(folder / "ws") != {}
    store.files.pipe_file("there/in/city000.csv", b"lon,lat,population\n0,0,1\n")
    changed, told = _run(fetched, folder / "ws-changed")
    refused = changed == 3 and "[digests] states" in told
    return {
        "exit_code": code,
        "other_digest_refused": refused,
        "ok": code == 0 and same and refused,
    }


def _broken_off(store: Store, folder: Path, plan: Path) -> dict[str, Any]:
    """The batch is killed while it sends; nothing is named; resumed, the rest is sent."""
    words = ["--runner", "here", "--runs-to", "s3://there/broken", "--resume"]
    batch = subprocess.Popen(
        batch_command(plan, folder / "ws", *words),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while batch.poll() is None and not store.find("there/broken"):
        time.sleep(0.01)
    batch.kill()
    batch.wait()
    store.files.invalidate_cache()
    before = {one: store.files.info(one)["LastModified"] for one in store.find("there/broken")}
    named = [one for one in before if one.endswith("/current")]
    code, _ = _run(plan, folder / "ws", "--runs-to", "s3://there/broken", "--resume")
    store.files.invalidate_cache()
    again = [one for one in before if store.files.info(one)["LastModified"] != before[one]]
    ok = code == 0 and not named and not again and _whole(store, "there/broken", folder / "ws")
    return {"files_when_killed": len(before), "sent_again": len(again), "exit_code": code, "ok": ok}


def _refused(plan: Path, folder: Path, place: str, mend: str) -> dict[str, Any]:
    since = time.monotonic()
    code, told = _run(plan, folder / "ws", "--runs-to", place, "--resume")
    line = next((one for one in told.splitlines() if one.startswith("✗")), "")
    seconds = round(time.monotonic() - since, 1)
    return {"exit_code": code, "said": line[-160:], "s": seconds, "ok": code == 3 and mend in line}


def main() -> None:
    """Read the options, print the outcome."""
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, default=8788)
    words.add_argument("--moto", type=Path, default=None)
    asked = words.parse_args()
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{asked.port}", AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="nothing", AWS_DEFAULT_REGION="us-east-1",
    )  # fmt: skip
    store = Store(asked.port, asked.moto)
    with tempfile.TemporaryDirectory(prefix="lifecircle-store-") as name:
        folder = Path(name)
        plan = write_grids(folder, _CITIES, np.random.default_rng(7))
        tries: dict[str, Callable[[], dict[str, Any]]] = {
            "runs sent": lambda: _sent(store, folder, plan),
            "inputs by digest": lambda: _inputs(store, folder, plan),
            "broken off": lambda: _broken_off(store, folder, plan),
            "no such bucket": lambda: _refused(plan, folder, "s3://nowhere/x", "make the bucket"),
            "wrong credentials": lambda: _shut(store, plan, folder),
            "nobody there": lambda: _gone(store, plan, folder),
        }
        try:
            print(json.dumps({name: one() for name, one in tries.items()}, indent=1))
        finally:
            store.stop()


def _shut(store: Store, plan: Path, folder: Path) -> dict[str, Any]:
    store.shut(b"0")
    return _refused(plan, folder, "s3://there/shut", "AWS_ACCESS_KEY_ID")


def _gone(store: Store, plan: Path, folder: Path) -> dict[str, Any]:
    store.stop()
    return _refused(plan, folder, "s3://there/gone", "Nobody answers")


if __name__ == "__main__":
    main()

"""The process of a city: a copy of one that has everything imported (Linux), else one of its own.

There is one such server for each process that works on cities. It ends with that process, and the
copies end with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from typing import Final, Protocol

from lifecircle.service.apart.children import without_settings
from lifecircle.service.batch.one_city import OUT_OF_MEMORY, SERVE

_ONE_CITY: Final = "lifecircle.service.batch.one_city"
_POLL_S: Final = 0.1
_MOST_SAID: Final = 4_000
_LOST: Final = -int(signal.SIGTERM)  # the code of a copy that died with its server


class Child(Protocol):
    """A city's process."""

    def begun(self) -> None:
        """Wait until it is there (or has ended already)."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit code (negative: the signal that ended it), None where it works on."""
        ...

    def stop(self) -> None:
        """End it, and whatever it began."""
        ...


def begin_child(text: str, answer: Path, log: Path) -> Child:
    """A process that builds the city of a task (`one_city.build`), what it says going to `log`."""
    if platform.system() == "Linux":
        return _server().begin(text, answer, log)
    return _OfItsOwn(text, answer, log)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code (None: its time was over), its answer, its last words."""

    code: int | None
    seconds: float
    answer: str
    said: str

    @property
    def out_of_memory(self) -> bool:
        """Whether it asked for more memory than it may have."""
        return self.code == OUT_OF_MEMORY

    @property
    def how(self) -> str:
        """The signal that ended it, or its exit code."""
        code = self.code or 0
        return signal.Signals(-code).name if -code in {*map(int, signal.Signals)} else str(code)

    @property
    def last_line(self) -> str:
        """The last of what it said."""
        return self.said.splitlines()[-1] if self.said else "–"


def in_child(
    text: str, folder: Path, title: str, minutes: float, called_off: Event | None = None
) -> Ended:
    """Do what a text orders (`one_city.build`) in a child, which is stopped when its time is over.

    Raises
    ------
    CancelledError : it was called off.
    """
    answer = folder / f".{title}.{os.getpid()}.answer"
    log = folder / f"{title}.log"
    folder.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")  # what an earlier try said is not what this one dies of
    child = begin_child(text, answer, log)
    try:
        child.begun()
        since = time.monotonic()
        code = _wait(child, since + 60 * minutes, called_off)
        told = answer.read_text(encoding="utf-8") if code == 0 else ""
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-_MOST_SAID:]
        return Ended(code, round(time.monotonic() - since, 3), told, said)
    finally:
        child.stop()
        answer.unlink(missing_ok=True)


def _wait(child: Child, until: float, called_off: Event | None) -> int | None:
    """The exit code of a child, None where its time is over."""
    while (code := child.wait(_POLL_S)) is None:
        if called_off is not None and called_off.is_set():
            raise CancelledError
        if time.monotonic() > until:
            return None
    return code


class _OfItsOwn:
    """A process that was started, and imports everything."""

    def __init__(self, text: str, answer: Path, log: Path) -> None:
        with log.open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", _ONE_CITY, str(answer), str(os.getpid())],
                stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT,
                start_new_session=True, env=without_settings(os.environ),
            )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.close()

    def begun(self) -> None:
        return

    def wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Copy:
    """A copy of the server at work."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.code: int | None = None
        self.there, self.over = threading.Event(), threading.Event()

    def begun(self) -> None:
        self.there.wait()

    def wait(self, seconds: float) -> int | None:
        self.over.wait(seconds)
        return self.code

    def stop(self) -> None:
        self.there.wait()
        if not self.over.is_set() and self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.over.wait()

    def begins(self, pid: int) -> None:
        """The server told its process id."""
        self.pid = pid
        self.there.set()

    def ends(self, code: int) -> None:
        """The server told how it ended, or died itself."""
        self.code = code
        self.there.set()
        self.over.set()


class _Server:
    """A server at work: takes orders until it dies."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _ONE_CITY, SERVE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            env=without_settings(os.environ),
        )  # fmt: skip
        self._lock, self._dead = threading.Lock(), False
        self._copies: dict[int, _Copy] = {}
        self._last = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def begin(self, text: str, answer: Path, log: Path) -> _Copy | None:
        """A copy that builds the city of a task; None where the server has died."""
        with self._lock:
            if self._dead:
                return None
            self._last += 1
            copy = self._copies[self._last] = _Copy()
            order = {"number": self._last, "text": text, "answer": str(answer), "log": str(log)}
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # it died just now: who listens ends the copy
                self._process.stdin.write(json.dumps(order).encode() + b"\n")
                self._process.stdin.flush()
            return copy

    def _listen(self) -> None:
        """Take down what the server tells; what it leaves open when it ends has died with it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, number, value = line.split()
            if what == b"begun":
                self._copies[int(number)].begins(int(value))
            else:
                self._copies.pop(int(number)).ends(int(value))
        with self._lock:
            self._dead = True
            self._process.stdout.close()
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # of an order that it never took
                self._process.stdin.close()
        for copy in self._copies.values():
            copy.ends(_LOST)
        self._process.wait()


class _Servers:
    """The server of this process; another where it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: _Server | None = None

    def begin(self, text: str, answer: Path, log: Path) -> _Copy:
        with self._lock:
            copy = None if self._now is None else self._now.begin(text, answer, log)
            while copy is None:
                self._now = _Server()
                copy = self._now.begin(text, answer, log)
            return copy


@cache
def _server() -> _Servers:
    return _Servers()

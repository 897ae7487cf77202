"""The folder of a job: what it needs, how far it is, what it gave.

::

    DIR/.service/jobs/<id>/task.json   what is to be done, for the process that does it
    DIR/.service/jobs/<id>/inputs/     its files
    DIR/.service/jobs/<id>/lock        held as long as that process lives, however it ends
    DIR/.service/jobs/<id>/progress    the step under way
    DIR/.service/jobs/<id>/log         what the process says
    DIR/.service/jobs/<id>/answer.json how it ended; result.json: what it gave
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.locks import try_lock, wait_for_lock
from lifecircle.service.database.engine import FOLDER

TASK: Final = "task.json"
INPUTS: Final = "inputs"
LOCK: Final = "lock"
PROGRESS: Final = "progress"
LOG: Final = "log"
ANSWER: Final = "answer.json"
RESULT: Final = "result.json"
TEMPORARY: Final = "tmp"
_QUEUE: Final = ".queue"
_TAIL_BYTES: Final = 8_000
_TAIL_LINES: Final = 20
_PATH: Final = re.compile(r"(?:/[^\s/\"':]+)+/([^\s/\"':]+)")
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: the key of its step, the share done 0-1."""

    step: str
    share: float


class JobFolders:
    """Where the jobs of a workspace lie."""

    def __init__(self, workspace: Path) -> None:
        self.root = workspace / FOLDER / "jobs"

    def of(self, identity: str) -> Path:
        """The folder of a job."""
        if not identity.isalnum():
            raise ValueError(identity)
        return self.root / identity

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else takes orders or begins jobs of this workspace while the block runs."""
        self.root.mkdir(parents=True, exist_ok=True)
        with _held(self.root / _QUEUE):
            yield

    def is_alive(self, identity: str) -> bool:
        """Whether the process of a job lives, whoever started it."""
        lock = self.of(identity) / LOCK
        try:
            handle = os.open(lock, os.O_RDWR)
        except OSError:
            return False
        try:
            return not try_lock(handle)
        finally:
            os.close(handle)

    def progress(self, identity: str) -> Progress | None:
        """How far a job is; None where it has not said anything."""
        try:
            told = json.loads((self.of(identity) / PROGRESS).read_text(encoding="utf-8"))
            return Progress(str(told["step"]), min(1.0, max(0.0, float(told["share"]))))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def answer(self, identity: str) -> dict[str, Any] | None:
        """How a job ended, by its own word; None where it ended without."""
        try:
            found = json.loads((self.of(identity) / ANSWER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def log_tail(self, identity: str) -> list[str]:
        """The last lines that the process said, without folders of this machine."""
        try:
            with (self.of(identity) / LOG).open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = [_PATH.sub(r"\1", line)[:_LONGEST] for line in text.splitlines()]
        return lines[-_TAIL_LINES:]

    def tidy(self, identity: str) -> None:
        """Keep of a job that ended its log and its result."""
        for name in (INPUTS, TEMPORARY):
            shutil.rmtree(self.of(identity) / name, ignore_errors=True)
        with contextlib.suppress(OSError):
            (self.of(identity) / PROGRESS).unlink(missing_ok=True)

    def drop(self, identity: str) -> None:
        """Remove all that a job left."""
        shutil.rmtree(self.of(identity), ignore_errors=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        wait_for_lock(handle)
        yield
    finally:
        os.close(handle)


def hold(folder: Path) -> int | None:
    """A handle that holds the lock of a job; None where somebody holds it."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    if try_lock(handle):
        return handle
    os.close(handle)
    return None

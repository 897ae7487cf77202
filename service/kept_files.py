"""Dear answers kept as files beside the runs they are about, for all workers and after a restart.

::

    DIR/.cache/answers/<area>/<run>/<digest>    SHA-256 of the answer, then the answer
    DIR/.cache/answers/.writing-<random>/       a long file, while a process writes it (`written`)

A long file has its SHA-256 behind it: it is written by its process and sent from where it lies.
A file appears by one rename; one that is damaged counts as not there. What was asked for longest
ago goes first beyond `limit_bytes`; `prune` takes those of a run with it, a backup leaves all out.
A lock for each answer, in the folder that the workers of a service share, keeps two of them from
working the same one out at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from lifecircle.analysis.locks import try_lock
from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results.folders import RUNS, answers_folder, answers_root, run_stamp
from lifecircle.analysis.writing import write_aside
from lifecircle.service.flights import ReaderLeftError

LOCKS: Final = 4_096  # two answers share one now and then, and wait for each other
TICK_S: Final = 0.05
SPARE: Final = 16  # a part of the room that is made free at a time
PIECE: Final = 2**18  # bytes of a long file in memory at a time
STALE_S: Final = 86_400  # what was written so long ago is nobody's any more
_DIGEST: Final = 32
_WRITING: Final = ".writing-"


class HeldFile:
    """A long file held open: sent piece by piece to any number of readers, also once it is gone.

    Raises
    ------
    OSError : there is none.
    ValueError : it is not as it was written (`seal`).
    """

    def __init__(self, path: Path) -> None:
        self._handle = path.open("rb")
        self._closed = weakref.finalize(self, self._handle.close)
        self._lock = threading.Lock()
        self.size = os.fstat(self._handle.fileno()).st_size - _DIGEST
        told = hashlib.sha256()
        for piece in self.pieces():
            told.update(piece)
        if self.size < 0 or told.digest() != self._at(self.size, _DIGEST):
            self._closed()
            raise ValueError(path.name)

    def pieces(self) -> Iterator[bytes]:
        """Its bytes in order."""
        for start in range(0, self.size, PIECE):
            yield self._at(start, min(PIECE, self.size - start))

    def _at(self, start: int, size: int) -> bytes:
        with self._lock:
            self._handle.seek(max(start, 0))
            return self._handle.read(size)


def seal(path: Path) -> None:
    """Put the SHA-256 of a long file behind it."""
    with path.open("r+b") as held:
        digest = hashlib.file_digest(held, "sha256").digest()
        held.seek(0, os.SEEK_END)
        held.write(digest)


class KeptFiles:
    """The dear answers of a workspace. Where it cannot be written none are kept."""

    def __init__(self, root: Path, limit_bytes: int, folder: Path | None) -> None:
        self._root = root
        self._limit = limit_bytes
        self._added = self._room = 0  # bytes kept since all were counted, and how many may be
        self._locks = None if sys.platform == "win32" else folder

    def path(
        self, area: str, run: str, *told: object, beside: Sequence[tuple[str, str]] = ()
    ) -> Path:
        """Where the answer to a question about a run, and others `beside` it, lies.

        `told` is all that it depends on beside the runs, which are areas and names.
        """
        home = self._root / area
        runs = [(*one, run_stamp(self._root / one[0] / RUNS / one[1])) for one in beside]
        stamp = run_stamp(home / RUNS / run)
        seed = "\x1f".join((_code(), area, run, stamp, *map(repr, (*runs, *told))))
        name = hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return answers_folder(home, run) / name

    def get(self, path: Path) -> bytes | None:
        """The answer kept there, whole."""
        try:
            held = path.read_bytes()
        except OSError:
            return None
        body = held[_DIGEST:]
        if hashlib.sha256(body).digest() != held[:_DIGEST]:
            return None
        with suppress(OSError):
            os.utime(path)
        return body

    def put(self, path: Path, body: bytes) -> None:
        """Keep an answer, unless it alone would fill a quarter of the room."""
        if len(body) * 4 > self._limit:
            return
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_aside(path, hashlib.sha256(body).digest() + body)
            self._count(len(body))

    def open(self, path: Path) -> HeldFile | None:
        """The long file kept there, whole."""
        try:
            held = HeldFile(path)
        except (OSError, ValueError):
            return None
        with suppress(OSError):
            os.utime(path)
        return held

    def written(self, path: Path, write: Callable[[Path], object]) -> HeldFile:
        """What `write` writes and seals at the path it is given: kept as `put` keeps an answer."""
        root = answers_root(self._root)
        try:
            root.mkdir(parents=True, exist_ok=True)
            room = tempfile.TemporaryDirectory(prefix=_WRITING, dir=root)
        except OSError:  # a workspace that cannot be written
            room = tempfile.TemporaryDirectory(prefix="lifecircle-file-")
        with room as folder:
            aside = Path(folder) / "file"
            write(aside)
            held = HeldFile(aside)
            if held.size * 4 <= self._limit:
                with suppress(OSError):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    aside.replace(path)
                    self._count(held.size)
        return held

    def _count(self, size: int) -> None:
        self._added += size + _DIGEST
        if self._added >= self._room:
            self._shrink()

    def _shrink(self) -> None:
        """Count what is kept by all workers, and remove the oldest beyond the limit.

        It is counted again when a quarter of the room left was filled by this worker: a pass over
        all that is kept belongs to many answers, and few workers together do not go beyond it.
        """
        found: list[tuple[float, int, Path]] = []
        for one in answers_root(self._root).glob("*/*/*"):
            with suppress(OSError):  # gone meanwhile
                told = one.stat()
                found.append((told.st_mtime, told.st_size, one))
        self._clear()
        held = sum(size for _, size, _ in found)
        spare = self._limit // SPARE
        if held > self._limit:
            for _, size, one in sorted(found):
                if held <= self._limit - spare:
                    break
                one.unlink(missing_ok=True)
                held -= size
        self._added, self._room = 0, max(self._limit - held, spare) // 4

    def _clear(self) -> None:
        """Remove what a service that was killed had begun to write."""
        for one in answers_root(self._root).iterdir():
            with suppress(OSError):
                old = one.stat().st_mtime < time.time() - STALE_S
                if old and one.name.startswith(_WRITING):
                    shutil.rmtree(one, ignore_errors=True)

    @contextmanager
    def alone(self, path: Path, left: threading.Event) -> Iterator[None]:
        """While the block runs no other worker works this answer out.

        Raises
        ------
        ReaderLeftError : `left` was set while another one did.
        """
        if self._locks is None:
            yield
            return
        name = f"answer-{int(path.name, 16) % LOCKS}"
        handle = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not try_lock(handle):
                if left.wait(TICK_S):
                    raise ReaderLeftError
            yield
        finally:
            os.close(handle)


@cache
def _code() -> str:
    """Changes with the code, also where nobody counts its versions up."""
    newest = 0
    for package in ("analysis", "service"):
        for folder, _, names in os.walk(str(files(f"lifecircle.{package}"))):
            if not folder.endswith("__pycache__"):
                newest = max([newest, *(os.stat(f"{folder}/{name}").st_mtime_ns for name in names)])  # noqa: PTH116
    return f"{code_version()} {newest}"

"""Answers already given, as bytes, of all runs of a worker together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from threading import RLock
from typing import Final

KEPT_BYTES: Final = 64 * 2**20
ANSWER_BYTES: Final = 1_000  # of an answer kept, beside its bytes and its key


def weight_of(key: Hashable) -> int:
    """Bytes that a key takes: what was asked may be longer than what is answered."""
    parts = key if isinstance(key, tuple) else (key,)
    return ANSWER_BYTES + sum(len(one) for one in parts if isinstance(one, (str, bytes)))


class AnswerCache:
    """Encoded answers of all runs by run and question; beyond `limit_bytes` the least recently
    used are thrown out."""

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._bodies: OrderedDict[tuple[Path, Hashable], bytes] = OrderedDict()
        self._lock = RLock()

    @property
    def held_bytes(self) -> int:
        """What the answers take."""
        return self._held

    def get(self, run: Path, key: Hashable) -> bytes | None:
        """The answer to a question about a run asked before."""
        with self._lock:
            body = self._bodies.get((run, key))
            if body is not None:
                self._bodies.move_to_end((run, key))
            return body

    def put(self, run: Path, key: Hashable, body: bytes) -> None:
        """Keep an answer, unless it alone would fill a quarter of the room."""
        if len(body) * 4 > self._limit:
            return
        with self._lock:
            self._drop((run, key))
            self._bodies[run, key] = body
            self._held += len(body) + weight_of(key)
            while self._held > self._limit:
                self._drop(next(iter(self._bodies)))

    def forget(self, run: Path) -> None:
        """Let go of all answers about a run."""
        with self._lock:
            for key in [one for one in self._bodies if one[0] == run]:
                self._drop(key)

    def _drop(self, key: tuple[Path, Hashable]) -> None:
        body = self._bodies.pop(key, None)
        if body is not None:
            self._held -= len(body) + weight_of(key[1])

"""The map of a build begins to be read before anything else of the command line is looked at.

Only beside `analysis.ahead`, which costs nothing to import: what a build imports takes longer
than the reading of a city's streets.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lifecircle.analysis.ahead import Ahead, begin_reading


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A map that is being read, and the options that it was found by."""

    asked: tuple[Path, str | None, int | None]  # map, policy, threads
    ahead: Ahead | None


def foresee(words: Sequence[str]) -> Foreseen | None:
    """Begin to read the map that the words of a command line ask for, if they are a build's.

    What is wrong with them, or said twice, is left to who understands them all.
    """
    if words[:1] != ["build"]:
        return None
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its idle threads spin, nobody asks them
    said: dict[str, str] = {}
    for word, following in pairwise([*words, ""]):
        option, sign, value = word.partition("=")
        if option in ("--osm", "--policy", "--threads"):
            said[option] = value if sign else following
    osm, policy, threads = (said.get(one) for one in ("--osm", "--policy", "--threads"))
    with suppress(OSError):  # a name too long, a folder closed to us: the command says so
        if osm is not None and Path(osm).is_file():
            return _begun(Path(osm), policy, threads)
    return None


def _begun(osm: Path, policy: str | None, threads: str | None) -> Foreseen | None:
    if threads is not None and not (threads.isdecimal() and int(threads)):
        return None
    asked = osm, policy, None if threads is None else int(threads)
    return Foreseen(asked, begin_reading(*asked))


def reading_of(
    foreseen: object, osm: Path | None, policy: str | None, threads: int | None
) -> Ahead | None:
    """What reads the map of a build: the one that was begun, if it was for this, else another."""
    asked = osm, policy, threads
    if isinstance(foreseen, Foreseen):
        if foreseen.asked == asked:
            return foreseen.ahead
        if foreseen.ahead is not None:
            foreseen.ahead.leave()
    return begin_reading(*asked)

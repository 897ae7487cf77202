"""What a backup holds: every file with its size and digest, told in its ``backup.json``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any, Final

from lifecircle.service.errors import BackupError

NAME: Final = "backup.json"
FORMAT: Final = 1
ASIDE: Final = ".lifecircle-aside-"  # what is being written, beside its place
DATABASE: Final = ".service/lifecircle.sqlite3"
_CHUNK: Final = 2**20
_LARGEST_LIST: Final = 2**28  # bytes of a list of files, beyond which it is none

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: bytes, and their SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not as it is in the workspace: a key of the texts, with what it tells."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """The list of a backup. `files` by their path in the workspace."""

    made: str
    version: str
    files: Mapping[str, Entry]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    @property
    def areas(self) -> list[str]:
        """The areas with a current run."""
        return sorted(
            name.partition("/")[0] for name in self.files if name.endswith("/current")
            and name.count("/") == 1
        )  # fmt: skip

    def encode(self) -> bytes:
        """As ``backup.json`` has it."""
        told = {"format": FORMAT, **asdict(self)}
        return (json.dumps(told, indent=1) + "\n").encode()


def read_contents(handle: IO[bytes]) -> Contents:
    """The list of a backup.

    Raises
    ------
    BackupError : it is none, or one of a newer lifecircle.
    """
    try:
        told: Any = json.loads(handle.read(_LARGEST_LIST))
        known = told["format"] == FORMAT
        files = {_relative(name): _entry(one) for name, one in told["files"].items()}
        left = tuple(LeftOut(str(one["key"]), dict(one["params"])) for one in told["left_out"])
        contents = Contents(str(told["made"]), str(told["version"]), files, left)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise BackupError("backup_none", reason=NAME) from fault
    if not known:
        raise BackupError("backup_newer", version=contents.version)
    return contents


def _relative(name: str) -> str:
    """A path that stays where it is put.

    Raises
    ------
    ValueError : it leads elsewhere.
    """
    path = PurePosixPath(name)
    wrong = path.is_absolute() or any(part in ("..", NAME) for part in path.parts)
    if wrong or name != str(path) or name in ("", ".") or any(sign in name for sign in "\\\0:"):
        raise ValueError(name)
    return name


def _entry(told: Any) -> Entry:
    entry = Entry(int(told["size"]), str(told["sha256"]))
    if entry.size < 0:
        raise ValueError(entry.size)
    return entry


class Measured:
    """Reads a stream and keeps count of what was read: its bytes and digest."""

    def __init__(self, source: IO[bytes], told: Callable[[int], None], name: str) -> None:
        self._source = source
        self._told = told
        self._name = name
        self._digest = hashlib.sha256()
        self.size = 0

    def read(self, most: int = _CHUNK) -> bytes:
        """The next bytes.

        Raises
        ------
        BackupError : the disk does not give them.
        """
        try:
            part = self._source.read(min(most, _CHUNK))
        except OSError as fault:
            reason = fault.strerror or type(fault).__name__
            raise BackupError("backup_unreadable", file=self._name, reason=reason) from fault
        self._digest.update(part)
        self.size += len(part)
        self._told(len(part))
        return part

    def entry(self) -> Entry:
        """What was read so far."""
        return Entry(self.size, self._digest.hexdigest())

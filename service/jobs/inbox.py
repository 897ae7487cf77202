"""Files that people sent for builds, as they came: nobody opens them here.

::

    DIR/.service/inbox/<id>/file/<name>   what was sent
    DIR/.service/inbox/<id>/told.json     its name, bytes, SHA-256, whose it is, when it came

A file is written aside and appears by one rename. It is removed when a build has used it, when its
sender says so, or after a day.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from lifecircle.analysis.readers.records.files import RASTER_SUFFIXES, SUFFIXES
from lifecircle.analysis.writing import write_aside
from lifecircle.service.database.engine import FOLDER
from lifecircle.service.errors import MissingError, RequestError, TooLargeError, TooManyError

STREETS: Final = (".pbf", ".osm", ".graphml")
TABLES: Final = tuple({**SUFFIXES, **RASTER_SUFFIXES})
TAKEN: Final = (*STREETS, *TABLES)
IDENTITY: Final = r"[0-9a-f]{24}"
DAY_S: Final = 24 * 3600.0
LONGEST: Final = 120  # letters of a name
_LONGEST_BYTES: Final = 200  # a folder takes 255, and names get a number
_ASIDE: Final = ".part-"
_TOLD: Final = "told.json"
_FILE: Final = "file"


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much may lie in the inbox: bytes of a file, of one owner, of all; files of all."""

    file_bytes: int
    owner_bytes: int
    all_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent. `came`: seconds since 1970."""

    id: str
    name: str
    size_bytes: int
    sha256: str
    owner: str
    came: float


class Inbox:
    """The files of one workspace that wait to be used."""

    def __init__(self, workspace: Path, quotas: Quotas) -> None:
        self.folder = workspace / FOLDER / "inbox"
        self.quotas = quotas

    async def take(self, name: str, owner: str, parts: AsyncIterable[bytes]) -> Upload:
        """Keep a file that comes in parts.

        Raises
        ------
        RequestError : nothing that a build reads, by its name; or nothing at all.
        TooLargeError : it is larger than a file may be.
        TooManyError : the inbox is full, or the owner's part of it.
        """
        shown = plain_name(name)
        if Path(shown).suffix.lower() not in TAKEN:
            raise RequestError("upload_suffix", name=shown, known=" ".join(TAKEN))
        room = self._room(owner)
        identity = secrets.token_hex(12)
        aside = self.folder / f"{_ASIDE}{identity}"
        (aside / _FILE).mkdir(parents=True)
        try:
            size, digest = 0, hashlib.sha256()
            with (aside / _FILE / shown).open("xb") as kept:
                async for part in parts:
                    size += len(part)
                    if size > self.quotas.file_bytes:
                        megabytes = f"{self.quotas.file_bytes / 1e6:,.0f}"
                        raise TooLargeError("upload_too_large", name=shown, megabytes=megabytes)
                    if size > room:
                        raise TooManyError("upload_no_room")
                    digest.update(part)
                    kept.write(part)
            if not size:
                raise RequestError("upload_empty", name=shown)
            made = Upload(identity, shown, size, digest.hexdigest(), owner, time.time())
            write_aside(aside / _TOLD, json.dumps(asdict(made)).encode())
            aside.rename(self.folder / identity)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return made

    def _room(self, owner: str) -> int:
        """Bytes that may still come."""
        lying = self.all()
        if len(lying) >= self.quotas.files:
            raise TooManyError("upload_no_room")
        own = sum(one.size_bytes for one in lying if one.owner == owner)
        return min(
            self.quotas.owner_bytes - own,
            self.quotas.all_bytes - sum(one.size_bytes for one in lying),
        )

    def all(self) -> list[Upload]:
        """What lies here, the oldest first."""
        found = []
        if self.folder.is_dir():
            for folder in self.folder.iterdir():
                if re.fullmatch(IDENTITY, folder.name):
                    with suppress(MissingError):
                        found.append(self.one(folder.name))
        return sorted(found, key=lambda one: (one.came, one.id))

    def one(self, identity: str) -> Upload:
        """A file by its id.

        Raises
        ------
        MissingError : it is not here, or no longer.
        """
        try:
            if re.fullmatch(IDENTITY, identity) is None:
                raise MissingError("no_upload", id=identity)
            told = (self.folder / identity / _TOLD).read_text(encoding="utf-8")
            return Upload(**json.loads(told))
        except (OSError, ValueError, TypeError):
            raise MissingError("no_upload", id=identity) from None

    def path(self, identity: str) -> Path:
        """Where a file lies, under the name it was sent with.

        Raises
        ------
        MissingError : it is not here, or no longer.
        """
        return self.folder / identity / _FILE / self.one(identity).name

    def remove(self, identity: str) -> None:
        """Remove a file; nothing happens where it is gone already."""
        if re.fullmatch(IDENTITY, identity):
            shutil.rmtree(self.folder / identity, ignore_errors=True)

    def sweep(self, now: float, held: frozenset[str] = frozenset()) -> None:
        """Remove what lies here longer than a day and is not `held` by a job."""
        if not self.folder.is_dir():
            return
        for folder in list(self.folder.iterdir()):
            with suppress(OSError):
                if folder.name not in held and now - folder.stat().st_mtime > DAY_S:
                    shutil.rmtree(folder, ignore_errors=True)


def plain_name(given: str) -> str:
    """The last part of a name as a file may be called on any system; control signs are left out.

    >>> plain_name("../../etc/pass\\x00wd"), plain_name(r"C:\\data\\小学.CSV"), plain_name("...")
    ('passwd', '小学.CSV', 'file')
    """
    last = PureWindowsPath(PurePosixPath(given.replace("\\", "/")).name).name
    plain = "".join(sign for sign in last if sign.isprintable() and sign not in '<>:"|?*/')
    plain = plain.encode("utf-8", "ignore").decode("utf-8").strip(" .")[-LONGEST:]
    while len(plain.encode()) > _LONGEST_BYTES:
        plain = plain[1:]
    return plain.strip(" .") or "file"

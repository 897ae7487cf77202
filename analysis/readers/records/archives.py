"""Zip archives of strangers: judged by their directory, and unpacked one named member at a time.

A workbook, a KMZ and a zipped shapefile are zip archives. Nothing is unpacked under a name that
the archive chooses.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.records import limits

_CHUNK: Final = 1024 * 1024
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError,
                  ValueError, OSError)  # fmt: skip


def _refusal(path: Path, key: str, **params: object) -> InputError:
    return InputError([Fault(key, path.name, params=params)])


def check_members(path: Path) -> list[zipfile.ZipInfo]:
    """The members of an archive, after its directory passed every check.

    Raises
    ------
    InputError
        Not an archive; too many members; names that lead elsewhere or stand twice; links;
        passwords; too large unpacked, or packed too well to be honest.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except _BROKEN:
        raise _refusal(path, "input_broken", detail="zip") from None
    if len(members) > limits.ARCHIVE_MEMBERS:
        raise _refusal(path, "input_zip_members", count=len(members), most=limits.ARCHIVE_MEMBERS)
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if _leads_elsewhere(name) or name.casefold() in seen:
            raise _refusal(path, "input_zip_name", name=name)
        seen.add(name.casefold())
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refusal(path, "input_zip_link", name=name)
        if member.flag_bits & 1:
            raise _refusal(path, "input_zip_password")
        large = member.file_size > limits.ARCHIVE_RATIO_FROM
        if large and member.file_size > limits.ARCHIVE_RATIO * max(member.compress_size, 1):
            raise _refusal(path, "input_zip_ratio", name=name)
    if sum(member.file_size for member in members) > limits.ARCHIVE_BYTES:
        gigabytes = limits.ARCHIVE_BYTES // 1024**3
        raise _refusal(path, "input_unpacks_large", gigabytes=gigabytes)
    return members


def _leads_elsewhere(name: str) -> bool:
    """Whether a member's name is no plain path below the archive."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    drive = len(name) > 1 and name[1] == ":"
    return (
        not name or "\x00" in name or name.startswith(("/", "\\")) or drive or ".." in parts
    )  # fmt: skip


def read_member(path: Path, name: str, most: int) -> bytes:
    """The bytes of one member, at most `most` whatever the directory says."""
    return b"".join(member_chunks(path, name, most))


def unpack_member(path: Path, name: str, target: Path) -> None:
    """Write one member into `target`, a path of ours."""
    with target.open("wb") as handle:
        for chunk in member_chunks(path, name, limits.ARCHIVE_BYTES):
            handle.write(chunk)


def member_chunks(path: Path, name: str, most: int) -> Iterator[bytes]:
    """A member piece by piece, refused as soon as it is longer than `most`."""
    done = 0
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as member:
            while chunk := member.read(_CHUNK):
                done += len(chunk)
                if done > most:
                    raise _refusal(path, "input_zip_ratio", name=name)
                yield chunk
    except InputError:
        raise
    except (*_BROKEN, KeyError) as error:
        detail = str(error) or type(error).__name__
        raise _refusal(path, "input_broken", detail=detail) from None


def members_of_suffix(members: Sequence[zipfile.ZipInfo], suffix: str) -> list[str]:
    """Names of the members with a suffix, what macOS and editors leave behind aside."""
    return [
        member.filename
        for member in members
        if member.filename.lower().endswith(suffix)
        and not member.filename.startswith("__MACOSX/")
        and not PurePosixPath(member.filename).name.startswith(".")
    ]

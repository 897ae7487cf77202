"""Opening a file that someone gave us: is it there, is it what its name says, can it be read?

Nothing here trusts a name. A path that GDAL would take for an address is refused, and the first
bytes of a file have to fit its suffix before any library may open it.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import check_members

SUFFIXES: Final[dict[str, frozenset[str]]] = {
    ".csv": frozenset({"text"}),
    ".tsv": frozenset({"text"}),
    ".txt": frozenset({"text"}),
    ".xlsx": frozenset({"xlsx"}),
    ".xlsm": frozenset({"xlsx"}),
    ".xls": frozenset({"xls"}),
    ".ods": frozenset({"ods"}),
    ".gpkg": frozenset({"sqlite"}),
    ".geojson": frozenset({"json"}),
    ".json": frozenset({"json"}),
    ".geojsonl": frozenset({"json"}),
    ".ndjson": frozenset({"json"}),
    ".kml": frozenset({"xml"}),
    ".kmz": frozenset({"zip"}),
    ".shp": frozenset({"shp"}),
    ".zip": frozenset({"zip"}),
    ".parquet": frozenset({"parquet"}),
    ".geoparquet": frozenset({"parquet"}),
}
RASTER_SUFFIXES: Final[dict[str, frozenset[str]]] = {
    ".tif": frozenset({"tiff"}),
    ".tiff": frozenset({"tiff"}),
}

_OTHER_RASTERS: Final = (".asc", ".img", ".nc", ".vrt", ".bil", ".flt", ".adf", ".hdf", ".jp2")

_HEAD_BYTES: Final = 4096
_ASCII_SHARE: Final = 0.1  # of a text in UTF-16 that is separators and digits, at least
_BEFORE_JSON: Final = b" \t\r\n\x0b\x0c\x1e"
_TEXT_KINDS: Final = frozenset({"text", "json", "xml"})
_MAGIC: Final = (
    (b"SQLite format 3\x00", "sqlite"),
    (b"PAR1", "parquet"),
    (b"\x00\x00\x27\x0a", "shp"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "rar"),
)
_HTML = re.compile(rb"(?i)<!doctype html|<html")
_ADDRESS = re.compile(r"(?i)^(?:[a-z0-9_ ]{2,}:|https?|[/\\]vsi)")
# Drivers that open by content and may reach elsewhere; OGR never needs them here.
# OAPIF is left, for it is how people read our own service; it opens by its prefix or an address.
_NEVER: Final = ("OGR_VRT", "GDALG", "HTTP", "CSW", "WFS", "Carto", "Elasticsearch", "AmigoCloud",
                 "NGW", "EEDA", "PLSCENES", "OGCAPI", "ADBC")  # fmt: skip
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_PAIRS_SEEN: Final = 1024**2  # bytes
_BIG5_SHARE: Final = 0.15  # of the second bytes; about 0.4 in running text
_LAST_USUAL: Final = 0xC6  # first byte of the characters in daily use
_USUAL_SHARE: Final = 0.75
_LARGEST_SHIFT: Final = 12  # of the size of sectors of a compound file (MS-CFB)
_DIRECTORY_BYTES: Final = 8192
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_BEGINNING_BYTES: Final = 1 << 20
_FILEPASS: Final = re.compile(  # a workbook's first record, perhaps a flag, then the password's
    rb"\x09\x08\x10\x00\x00\x06\x05\x00.{12}(?:\x86\x00\x00\x00)?\x2f\x00", re.DOTALL
)
_ODS_MANIFEST: Final = "META-INF/manifest.xml"


def guard_gdal() -> None:
    """Keep OGR drivers that follow references away, if OGR is not loaded yet.

    The first defence is elsewhere (forced driver, first bytes); this is the second. It changes
    only the environment variable ``OGR_SKIP``, which GDAL reads once, when it is loaded.
    """
    if "pyogrio" in sys.modules:
        return
    skipped = [name for name in os.environ.get("OGR_SKIP", "").split(",") if name]
    os.environ["OGR_SKIP"] = ",".join([*skipped, *(n for n in _NEVER if n not in skipped)])


def refuse(path: Path, key: str, /, **params: object) -> InputError:
    """The error that a file as a whole is no good."""
    return InputError([Fault(key, path.name or str(path), params=params)])


def check_path(path: Path, suffixes: dict[str, frozenset[str]]) -> Path:
    """The absolute path of an existing, readable, non-empty file whose bytes fit its suffix."""
    if _ADDRESS.match(str(path)):
        raise refuse(path, "input_address", address=str(path))
    with _say_os_errors(path):
        if not path.exists():
            raise refuse(path, "file_missing")
        if path.is_dir():
            raise refuse(path, "input_directory")
        if not path.is_file():
            raise refuse(path, "input_not_regular")
        suffix = path.suffix.lower()
        if suffix in _OTHER_RASTERS:
            raise refuse(path, "input_raster_kind", suffix=suffix)
        if suffix not in suffixes:
            raise refuse(
                path, "input_suffix", suffix=suffix or path.name, known=", ".join(suffixes)
            )
        kind = _tell_kind(path)
        size = path.stat().st_size
        locked = (kind == "xls" and _is_locked(path)) or (kind == "ods" and _is_locked_ods(path))
    if locked:
        raise refuse(path, "input_password")
    if kind not in suffixes[suffix]:
        raise refuse(path, "input_really", suffix=suffix, really=kind)
    most = limits.TEXT_BYTES if kind in _TEXT_KINDS else limits.FILE_BYTES
    if size > most:
        raise refuse(path, "input_file_large", megabytes=size // 1024**2, most=most // 1024**2)
    return path.resolve()


def _is_locked(path: Path) -> bool:
    """Whether a compound file holds an encrypted workbook.

    Its directory names the package, or (an old .xls) the workbook begins with FILEPASS.
    Source: [MS-XLS] 2.4.117.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        if _FILEPASS.search(file.read(_BEGINNING_BYTES)):
            return True
        size = 1 << min(int.from_bytes(head[30:32], "little"), _LARGEST_SHIFT)
        file.seek((int.from_bytes(head[48:52], "little") + 1) * size)
        return _LOCKED in file.read(_DIRECTORY_BYTES)


def _is_locked_ods(path: Path) -> bool:
    """Whether the manifest of an OpenDocument sheet says that its parts are encrypted."""
    with zipfile.ZipFile(path) as package:
        if _ODS_MANIFEST not in package.namelist():
            return False
        with package.open(_ODS_MANIFEST) as manifest:
            return b"encryption-data" in manifest.read(_BEGINNING_BYTES)


def _tell_kind(path: Path) -> str:
    """What the first bytes of a file say it is."""
    with path.open("rb") as handle:
        head = handle.read(_HEAD_BYTES)
    if not head:
        raise refuse(path, "file_empty")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _tell_kind_of_zip(path)
    if b"OSMHeader" in head[:64]:
        return "osm.pbf"
    wide = _tell_utf_16(head)
    if wide is not None:
        head = head[: len(head) // 2 * 2].decode(wide, "ignore").encode()
    start = head.removeprefix(codecs.BOM_UTF8).lstrip(_BEFORE_JSON)
    if start.startswith(b"{"):
        return "json"
    if start.startswith(b"<"):
        return "html" if _HTML.match(start) else "xml"
    return "binary" if b"\x00" in head else "text"


def _tell_utf_16(head: bytes) -> str | None:
    """The UTF-16 a text is in: by its mark, else by where the zero bytes of its ASCII stand."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    even, odd = head[0:_HEAD_BYTES:2], head[1:_HEAD_BYTES:2]
    signs = [half.count(0) for half in (even, odd)]
    if min(signs) or max(signs) < max(2, _ASCII_SHARE * len(even)):
        return None
    return "utf-16-le" if signs[1] else "utf-16-be"


def _tell_kind_of_zip(path: Path) -> str:
    names = {member.filename for member in check_members(path)}
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if {"content.xml", "mimetype"} <= names else "zip"


@contextmanager
def watch_file(path: Path) -> Iterator[None]:
    """Watch over a reading: a file that vanishes or changes meanwhile is a clear error."""
    with _say_os_errors(path):
        before = _stamp(path)
        try:
            yield
        except InputError:
            if path.exists():
                raise
            raise refuse(path, "input_vanished") from None
        if _stamp(path) != before:
            raise refuse(path, "input_changed")


@contextmanager
def _say_os_errors(path: Path) -> Iterator[None]:
    """Say what the operating system says in our own words."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise refuse(path, "input_vanished") from None
    except PermissionError:
        raise refuse(path, "input_forbidden") from None
    except OSError as error:
        key = "input_os_error" if path.exists() else "input_vanished"
        raise refuse(path, key, detail=error.strerror or str(error)) from None


def _stamp(path: Path) -> tuple[int, int, int]:
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _looks_big5(raw: bytes) -> bool:
    """Whether a Chinese text that is no UTF-8 is Big5.

    It has many second bytes below 0x80, as GBK has in traditional characters only, and its usual
    characters begin with 0xC6 at most; those of GBK lie far beyond as well.
    """
    pairs = _PAIR.findall(raw[:_PAIRS_SEEN])
    low = sum(pair[1] < 0x80 for pair in pairs)
    usual = sum(0xA1 <= pair[0] <= _LAST_USUAL for pair in pairs)
    return bool(low > _BIG5_SHARE * len(pairs) and usual > _USUAL_SHARE * len(pairs))


def decode_text(path: Path, raw: bytes) -> tuple[str, str]:
    """Text of a file and the name of its encoding, told by the bytes and strictly checked.

    By the byte order mark, else UTF-16 by its zero bytes, else UTF-8, else Big5 where its second
    bytes are, else GB18030 (which holds GBK and GB2312). Nothing is replaced or dropped.
    """
    wide = _tell_utf_16(raw[:_HEAD_BYTES])
    if wide is not None:
        encodings: tuple[str, ...] = (wide,)
    elif raw.startswith(codecs.BOM_UTF8):
        encodings = ("utf-8-sig",)
    elif _looks_big5(raw):
        encodings = ("utf-8", "big5hkscs", "gb18030")
    else:
        encodings = ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    raise refuse(path, "input_encoding")

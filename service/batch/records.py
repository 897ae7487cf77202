"""What became of each city of a batch: one small file each, written aside and renamed.

::

    DIR/.batch/<city>.json        done or failed, under which key
    DIR/.batch/<city>.step        the step under way, for who watches
    DIR/.batch/<city>.figures     what the summary is made of
    DIR/.batch/day                the day for which dates in the files are read
    DIR/.batch/fetched/           inputs from elsewhere, by their digest
    DIR/.batch/cut/               cities cut into parts, while their run is not there
    DIR/.batch/maps/              pieces of larger maps, one for each city (`maps`)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from lifecircle.analysis.build_request import CutFrom
from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.provenance import code_version, sha256_of
from lifecircle.analysis.writing import write_aside
from lifecircle.service.batch.cities import City, is_address, path_of, plain, split_address

FOLDER: Final = ".batch"
State = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a city.

    `key`: digest of everything that went in. `seconds`: of the wall, `cpu_s`: of processors, by
    the process that answered (0 where the city was built in the batch's own). `error`: what was
    wrong, by language. `died`: the work ended without an answer (killed, out of memory or time),
    so that another try may help.
    """

    city: str
    key: str
    state: State
    run: str | None = None
    residents: int | None = None
    attempts: int = 1
    seconds: float = 0.0
    peak_mb: float = 0.0
    cpu_s: float = 0.0
    error: Mapping[str, str] | None = None
    died: bool = False
    again: bool = False


class Records:
    """The records of a workspace's batches."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER

    def of(self, city: str) -> Record | None:
        """The record of a city, None where there is none that can be read."""
        try:
            content = json.loads((self.folder / f"{city}.json").read_text(encoding="utf-8"))
            return Record(**content)
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, record: Record) -> Record:
        """Write a record; returns it."""
        content = json.dumps(asdict(record), ensure_ascii=False, indent=1)
        self._write(self.folder / f"{record.city}.json", content.encode())
        self.step_file(record.city).unlink(missing_ok=True)
        for left in self.folder.glob(f".{record.city}.*.answer"):  # of a worker that died
            left.unlink(missing_ok=True)
        return record

    def done(self, city: str, key: str, root: Path) -> Record | None:
        """The record of a city that is done under that key, its run and its figures still there."""
        record = self.of(city)
        if record is None or record.state != "done" or record.key != key or record.run is None:
            return None
        whole = (root / city / "runs" / record.run / "manifest.json").is_file()
        return replace(record, again=True) if whole and self.figures(city).is_file() else None

    def figures(self, city: str) -> Path:
        """The file of a city's figures."""
        return self.folder / f"{city}.figures"

    def step_file(self, city: str) -> Path:
        """The file that says which step is under way."""
        return self.folder / f"{city}.step"

    def step(self, city: str) -> str | None:
        """The step under way, None where nothing is."""
        try:
            return self.step_file(city).read_text(encoding="utf-8") or None
        except OSError:
            return None

    def cut(self, city: str, key: str, parts: int) -> Path:
        """The folder of a city cut into so many parts, as long as its run is not made of them."""
        return self.folder / "cut" / f"{city}-{key[:16]}-{parts}"

    def day(self, *, anew: bool) -> date:
        """The day for which dates are read: kept, so that a batch resumed reads as it began."""
        file = self.folder / "day"
        if not anew:
            try:
                return date.fromisoformat(file.read_text(encoding="utf-8").strip())
            except (OSError, ValueError):
                pass
        today = datetime.now(UTC).date()
        self._write(file, today.isoformat().encode())
        return today

    def _write(self, file: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_aside(file, content)


Told = Mapping[str, str]  # by language


def told_of(error: LifecircleError) -> dict[str, str]:
    """What an error says, by language, as records have it."""
    return {"zh": error.text("zh"), "en": error.text("en")}


def key_of(
    name: str, city: City, digests: Mapping[str, str], day: date, cut: CutFrom | None = None
) -> str:
    """SHA-256 of all that a city is made from: its options, its files' bytes, the code's version.

    A file that is fetched counts by its address and the digest stated for it; of a larger map the
    city's piece, and how it was `cut`.
    """
    said: dict[str, Any] = plain(city) | {"city": name, "day": day.isoformat()}
    for limit in ("timeout_minutes", "memory_gb", "retries", "parts"):
        del said[limit]
    if city.map is not None:  # its piece is what the city is made from
        del said["map"], said["margin_km"], said["osm"]
    files = digests_of(replace(city, map=None), digests)
    whole = {"said": said, "files": files, "code": code_version()}
    if cut is not None:
        whole["cut"] = asdict(cut)
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=list).encode()).hexdigest()


def digests_of(city: City, digests: Mapping[str, str]) -> list[tuple[str, str]]:
    """The files that a city names, in order, each with the SHA-256 of its bytes.

    Raises
    ------
    OSError : a file cannot be read.
    """
    bytes_of = {
        given: digests.get(split_address(given)[0], given)
        if is_address(given)
        else sha256_of(path_of(given))
        for _, given in city.files()
    }
    return sorted(bytes_of.items())

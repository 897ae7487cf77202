"""Building an area from files of the inbox: as the command does, but nothing here names a path."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from lifecircle.analysis.policy import Title, policy_ids
from lifecircle.analysis.results.names import safe_name
from lifecircle.service.errors import MissingError, RequestError
from lifecircle.service.jobs.inbox import IDENTITY, Inbox
from lifecircle.service.jobs.processes.common import Bench, Done, Name, Process

if TYPE_CHECKING:
    from lifecircle.analysis.build_request import BuildRequest
    from lifecircle.analysis.results.store import Workspace

File = Annotated[str, Field(pattern=f"^{IDENTITY}$")]
Places = Annotated[str, Field(pattern=rf"^{IDENTITY}(=[A-Za-z_][\w]{{0,63}})?$")]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^./\\]+$")]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
MOST_FILES: Final = 20


class OfFile(BaseModel):
    """What is meant of one file, where it is not what is said for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: File
    sheet: Line | None = None
    layer: Line | None = None
    x_north: bool | None = None


ONE: Final = ("osm", "graph", "elevation", "merges")
SEVERAL: Final = ("population", "units", "facilities", "statistics", "closures")
_PARTS: Final = {  # of a build's time, by its steps
    "tables": 5, "streets": 20, "places": 5, "network": 10, "residents": 5, "facilities": 5,
    "walks": 25, "catchments": 10, "layers": 10, "save": 5,
}  # fmt: skip


class Build(Process):
    """An area from files: its new current run."""

    ID: ClassVar[str] = "build"
    QUICK: ClassVar[bool] = False

    title_zh: Line | None = None
    title_en: Line | None = None
    osm: File | None = None
    graph: File | None = None
    population: list[File] = Field(default=[], max_length=MOST_FILES)
    units: list[File] = Field(default=[], max_length=MOST_FILES)
    facilities: list[Places] = Field(default=[], max_length=MOST_FILES)
    statistics: list[File] = Field(default=[], max_length=MOST_FILES)
    closures: list[File] = Field(default=[], max_length=MOST_FILES)
    elevation: File | None = None
    merges: File | None = None
    datum: Literal["wgs84", "gcj02", "bd09", "cgcs2000"] | None = None
    accept_datum: bool = False
    crs: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z]+:\d+$")] | None = None
    x_north: bool = False
    sheet: Line | None = None
    layer: Line | None = None
    of_files: list[OfFile] = Field(default=[], max_length=5 * MOST_FILES)
    policy: Name | None = None
    surveyed: list[Word] = Field(default=[], max_length=200)
    other_types: Literal["refuse", "skip"] = "refuse"
    place_by_unit: bool = False
    residents_from_buildings: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    calibrate: bool = False
    year: int | None = Field(default=None, ge=1900, le=2200)

    def files(self) -> tuple[str, ...]:
        """Ids of its files, each once."""
        one = [given for name in ONE if (given := getattr(self, name)) is not None]
        several = [_bare(given) for name in SEVERAL for given in getattr(self, name)]
        return tuple(dict.fromkeys((*one, *several)))

    def settled(self, workspace: Workspace, inbox: Inbox) -> Self:
        """The same, once its names are sound and its files are there."""
        del workspace
        safe_name(self.area)
        if (self.osm is None) == (self.graph is None):
            raise RequestError("build_one_network")
        if self.policy is not None and self.policy not in policy_ids():
            known = ", ".join(policy_ids())
            raise RequestError("check_value", field="policy", value=self.policy, known=known)
        files = self.files()
        for identity in files:
            inbox.one(identity)
        for one, times in Counter(one.file for one in self.of_files).items():
            if one not in files:
                raise MissingError("no_upload", id=one)
            if times > 1:
                raise RequestError("build_file_twice", id=one)
        return self

    def asked(self, inbox: Inbox) -> Mapping[str, Any]:
        """The options, and the files by name and content."""
        files = {identity: inbox.one(identity) for identity in self.files()}

        def content(given: Any) -> Any:
            if isinstance(given, list):
                return [content(one) for one in given]
            if isinstance(given, dict):
                return {name: content(one) for name, one in given.items()}
            known = files.get(_bare(given)) if isinstance(given, str) else None
            if known is None:
                return given
            return [known.name, known.sha256, given.partition("=")[2]]

        return {name: content(given) for name, given in self.model_dump(mode="json").items()}

    def work(self, bench: Bench) -> Done:
        """Build it."""
        from lifecircle.analysis.pipeline import build_area
        from lifecircle.analysis.results.store import Workspace

        before: list[float] = [0.0]

        def tell(step: str, share: float) -> None:
            told = _share(step, share)
            before[0] = max(before[0], told)
            bench.tell(f"pipeline_step_{step}", before[0])

        run = build_area(self.request(bench.folder / "inputs"), Workspace(bench.workspace), tell)
        manifest = run.manifest
        told = {"area": self.area, "run": manifest.run, "residents": manifest.residents}
        document = {
            **told,
            "title": {"zh": manifest.title.zh, "en": manifest.title.en},
            "counts": dict(manifest.counts),
            "services": list(manifest.services),
            "policy": {"id": manifest.policy_id, "digest": manifest.policy_digest},
            "warnings": [warn.text(bench.lang) for warn in manifest.warnings],
        }
        return Done(document, told)

    def request(self, inputs: Path) -> BuildRequest:
        """What is to be built, its files as `lay_out` put them."""
        from lifecircle.analysis.build_request import BuildRequest
        from lifecircle.analysis.readers.records.declarations import Part

        def near(identity: str) -> Path:
            try:
                return next((inputs / identity).iterdir())
            except (OSError, StopIteration):
                raise MissingError("no_upload", id=identity) from None

        def every(given: Iterable[str]) -> tuple[Path, ...]:
            return tuple(near(_bare(one)) for one in given)

        one: dict[str, Any] = {
            name: near(given) for name in ONE if (given := getattr(self, name)) is not None
        }
        services = {
            near(_bare(given)).name: given.partition("=")[2]
            for given in self.facilities
            if "=" in given
        }
        zh, en = self.title_zh or self.title_en, self.title_en or self.title_zh
        return BuildRequest(
            self.area,
            **one,
            population=every(self.population) or None,
            units=every(self.units),
            facilities=every(self.facilities),
            services=services,
            statistics=every(self.statistics),
            closures=every(self.closures),
            datum=self.datum,
            accept_datum=self.accept_datum,
            crs=self.crs,
            x_is_north=self.x_north,
            sheet=self.sheet,
            layer=self.layer,
            parts_of={
                near(one.file).name: Part(one.sheet, one.layer, one.x_north)
                for one in self.of_files
            },
            policy=self.policy,
            surveyed=tuple(self.surveyed),
            other_types=self.other_types,
            place_by_unit=self.place_by_unit,
            residents_from_buildings=self.residents_from_buildings,
            calibrate=self.calibrate,
            year=self.year,
            title=None if zh is None or en is None else Title(zh, en),
        )


def lay_out(files: Iterable[str], inbox: Inbox, folder: Path) -> None:
    """Give a job its files under the names they were sent with, no two alike.

    Raises
    ------
    MissingError : one of them is gone.
    """
    taken: set[str] = set()
    for identity in files:
        there = inbox.path(identity)
        name, number = there.name, 1
        while name.lower() in taken:
            number += 1
            name = f"{there.stem} ({number}){there.suffix}"
        taken.add(name.lower())
        (folder / identity).mkdir(parents=True)
        os.link(there, folder / identity / name)


def _bare(given: str) -> str:
    """The id of a file without the service that its rows are."""
    return given.partition("=")[0]


def _share(step: str, share: float) -> float:
    """How much of a build is done when a step is at a share."""
    done = 0
    for name, part in _PARTS.items():
        if name == step:
            return (done + part * share) / sum(_PARTS.values())
        done += part
    return 0.0

"""The workspace: a folder of areas, each with its runs and the name of the current one.

::

    DIR/<area>/runs/<run>/   manifest.json policy.json city.json *.parquet *.npy
    DIR/<area>/current       the name of the run to show
    DIR/<area>/.tmp-*        a build under way, or one that died

A run is written aside and appears by one rename; ``current`` moves last. Equal inputs give
equal bytes in every file but ``manifest.json``, which holds the times.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from lifecircle.analysis.errors import UnknownNameError, WorkspaceError
from lifecircle.analysis.machine import map_side_by_side, wait_side_by_side
from lifecircle.analysis.provenance import sha256_of
from lifecircle.analysis.results.folders import CURRENT, MANIFEST, POLICY, RUNS, AreaFolders
from lifecircle.analysis.results.frozen.policy import policy_from, policy_text
from lifecircle.analysis.results.layers.layers import LONGEST, MadeLayers, layer_file, write_layers
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.results.names import inside
from lifecircle.analysis.results.run_files.arrays import reading
from lifecircle.analysis.results.run_files.catchments import (
    read_catchments,
    write_catchments,
)
from lifecircle.analysis.results.run_files.city import read_city, write_city
from lifecircle.analysis.results.run_files.manifest import read_manifest, write_manifest
from lifecircle.analysis.results.upkeep import claimed_aside, content_digest, is_named_after, sweep
from lifecircle.analysis.working_copy import begin_in_copy


class Workspace(AreaFolders):
    """A folder of areas and their runs; it need not exist before the first save."""

    def __repr__(self) -> str:
        return f"<Workspace {str(self.root)!r}: {', '.join(self.areas()) or 'no areas'}>"

    def manifest(self, area: str, run: str | None = None) -> Manifest:
        """The manifest of a run (the current one), without opening its tables."""
        return read_manifest(self.run_folder(area, run))

    def years(self, area: str) -> dict[str, int]:
        """The year of each run of an area, the oldest run first."""
        found = {}
        for name in self.runs(area):
            with contextlib.suppress(WorkspaceError):  # one that is damaged, which `doctor` names
                found[name] = self.manifest(area, name).year
        return found

    def run_of_year(self, area: str, year: int) -> str:
        """The latest run of a year.

        Raises
        ------
        UnknownNameError : no such area, or no run of that year.
        """
        years = self.years(area)
        found = [name for name, told in years.items() if told == year]
        if not found:
            known = ", ".join(map(str, sorted(set(years.values()))))
            raise UnknownNameError("unknown_year", year=year, area=area, known=known)
        return found[-1]

    def other_years(self, run: Run) -> tuple[Run, ...]:
        """The latest run of every year of an area but that of a run, the earliest first."""
        area = run.manifest.area
        names = latest_of_years(self.years(area), run.manifest.run)
        return tuple(self.open(area, name) for name in names)

    def open(self, area: str, run: str | None = None) -> Run:
        """A run (the current one) with its arrays memory-mapped, under its own policy.

        Raises
        ------
        UnknownNameError : no such area or run.
        WorkspaceError : its files cannot be read.
        """
        folder = self.run_folder(area, run)
        manifest = read_manifest(folder)
        with reading(folder):
            policy = policy_from((folder / POLICY).read_text(encoding="utf-8"))
            city, travel = read_city(folder)
            served = read_catchments(folder)
        return Run(folder, manifest, policy, city, travel, served)

    def open_whole(self, area: str, run: str | None = None) -> Run:
        """As `open`; meanwhile every byte of the run is read and compared with its digest.

        Raises
        ------
        WorkspaceError : also where a file (but the manifest) is not as it was written.
        """
        folder = self.run_folder(area, run)
        with ThreadPoolExecutor(max_workers=1) as beside:
            digest = beside.submit(content_digest, folder)
            opened = self.open(area, folder.name)
            with reading(folder):
                whole = is_named_after(folder.name, digest.result())
        if not whole:
            raise WorkspaceError("run_damaged", path=folder.name, area=area)
        return opened

    def sweep(self) -> None:
        """Remove what dead builds left aside; a folder that cannot be written stays as it is."""
        for area in self.areas():
            with contextlib.suppress(OSError):
                sweep(self.root / area)

    def save(
        self,
        run: Run,
        layers: tuple[MadeLayers, MadeLayers],
        timings_s: Callable[[], Mapping[str, float]] = dict,
    ) -> Run:
        """Add a finished run to its area and make it the current one; returns it in its place.

        The run's name is the UTC time of ``manifest.created`` and a digest of its content.
        When anything fails the workspace is as before.

        Parameters
        ----------
        layers : what makes those to keep (`results.layers.layer_makers`), the longest here, the
            others beside it.
        timings_s : seconds per step, asked for when everything but the manifest is written.

        Raises
        ------
        ParameterError : the area's name cannot be a folder.
        WorkspaceError : the workspace cannot be written.
        """
        manifest = run.manifest
        area = inside(self.root, manifest.area)
        new = not area.exists()
        try:
            area.mkdir(parents=True, exist_ok=True)
            sweep(area)
            with claimed_aside(area) as aside:
                saved = self._add(aside, run, layers, timings_s)
                _point(aside, saved.manifest.run)
        except BaseException as fault:
            if new:
                _forget(area)
            if isinstance(fault, OSError) and not isinstance(fault, WorkspaceError):
                raise WorkspaceError(
                    "workspace_unwritable",
                    area=manifest.area,
                    reason=fault.strerror or type(fault).__name__,
                ) from fault
            raise
        return saved

    def _add(
        self,
        aside: Path,
        run: Run,
        layers: tuple[MadeLayers, MadeLayers],
        timings_s: Callable[[], Mapping[str, float]],
    ) -> Run:
        area = aside.parent
        aside.mkdir()
        try:
            digests = _write(aside, run, layers)
            digest = content_digest(aside, digests)
            stem = f"r{_stamp(run.manifest.created)}-{digest[:8]}"
            (area / RUNS).mkdir(exist_ok=True)
            while True:
                name = _free(area / RUNS, stem)
                manifest = dataclasses.replace(run.manifest, run=name, timings_s=timings_s())
                write_manifest(aside, manifest)
                _to_disk(aside / MANIFEST)
                _to_disk(aside)
                try:
                    aside.rename(area / RUNS / name)
                except OSError:
                    if not (area / RUNS / name).exists():
                        raise
                    continue  # an equal build of the same second took the name meanwhile
                break
            _to_disk(area / RUNS)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return dataclasses.replace(run, path=area / RUNS / name, manifest=manifest)


def _write(aside: Path, run: Run, layers: tuple[MadeLayers, MadeLayers]) -> dict[str, str]:
    """Write all but the manifest, through to the disk; what takes longest here, beside the rest.

    Returns the digests of the files by their names.
    """
    longest, others = layers

    def write_rest() -> dict[str, str]:
        (aside / POLICY).write_text(policy_text(run.policy), encoding="utf-8")
        write_city(aside, run.city, run.travel)
        write_catchments(aside, run.catchments)
        write_layers(aside, others())
        files = [file for file in aside.iterdir() if file not in apart]
        return _settled(files)

    apart = [layer_file(aside, LONGEST)]
    written = begin_in_copy(write_rest)
    try:
        write_layers(aside, longest())
        mine = _settled(apart)
    finally:
        rest = written()
    return mine | rest


def _settled(files: Sequence[Path]) -> dict[str, str]:
    """Digests by name of finished files, that are on the disk now."""
    wait_side_by_side(_to_disk, files)
    return dict(zip([file.name for file in files], map_side_by_side(sha256_of, files), strict=True))


def latest_of_years(years: Mapping[str, int], run: str) -> tuple[str, ...]:
    """The last run of every year but that of a run, the earliest year first.

    Parameters
    ----------
    years : the year of each run, the oldest run first.
    """
    latest = {year: name for name, year in years.items() if year != years.get(run)}
    return tuple(latest[year] for year in sorted(latest))


def _stamp(created: str) -> str:
    """``yyyymmddHHMMSS`` in UTC of an ISO time."""
    return datetime.fromisoformat(created).astimezone(UTC).strftime("%Y%m%d%H%M%S")


def _free(runs: Path, stem: str) -> str:
    """The stem, or the stem with the next number when that run exists already."""
    name, number = stem, 1
    while (runs / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name


def _point(aside: Path, run: str) -> None:
    """Make a run the current one by one rename."""
    area = aside.parent
    pointer = aside.with_name(f"{aside.name}.{CURRENT}")
    try:
        pointer.write_text(run + "\n", encoding="utf-8")
        _to_disk(pointer)
        pointer.replace(area / CURRENT)
        _to_disk(area)
    except BaseException:
        pointer.unlink(missing_ok=True)
        shutil.rmtree(area / RUNS / run, ignore_errors=True)
        raise


def _forget(area: Path) -> None:
    """Remove the folders of an area that never got a run."""
    for folder in (area / RUNS, area):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _to_disk(path: Path) -> None:
    """Ask the system to write a file or folder through (folders cannot be on Windows)."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

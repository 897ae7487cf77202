"""Areas and runs as folders: which there are, found without opening any (nothing heavy here).

::

    DIR/<area>/runs/<run>/   manifest.json policy.json city.json *.parquet *.npy
    DIR/<area>/current       the name of the run to show
    DIR/<area>/.tmp-*        a build under way (it holds the .lock of its name), or one that died
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from lifecircle.analysis.errors import UnknownNameError, WorkspaceError
from lifecircle.analysis.results.names import inside, safe_name
from lifecircle.analysis.texts import Title
from lifecircle.analysis.unknown_names import Words, find_id, unknown, unknown_service

RUNS: Final = "runs"
CURRENT: Final = "current"
MANIFEST: Final = "manifest.json"
POLICY: Final = "policy.json"


class AreaFolders:
    """A folder of areas and their runs; it need not exist before the first save."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def areas(self) -> list[str]:
        """Names of the areas that have a current run, sorted."""
        try:
            if not self.root.is_dir():
                return []
            return sorted(folder.name for folder in self.root.iterdir() if is_area(folder))
        except OSError as fault:
            raise WorkspaceError("workspace_unreadable", path=self.root.name) from fault

    def runs(self, area: str) -> list[str]:
        """Names of an area's runs, the oldest first."""
        folder = self.area_folder(area) / RUNS
        return sorted(run.name for run in folder.iterdir() if (run / MANIFEST).is_file())

    def current(self, area: str) -> str:
        """Name of an area's current run."""
        pointer = self.area_folder(area) / CURRENT
        try:
            name = pointer.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as fault:
            raise WorkspaceError("current_broken", area=area, run="?") from fault
        if name not in self.runs(area):
            raise WorkspaceError("current_broken", area=area, run=name)
        return name

    def area_folder(self, area: str) -> Path:
        """The folder of an area.

        Raises
        ------
        UnknownNameError : no such area.
        """
        folder = inside(self.root, area)
        if not is_area(folder):
            raise UnknownNameError("unknown_area", name=area, known=", ".join(self.areas()) or "-")
        return folder

    def run_folder(self, area: str, run: str | None = None) -> Path:
        """The folder of a run (the current one).

        Raises
        ------
        UnknownNameError : no such area or run.
        """
        folder = self.area_folder(area) / RUNS
        name = self.current(area) if run is None else safe_name(run)
        if name not in self.runs(area):
            raise UnknownNameError(
                "unknown_run", name=name, area=area, known=", ".join(self.runs(area)) or "-"
            )
        return inside(folder, name)

    def check(self, area: str, run: str | None, service: str | None, walker: str | None) -> None:
        """Whether there are such names; what None stands for is not asked.

        A run whose policy cannot be read is left to whoever opens it.

        Raises
        ------
        UnknownNameError : no such area, run, service or walker.
        """
        folder = self.run_folder(area, run)
        if service is None and walker is None:
            return
        try:
            policy = json.loads((folder / POLICY).read_text(encoding="utf-8"))
            services = {name: _words(told) for name, told in policy["services"].items()}
            walkers = {name: _words(told) for name, told in policy["walkers"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        if service is not None and find_id(service, services) is None:
            raise unknown_service(service, services)
        if walker is not None and find_id(walker, walkers) is None:
            raise unknown("unknown_walker", walker, walkers, walkers)


def _words(told: dict[str, object]) -> Words:
    title = told["title"]
    if not isinstance(title, dict):
        raise TypeError("a title is a table")
    aliases = told.get("aliases") or ()
    if not isinstance(aliases, list | tuple):
        raise TypeError("aliases are a list")
    return Words(Title(str(title["zh"]), str(title["en"])), tuple(map(str, aliases)))


def is_area(folder: Path) -> bool:
    """Whether a folder holds an area with a current run."""
    return (
        not folder.name.startswith(".")
        and (folder / CURRENT).is_file()
        and (folder / RUNS).is_dir()
    )

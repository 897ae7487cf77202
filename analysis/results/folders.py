"""Areas and runs as folders: which there are, found without opening any (nothing heavy here).

::

    DIR/<area>/runs/<run>/   manifest.json policy.json city.json *.parquet *.npy
    DIR/<area>/current       the name of the run to show
    DIR/<area>/.tmp-*        a build under way (it holds the .lock of its name), or one that died
    DIR/<area>/headline/<run>.json   its sentence, worked out once (`headline_file`)
    DIR/.cache/answers/<area>/<run>/ answers of a service (`answers_folder`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import ParameterError, UnknownNameError, WorkspaceError
from lifecircle.analysis.readers.records.aliases import aliases_of, known_values
from lifecircle.analysis.results.names import inside, safe_name
from lifecircle.analysis.texts import Title, group_title
from lifecircle.analysis.unknown_names import Words, find_id, fold_name, unknown, unknown_service
from lifecircle.analysis.writing import write_aside

RUNS: Final = "runs"
CURRENT: Final = "current"
MANIFEST: Final = "manifest.json"
POLICY: Final = "policy.json"
CITY: Final = "city.json"
HEADLINE: Final = "headline"
TOTAL: Final = "total"  # everybody
WHOLE: Final = "none"  # no level: the area as a whole
_UNKNOWN: Final = {
    "walker": "unknown_walker",
    "kind": "unknown_circle",
    "group": "unknown_group",
    "by": "unknown_level",
}


def run_stamp(run: Path) -> str:
    """Changes when another run lies under the same name; empty where there is none."""
    try:
        told = (run / MANIFEST).stat()
    except OSError:
        return ""
    return f"{told.st_mtime_ns}.{told.st_size}"


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

    def check(self, area: str, run: str | None, asked: Mapping[str, str | None]) -> None:
        """Whether there are such names, by what they are names of; None is not asked.

        `asked`: ``service, walker, kind`` (of circle), ``group, by``.
        A run whose lists cannot be read is left to whoever opens it.

        Raises
        ------
        UnknownNameError : no such area, run, service, walker, circle, group or level.
        """
        folder = self.run_folder(area, run)
        given = {of: name for of, name in asked.items() if name is not None}
        if not given:
            return
        try:
            policy = json.loads((folder / POLICY).read_text(encoding="utf-8"))
            city = json.loads((folder / CITY).read_text(encoding="utf-8"))
            known = _known(policy, city)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        for of, name in given.items():
            if find_id(name, known[of]) is not None:
                continue
            if of == "by" and fold_name(name) == WHOLE:
                continue
            if of == "service":
                raise unknown_service(name, known[of])
            raise unknown(_UNKNOWN[of], name, known[of], known[of])

    def check_settings(self, area: str, run: str | None, given: Mapping[str, object]) -> None:
        """Whether the scorecard of a run has such settings, and such answers to choose from.

        Raises
        ------
        UnknownNameError : no such area, run or setting.
        ParameterError : an answer that is none of a setting's choices.
        """
        folder = self.run_folder(area, run)
        try:
            card = json.loads((folder / POLICY).read_text(encoding="utf-8"))["scorecard"]
            choices = {name: list(one["choices"]) for name, one in card["settings"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # left to whoever opens it
        for name, value in given.items():
            if name not in choices:
                raise unknown("scorecard_setting_unknown", name, choices)
            if choices[name] and str(value) not in choices[name]:
                known = ", ".join(choices[name])
                raise ParameterError(
                    "scorecard_setting_choice", name=name, value=value, choices=known
                )


def _known(policy: dict[str, Any], city: dict[str, Any]) -> dict[str, dict[str, Words]]:
    """What the names of a run are called, by what they are names of."""
    titles, people = policy["unit_levels"], aliases_of("population")
    levels: dict[str, list[str]] = {level: [] for level in city["levels"]}
    for word, level in known_values("level").items():
        levels.get(level, []).append(word)
    groups = {
        name: Words(group_title(name), (name, *people.get(f"pop_{name}", people.get(name, ()))))
        for name in city["groups"]
    }
    return {
        "service": {name: _words(told) for name, told in policy["services"].items()},
        "walker": {name: _words(told) for name, told in policy["walkers"].items()},
        "kind": {name: _words(told) for name, told in policy["circles"].items()},
        "group": {TOTAL: Words(group_title(TOTAL), tuple(people["population"])), **groups},
        "by": {
            level: Words(_title(titles.get(level, {"zh": level, "en": level})), tuple(words))
            for level, words in levels.items()
        },
    }


def _words(told: dict[str, object]) -> Words:
    title = _title(told["title"])
    aliases = told.get("aliases") or ()
    if not isinstance(aliases, list | tuple):
        raise TypeError("aliases are a list")
    return Words(title, tuple(map(str, aliases)))


def _title(told: object) -> Title:
    if not isinstance(told, dict):
        raise TypeError("a title is a table")
    return Title(str(told["zh"]), str(told["en"]))


def headline_file(run: Path) -> Path:
    """The file of a run's kept headline (it need not exist; it can be worked out again)."""
    return run.parent.parent / HEADLINE / f"{run.name}.json"


def answers_root(root: Path) -> Path:
    """Where the answers of a service are kept; whatever lies there can be worked out again."""
    return root / ".cache" / "answers"


def answers_folder(area: Path, run: str) -> Path:
    """Where the answers about one run are kept (it need not exist); `area` is its folder."""
    return answers_root(area.parent) / area.name / run


def keep_beside(file: Path, content: bytes, area: str) -> None:
    """Write what is kept beside the runs of an area: whole or not at all.

    Raises
    ------
    WorkspaceError : the workspace cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_aside(file, content)
    except OSError as fault:
        raise WorkspaceError(
            "workspace_unwritable", area=area, reason=fault.strerror or type(fault).__name__
        ) from fault


def is_area(folder: Path) -> bool:
    """Whether a folder holds an area with a current run, also one whose pointer is broken."""
    pointer = folder / CURRENT
    return (
        not folder.name.startswith(".")
        and (pointer.exists() or pointer.is_symlink())
        and (folder / RUNS).is_dir()
    )

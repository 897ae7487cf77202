"""What every command shares: its options, the reader's language, how a run is opened."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.texts import Language
from lifecircle.service.commands.kernels import kernel_folder, lend_kernels
from lifecircle.service.errors import MissingError

if TYPE_CHECKING:
    from lifecircle.analysis.results.model import Run
    from lifecircle.service.database.engine import Database

Area = Annotated[str, typer.Argument()]
WorkspaceDir = Annotated[Path, typer.Option("--workspace", envvar="LIFECIRCLE_WORKSPACE")]
Service = Annotated[str | None, typer.Option()]
Minutes = Annotated[float | None, typer.Option()]
Walker = Annotated[str, typer.Option()]
Profile = Annotated[str, typer.Option()]
ON_FOOT = "walk"
PolicyFile = Annotated[str | None, typer.Option("--policy")]
Lang = Annotated[Literal["zh", "en"] | None, typer.Option()]
Datum = Annotated[str | None, typer.Option()]
Crs = Annotated[str | None, typer.Option()]
NorthFirst = Annotated[bool, typer.Option("--x-north")]
Sheet = Annotated[str | None, typer.Option()]
LayerName = Annotated[str | None, typer.Option("--layer")]
Mapping = Annotated[Path | None, typer.Option()]
OtherTypes = Annotated[str, typer.Option("--other-types")]
HERE = Path("workspace")
# A test holds both to where they come from; whether a run has such a layer, it says itself.
MAP_LAYERS = ("coverage", "gaps", "circles", "catchments", "referral", "proposals", "units",
              "facilities", "quality", "compare")  # fmt: skip
EXPORT_LAYERS = ("cells", "facilities", "units", "gaps", "circles", "network", "catchments",
                 "proposals")  # fmt: skip
_ADDRESS = re.compile(r"[a-z]{2,}:/", re.IGNORECASE)  # a path is told apart from an address later
Group = Annotated[str, typer.Option()]
By = Annotated[str | None, typer.Option()]
At = Annotated[str | None, typer.Option()]
RunName = Annotated[str | None, typer.Option("--run")]
Year = Annotated[int | None, typer.Option("--year", min=1900, max=2200)]
AsJson = Annotated[bool, typer.Option("--json")]


def language_of(asked: str | None = None) -> Language:
    """The language asked for, else that of the environment."""
    told = asked or os.environ.get("LIFECIRCLE_LANGUAGE") or os.environ.get("LANG", "")
    return "zh" if told.lower().startswith("zh") else "en"


def refuse_missing(*files: Path | None) -> None:
    """Refuse files that are not there, all at once, before anything heavy is imported.

    Raises
    ------
    InputError : files that do not exist; ``schools.csv=primary_school`` is the file before the =.
    """
    from lifecircle.analysis.errors import Fault, InputError

    named = [file for file in files if file is not None and not _ADDRESS.match(str(file))]
    gone = [file for file in named if not _is_there(file)]
    if gone:
        raise InputError([Fault("file_missing", file.name) for file in gone])


def _is_there(file: Path) -> bool:
    """Whether a file is there, as it is named or without the service behind its last =."""
    try:
        return file.exists() or Path(str(file).rpartition("=")[0] or file).is_file()
    except OSError:  # a name too long, a folder closed to us
        return False


def prepare(workspace: Path) -> None:
    """Compiled kernels are kept in the workspace, unless the environment says where."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        folder = kernel_folder(workspace)
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        lend_kernels(folder)


def opened(
    area: str,
    workspace: Path,
    run: str | None = None,
    *,
    profile: str = ON_FOOT,
    year: int | None = None,
    **asked: str | None,
) -> Run:
    """A run of a workspace (the latest); names are checked before anything heavy is imported.

    `profile`: of travelling, on whose roads the run is asked. `asked`: names of what the run must
    have, as of `AreaFolders.check`. `year`: the latest run of a year, instead of a run.
    """
    from lifecircle.analysis.results.folders import AreaFolders

    if profile != ON_FOOT:
        asked.pop("walker", None)
    run = run_named(area, workspace, run, year)
    AreaFolders(workspace).check(area, run, asked)
    prepare(workspace)
    from lifecircle.analysis.results.by_profile import run_by
    from lifecircle.analysis.results.store import Workspace

    return run_by(Workspace(workspace).open(area, run), profile)


def refuse_layer(name: str, known: tuple[str, ...], key: str) -> None:
    """Refuse a word that no run has as a layer, before any run is opened.

    Raises
    ------
    MissingError, UnknownNameError : the errors of maps and of files, as when a run is asked.
    """
    if name in known:
        return
    if key == "unknown_layer":
        raise UnknownNameError(key, name=name, known=", ".join(known))
    raise MissingError(key, layer=name, known=", ".join(known))


def settings_of(
    area: str, workspace: Path, run: str | None, given: list[str] | None
) -> dict[str, str | float]:
    """Settings of a run's scorecard as ``--set`` says them, checked before the run is opened."""
    if not given:
        return {}
    from lifecircle.analysis.results.folders import AreaFolders

    AreaFolders(workspace).check(area, run, {})
    prepare(workspace)
    from lifecircle.service.catalog.scorecard import settings_given

    settings = settings_given(given)
    AreaFolders(workspace).check_settings(area, run, settings)
    return settings


def run_named(area: str, workspace: Path, run: str | None, year: int | None) -> str | None:
    """The name of a run, or of the latest of a year; None: neither is named.

    Raises
    ------
    ParameterError : both are named.
    UnknownNameError : no run of that year.
    """
    if year is None:
        return run
    from lifecircle.analysis.errors import ParameterError
    from lifecircle.analysis.results.store import Workspace

    if run is not None:
        raise ParameterError("run_and_year")
    return Workspace(workspace).run_of_year(area, year)


def database_of(workspace: Path) -> Database:
    """The database that the service of a workspace uses."""
    from lifecircle.service.database.engine import Database

    return Database(workspace, os.environ.get("LIFECIRCLE_DATABASE"))


def who_runs() -> str:
    """Who runs the command, for the audit log."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"command:{os.getuid()}"

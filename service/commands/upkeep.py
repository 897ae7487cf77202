"""Commands that keep a workspace in order: ``prune`` old runs, ``doctor`` what is broken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.service.commands.words import HERE, Lang, WorkspaceDir, language_of

if TYPE_CHECKING:
    from lifecircle.analysis.results.folders import AreaFolders
    from lifecircle.analysis.texts import Language

AnyArea = Annotated[str | None, typer.Argument()]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(prune)
    app.command()(doctor)


def prune(
    name: AnyArea = None,
    keep: Annotated[int, typer.Option(min=1)] = 10,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Remove old runs; never the current one, the last of a year, one that is needed."""
    from lifecircle.analysis.results import upkeep
    from lifecircle.service import i18n
    from lifecircle.service.terminal import say

    folders, language = _folders(workspace), language_of(lang)
    needed = _needed(workspace)
    for area in folders.areas() if name is None else [name]:
        removed = upkeep.prune(folders, area, keep, needed=needed(area), dry=dry_run)
        key = "cli_would_prune" if dry_run else "cli_pruned"
        left = len(folders.runs(area)) - len(removed) * dry_run
        say(i18n.text(key, language, area=area, count=len(removed), left=left))
        for run in removed:
            say(f"  {run}")


def doctor(
    name: AnyArea = None,
    mend: Annotated[bool, typer.Option("--mend")] = False,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Whether runs are as they were written; exit 2 where something is wrong."""
    from lifecircle.analysis.results import upkeep
    from lifecircle.service import i18n
    from lifecircle.service.terminal import say

    folders, language = _folders(workspace), language_of(lang)
    wrong = 0
    for area in folders.areas() if name is None else [name]:
        if mend:
            for left in upkeep.sweep(folders.area_folder(area)):
                say(i18n.text("cli_swept", language, area=area, name=left))
            current = upkeep.mend_current(folders, area)
            if current is not None:
                say(i18n.text("cli_pointed", language, area=area, run=current))
        found = upkeep.examine(folders, area)
        wrong += len(found)
        for one in found:
            say(i18n.text(one.key, language, area=area, **one.params))
        if not found:
            say(i18n.text("cli_area_sound", language, area=area, count=len(folders.runs(area))))
    if name is None:
        wrong += _database_wrong(workspace, language)
    if wrong:
        raise typer.Exit(2)


def _database_wrong(workspace: Path, language: Language) -> int:
    """Say whether the database file is damaged; a server's database looks after itself."""
    from lifecircle.service import i18n
    from lifecircle.service.backup.copying import check_database
    from lifecircle.service.database.engine import database_file
    from lifecircle.service.errors import BackupError
    from lifecircle.service.terminal import say

    file = database_file(workspace, os.environ.get("LIFECIRCLE_DATABASE"))
    if file is None or not file.is_file():
        return 0
    try:
        check_database(file)
    except BackupError as fault:
        say(i18n.text("doctor_database", language, **fault.params))
        return 1
    return 0


def _needed(workspace: Path) -> Callable[[str], frozenset[str]]:
    """Which runs of an area kept scenarios are drawn on, or jobs that wait or run are about.

    Asked before anything is removed.
    """
    from lifecircle.service.commands.words import database_of

    database = database_of(workspace)
    if not database.there():
        return lambda _: frozenset()
    from lifecircle.service.database.kept import runs_held
    from lifecircle.service.jobs.records import runs_asked

    engine = database.engine()
    return lambda area: runs_held(engine, area) | runs_asked(engine, area)


def _folders(workspace: Path) -> AreaFolders:
    from lifecircle.analysis.errors import WorkspaceError
    from lifecircle.analysis.results.folders import AreaFolders

    if not workspace.is_dir():
        raise WorkspaceError("workspace_missing", path=str(workspace))
    return AreaFolders(workspace)

"""Commands that copy a whole workspace and bring it back: ``backup``, ``restore``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.service.commands.words import HERE, Lang, WorkspaceDir, language_of

if TYPE_CHECKING:
    from lifecircle.analysis.texts import Language
    from lifecircle.service.backup.contents import Contents

Given = Annotated[Path, typer.Argument()]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(backup)
    app.command()(restore)


def backup(
    to: Given,
    without_database: Annotated[bool, typer.Option("--without-database")] = False,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Copy a workspace; exit 2 where something damaged was left out."""
    from lifecircle.service import i18n
    from lifecircle.service.backup.copying import make_backup
    from lifecircle.service.terminal import progress_bar, say

    language = language_of(lang)
    database = None if without_database else _database(workspace)
    with progress_bar(to.name, language) as progress:
        made = make_backup(workspace, to, database, progress)
    _tell(made, to, language)
    for one in made.left_out:
        say(i18n.text(one.key, language, **one.params))
    if made.left_out:
        raise typer.Exit(2)


def restore(
    backup: Given,
    into: Annotated[Path | None, typer.Option()] = None,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Restore a backup into an empty folder."""
    from lifecircle.service import i18n
    from lifecircle.service.backup.contents import DATABASE
    from lifecircle.service.backup.restoring import restore_backup
    from lifecircle.service.terminal import progress_bar, say

    language, target = language_of(lang), into or workspace
    with progress_bar(target.name, language) as progress:
        contents = restore_backup(backup, target, progress)
    _tell(contents, target, language)
    if DATABASE in contents.files and os.environ.get("LIFECIRCLE_DATABASE"):
        say(i18n.text("cli_restored_elsewhere", language))


def _database(workspace: Path) -> Path | None:
    from lifecircle.service.database.engine import database_file
    from lifecircle.service.errors import BackupError

    given = os.environ.get("LIFECIRCLE_DATABASE")
    file = database_file(workspace, given)
    if file is None:
        kind = str(given).partition(":")[0].partition("+")[0]
        raise BackupError("backup_elsewhere", kind=kind)
    return file


def _tell(contents: Contents, path: Path, language: Language) -> None:
    from lifecircle.service import i18n
    from lifecircle.service.backup.contents import DATABASE
    from lifecircle.service.terminal import say

    told = {"files": f"{len(contents.files):,}", "size": f"{contents.size / 1e6:,.1f}"}
    count = len(contents.areas)
    say(i18n.text("cli_backed_up", language, path=str(path), count=count, **told))
    if DATABASE not in contents.files:
        say(i18n.text("cli_backup_no_database", language))

"""The jobs of a workspace from the command line: ``lifecircle jobs list``, ``show``, ``cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lifecircle.service.commands.words import (
    HERE,
    AsJson,
    Lang,
    WorkspaceDir,
    database_of,
    language_of,
    who_runs,
)

if TYPE_CHECKING:
    from lifecircle.analysis.texts import Language
    from lifecircle.service.jobs.desk import Jobs
    from lifecircle.service.jobs.model import Job

Todo = Annotated[Literal["list", "show", "cancel"], typer.Argument()]
OneState = Annotated[
    Literal["accepted", "running", "successful", "failed", "dismissed"] | None,
    typer.Option("--state"),
]


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    app.command()(jobs)


def jobs(
    todo: Todo,
    identity: Annotated[str | None, typer.Argument(metavar="ID")] = None,
    state: OneState = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 20,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """List jobs, show one, or call one off."""
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.database.audit import Writer
    from lifecircle.service.errors import RequestError
    from lifecircle.service.jobs.desk import Jobs
    from lifecircle.service.jobs.records import Wanted
    from lifecircle.service.settings import Settings
    from lifecircle.service.terminal import print_json, say

    language = language_of(lang)
    desk = Jobs(Workspace(workspace), database_of(workspace), Settings(workspace=workspace))
    if todo == "list":
        found, count = desk.listed(Wanted(states=(state,) if state else ()), limit)
        rows = [_row(desk, job, language) for job in found]
        if as_json:
            print_json({"jobs": rows, "count": count})
        else:
            for row in rows:
                say("  ".join(str(row[part] or "-") for part in _SHOWN))
        return
    if identity is None:
        raise RequestError("job_no_id")
    job = desk.find(identity)
    if todo == "cancel":
        job = desk.dismiss(identity, Writer(who_runs()))
    row = _row(desk, job, language)
    if as_json:
        print_json(row)
        return
    say("  ".join(str(row[part] or "-") for part in _SHOWN))
    for line in (row["message"], *row["log"]) if todo == "show" else ():
        say(line)


_SHOWN = ("id", "process", "area", "told", "progress", "created", "owner")


def _row(desk: Jobs, job: Job, lang: Language) -> dict[str, Any]:
    from lifecircle.service import i18n
    from lifecircle.service.database.audit import moment

    running = desk.folders.progress(job.id) if job.state == "running" else None
    told = i18n.text(f"job_state_{job.state}", lang)
    step = running.step if running is not None and i18n.TEXTS.has(running.step) else None
    done = 1.0 if job.state == "successful" else running.share if running else 0.0
    return {
        "id": job.id,
        "process": job.process,
        "area": job.area,
        "state": job.state,
        "told": told,
        "progress": f"{done:.0%}",
        "owner": job.owner,
        "created": moment(job.created),
        "started": moment(job.started),
        "finished": moment(job.finished),
        "message": str(job.error[lang]["detail"]) if job.error else i18n.text(step, lang) if step
        else told,
        "log": desk.folders.log_tail(job.id),
    }  # fmt: skip

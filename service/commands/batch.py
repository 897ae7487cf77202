"""The command that builds many cities and sums them up."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lifecircle.service.commands.words import HERE, Lang, WorkspaceDir, language_of, prepare


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(batch)


def batch(  # noqa: PLR0913 - typer reads the options from the signature
    cities: Annotated[Path, typer.Argument()],
    workspace: WorkspaceDir = HERE,
    runner: Annotated[str | None, typer.Option()] = None,
    workers: Annotated[int | None, typer.Option()] = None,
    scheduler: Annotated[str | None, typer.Option()] = None,
    resume: Annotated[bool, typer.Option("--resume")] = False,
    only: Annotated[list[str] | None, typer.Option()] = None,
    out: Annotated[str | None, typer.Option()] = None,
    runs_to: Annotated[str | None, typer.Option()] = None,
    lang: Lang = None,
) -> None:
    """Build many cities, each on its own, and rank them."""
    from lifecircle.service.batch.cities import is_address, read_plan
    from lifecircle.service.batch.runners import runner_of

    plan = read_plan(cities)
    if only:
        plan = plan.only(cities, tuple(only))
    from lifecircle.service.terminal.batch import tell_lost

    language = language_of(lang)
    count = os.cpu_count() or 1 if workers is None else workers
    chosen = runner_of(runner, count, scheduler, partial(tell_lost, lang=language))
    prepare(workspace)
    from lifecircle.service.batch.run import run_batch
    from lifecircle.service.batch.summary import (
        make_out,
        send_summary,
        write_summary,
    )
    from lifecircle.service.terminal import say
    from lifecircle.service.terminal.batch import show_failed, watched

    target = out or f"{cities.stem}-summary"
    if not is_address(target):
        make_out(Path(target))
    work = run_batch(plan, workspace, chosen, resume=resume, runs_to=runs_to)
    records = watched(plan, workspace, work, language)
    if is_address(target):
        files = send_summary(records, workspace, target, language)
    else:
        files = list(map(str, write_summary(records, workspace, Path(target), language)))
    for file in files:
        say(file)
    show_failed(records, language)

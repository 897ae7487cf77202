"""The command ``lifecircle robust``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.analysis.writing import write_aside
from lifecircle.service.commands.words import (
    HERE,
    Area,
    AsJson,
    By,
    Lang,
    RunName,
    Service,
    Walker,
    WorkspaceDir,
    Year,
    language_of,
    opened,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(robust)


def robust(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    draws: Annotated[int | None, typer.Option()] = None,
    seed: Annotated[int, typer.Option()] = 0,
    out: Annotated[Path | None, typer.Option()] = None,
    service: Service = None,
    walker: Walker = "adult",
    by: By = None,
    lists: Annotated[bool, typer.Option("--lists/--no-lists")] = True,
    propose: Annotated[int | None, typer.Option(min=1)] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep")] = True,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Whether verdicts survive their assumptions."""
    found = opened(name, workspace, run, year=year, service=service, walker=walker, by=by)
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.service.catalog import robustness_document
    from lifecircle.service.catalog.firm.robustness import RobustnessTask
    from lifecircle.service.report.robustness import robustness_page, robustness_workbook
    from lifecircle.service.terminal import check_suffix, print_json, say
    from lifecircle.service.terminal.robustness import counting, show_robustness

    check_suffix(out, ".html .xlsx .json")
    with counting(name, language) as progress:
        document = robustness_document(
            found,
            Question(service, walker=walker, by=by),
            RobustnessTask(draws, seed, lists, keep=keep, propose=propose),
            progress=progress,
            lang=language,
        )
    if as_json:
        print_json(document)
    elif out is None:
        show_robustness(document, language)
    else:
        form = out.suffix.lower()
        if form == ".html":
            write_aside(out, robustness_page(document, language).encode())
        elif form == ".xlsx":
            write_aside(out, robustness_workbook(document, language))
        else:
            from lifecircle.service.responses import encode

            write_aside(out, encode(document) + b"\n")
        say(str(out))

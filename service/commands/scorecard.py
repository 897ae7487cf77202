"""The command ``lifecircle scorecard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.analysis.writing import write_aside
from lifecircle.service.commands.words import (
    HERE,
    Area,
    AsJson,
    Lang,
    RunName,
    Walker,
    WorkspaceDir,
    language_of,
    opened,
    settings_of,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(scorecard)


def scorecard(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    out: Annotated[Path | None, typer.Option()] = None,
    level: Annotated[str | None, typer.Option()] = None,
    walker: Walker = "adult",
    year: Annotated[int | None, typer.Option()] = None,
    settings: Annotated[list[str] | None, typer.Option("--set")] = None,
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Every promise of the plan, judged."""
    given = settings_of(name, workspace, run, settings)
    found, language = opened(name, workspace, run, walker=walker, by=level), language_of(lang)
    from lifecircle.analysis.results.scorecard_table import export_scorecard
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.catalog import scorecard_document
    from lifecircle.service.report.scorecard import scorecard_page
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.scorecard import show_scorecard

    document = scorecard_document(
        found,
        walker=walker,
        level=level,
        year=year,
        settings=given,
        others=Workspace(workspace).other_years(found),
        lang=language,
    )
    if as_json:
        print_json(document)
    elif out is None:
        show_scorecard(document, language)
    else:
        if out.suffix.lower() in (".html", ".htm"):
            write_aside(out, scorecard_page(found, document, language).encode())
        elif out.suffix.lower() == ".json":
            from lifecircle.service.responses import encode

            write_aside(out, encode(document) + b"\n")
        else:
            export_scorecard(document, out, language)
        say(str(out))

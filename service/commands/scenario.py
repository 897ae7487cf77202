"""The command ``scenario``: what edits drawn on an area change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.service.commands.words import (
    HERE,
    Area,
    AsJson,
    By,
    Lang,
    Minutes,
    RunName,
    Walker,
    WorkspaceDir,
    language_of,
    opened,
)


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(scenario)


def scenario(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    edits: Annotated[Path, typer.Argument()],
    minutes: Minutes = None,
    walker: Walker = "adult",
    by: By = None,
    out: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What edits of facilities, ways and residents change, before and after."""
    found = opened(name, workspace, run, walker=walker)
    language = language_of(lang)
    from lifecircle.analysis.errors import ParameterError
    from lifecircle.analysis.measures.edits.reading import read_file
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.results.study_tables import export_scenario
    from lifecircle.service.catalog import scenario_document
    from lifecircle.service.responses import encode
    from lifecircle.service.state import AreaState
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.scenario import show_scenario

    suffix = None if out is None else out.suffix.lower()
    if suffix not in (None, ".json", ".geojson", ".xlsx", ".csv"):
        raise ParameterError("edit_out_suffix", name=str(out))
    document = scenario_document(
        AreaState(found),
        Question(None, minutes, walker, by=by),
        read_file(edits),
        changed_cells=suffix == ".geojson",
        file=edits.name,
        lang=language,
    )
    if out is not None and suffix in (".json", ".geojson"):
        told = document["changed_cells"] if suffix == ".geojson" else document
        out.write_bytes(encode(told))
    elif out is not None:
        export_scenario(document, out, language, found.policy)
    if as_json:
        print_json(document)
    elif out is not None:
        say(str(out))
    else:
        show_scenario(document, found.policy, language)

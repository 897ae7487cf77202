"""The command ``scenario``: what edits drawn on an area change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifecircle.service.commands.words import (
    HERE,
    ON_FOOT,
    Area,
    AsJson,
    By,
    Lang,
    Minutes,
    Profile,
    RunName,
    Walker,
    WorkspaceDir,
    Year,
    database_of,
    language_of,
    opened,
    who_runs,
)
from lifecircle.service.errors import RequestError

if TYPE_CHECKING:
    from lifecircle.analysis.errors import Language
    from lifecircle.analysis.policy import Policy


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(scenario)


def scenario(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    edits: Annotated[Path, typer.Argument()],
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    by: By = None,
    out: Annotated[Path | None, typer.Option()] = None,
    keep: Annotated[bool, typer.Option("--keep")] = False,
    title: Annotated[str | None, typer.Option()] = None,
    author: Annotated[str | None, typer.Option()] = None,
    note: Annotated[str, typer.Option()] = "",
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What edits of facilities, ways and residents change, before and after."""
    if keep != bool(title and title.strip()):
        raise RequestError("keep_no_title")
    found = opened(name, workspace, run, year=year, profile=profile, walker=walker, by=by)
    language = language_of(lang)
    from lifecircle.analysis.errors import ParameterError
    from lifecircle.analysis.measures.edits.reading import read_file
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.service import i18n
    from lifecircle.service.catalog import scenario_document
    from lifecircle.service.catalog.scenarios.kept import held_of
    from lifecircle.service.state import AreaState
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.scenario import show_scenario

    suffix = None if out is None else out.suffix.lower()
    if suffix not in (None, ".json", ".geojson", ".xlsx", ".csv"):
        raise ParameterError("edit_out_suffix", name=str(out))
    if keep and profile != ON_FOOT:
        raise ParameterError("profile_not_kept")
    question = Question(None, minutes, mover_of(walker, profile), by=by)
    document = scenario_document(
        AreaState(found),
        question,
        read_file(edits),
        changed_cells=suffix == ".geojson",
        file=edits.name,
        lang=language,
    )
    if title is not None:
        said = {"title": title, "author": author or who_runs(), "note": note}
        kept = _keep(workspace, name, said, held_of(document, question))
        document = {**document, "stored": True, "scenario": kept}
    if out is not None:
        _write(document, out, language, found.policy)
    if as_json:
        print_json(document)
    elif out is not None:
        say(str(out))
    else:
        show_scenario(document, found.policy, language)
    if keep and not as_json:
        say(i18n.text("cli_scenario_kept", language, id=document["scenario"], title=title))


def _write(document: Mapping[str, Any], out: Path, language: Language, policy: Policy) -> None:
    """The figures as a file of the kind its name says."""
    from lifecircle.analysis.results.study_tables import export_scenario
    from lifecircle.service.responses import encode

    suffix = out.suffix.lower()
    if suffix in (".json", ".geojson"):
        told = document["changed_cells"] if suffix == ".geojson" else document
        out.write_bytes(encode(told))
    else:
        export_scenario(document, out, language, policy)


def _keep(workspace: Path, area: str, said: Mapping[str, str], held: Mapping[str, Any]) -> str:
    """Keep a scenario that was worked out; its id."""
    from lifecircle.service.database.audit import Writer
    from lifecircle.service.database.kept import SCENARIOS

    for part, most in (("title", 200), ("author", 200), ("note", 4_000)):
        if len(said[part]) > most:
            raise RequestError("fault_too_long", name=f"--{part}", limit=most)
    told = {**said, "title": said["title"].strip(), "author": said["author"].strip()}
    engine = database_of(workspace).engine()
    return SCENARIOS.add(engine, area, {**told, **held}, Writer(who_runs())).id

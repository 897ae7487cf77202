"""The command ``site``: where the next places go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lifecircle.analysis.errors import ParameterError
from lifecircle.service.commands.words import (
    HERE,
    Area,
    AsJson,
    Crs,
    Datum,
    Lang,
    LayerName,
    Minutes,
    NorthFirst,
    RunName,
    Sheet,
    Walker,
    WorkspaceDir,
    language_of,
    opened,
)
from lifecircle.service.commands.words import Mapping as MappingFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.analysis.errors import Language
    from lifecircle.analysis.results.model import Run


OBJECTIVES = ("covered", "person_minutes", "all", "capacity")  # a test holds them to siting's own


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(site)


def site(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Annotated[str, typer.Option()],
    add: Annotated[int | None, typer.Option()] = None,
    target: Annotated[float | None, typer.Option()] = None,
    objective: Annotated[str, typer.Option()] = "covered",
    candidates: Annotated[str, typer.Option()] = "all",
    time_limit: Annotated[float, typer.Option()] = 60.0,
    minutes: Minutes = None,
    walker: Walker = "adult",
    datum: Datum = None,
    crs: Crs = None,
    x_north: NorthFirst = False,
    sheet: Sheet = None,
    layer: LayerName = None,
    mapping: MappingFile = None,
    keep: Annotated[bool, typer.Option("--keep")] = False,
    out: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Where the next places go, existing ones kept."""
    source = candidates_named(candidates)
    if objective not in OBJECTIVES:
        raise ParameterError("siting_objective", name=objective, known=", ".join(OBJECTIVES))
    found = opened(name, workspace, run, service=service, walker=walker)
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.readers.records.declarations import Declaration
    from lifecircle.analysis.readers.records.mapping_file import read_declarations
    from lifecircle.analysis.results.export import export_frame
    from lifecircle.analysis.results.layers.layers import layer_columns_of, proposal_frame
    from lifecircle.analysis.results.proposals import keep as keep_beside
    from lifecircle.service.catalog.siting import SitingTask, positions_of, shown, siting_of
    from lifecircle.service.terminal import print_json, say

    said = Declaration(datum, crs, x_north, sheet, layer)
    given = [source] if isinstance(source, Path) else []
    declared = read_declarations(said, mapping, given)
    task = SitingTask(add, target, cast(Any, objective), source, declared, time_limit)
    answer = siting_of(found.study, Question(service, minutes, walker), task)
    document = shown(found, answer, task.source, language)
    if keep:
        document["id"] = keep_beside(found, document, positions_of(answer))
    if out is not None:
        columns = layer_columns_of(found, "proposals")
        export_frame(proposal_frame(found, [document]), columns, out, "proposals", language)
    if as_json:
        print_json(document)
    elif out is not None:
        say(str(out))
    else:
        show_siting(found, document, language)
    if keep and not as_json:
        say(document["id"])


def candidates_named(text: str) -> str | Path:
    """``all``, ``generated``, ``planned`` and ``places...`` as they are, anything else as a file.

    Raises
    ------
    ParameterError : a word that is neither, and no file.
    """
    if text in ("all", "generated", "planned") or text.partition(":")[0] == "places":
        return text
    path = Path(text)
    if not path.suffix and not path.exists():
        raise ParameterError("site_candidates_unknown", name=text)
    return path


def show_siting(run: Run, document: Mapping[str, Any], lang: Language) -> None:
    """The proposals as a table, then what they change and how sure it is."""
    from lifecircle.service.terminal import print_table, say, say_others, show_rests, table_of
    from lifecircle.service.wording import Words, number, percent

    words = Words(lang, "cli")
    title = (
        words.title(run.policy.services[document["service"]].title),
        words.limit(document["minutes"]),
        words.title(run.policy.walkers[document["walker"]].title),
        words.objective(document["objective"]),
    )
    heads = [
        *(words(key) for key in ("site_rank", "site", "unit", "residents_new")),
        words("residents_reached"),
        words.in_brackets(words("person_minutes_saved"), "person_minutes"),
    ]
    table = table_of(" · ".join(title), heads, left=(0, 1, 2))
    for row in document["proposals"]:
        table.add_row(
            str(row["rank"]),
            row["name"] or words.near(row) or row["site"],
            row["unit_name"] or "",
            number(row["residents_new"]),
            number(row["residents_reached"]),
            number(row["person_minutes_saved"]),
        )
    print_table(table)
    before, after = document["before"], document["after"]
    say(
        words(
            "site_change",
            before=percent(before["share"]) or words.none,
            after=percent(after["share"]) or words.none,
            covered=number(after["covered"]),
            residents=number(document["residents"]),
        )
    )
    if document["loads"] is not None:
        loads = {key: number(value) for key, value in document["loads"].items()}
        say(words("site_loads", **loads))
    say(
        words(
            "site_proven" if document["proven"] else "site_bound",
            among=words.candidates(document["candidates"]),
            value=number(document["value"]),
            bound=number(document["bound"]),
            method=words.method(document["method"]),
            seconds=document["seconds"],
        )
    )
    show_rests(document["rests_on"], lang)
    say_others(document)

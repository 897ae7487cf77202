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
    Year,
    language_of,
    opened,
)
from lifecircle.service.commands.words import Mapping as MappingFile
from lifecircle.service.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifecircle.analysis.errors import Language
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.results.model import Run
    from lifecircle.service.catalog.siting.task import SitingTask


OBJECTIVES = ("covered", "person_minutes", "all", "capacity")  # a test holds them to siting's own


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(site)


def site(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Annotated[str, typer.Option()],
    add: Annotated[int | None, typer.Option()] = None,
    target: Annotated[float | None, typer.Option()] = None,
    objective: Annotated[str | None, typer.Option()] = None,
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
    stages: Annotated[str | None, typer.Option()] = None,
    per_stage: Annotated[int | None, typer.Option(min=1)] = None,
    keep: Annotated[bool, typer.Option("--keep")] = False,
    out: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Where the next places go, existing ones kept."""
    source = candidates_named(candidates)
    if objective not in (None, *OBJECTIVES):
        raise ParameterError("siting_objective", name=objective, known=", ".join(OBJECTIVES))
    if stages is None and per_stage is not None:
        raise RequestError("siting_per_stage_alone")
    if stages is not None:
        if run is not None or year is not None:
            raise ParameterError("siting_stages_run")
        if target is not None or keep or objective not in (None, "capacity"):
            raise RequestError("siting_stages_others")
    found = opened(name, workspace, run, year=year, service=service, walker=walker)
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.readers.records.declarations import Declaration
    from lifecircle.analysis.readers.records.mapping_file import read_declarations
    from lifecircle.analysis.results.export import export_frame
    from lifecircle.analysis.results.layers.layers import layer_columns_of, proposal_frame
    from lifecircle.analysis.results.proposals import keep as keep_beside
    from lifecircle.service.catalog.siting.siting import positions_of, shown, siting_of
    from lifecircle.service.catalog.siting.task import SitingTask
    from lifecircle.service.terminal import print_json, say

    said = Declaration(datum, crs, x_north, sheet, layer)
    given = [source] if isinstance(source, Path) else []
    declared = read_declarations(said, mapping, given)
    if stages is not None:
        task = SitingTask(add, None, "capacity", source, declared, time_limit)
        asked = (Question(service, minutes, walker), task, stages, per_stage)
        _stage(found, workspace, asked, out, as_json=as_json, lang=language)
        return
    task = SitingTask(add, target, cast(Any, objective or "covered"), source, declared, time_limit)
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


def _stage(
    found: Run,
    workspace: Path,
    asked: tuple[Question, SitingTask, str, int | None],
    out: Path | None,
    *,
    as_json: bool,
    lang: Language,
) -> None:
    """Which place first, and in which year: a run of the area for each."""
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.analysis.writing import write_aside
    from lifecircle.service.catalog.years.staged import stages_document, years_of
    from lifecircle.service.report.stages import stages_page
    from lifecircle.service.terminal import check_suffix, print_json, say

    check_suffix(out, ".html .htm")
    question, task, stages, per_stage = asked
    store, area = Workspace(workspace), found.manifest.area
    runs = [store.open(area, store.run_of_year(area, year)) for year in years_of(stages)]
    document = stages_document(runs, question, task, per_stage=per_stage, lang=lang)
    if as_json:
        print_json(document)
    elif out is not None:
        write_aside(out, stages_page(runs[-1], document, lang).encode())
        say(str(out))
    else:
        show_stages(document, lang)


def show_stages(document: Mapping[str, Any], lang: Language) -> None:
    """The places in their order with their loads, then who is served in each year."""
    from lifecircle.service.figures import number, percent
    from lifecircle.service.terminal import print_table, say, say_others, table_of
    from lifecircle.service.wording import Words

    words = Words(lang, "stages")
    years = [str(stage["year"]) for stage in document["stages"]]
    heads = [words("site"), words("unit"), words("opens")]
    heads += [words("load_in", year=year) for year in years]
    table = table_of(words("order"), heads, left=(0, 1))
    for row in document["proposals"]:
        loads = (number(row["loads"].get(year)) or "" for year in years)
        named = words.named(row) or words.near(row) or row["site"]
        table.add_row(named, words.named(row, "unit_name"), str(row["opens"]), *loads)
    print_table(table)
    names = ("residents", "served", "unserved", "unserved_before", "underload")
    table = table_of(words("years"), [words("year"), *map(words, names)], left=(0,))
    for stage in document["stages"]:
        table.add_row(str(stage["year"]), *(number(stage[name]) or "" for name in names))
    print_table(table)
    told = {"unserved": number(document["unserved"]), "bound": number(document["bound"])}
    say(
        words(
            "proven" if document["proven"] else "bound",
            count=number(document["candidates"]["count"]),
            considered=document["candidates"]["considered"],
            gap=percent(document["gap"]),
            **told,
        )
    )
    say_others(document)


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
    from lifecircle.service.figures import number, percent
    from lifecircle.service.terminal import print_table, say, say_others, show_rests, table_of
    from lifecircle.service.wording import Words

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
            words.named(row) or words.near(row) or row["site"],
            words.named(row, "unit_name"),
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

"""The command ``site``: where the next places go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

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


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(site)


def site(
    name: Area,
    service: Annotated[str, typer.Option(help="service id, e.g. health_centre 服务")],
    add: Annotated[int | None, typer.Option(help="how many new places 新增数量")] = None,
    target: Annotated[
        float | None, typer.Option(help="or the share to cover with the fewest, e.g. 0.9 目标比例")
    ] = None,
    objective: Annotated[
        str, typer.Option(help="covered | person_minutes | all | capacity 目标")
    ] = "covered",
    candidates: Annotated[
        str, typer.Option(help="a table or layer; generated; places[:kind,kind] 候选点")
    ] = "generated",
    time_limit: Annotated[
        float, typer.Option(help="seconds for the exact solver, 0 = none 精确求解时限（秒）")
    ] = 60.0,
    minutes: Minutes = None,
    walker: Walker = "adult",
    datum: Datum = None,
    crs: Crs = None,
    x_north: NorthFirst = False,
    sheet: Sheet = None,
    layer: LayerName = None,
    mapping: MappingFile = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="keep beside the run, for maps and layers 保存方案")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="write .csv .xlsx .geojson .gpkg 输出文件")
    ] = None,
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Where the next places go, existing ones kept. 在现有设施之外选址。"""
    found, language = opened(name, workspace, run), language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.readers.records.declarations import Declaration
    from lifecircle.analysis.readers.records.mapping_file import read_declarations
    from lifecircle.analysis.results.export import export_frame
    from lifecircle.analysis.results.layers import layer_columns_of, proposal_frame
    from lifecircle.analysis.results.proposals import keep as keep_beside
    from lifecircle.service.catalog.siting import SitingTask, positions_of, shown, siting_of
    from lifecircle.service.terminal import print_json, say

    source = candidates_named(candidates)
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
    """``generated`` and ``places...`` as they are, anything else as a file."""
    if text == "generated" or text.partition(":")[0] == "places":
        return text
    return Path(text)


def show_siting(run: Run, document: Mapping[str, Any], lang: Language) -> None:
    """The proposals as a table, then what they change and how sure it is."""
    from rich.table import Table

    from lifecircle.service import i18n
    from lifecircle.service.maps.wording import percent
    from lifecircle.service.terminal import print_table, say

    title = run.policy.services[document["service"]].title.text(lang)
    minutes = i18n.text("cli_minutes_limit", lang, n=f"{document['minutes']:g}")
    walker = run.policy.walkers[document["walker"]].title.text(lang)
    table = Table(title=f"{title} · {minutes} · {walker}")
    for key in ("cli_site_rank", "cli_site_site", "cli_unit"):
        table.add_column(i18n.text(key, lang))
    for key in ("cli_site_new", "cli_site_reached", "cli_site_saved"):
        table.add_column(i18n.text(key, lang), justify="right")
    for row in document["proposals"]:
        table.add_row(
            str(row["rank"]),
            row["name"] or row["site"],
            row["unit_name"] or "",
            f"{row['residents_new']:,}",
            f"{row['residents_reached']:,}",
            f"{row['person_minutes_saved']:,.0f}",
        )
    print_table(table)
    before, after = document["before"], document["after"]
    told = {
        "before": percent(before["share"]) or "—",
        "after": percent(after["share"]) or "—",
        "covered": f"{after['covered']:,}",
        "residents": f"{document['residents']:,}",
    }
    say(i18n.text("cli_site_change", lang, **told))
    if document["loads"] is not None:
        loads = {key: f"{value:,}" for key, value in document["loads"].items()}
        say(i18n.text("cli_site_loads", lang, **loads))
    sure = "cli_site_proven" if document["proven"] else "cli_site_bound"
    figures = {key: f"{document[key]:,.0f}" for key in ("value", "bound")}
    say(i18n.text(sure, lang, method=document["method"], seconds=document["seconds"], **figures))
    for remark in document["warnings"]:
        say("· " + remark["text"])

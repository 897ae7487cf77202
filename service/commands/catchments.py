"""The command ``lifecircle catchments``: who belongs to which centre, and the rule 3万–10万."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

import typer

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
    language_of,
    opened,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(catchments)


def catchments(
    name: Area,
    service: Service = None,
    minutes: Annotated[
        str | None,
        typer.Option(help="longest walk, or 'none' (default: the service's own) 分钟或 none"),
    ] = None,
    walker: Walker = "adult",
    closed: Annotated[
        bool, typer.Option("--closed", help="only inside the own subdistrict 不跨街道")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="never split a cell 人口单元格不拆分")
    ] = False,
    estimates: Annotated[
        bool, typer.Option("--estimates", help="capacity from floor area 按建筑面积估算容量")
    ] = False,
    by: By = None,
    out: Annotated[Path | None, typer.Option(help="write .csv or .xlsx instead 输出文件")] = None,
    table: Annotated[
        Literal["centres", "units"], typer.Option(help="which table to write 写哪张表")
    ] = "centres",
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Catchments of centres with a capacity, and the rule 3万–10万. 服务区与3万—10万规则。"""
    limit = _minutes(minutes)
    found, language = opened(name, workspace, run), language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.service.catalog import catchments_document
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.catchments import show_catchments, write_catchments

    document = catchments_document(
        found,
        Question(service, limit, walker, by=by),
        closed=closed,
        whole=whole,
        estimates=estimates,
        lang=language,
    )
    if as_json:
        print_json(document)
    elif out is not None:
        write_catchments(document, out, table, language)
        say(str(out))
    else:
        show_catchments(document, language)


def _minutes(given: str | None) -> float | None:
    if given is None:
        return None
    if given == "none":
        return math.inf
    try:
        return float(given)
    except ValueError:
        raise typer.BadParameter(f"'{given}': a number, or none 数字或 none") from None

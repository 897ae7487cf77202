"""Commands about data: ``check`` a file before it is used, the ``quality`` of a built area."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

Lang = Annotated[str | None, typer.Option(help="zh | en")]
HERE = Path("workspace")


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(check)
    app.command()(quality)


def check(
    file: Annotated[Path, typer.Argument(help="table or layer to look at 待检查文件")],
    kind: Annotated[str | None, typer.Option(help="population | facilities | units")] = None,
    datum: Annotated[
        str | None, typer.Option(help="of bare lon/lat: wgs84 | gcj02 | bd09 | cgcs2000 坐标基准")
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="of coordinates in metres, e.g. EPSG:4543 投影坐标系")
    ] = None,
    x_north: Annotated[
        bool, typer.Option("--x-north", help="x holds the northing x 为北坐标")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="sheet of a workbook 工作表")] = None,
    layer: Annotated[str | None, typer.Option("--layer", help="layer of a file 图层")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="TOML that names columns and words 列名对应文件")
    ] = None,
    policy: Annotated[str, typer.Option(help="policy id or TOML file 政策")] = "kunming-2022-77",
    clean: Annotated[
        Path | None, typer.Option(help="write a copy with safe mends (.xlsx .csv) 清洗后的副本")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(help="write the table with faults marked (.xlsx) 问题标注表")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs 供程序读取")] = False,
    lang: Lang = None,
) -> None:
    """Say all that is wrong with a table, row by row; exit 2: not usable. 逐行检查表格。"""
    from analysis.policy import load_policy
    from analysis.results.check_files import clean_copy, write_error_sheet
    from analysis.sources.checking import check_file
    from analysis.sources.declared import Declaration
    from analysis.sources.mapping_file import declarations
    from service import i18n
    from service.catalog.checks import check_document, mend_rows
    from service.terminal import print_json, say, show_faults

    language = _language(lang)
    said = declarations(Declaration(datum, crs, x_north, sheet, layer), mapping, (file,))
    checked = check_file(file, cast(Any, kind), datum, load_policy(policy), said)
    mends = clean_copy(checked, clean, language) if clean is not None else ()
    if errors is not None:
        write_error_sheet(checked, errors, language)
    if as_json:
        print_json(check_document(checked, mends, lang=language))
    else:
        show_faults((*checked.notes, *checked.faults), file.name, language)
        say(i18n.text("check_counts", language, errors=checked.errors, warnings=checked.warnings))
        for row in mend_rows(mends, language):
            say(i18n.text("check_mended", language, **{k: v for k, v in row.items() if k != "key"}))
        for written in (clean, errors):
            if written is not None:
                say(str(written))
    if checked.errors:
        raise typer.Exit(2)


def quality(
    name: Annotated[str, typer.Argument(help="name of the area 区域名")],
    merges: Annotated[
        Path | None, typer.Option(help="write the list of merges (.csv .xlsx) 合并清单")
    ] = None,
    run: Annotated[str | None, typer.Option(help="run (default: the latest)")] = None,
    workspace: Annotated[
        Path, typer.Option("--workspace", envvar="LIFECIRCLE_WORKSPACE", help="results 工作区")
    ] = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="the HTTP answer")] = False,
    lang: Lang = None,
) -> None:
    """How good the data of an area are. 区域的数据质量。"""
    os.environ.setdefault("NUMBA_CACHE_DIR", str((workspace / ".cache" / "numba").absolute()))
    from analysis.results.merge_list import write_merge_list
    from analysis.results.store import Workspace
    from service.catalog.quality import quality_document
    from service.terminal import print_json, say
    from service.terminal_quality import show_quality

    language = _language(lang)
    opened = Workspace(workspace).open(name, run)
    document = quality_document(opened, lang=language)
    if as_json:
        print_json(document)
    else:
        show_quality(document, language)
    if merges is not None:
        write_merge_list(opened.city.notes.same_places, merges, language)
        say(str(merges))


def _language(asked: str | None) -> Literal["zh", "en"]:
    told = asked or os.environ.get("LIFECIRCLE_LANGUAGE") or os.environ.get("LANG", "")
    return "zh" if told.lower().startswith("zh") else "en"

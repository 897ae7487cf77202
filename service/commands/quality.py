"""Commands about data: ``check`` a file before it is used, the ``quality`` of a built area."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.service.commands.words import (
    HERE,
    Area,
    AsJson,
    Crs,
    Datum,
    Lang,
    LayerName,
    Mapping,
    NorthFirst,
    OtherTypes,
    PolicyFile,
    RunName,
    Sheet,
    WorkspaceDir,
    Year,
    language_of,
    refuse_missing,
)
from lifecircle.service.commands.words import opened as open_run


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(check)
    app.command()(quality)


def check(  # noqa: PLR0913 - typer reads the options from the signature
    file: Annotated[Path, typer.Argument()],
    kind: Annotated[str | None, typer.Option()] = None,
    datum: Datum = None,
    crs: Crs = None,
    x_north: NorthFirst = False,
    sheet: Sheet = None,
    layer: LayerName = None,
    mapping: Mapping = None,
    policy: PolicyFile = None,
    other_types: OtherTypes = "refuse",
    clean: Annotated[Path | None, typer.Option()] = None,
    errors: Annotated[Path | None, typer.Option()] = None,
    every_row: Annotated[bool, typer.Option("--all")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    lang: Lang = None,
) -> None:
    """Say all that is wrong with a table, row by row; exit 2: not usable."""
    if not as_json:  # which holds that fault like any other
        refuse_missing(file, mapping)
    from lifecircle.analysis.readers.records.table_kinds import known_kind

    sure = None if kind is None else known_kind(kind)
    from lifecircle.analysis.policy import load_policy
    from lifecircle.analysis.readers.checker.check import check_file
    from lifecircle.analysis.readers.records.declarations import (
        Declaration,
        known_other_types,
        split_service,
    )
    from lifecircle.analysis.readers.records.mapping_file import read_declarations
    from lifecircle.analysis.results.check_files import clean_copy, write_error_sheet
    from lifecircle.service import i18n
    from lifecircle.service.catalog.checks import check_document, mend_rows
    from lifecircle.service.terminal import print_json, say, show_faults

    language = language_of(lang)
    file, service = split_service(file)
    others = known_other_types(other_types)
    plain = Declaration(datum, crs, x_north, sheet, layer, other_types=others)
    said = read_declarations(plain, mapping, (file,))
    if service is not None:
        said = said.with_services({file.name: service})
    checked = check_file(file, sure, load_policy(policy), said)
    mends = clean_copy(checked, clean, language) if clean is not None else ()
    if errors is not None:
        write_error_sheet(checked, errors, language)
    if as_json:
        print_json(check_document(checked, mends, lang=language, every_row=every_row))
    else:
        told = (*checked.notes, *checked.faults)
        show_faults(told, file.name, language, every_row=every_row)
        say(i18n.text("check_counts", language, errors=checked.errors, warnings=checked.warnings))
        for row in mend_rows(mends, language):
            say(i18n.text("check_mended", language, **{k: v for k, v in row.items() if k != "key"}))
        for written in (clean, errors):
            if written is not None:
                say(str(written))
    if checked.errors:
        raise typer.Exit(2)


def quality(
    name: Area,
    merges: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """How good the data of an area are."""
    from lifecircle.analysis.results.merge_list import write_merge_list
    from lifecircle.service.catalog.quality import quality_document
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.quality import show_quality

    language, opened = language_of(lang), open_run(name, workspace, run, year=year)
    document = quality_document(opened, lang=language)
    if as_json:
        print_json(document)
    else:
        show_quality(document, language)
    if merges is not None:
        write_merge_list(opened.city.notes.same_places, merges, language)
        if not as_json:
            say(str(merges))

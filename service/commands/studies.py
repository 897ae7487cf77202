"""Commands that look at an area as a whole: circles, equity, compare, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lifecircle.analysis.errors import Language
from lifecircle.analysis.writing import write_aside
from lifecircle.service.commands.words import (
    HERE,
    ON_FOOT,
    Area,
    AsJson,
    At,
    By,
    Group,
    Lang,
    Minutes,
    Profile,
    RunName,
    Service,
    Walker,
    WorkspaceDir,
    Year,
    language_of,
    opened,
    run_named,
    settings_of,
)

Table = Annotated[Path | None, typer.Option()]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (circles, equity, compare, growth, report):
        app.command()(command)


def circles(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    kind: Annotated[str | None, typer.Option()] = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    by: By = None,
    at: At = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Residents with a complete circle, and what they miss."""
    found, language = (
        opened(name, workspace, run, year=year, profile=profile, walker=walker, kind=kind, by=by),
        language_of(lang),
    )
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.service.catalog import circles_document
    from lifecircle.service.terminal import print_json
    from lifecircle.service.terminal.studies import show_circles

    question = Question(None, minutes, mover_of(walker, profile), by=by, at=at)
    document = circles_document(found, question, kind=kind, lang=language)
    if as_json:
        print_json(document)
    else:
        show_circles(document, found.policy, language)


def equity(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Service = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    group: Group = "total",
    by: By = None,
    out: Table = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """How evenly walks are spread: Gini, Palma, below the floor, worst tenth."""
    found = opened(
        name, workspace, run, year=year, profile=profile, service=service, walker=walker,
        group=group, by=by,
    )  # fmt: skip
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.analysis.results.study_tables import export_equity
    from lifecircle.service.catalog import equity_document
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.studies import show_equity

    question = Question(service, minutes, mover_of(walker, profile), group, by)
    document = equity_document(found, question, lang=language)
    if as_json:
        print_json(document)
    elif out is not None:
        export_equity(document, out, language, found.policy)
        say(str(out))
    else:
        show_equity(document, found.policy, language)


def compare(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    first: Annotated[str, typer.Argument(metavar="RUN")],
    last: Annotated[str, typer.Argument(metavar="RUN")],
    service: Service = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    group: Group = "total",
    by: By = None,
    out: Table = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """What changed from one run to another."""
    before, after = (
        opened(name, workspace, one, service=service, walker=walker, group=group, by=by)
        for one in (first, last)
    )
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.results.study_tables import export_comparison
    from lifecircle.service.catalog import compare_document
    from lifecircle.service.terminal import print_json, say
    from lifecircle.service.terminal.studies import show_compare

    question = Question(service, minutes, walker, group, by)
    document = compare_document(before, after, question, lang=language)
    if as_json:
        print_json(document)
    elif out is not None:
        export_comparison(document, out, language, after.policy)
        say(str(out))
    else:
        show_compare(document, language)


def growth(
    name: Area,
    by: By = None,
    group: Group = "total",
    run: RunName = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Residents by unit and year, over the runs of an area."""
    found, language = opened(name, workspace, run, by=by, group=group), language_of(lang)
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.catalog import growth_document
    from lifecircle.service.terminal import print_json
    from lifecircle.service.terminal.studies import show_growth

    others = Workspace(workspace).other_years(found)
    document = growth_document(found, others, by=by, group=group, lang=language)
    if as_json:
        print_json(document)
    else:
        show_growth(document, language)


def report(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    out: Annotated[Path | None, typer.Option()] = None,
    pages: Annotated[Literal["zh", "en", "both"] | None, typer.Option("--lang")] = None,
    xlsx: Annotated[Path | None, typer.Option()] = None,
    settings: Annotated[list[str] | None, typer.Option("--set")] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
) -> None:
    """The whole report: a page to print, a workbook, or both."""
    run = run_named(name, workspace, run, year)
    given = settings_of(name, workspace, run, settings)
    found = opened(name, workspace, run)
    first = language_of(None if pages == "both" else pages)
    languages: tuple[Language, ...] = ("zh", "en") if pages == "both" else (first,)
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.catalog import report_document
    from lifecircle.service.catalog.reviews import kept_marks
    from lifecircle.service.commands.words import database_of
    from lifecircle.service.report import report_page, report_workbook
    from lifecircle.service.state import AreaState
    from lifecircle.service.terminal import check_suffix, print_json, say

    check_suffix(out, ".html .htm")
    check_suffix(xlsx, ".xlsx")
    more: dict[str, Any] = {
        "settings": given,
        "marks": kept_marks(AreaState(found), database_of(workspace)),
        "others": Workspace(workspace).other_years(found),
    }
    if as_json:
        print_json(report_document(found, lang=first, **more))
        return
    if out is not None or xlsx is None:
        target = out or Path(f"{name}-report.{pages or first}.html")
        write_aside(target, report_page(found, languages, **more).encode())
        say(str(target))
    if xlsx is not None:
        write_aside(xlsx, report_workbook(found, first, **more))
        say(str(xlsx))

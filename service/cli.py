"""The command ``lifecircle``: same numbers as HTTP. Heavy imports wait until a command runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecircle.analysis.machine import collecting_seldom
from lifecircle.analysis.writing import write_aside
from lifecircle.service import i18n
from lifecircle.service.commands import (
    backup,
    batch,
    catchments,
    jobs,
    keys,
    publish,
    quality,
    robustness,
    scenario,
    scorecard,
    serving,
    siting,
    studies,
    upkeep,
)
from lifecircle.service.commands.foreseen import Foreseen, reading_of
from lifecircle.service.commands.spoken import SpokenApp, SpokenGroup, misused, reader_language
from lifecircle.service.commands.words import (
    EXPORT_LAYERS,
    HERE,
    MAP_LAYERS,
    ON_FOOT,
    Area,
    AsJson,
    At,
    By,
    Crs,
    Datum,
    Group,
    Lang,
    LayerName,
    Mapping,
    Minutes,
    NorthFirst,
    OtherTypes,
    PolicyFile,
    Profile,
    RunName,
    Service,
    Sheet,
    Walker,
    WorkspaceDir,
    Year,
    refuse_layer,
)
from lifecircle.service.commands.words import language_of as _language
from lifecircle.service.commands.words import opened as _open
from lifecircle.service.commands.words import prepare as _prepare
from lifecircle.service.commands.words import refuse_missing as _refuse_missing

app = SpokenApp(
    cls=SpokenGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def everywhere(lang: Lang = None) -> None:
    """Options that may stand before a command."""
    if lang is not None:
        os.environ["LIFECIRCLE_LANGUAGE"] = lang


def main(foreseen: Foreseen | None = None) -> int:
    """Run the command; errors become a message and an exit code (2 bad input, 3 unsolved).

    `foreseen`: the map of a build, where it is being read already.
    """
    from lifecircle.analysis.errors import LifecircleError

    try:
        code = app.asked_for(sys.argv[1:])(standalone_mode=False, obj=foreseen)
    except LifecircleError as error:
        _say_error(error)
        return error.exit_code
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        return 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # not one of the command line itself
            raise
        print(misused(error, reader_language()), file=sys.stderr)
        return 2
    return code if isinstance(code, int) else 0


def _say_error(error: Any) -> None:
    from rich.console import Console

    lang = reader_language()
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        i18n.text("cli_error", lang) + error.text(lang), style="red", markup=False
    )


@app.command()
@collecting_seldom()  # from its imports on
def build(  # noqa: PLR0913 - typer reads the options from the signature
    context: typer.Context,
    name: Area,
    osm: Annotated[Path | None, typer.Option()] = None,
    place: Annotated[str | None, typer.Option()] = None,
    graph: Annotated[Path | None, typer.Option()] = None,
    population: Annotated[list[Path] | None, typer.Option()] = None,
    residents_from_buildings: Annotated[float | None, typer.Option()] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate")] = False,
    units: Annotated[list[Path] | None, typer.Option()] = None,
    facilities: Annotated[list[Path] | None, typer.Option()] = None,
    elevation: Annotated[Path | None, typer.Option()] = None,
    closures: Annotated[list[Path] | None, typer.Option()] = None,
    barrier_rule: Annotated[str | None, typer.Option()] = None,
    profile: Annotated[list[str] | None, typer.Option()] = None,
    statistics: Annotated[list[Path] | None, typer.Option()] = None,
    year: Annotated[int | None, typer.Option(min=1900, max=2200)] = None,
    datum: Datum = None,
    accept_datum: Annotated[bool, typer.Option("--accept-datum")] = False,
    place_by_unit: Annotated[bool, typer.Option("--place-by-unit")] = False,
    merges: Annotated[Path | None, typer.Option()] = None,
    crs: Crs = None,
    x_north: NorthFirst = False,
    sheet: Sheet = None,
    layer: LayerName = None,
    mapping: Mapping = None,
    policy: PolicyFile = None,
    surveyed: Annotated[list[str] | None, typer.Option()] = None,
    other_types: OtherTypes = "refuse",
    threads: Annotated[int | None, typer.Option(show_default=False)] = None,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Build an area from files and add it to the workspace."""
    _refuse_missing(
        osm, graph, *(population or ()), *(units or ()), *(facilities or ()), *(statistics or ()),
        *(closures or ()), elevation, mapping, merges,
    )  # fmt: skip
    _prepare(workspace)
    ahead = reading_of(context.obj, osm, policy, threads)
    from lifecircle.analysis.build_request import BuildRequest
    from lifecircle.analysis.pipeline import build_area
    from lifecircle.analysis.readers.records.declarations import split_service
    from lifecircle.analysis.results.names import safe_name
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.terminal import progress_bar, show_run

    places = tuple(split_service(file) for file in facilities or ())
    request = BuildRequest(
        safe_name(name),
        osm=osm,
        place=place,
        graph=graph,
        population=tuple(population or ()) or None,
        residents_from_buildings=residents_from_buildings,
        calibrate=calibrate,
        units=tuple(units or ()),
        facilities=tuple(file for file, _ in places),
        services={file.name: service for file, service in places if service is not None},
        other_types=other_types,
        statistics=tuple(statistics or ()),
        datum=datum,
        accept_datum=accept_datum,
        place_by_unit=place_by_unit,
        merges=merges,
        crs=crs,
        x_is_north=x_north,
        sheet=sheet,
        layer=layer,
        mapping=mapping,
        policy=policy,
        today=None if ahead is None else ahead.today,
        surveyed=tuple(surveyed or ()),
        elevation=elevation,
        barrier_rule=tuple(k.strip() for k in (barrier_rule or "").split(",") if k.strip()),
        closures=tuple(closures or ()),
        profiles=tuple(profile or ()),
        year=year,
    )
    with progress_bar(name, _language(lang)) as progress:
        run = build_area(request, Workspace(workspace), progress, threads=threads, ahead=ahead)
    show_run(run, _language(lang))


@app.command()
def coverage(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Service = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    group: Group = "total",
    by: By = None,
    at: At = None,
    out: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Coverage per unit, readings U, P, L, C."""
    opened = _open(
        name, workspace, run, year=year, service=service, walker=walker, profile=profile,
        group=group, by=by,
    )  # fmt: skip
    language = _language(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.analysis.results.export import export_coverage
    from lifecircle.service.catalog import coverage_document
    from lifecircle.service.terminal import (
        check_folder,
        check_suffix,
        print_json,
        show_coverage,
    )

    check_suffix(out, ".csv .xlsx")
    check_folder(out)
    question = Question(service, minutes, mover_of(walker, profile), group, by, at)
    document = coverage_document(opened, question, lang=language)
    if as_json:
        print_json(document)
        return
    for block in document.get("services", [document]):
        one = block["service"]
        if service is None and one not in opened.manifest.services:
            continue
        if out is not None:
            target = out if service else out.with_name(f"{out.stem}-{one}{out.suffix}")
            export_coverage(block, target, language, opened.policy)
        else:
            show_coverage(opened, block, language, total_only=service is None)


@app.command()
def gaps(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Service = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    group: Group = "total",
    by: By = None,
    min_residents: Annotated[int, typer.Option()] = 0,
    at: At = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    lang: Lang = None,
) -> None:
    """Gaps by unit and reason, worst first."""
    opened = _open(
        name, workspace, run, year=year, service=service, walker=walker, profile=profile,
        group=group, by=by,
    )  # fmt: skip
    language = _language(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.service.catalog import gaps_document
    from lifecircle.service.terminal import print_json, show_gaps

    question = Question(service, minutes, mover_of(walker, profile), group, by, at)
    document = gaps_document(opened, question, min_residents=min_residents, lang=language)
    if as_json:
        print_json(document)
    else:
        show_gaps(document, opened, language)


@app.command("map")
def draw(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    layer: Annotated[
        str,
        typer.Argument(),
    ] = "coverage",
    service: Service = None,
    minutes: Minutes = None,
    walker: Walker = "adult",
    profile: Profile = ON_FOOT,
    kind: Annotated[str | None, typer.Option()] = None,
    before: Annotated[str | None, typer.Option("--from")] = None,
    out: Annotated[Path | None, typer.Option()] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """One self-contained map page that opens without internet."""
    refuse_layer(layer, MAP_LAYERS, "map_layer_unknown")
    opened = _open(
        name, workspace, run, year=year, service=service, walker=walker, profile=profile, kind=kind
    )
    language = _language(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.analysis.measures.travelling import mover_of
    from lifecircle.service.catalog.reviews import kept_marks
    from lifecircle.service.commands.words import database_of
    from lifecircle.service.maps.pages import Page, map_page
    from lifecircle.service.state import AreaState
    from lifecircle.service.terminal import check_suffix, say

    check_suffix(out, ".html .htm")
    earlier = None if before is None else _open(name, workspace, before)
    marks = kept_marks(AreaState(opened), database_of(workspace))
    page = map_page(
        opened,
        layer,
        Question(service, minutes, mover_of(walker, profile)),
        Page(lang=language, mode="inline", kind=kind, before=earlier, marks=marks),
    )
    target = out or Path(f"{name}-{layer}.{language}.html")
    write_aside(target, page.encode())
    say(str(target))


@app.command()
def export(
    name: Area,
    layer: Annotated[
        str,
        typer.Argument(),
    ],
    out: Annotated[Path, typer.Argument()],
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Write a layer to a file."""
    refuse_layer(layer, EXPORT_LAYERS, "unknown_layer")
    opened = _open(name, workspace, run, year=year)
    from lifecircle.analysis.results.export import export_layer
    from lifecircle.service.terminal import say

    export_layer(opened, layer, out, _language(lang))
    say(str(out))


TOPICS = (
    serving, batch, catchments, publish, siting, scenario, scorecard, robustness, quality, studies,
    upkeep, backup, keys, jobs,
)  # fmt: skip
for topic in TOPICS:
    topic.register(app)


if __name__ == "__main__":
    sys.exit(main())

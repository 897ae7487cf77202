"""Commands about centres: ``catchments`` with the rule 3万–10万, and ``referral``."""

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
    Minutes,
    RunName,
    Service,
    Walker,
    WorkspaceDir,
    Year,
    language_of,
    opened,
)
from lifecircle.service.errors import RequestError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(catchments)
    app.command()(referral)


def catchments(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    service: Service = None,
    minutes: Annotated[
        str | None,
        typer.Option(),
    ] = None,
    walker: Walker = "adult",
    closed: Annotated[bool, typer.Option("--closed")] = False,
    whole: Annotated[bool, typer.Option("--whole")] = False,
    estimates: Annotated[bool, typer.Option("--estimates")] = False,
    by: By = None,
    out: Annotated[Path | None, typer.Option()] = None,
    table: Annotated[Literal["centres", "units"], typer.Option()] = "centres",
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Catchments of centres with a capacity, and the rule 3万–10万."""
    limit = _minutes(minutes)
    found = opened(name, workspace, run, year=year, service=service, walker=walker, by=by)
    language = language_of(lang)
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
        write_catchments(document, found.policy, out, table, language)
        say(str(out))
    else:
        show_catchments(document, found.policy, language)


def referral(  # noqa: PLR0913 - typer reads the options from the signature
    name: Area,
    minutes: Minutes = None,
    walker: Walker = "adult",
    pass_by: Annotated[bool, typer.Option("--pass-by")] = False,
    by: By = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Chains station → centre → hospital within T, and the room of both tiers."""
    found = opened(name, workspace, run, year=year, walker=walker, by=by)
    language = language_of(lang)
    from lifecircle.analysis.measures.question import Question
    from lifecircle.service.catalog import referral_document
    from lifecircle.service.terminal import print_json
    from lifecircle.service.terminal.referral import show_referral

    question = Question(None, minutes, walker, by=by)
    document = referral_document(found, question, pass_by=pass_by, lang=language)
    if as_json:
        print_json(document)
    else:
        show_referral(document, found.policy, language)


def _minutes(given: str | None) -> float | None:
    if given is None:
        return None
    if given == "none":
        return math.inf
    try:
        return float(given)
    except ValueError:
        raise RequestError("catchments_minutes", given=given) from None

"""The command that writes a run into PostGIS."""

from __future__ import annotations

from typing import Annotated

import typer

from lifecircle.service.commands.words import (
    HERE,
    Area,
    Lang,
    RunName,
    WorkspaceDir,
    Year,
    language_of,
    opened,
)


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(publish)


def publish(
    name: Area,
    to: Annotated[str, typer.Option()],
    schema: Annotated[str | None, typer.Option()] = None,
    run: RunName = None,
    year: Year = None,
    workspace: WorkspaceDir = HERE,
    lang: Lang = None,
) -> None:
    """Write all layers of an area into PostGIS, in one transaction."""
    found, language = opened(name, workspace, run, year=year), language_of(lang)
    from lifecircle.analysis.postgis.publish import publish as write
    from lifecircle.service.figures import number
    from lifecircle.service.terminal import print_table, table_of
    from lifecircle.service.wording import Words

    written, words = write(found, to, schema), Words(language, "cli")
    heads = [words("table"), words("rows")]
    table = table_of(f"{written.schema} · {found.manifest.run}", heads, left=(0,))
    for layer, count in written.rows.items():
        table.add_row(f"{written.schema}.{layer}", number(count))
    print_table(table)

"""Commands that serve: ``serve`` a workspace over HTTP, ``demo`` with the ready-made areas."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from lifecircle.service import i18n
from lifecircle.service.commands.spoken import reader_language
from lifecircle.service.commands.words import HERE, Lang, WorkspaceDir, language_of, prepare


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(demo)
    app.command()(serve)


def demo(
    workspace: WorkspaceDir = HERE,
    serve_after: Annotated[bool, typer.Option("--serve/--no-serve")] = True,
    scale: Annotated[float, typer.Option()] = 1.0,
    rebuild: Annotated[bool, typer.Option()] = False,
    slope: Annotated[bool, typer.Option("--slope")] = False,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    lang: Lang = None,
) -> None:
    """Build the ready-made areas without internet, then serve them."""
    prepare(workspace)
    from lifecircle.analysis.demo.build import build_helsinki, build_springcity
    from lifecircle.analysis.results.store import Workspace
    from lifecircle.service.terminal import progress_bar, say, show_run

    store, language = Workspace(workspace), language_of(lang)
    if rebuild or slope or "springcity" not in store.areas():
        with progress_bar("springcity", language) as progress:
            run = build_springcity(store, scale=scale, slope=slope, progress=progress)
        show_run(run, language)
    if rebuild or "helsinki" not in store.areas():
        with progress_bar("helsinki", language) as progress:
            small, reason = build_helsinki(store, progress)
        if small is not None:
            show_run(small, language)
        elif reason is not None:
            say(reason.text(language))
    if serve_after:
        serve(workspace=workspace, host=host, port=port)


def serve(
    workspace: WorkspaceDir = HERE,
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    public_read: Annotated[bool, typer.Option("--public-read")] = False,
    behind_proxy: Annotated[bool, typer.Option("--behind-proxy")] = False,
    allowed_host: Annotated[list[str] | None, typer.Option()] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64)] = None,
    log: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Serve a workspace over HTTP."""
    prepare(workspace)
    from lifecircle.service.app import Keys
    from lifecircle.service.outside.accounts import accounts_of
    from lifecircle.service.serving import run_server
    from lifecircle.service.settings import check_exposure, check_port, settings_from
    from lifecircle.service.terminal import say

    settings = settings_from(
        os.environ,
        workspace=workspace,
        host=host,
        port=port,
        public_read=public_read or None,
        behind_proxy=behind_proxy or None,
        allowed_hosts=allowed_host or None,
        workers=workers,
        log=log,
    )
    known = accounts_of(settings) is not None or Keys(settings).any_valid()
    check_exposure(settings, keys=known)
    check_port(settings)
    say(f"http://{settings.host}:{settings.port}/")
    if not settings.workspace.is_dir():
        say(i18n.text("workspace_missing", reader_language(), path=str(settings.workspace)))
    run_server(settings)

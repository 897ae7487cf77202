"""Keys for people and programs elsewhere: ``lifecircle key add``, ``list``, ``revoke``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from lifecircle.service.commands.words import (
    HERE,
    AsJson,
    Lang,
    WorkspaceDir,
    database_of,
    language_of,
    who_runs,
)

Todo = Annotated[Literal["add", "list", "revoke"], typer.Argument()]


def register(app: typer.Typer) -> None:
    """Add the command of this file to the command line."""
    app.command()(key)


def key(
    todo: Todo,
    name: Annotated[str | None, typer.Argument()] = None,
    role: Annotated[str, typer.Option()] = "viewer",
    days: Annotated[int | None, typer.Option(min=1)] = None,
    workspace: WorkspaceDir = HERE,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Add a key (shown once), list all, or revoke one."""
    from lifecircle.service import i18n
    from lifecircle.service.database import keys
    from lifecircle.service.errors import RequestError
    from lifecircle.service.terminal import print_json, say

    language, engine = language_of(lang), database_of(workspace).engine()
    if todo == "list":
        rows = [_row(one) for one in keys.list_keys(engine)]
        if as_json:
            print_json({"keys": rows})
        else:
            for row in rows:
                say("  ".join(str(row[part] or "-") for part in _SHOWN))
        return
    if name is None:
        raise RequestError("key_no_name")
    if todo == "add":
        until = None if days is None else datetime.now(UTC) + timedelta(days=days)
        made, written = keys.add_key(engine, name, role, until, who_runs())
        if as_json:
            print_json({**_row(made), "key": written})
        else:
            say(i18n.text("cli_key_made", language, name=made.name, role=made.role, id=made.id))
            say(written)
    else:
        gone = keys.revoke_key(engine, name, who_runs())
        say(i18n.text("cli_key_revoked", language, name=gone.name, id=gone.id))


_SHOWN = ("id", "role", "name", "state", "created", "expires")


def _row(one: object) -> dict[str, object]:
    from lifecircle.service.database.audit import now_utc
    from lifecircle.service.database.keys import Key

    assert isinstance(one, Key)
    state = "valid" if one.valid_at(now_utc()) else "revoked" if one.revoked else "expired"
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "state": state,
        "created": one.created.isoformat(timespec="seconds"),
        "expires": one.expires and one.expires.isoformat(timespec="seconds"),
    }

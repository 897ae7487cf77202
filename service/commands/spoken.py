"""The command line in the reader's language: its help, and what typer says by itself.

Commands and options carry no help of their own in the code; it stands in the texts, by name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from copy import copy
from itertools import pairwise
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_name
from typer.models import CommandInfo

from lifecircle.analysis.texts import Language, whole
from lifecircle.service import i18n
from lifecircle.service.commands.words import language_of

_SAID = "typer_said_"


def reader_language() -> Language:
    """The language of ``--lang`` wherever it stands on the command line, else as `language_of`."""
    words = sys.argv[1:]
    for word, following in pairwise([*words, None]):
        if word == "--lang":
            return language_of(following)
        if word is not None and word.startswith("--lang="):
            return language_of(word.removeprefix("--lang="))
    return language_of()


class SpokenCommand(TyperCommand):
    """One command whose help is in the reader's language."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The line that says what may follow."""
        _write_usage(self, ctx, formatter)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Help with the texts of the reader's language."""
        _dress(self, str(self.name), ctx)
        _dress_frame()
        super().format_help(ctx, formatter)


class SpokenGroup(TyperGroup):
    """The command that all others belong to."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """The line that says what may follow."""
        _write_usage(self, ctx, formatter)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Help with the texts of the reader's language."""
        _dress(self, "main", ctx)
        for name, command in self.commands.items():
            command.help = _text(f"command_{name}")
        _dress_frame()
        super().format_help(ctx, formatter)


class SpokenApp(typer.Typer):
    """An application whose commands speak the reader's language."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Add a command, as typer does."""
        return super().command(name, **{"cls": SpokenCommand, **settings})

    def asked_for(self, words: Sequence[str]) -> SpokenApp:
        """This application, with the one command alone that the first word of a line names.

        With all of them typer looks at every option of every command before it runs one.
        """
        named = [one for one in self.registered_commands if [_name_of(one)] == list(words[:1])]
        if not named:
            return self
        alone = copy(self)
        alone.registered_commands = named
        return alone


def _name_of(command: CommandInfo) -> str | None:
    if command.name is not None or command.callback is None:
        return command.name
    return get_command_name(command.callback.__name__)


def _text(key: str, **params: Any) -> str:
    return i18n.text(key, reader_language(), **params)


def _dress(command: Any, name: str, ctx: Any) -> None:
    """Help of a command and of each of its options."""
    command.help = _text(f"command_{name}")
    for option in command.params:
        own = f"option_{name}_{option.name}"
        option.help = _text(own if i18n.TEXTS.has(own) else f"option_{option.name}")
    command.get_help_option(ctx).help = _text("option_help")


def _dress_frame() -> None:
    """The words that typer itself puts around the help."""
    from typer import rich_utils

    rich_utils.ARGUMENTS_PANEL_TITLE = _text("typer_arguments")
    rich_utils.OPTIONS_PANEL_TITLE = _text("typer_options")
    rich_utils.COMMANDS_PANEL_TITLE = _text("typer_commands")
    rich_utils.DEFAULT_STRING = _text("typer_default", value="{}")
    rich_utils.ENVVAR_STRING = _text("typer_environment", value="{}")
    rich_utils.REQUIRED_LONG_STRING = _text("typer_required")


def _write_usage(command: Any, ctx: Any, formatter: Any) -> None:
    command.options_metavar = _text("typer_options_metavar")
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = _text("typer_command_metavar")
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix=_text("typer_usage"))


def misused(error: Any, lang: Language) -> str:
    """How the command line was misused, in the reader's language: usage, help, what is wrong."""
    told = [translated(error.format_message(), lang)]
    if getattr(error, "ctx", None) is not None:
        command = error.ctx.command_path
        told = [error.ctx.get_usage(), i18n.text("typer_see_help", lang, command=command), *told]
    told[-1] = i18n.text("cli_error", lang) + told[-1]
    return "\n".join(told)


def translated(said: str, lang: Language) -> str:
    """What typer said in English, in a language; as it is where it is no sentence we know."""
    keys = [key for key in i18n.TEXTS.keys() if key.startswith(_SAID)]  # noqa: SIM118
    for key in sorted(keys, key=lambda key: -len(re.sub(r"\{\w+\}", "", _english(key)))):
        found = re.fullmatch(_pattern(_english(key)), said, re.DOTALL)
        if found is not None:
            parts = {
                name: whole(translated(part, lang)) for name, part in found.groupdict().items()
            }
            return i18n.text(key, lang, **parts)
    return said


def _english(key: str) -> str:
    return str(i18n.TEXTS.entry(key)["en"])


def _pattern(template: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))

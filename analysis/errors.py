"""Everything lifecircle raises on purpose, and how it is said in Chinese and in English.

::

    LifecircleError (key, params)
    ├── InputError (ValueError)      bad files: all faults at once           exit 2
    ├── PolicyError (ValueError)     a policy file that cannot be trusted    exit 2
    ├── ParameterError (ValueError)  a question with an impossible parameter exit 2
    ├── UnknownNameError (LookupError) no such area, service, unit, layer    exit 2
    ├── WorkspaceError (OSError)     the workspace cannot be read or written exit 2
    └── UnsolvedError (RuntimeError) the question is fine, no answer found   exit 3

A message is a key of ``messages/*.toml`` (one file per room) and parameters, so that one raise
serves both languages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from lifecircle.analysis.quality_elements import Element, find_element

Language = Literal["zh", "en"]


@cache
def _messages() -> dict[str, dict[str, str]]:
    merged: dict[str, dict[str, str]] = {}
    for room in sorted(
        files("lifecircle.analysis").joinpath("messages").iterdir(), key=lambda f: f.name
    ):
        merged |= tomllib.loads(room.read_text(encoding="utf-8"))
    return merged


def say(key: str, lang: Language = "en", **params: Any) -> str:
    """The message `key` in a language with its parameters filled in."""
    template = _messages()[key][lang]
    return template.format_map({name: _shown(value) for name, value in params.items()})


def _shown(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one input: where, what, and what to do about it.

    `row` counts as a person would in the file (the header is row 1 of a table);
    for layers it is the 1-based feature number. `rows`: all rows a remark is about.
    """

    key: str
    file: str
    row: int | None = None
    column: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: Literal["error", "warning", "note"] = "error"
    rows: tuple[int, ...] = ()

    @property
    def element(self) -> Element | None:
        """The element of data quality (ISO 19157) it is about; None where it is not of the data."""
        return find_element(self.key)

    def text(self, lang: Language = "en") -> str:
        """The fault as a sentence: file, row, column, what is wrong, the mend."""
        where = [self.file]
        if self.row is not None:
            where.append(f"第{self.row}行" if lang == "zh" else f"row {self.row}")
        if self.column is not None:
            where.append(f"“{self.column}”列" if lang == "zh" else f"column '{self.column}'")
        head = (" " if lang == "zh" else ", ").join(where)
        colon = "：" if lang == "zh" else ": "
        return head + colon + say(self.key, lang, **dict(self.params))


@dataclass(frozen=True, slots=True)
class Warn:
    """A remark that travels with a result: a message key and its parameters."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def element(self) -> Element | None:
        """As `Fault.element`; of a remark of a file that of the fault."""
        return find_element(str(self.params.get("fault", self.key)))

    def text(self, lang: Language = "en") -> str:
        """The remark as a sentence."""
        return say(self.key, lang, **dict(self.params))


class LifecircleError(Exception):
    """The root of the family: a message key with parameters."""

    exit_code = 2

    def __init__(self, key: str, /, **params: Any) -> None:
        super().__init__(key, params)
        self.key = key
        self.params = params

    def text(self, lang: Language = "en") -> str:
        """The error as a sentence in a language."""
        return say(self.key, lang, **self.params)

    def __str__(self) -> str:
        return self.text("en")


class InputError(LifecircleError, ValueError):
    """Input files with faults: every fault found, not only the first, and remarks beside them."""

    def __init__(self, faults: Sequence[Fault], remarks: Sequence[Fault] = ()) -> None:
        super().__init__("input_faults", count=len(faults))
        self.faults = tuple(faults)
        self.remarks = tuple(remarks)

    def text(self, lang: Language = "en") -> str:
        """All faults, one a line."""
        return "\n".join(fault.text(lang) for fault in self.faults)


class PolicyError(LifecircleError, ValueError):
    """A policy file that misses a source, contradicts itself or holds an unknown key."""


class ParameterError(LifecircleError, ValueError):
    """A parameter outside what the question allows."""


class UnknownNameError(LifecircleError, LookupError):
    """No area, run, service, walker, unit level or layer of that name."""


class WorkspaceError(LifecircleError, OSError):
    """The workspace cannot be read or written."""


class UnsolvedError(LifecircleError, RuntimeError):
    """The input is fine, but no answer was found."""

    exit_code = 3

"""Everything lifecircle raises on purpose, and how it is said in Chinese and in English.

::

    LifecircleError (key, params)
    ├── InputError (ValueError)      bad files: all faults at once           exit 2
    ├── PolicyError (ValueError)     a policy file that cannot be trusted    exit 2
    ├── ParameterError (ValueError)  a question with an impossible parameter exit 2
    ├── UnknownNameError (LookupError) no such area, service, unit, layer    exit 2
    ├── WorkspaceError (OSError)     the workspace cannot be read or written exit 2
    └── UnsolvedError (RuntimeError) the question is fine, no answer found   exit 3

A message is a key of the texts (`lifecircle.analysis.texts`) and parameters, so that one raise
serves both languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from lifecircle.analysis.quality_elements import Element, find_element
from lifecircle.analysis.texts import Language, Medium, Title, blanks, flat, paired, say

Counted = Literal["row", "edit", "edit_asked"]

__all__ = [
    "Fault",
    "InputError",
    "Language",
    "LifecircleError",
    "ParameterError",
    "PolicyError",
    "UnknownNameError",
    "UnsolvedError",
    "Warn",
    "WorkspaceError",
    "known_language",
    "say",
]

_LANGUAGE_WORDS: Final[Mapping[str, Language]] = {
    "zh": "zh", "cn": "zh", "chinese": "zh", "en": "en", "english": "en",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one input: where, what, and what to do about it.

    `row` counts as a person would in the file (the header is row 1 of a table);
    for layers it is the 1-based feature number. `rows`: all rows a remark is about. `medium`: who
    reads it has the options of the command, or the fields of a page.
    """

    key: str
    file: str
    row: int | None = None
    column: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    severity: Literal["error", "warning", "note"] = "error"
    rows: tuple[int, ...] = ()
    medium: Medium = "command"
    counted: Counted = "row"

    @property
    def element(self) -> Element | None:
        """The element of data quality (ISO 19157) it is about; None where it is not of the data."""
        return find_element(self.key)

    def text(self, lang: Language = "en") -> str:
        """The fault as a sentence: file, row, column, what is wrong, the mend."""
        told = [name for name in ("row", "column") if getattr(self, name) is not None]
        told = [self.counted if name == "row" else name for name in told]
        head = say(
            "_".join(["errors_at", *told]), lang, file=self.file, row=self.row, column=self.column
        )
        return head + self.problem(lang)

    def both(self) -> Title:
        """The sentence in both languages."""
        return Title(self.text("zh"), self.text("en"))

    def problem(self, lang: Language = "en") -> str:
        """What is wrong and the mend, without the place."""
        return say(self.key, lang, self.medium, **self.params)


@dataclass(frozen=True, slots=True)
class Warn:
    """A remark that travels with a result: a message key and its parameters.

    A parameter that is a word in both languages is given as a `Title`; documents and files hold
    it as two, ``name_zh`` and ``name_en``.
    """

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", flat(self.params))

    @property
    def element(self) -> Element | None:
        """As `Fault.element`; of a remark of a file that of the fault."""
        return find_element(str(self.params.get("fault", self.key)))

    def text(self, lang: Language = "en") -> str:
        """The remark as a sentence."""
        return say(self.key, lang, **blanks(self.key) | paired(self.params))

    def both(self) -> Title:
        """The sentence in both languages."""
        return Title(self.text("zh"), self.text("en"))


class LifecircleError(Exception):
    """The root of the family: a message key with parameters.

    Examples
    --------
    >>> import lifecircle as lc
    >>> try:
    ...     lc.tiny_town().coverage("helth_centre")
    ... except lc.LifecircleError as error:
    ...     print(error.key, error.params["name"])
    unknown_service helth_centre
    """

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


def known_language(said: str) -> Language:
    """The language that a word means.

    Raises
    ------
    ParameterError : neither Chinese nor English.
    """
    found = _LANGUAGE_WORDS.get(said.strip().casefold().replace("_", "-").partition("-")[0])
    if found is None:
        raise ParameterError("language_unknown", value=said)
    return found


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

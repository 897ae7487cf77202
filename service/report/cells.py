"""A cell of a table of the report: what is written, and the figure behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: what is written, and the unrounded value behind it."""

    told: str
    value: Any = None
    right: bool = True
    kind: str = ""
    note: str = ""

    @property
    def exact(self) -> str:
        """The value as text that gives the same number again; empty where there is none."""
        return "" if self.value is None else repr(self.value)


def text(told: Any, note: str = "") -> Cell:
    """A cell of words; `note` stands small below them."""
    return Cell("" if told is None else str(told), right=False, note=note)

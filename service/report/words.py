"""How figures of a report are written: one place for the page and the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.service import i18n
from lifecircle.service.maps.wording import number, percent


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of a report in one language."""

    lang: Language

    def __call__(self, key: str, **params: Any) -> str:
        """A text of the report."""
        return i18n.text(f"report_{key}", self.lang, **params)

    def title(self, title: Mapping[str, str]) -> str:
        """The name of a thing."""
        return title[self.lang]

    def named(self, row: Mapping[str, Any]) -> str:
        """The name of a unit, in English where it has one."""
        english = row.get("name_en")
        return str(english if self.lang == "en" and english else row["name"])

    def english(self, row: Mapping[str, Any], name: str) -> str:
        """A name in a column that may have an English one beside it."""
        english = row.get(f"{name}_en")
        shown = english if self.lang == "en" and english else row[name]
        return "" if shown is None else str(shown)

    def reason(self, reason: str) -> str:
        """Why a gap is one."""
        return i18n.text(f"map_reason_{reason}", self.lang)

    def percent(self, share: float | None) -> str:
        """A share as percent, or that it is not assessed."""
        return percent(share) or self("not_assessed")

    def count(self, value: float | None) -> str:
        """A whole number, or a dash."""
        return number(value) or self("none")

    def status(self, status: str) -> str:
        """How a promise stands."""
        return i18n.text(f"scorecard_{status}", self.lang)

    def role(self, name: str) -> str:
        """What an input file was for."""
        return i18n.role(name, self.lang)

    def modelled(self, names: Iterable[str]) -> str:
        """What of the area is modelled, in words."""
        return i18n.modelled(names, self.lang)

    @property
    def comma(self) -> str:
        """What stands between items."""
        return i18n.text("comma", self.lang)

    def moment(self, at: str) -> str:
        """A moment such as ``Sa 19:00`` in the reader's language."""
        day, clock = at.split(" ")
        return f"{self('day_' + day)} {clock}"

    def parameter(self, name: str) -> str:
        """The name of an option of the build, as it is where nobody gave it one."""
        return i18n.texts(self.lang).get(f"report_param_{name}", name)

    def plain(self, value: Any) -> str:
        """A parameter: several in a row, nothing as a dash."""
        if isinstance(value, bool):
            return self("yes" if value else "no")
        if value is None or value in ([], ()):
            return self("none")
        if isinstance(value, list | tuple):
            return self.comma.join(map(str, value))
        return str(value)

    def decimal(self, value: float | None, digits: int) -> str:
        """A number with so many digits, or a dash."""
        return self("none") if value is None else f"{value:,.{digits}f}"


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

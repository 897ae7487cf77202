"""How figures and names are written for people, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from urllib.parse import urlencode

from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.question import WHOLE, Question
from lifecircle.analysis.policy import Service, Walker
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.maps.offline import Mode

MINUS = "–"
LEAST = "0.1%"


def number(value: float | None) -> str | None:
    """A count with thousands separators, None stays None."""
    return None if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str | None:
    """A fraction as percent with one digit, cut, never rounded up; 0.0% only where exactly so."""
    if share is None:
        return None
    tenths = cut(share, 3) * 100
    return f"<{LEAST}" if share > 0 and not tenths else f"{tenths:.1f}%"


def cut(value: float, digits: int) -> Decimal:
    """A number cut (never rounded up) to so many decimals."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_FLOOR)


def points(change: float | None) -> str | None:
    """A change of a share in percentage points with its sign; 0 only where exactly so."""
    if change is None:
        return None
    hundredths = round(change * 10_000)
    if change and not hundredths:
        hundredths = 1 if change > 0 else -1
    return f"{hundredths / 100:+.2f}" if hundredths else "0"


def plain(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.10g}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page was asked for.

    `kind` and `variant` are of a circle, `before` is the run to compare with.
    `keep` holds further query parameters that links on the page carry along (``run`` ...).
    """

    run: Run
    layer: str
    question: Question
    lang: Language
    mode: Mode
    keep: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    variant: str | None = None
    before: Run | None = None

    @property
    def service(self) -> str | None:
        """The service asked for."""
        return self.question.service

    @property
    def minutes(self) -> float | None:
        """The minutes asked for, None = the service's own."""
        return self.question.minutes

    @property
    def walker(self) -> str:
        """The walker asked for."""
        return self.question.walker

    @property
    def by(self) -> str | None:
        """The unit level asked for."""
        return self.question.by

    def say(self, key: str, **params: Any) -> str:
        """A text of the maps in the reader's language."""
        return i18n.texts(self.lang)[f"map_{key}"].format_map(params)

    def _from(self) -> str | None:
        return None if self.before is None else self.before.manifest.run

    def words(self, *keys: str) -> dict[str, str]:
        """Several texts by their keys."""
        return {key: self.say(key) for key in keys}

    def warn(self, warning: Warn) -> str:
        """A remark in the reader's language."""
        return warning.text(self.lang)

    def named(self, name: Any, name_en: Any = None) -> str:
        """A name in the reader's language where there is one."""
        chosen = name_en if self.lang == "en" and name_en else name
        return self.say("unnamed") if chosen is None else str(chosen)

    def titled(self, thing: Service | Walker) -> str:
        """The title of a service or a walker."""
        return thing.title.text(self.lang)

    def level(self, level: str) -> str:
        """The title of a unit level."""
        title = self.run.policy.unit_levels.get(level)
        return level if title is None else title.text(self.lang)

    def minutes_text(self, value: float | None) -> str | None:
        """Minutes with their unit; None stays None."""
        return None if value is None else self.say("minutes_value", n=f"{value:.1f}")

    def address(self, layer: str | None = None, **changes: str | None) -> str:
        """The address of this page or of another layer, with parameters changed (None: without)."""
        asked = {
            "service": self.service,
            "minutes": None if self.minutes is None else plain(self.minutes),
            "walker": self.walker,
            "by": self.by if self.by != WHOLE or layer in (None, "gaps") else None,
            "lang": self.lang,
            "kind": self.kind if layer in (None, "circles") else None,
            "variant": self.variant if layer in (None, "circles") else None,
            "from": self._from() if layer in (None, "compare") else None,
            **self.keep,
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{layer or self.layer}?{query}"

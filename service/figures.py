"""How figures are written for people: counts, shares, minutes, bands, days; one way everywhere.

The functions give None for None, so that whoever writes says what absence means there
(``percent(share) or words.not_assessed``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from lifecircle.analysis import texts
from lifecircle.analysis.texts import cut

AT_MOST: Final = "at most"
_SLIP: Final = 1e-7  # of a percent: binary fractions do not open a band
_MANY: Final = 1000  # from here on decimals of a count say nothing


def number(value: float | None) -> str | None:
    """A count with thousands separators."""
    return None if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str | None:
    """A fraction as percent with one digit, cut, never rounded up; 0.0% only where exactly so."""
    return None if share is None else texts.percent(share)


def percent_up(share: float) -> str:
    """A gap to a bound as percent with two digits, rounded up: never told smaller than it is."""
    return f"{-cut(-share, 4) * 100:.2f}%"


def percent_whole(share: float) -> str:
    """A mark of an axis in whole percent."""
    return f"{100 * share:g}%"


def percent_span(low: float, high: float) -> str:
    """A band of shares in whole percent, opened to the percents that hold both ends."""
    ends = dict.fromkeys((math.floor(100 * low + _SLIP), math.ceil(100 * high - _SLIP)))
    return "–".join(map(str, ends)) + "%"


def points(change: float | None) -> str | None:
    """A change of a share in percentage points with its sign; 0 only where exactly so."""
    if change is None:
        return None
    hundredths = round(change * 10_000)
    if change and not hundredths:
        hundredths = 1 if change > 0 else -1
    return f"{hundredths / 100:+.2f}" if hundredths else "0"


def decimal(value: float | None, digits: int) -> str | None:
    """A number with so many digits."""
    return None if value is None or value != value else f"{value:,.{digits}f}"  # noqa: PLR0124


def walked(minutes: float | None) -> str | None:
    """Minutes of a walk, up to the next tenth: what is beyond a limit never reads as within it."""
    if minutes is None or minutes != minutes:  # noqa: PLR0124
        return None
    return decimal(math.ceil(minutes * 10 - _SLIP) / 10, 1)


def signed(value: int | None) -> str | None:
    """A difference of counts with its sign."""
    return None if value is None else f"{value:+,}"


def plain(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.10g}"


def rough(value: float) -> str:
    """A number to three digits, beside a name in a list."""
    return f"{value:.3g}"


def counted(value: float | None) -> str | None:
    """A whole number, or one with a decimal (cut) where it is small and none."""
    if value is None:
        return None
    whole = float(value).is_integer() or value >= _MANY
    return f"{cut(value, 0):,}" if whole else f"{cut(value, 1):,}"


def figure(value: float | None, unit: Mapping[str, Any], direction: str = "at least") -> str | None:
    """A figure of the scorecard, shown as its unit says.

    What is to be reached is cut, what is not to be exceeded is raised: neither looks better than
    it is.
    """
    if value is None:
        return None
    decimals = unit["decimals"]
    digits = decimals + 2 if unit["show"] == "percent" else decimals
    shown = -cut(-value, digits) if direction == AT_MOST else cut(value, digits)
    if unit["show"] == "percent":
        some = value > 0 and not shown
        return f"<{0.1**decimals:.{decimals}f}%" if some else f"{shown * 100:.{decimals}f}%"
    told = f"{shown:,.{decimals}f}"
    return told.rstrip("0").rstrip(".") if decimals else told


def percent_spans(edges: Sequence[float]) -> list[str]:
    """The classes that some fractions part 0 to 1 into, in whole percent."""
    bounds = [f"{100 * edge:g}" for edge in (0, *edges, 1)]
    return [f"{low}–{high}%" for low, high in pairwise(bounds)]


def date(moment: str) -> str:
    """The day of a moment as files hold it (ISO 8601)."""
    return moment[:10]


def stamp(moment: str) -> str:
    """Day, hour and minute of a moment as files hold it, UTC."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


FIGURES: Final = {  # for templates
    "decimal": decimal,
    "number": number,
    "percent": percent,
    "percent_span": percent_span,
    "plain": plain,
    "signed": signed,
}

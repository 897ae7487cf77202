"""Opening hours as people write them in Chinese, turned into the syntax of OpenStreetMap.

::

    周一至周五 8:00-17:30，节假日休息     Mo-Fr 08:00-17:30; PH off
    每日8:30—12:00，14:00—18:00          Mo-Su 08:30-12:00,14:00-18:00
    全天 · 24小时营业                    24/7
    周一闭馆，其余时间9:00-17:00         Mo-Su 09:00-17:00; Mo off

The text is cut into words; a single word that is not known makes the whole text unreadable:
hours are never guessed. Whether a place is open is then a matter of the library
``opening-hours-py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opening_hours import OpeningHours

DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_OF: Final = dict(zip("一二三四五六日天", (*DAYS, "Su"), strict=True))
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_WEEK: Final = r"(?:周|星期|礼拜)"
_TO: Final = r"\s*(?:-|至|到)\s*"
_PART: Final = (
    r"(?:(?P<{0}part>凌晨|清晨|早上|早晨|早|上午|中午|下午|傍晚|晚上|晚间|晚|夜间|夜里)\s*)?"
)
_NEXT: Final = r"(?P<{0}next>次日|第二天|翌日)?\s*"
_CLOCK: Final = (
    r"(?P<{0}h>[01]?\d|2[0-4])(?:(?::(?P<{0}m>[0-5]\d)|[点时](?P<{0}mm>[0-5]?\d)分?"
    r"|[点时](?P<{0}half>半)|(?P<{0}o>[点时]整?)))"
)
_BARE: Final = r"(?P<{0}bare>[01]?\d|2[0-4])(?![\d:点时])"
_SIDE: Final = _NEXT + _PART + r"(?:" + _CLOCK + r"|" + _BARE + r")"
_AFTERNOON: Final = frozenset({"下午", "傍晚", "晚上", "晚间", "晚", "夜间", "夜里"})

_WORDS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("months", rf"(?P<a>1[0-2]|[1-9])月?份?{_TO}(?P<b>1[0-2]|[1-9])月份?"),
        ("time", _SIDE.replace("{0}", "a") + _TO + _SIDE.replace("{0}", "b")),
        ("all_day", r"全天候?|24\s*小时|24\s*h(?:ours)?|昼夜|00:00-24:00|24/7"),
        ("daily", r"全年无休|每[天日]|天天|全周|一周七天|全年"),
        ("workdays", r"工作日|平日"),
        ("weekend", r"双休日|周末"),
        ("holiday", r"国家法定节假日|法定节假日|法定假日|节假日|公休日|节日|假日"),
        ("rest", r"其余时间|其他时间|其余日期|其它时间|其余|其他|其它"),
        ("span", rf"{_WEEK}(?P<a>[一二三四五六日天]){_TO}{_WEEK}?(?P<b>[一二三四五六日天])"),
        ("day", rf"{_WEEK}(?P<a>[一二三四五六日天](?:[、,]?[一二三四五六日天])*)"),
        ("usual", r"照常(?:营业|开放|服务|上班)?|正常(?:营业|开放|服务|上班)|不休(?:息)?|无休"),
        ("except", r"除外"),
        ("but", r"除"),
        ("out", r"以?外"),
        ("off", r"休息|休馆|闭馆|闭园|不营业|不开放|不上班|停止营业|停业|关闭|关门|公休|休"),
        ("rule", r"[;。\n|]"),
        (
            "",
            r"营业时间|服务时间|开放时间|办公时间|工作时间|上班时间|时间|营业|开放|服务|上班|办公|接待",
        ),
        ("", r"[:,、/\s()及和与均为都是的]"),
    )
)


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str


@dataclass(slots=True)
class _Rule:
    """Days (OSM names), months, spans of a day; `off` closes; `widest` rules come first."""

    days: list[str]
    months: str
    times: list[str]
    off: bool = False

    def written(self) -> str:
        """The rule in OSM syntax."""
        times = "off" if self.off else ",".join(self.times)
        return " ".join(part for part in (self.months, _list_days(self.days), times) if part)


@lru_cache(maxsize=65_536)
def osm_hours(text: str) -> str | None:
    """Opening hours in the syntax of OpenStreetMap, None where the text cannot be read.

    What is in that syntax already is returned as it is (spaces at its ends gone).
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    if _is_valid(plain):
        return plain
    flat = (
        re.sub(r"\s*[—–~〜－―−‐]+\s*|\s*--+\s*", "-", plain).replace("：", ":").replace("．", ":")
    )
    words = _split_words(flat)
    if words is None:
        return None
    rules = _make_rules(words)
    if rules is None:
        return None
    written = "; ".join(rule.written() for rule in rules)
    return written if _is_valid(written) else None


def is_open(osm: str, when: datetime, country: str | None = None) -> bool | None:
    """Whether hours in OSM's syntax are open at a time; None where they leave it unknown.

    Hours with a remark ("by appointment") are unknown. `country`: for its public holidays.

    Raises
    ------
    ValueError : not in the syntax of OpenStreetMap.
    """
    state, remark = _parse_hours(osm, country).state(when)
    return _read_state(str(state), remark)


def open_spans(
    osm: str, start: datetime, end: datetime, country: str | None = None
) -> list[tuple[datetime, datetime]] | None:
    """When hours are open between two times; None where any of it is unknown.

    Raises
    ------
    ValueError : not in the syntax of OpenStreetMap.
    """
    spans = []
    for begin, until, state, remark in _parse_hours(osm, country).intervals(start, end):
        known = _read_state(str(state), remark)
        if known is None:
            return None
        if known:
            first = max(begin.replace(tzinfo=None), start)
            spans.append((first, min(until.replace(tzinfo=None), end)))
    return spans


def _read_state(state: str, remark: str) -> bool | None:
    return None if remark or state == "unknown" else state == "open"


@cache
def _parse_hours(osm: str, country: str | None) -> OpeningHours:
    from opening_hours import OpeningHours

    if not _is_valid(osm):
        raise ValueError(osm)
    return OpeningHours(osm, country=country)


def _is_valid(text: str) -> bool:
    from opening_hours import validate

    return bool(validate(text))


def _split_words(text: str) -> list[_Word] | None:
    """Known words from left to right, None when one is not known."""
    found: list[_Word] = []
    at = 0
    while at < len(text):
        for kind, pattern in _WORDS:
            match = pattern.match(text, at)
            if match is None:
                continue
            meant = _find_meaning(kind, match)
            if meant is None:
                return None
            if kind:
                found.append(_Word(kind, meant))
            at = match.end()
            break
        else:
            return None
    return found


def _find_meaning(kind: str, match: re.Match[str]) -> str | None:
    if kind == "time":
        return _read_span(match)
    if kind == "months":
        return f"{_MONTHS[int(match['a']) - 1]}-{_MONTHS[int(match['b']) - 1]}"
    if kind == "span":
        return ",".join(_list_between(_DAY_OF[match["a"]], _DAY_OF[match["b"]]))
    if kind == "day":
        return ",".join(_DAY_OF[sign] for sign in match["a"] if sign in _DAY_OF)
    fixed = {"workdays": DAYS[:5], "weekend": DAYS[5:], "daily": DAYS, "rest": DAYS}
    return ",".join(fixed.get(kind, ("",)))


def _list_between(first: str, last: str) -> tuple[str, ...]:
    a, b = DAYS.index(first), DAYS.index(last)
    return DAYS[a : b + 1] if a <= b else DAYS[a:] + DAYS[: b + 1]


def _read_span(match: re.Match[str]) -> str | None:
    """``HH:MM-HH:MM``; a span past midnight ends beyond 24:00 only in the next day's clock."""
    if match["abare"] and match["bbare"]:
        return None  # 8-20 alone may be anything
    start, end = _read_minute(match, "a"), _read_minute(match, "b")
    if start is None or end is None or start == end or start >= 24 * 60:
        return None
    if end > 24 * 60:
        return None
    if end < start < 12 * 60 and not match["bnext"] and not match["bpart"]:
        return None  # 9:00-5:00: the afternoon or the next morning
    return f"{_write_clock(start)}-{_write_clock(end)}"


def _read_minute(match: re.Match[str], side: str) -> int | None:
    """Minute of the day of one side of a span; 下午 carries over to an end without its own."""
    hour = int(match[f"{side}h"] or match[f"{side}bare"])
    minute = int(match[f"{side}m"] or match[f"{side}mm"] or (30 if match[f"{side}half"] else 0))
    part = match[f"{side}part"]
    if side == "b" and part is None and match["apart"] in _AFTERNOON and not match["bnext"]:
        start = int(match["ah"] or match["abare"])
        part = match["apart"] if hour >= start % 12 else None
    if (part in _AFTERNOON and 0 < hour < 12) or (part == "中午" and hour < 3):
        hour += 12
    total = 60 * hour + minute
    return total if total <= 24 * 60 else None


def _write_clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _make_rules(words: list[_Word]) -> list[_Rule] | None:
    """Rules in the order OSM needs: the widest first, what closes last. None when unsettled."""
    rules = list(_read_rules(words))
    if not rules or any(not rule.off and not rule.times for rule in rules):
        return None
    if all(rule.off for rule in rules):
        return None  # when it is open is not said
    for rule in rules:
        if not rule.days:
            rule.days = list(DAYS)
    order = sorted(rules, key=lambda rule: (rule.off, -_count_width(rule)))
    if order[0].written() == "Mo-Su 00:00-24:00":
        order[0] = _Rule([], "", ["24/7"])
    return order


def _count_width(rule: _Rule) -> int:
    return len(rule.days) - (10 if "PH" in rule.days and len(rule.days) < 3 else 0)


def _read_rules(words: list[_Word]) -> Iterator[_Rule]:
    """Gather days until times (or a closing word) follow; days after those begin a new rule."""
    rule = _Rule([], "", [])
    closing = False  # between 除 and 外
    for word in words:
        if word.kind == "rule":
            if rule.times or rule.off:
                yield rule
                rule = _Rule([], "", [])
        elif word.kind == "but":
            closing = True
            if rule.times or rule.off:
                yield rule
                rule = _Rule([], "", [])
        elif word.kind == "out":
            if closing and rule.days:
                yield _Rule(rule.days, rule.months, [], off=True)
                rule = _Rule([], "", [])
            closing = False
        elif word.kind in ("off", "except"):
            rule.off, rule.times = True, []
            yield rule
            rule = _Rule([], "", [])
        elif word.kind == "usual":
            rule = _Rule([], "", []) if not rule.times else rule
        elif word.kind in ("time", "all_day"):
            rule.times.append(word.text if word.kind == "time" else "00:00-24:00")
        else:
            if rule.times:
                yield rule
                rule = _Rule([], "", [])
            if word.kind == "months":
                rule.months = word.text
            else:
                days = ["PH"] if word.kind == "holiday" else word.text.split(",")
                rule.days += [day for day in days if day not in rule.days]
    if rule.times or rule.off or rule.days or rule.months:
        yield rule


def _list_days(days: list[str]) -> str:
    """``Mo-Fr,PH``: runs of the week joined, the holidays last."""
    week = [day for day in DAYS if day in days]
    parts: list[str] = []
    for day in week:
        at = DAYS.index(day)
        if parts and at and DAYS[at - 1] == parts[-1][-2:]:
            parts[-1] = f"{parts[-1][:2]}-{day}"
        else:
            parts.append(day)
    return ",".join([*parts, *(["PH"] if "PH" in days else [])])

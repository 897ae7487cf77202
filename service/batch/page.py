"""The page of a batch: cities ranked by any indicator, the worst first, and their worst units.

One file that opens without internet; its figures lie in it as JSON, a small script of our own
draws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.service.batch.records import Record, Told
from lifecircle.service.figures import number, percent, percent_span, percent_spans
from lifecircle.service.maps import scales
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.wording import Words

SCRIPTS: Final = ("batch-map.js", "batch.js")
WORST_UNITS: Final = 200  # of all cities together, kept for an indicator


Worst = list[tuple[int, Told, float | None, int]]  # number of the city, unit, P, not covered


def add_worst(held: dict[str, Worst], city: int, found: Mapping[str, Any]) -> None:
    """Keep by service the units with most residents not covered, `WORST_UNITS` at most.

    `city`: the number of the city whose figures they are. Of equals those told first stay.
    """
    english = {shape["code"]: shape["name_en"] for shape in found["shapes"]}
    for block in found["services"]:
        units = held.setdefault(block["service"], [])
        least = units[-1][3] if len(units) == WORST_UNITS else 0  # of equals the first stay
        for unit in block["units"]:
            lost = unit["not_covered"]
            if lost and lost > least:
                named = {"zh": unit["name"], "en": english.get(unit["code"]) or unit["name"]}
                units.append((city, named, unit["P"], lost))
        units.sort(key=lambda unit: -unit[3])
        del units[WORST_UNITS:]


def batch_page(
    records: Mapping[str, Record],
    figures: Mapping[str, Mapping[str, Any]],
    worst: Mapping[str, Worst],
    lang: Language,
) -> str:
    """The page in one language; `worst` as `add_worst` keeps them, cities in the order given."""
    words = Words(lang, "batch")
    style, scripts = own_asset("batch.css"), tuple(map(own_asset, SCRIPTS))
    return own_template("batch.html").render(
        lang=lang,
        t=words,
        cities=len(records),
        residents=number(sum(one["residents"] or 0 for one in figures.values())),
        broken=[_broken(one, words) for one in records.values() if one.state == "failed"],
        scale=_scale(),
        unknown=scales.UNKNOWN_COLOUR,
        style=Markup(style),  # noqa: S704  our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704  our own files
        data=Markup(_json(_data(figures, worst, words))),  # noqa: S704  < > & are written as escapes
        policy=own_policy(style, scripts=scripts),
    )


def _broken(record: Record, words: Words) -> tuple[str, str]:
    return record.city, "" if record.error is None else record.error[words.lang]


def _scale() -> list[tuple[str, str]]:
    """The classes of shares, lowest first: colour and words."""
    return list(zip(scales.SHARE_COLOURS, percent_spans(scales.SHARE_EDGES), strict=True))


def _data(
    figures: Mapping[str, Mapping[str, Any]], worst: Mapping[str, Worst], words: Words
) -> dict[str, Any]:
    """Cities, indicators, and for each indicator its figures by city and its worst units.

    What is told of many figures (why they are unknown, what they rest on) stands once in `told`.
    """
    lang, told = words.lang, _Told(words.lang)
    cities = [
        {
            "name": one["title"][lang],
            "residents": number(one["residents"]),
            "count": one["residents"],
            "outline": one.get("outline", []),
        }
        for one in figures.values()
    ]
    indicators: dict[str, dict[str, Any]] = {}
    for i, one in enumerate(figures.values()):
        for block in one["services"]:
            found = _indicator(indicators, "P", block["service"], block["title"][lang])
            group = block.get("group")
            found["group"] = words("services") if group is None else group[lang]
            found["cities"].append(_coverage(i, block, told, words))
        for row in one["rows"]:
            found = _indicator(indicators, "row", row["id"], f"{row['id']} {row['title'][lang]}")
            found["least"] = row["direction"] == "at most"
            found["cities"].append(_card_row(i, row, told, words))
    for service, units in worst.items():
        indicators[f"P {service}"]["units"] = [
            [i, name[lang], share, percent(share), number(lost), lost]
            for i, name, share, lost in units
        ]
    return {
        "cities": cities,
        "indicators": [*indicators.values()],
        "told": told.texts,
        "edges": scales.SHARE_EDGES,
        "colours": scales.SHARE_COLOURS,
        "unknown": scales.UNKNOWN_COLOUR,
    }


class _Told:
    """Texts by number, each once."""

    def __init__(self, lang: Language) -> None:
        self.lang = lang
        self.texts: list[str] = []
        self._known: dict[str, int] = {}

    def numbers(self, told: Sequence[Mapping[str, str]]) -> list[int]:
        """The numbers of texts (each by language)."""
        found = []
        for text in (one[self.lang] for one in told):
            if text not in self._known:
                self._known[text] = len(self.texts)
                self.texts.append(text)
            found.append(self._known[text])
        return found


def _coverage(city: int, block: Mapping[str, Any], told: _Told, words: Words) -> dict[str, Any]:
    total = block["total"]
    return {
        "city": city,
        "value": total["P"],
        "told": percent(total["P"]) or words.not_assessed,
        "span": _span(total),
        "beside": number(total["not_covered"]) or "",
        "lost": total["not_covered"],
        "share": True,
        "why": told.numbers(block.get("why", [])),
    }


def _span(total: Mapping[str, Any]) -> str:
    low, high = total.get("P_low"), total.get("P_high")
    return "" if low is None or high is None else percent_span(low, high)


def _card_row(city: int, row: Mapping[str, Any], told: _Told, words: Words) -> dict[str, Any]:
    unit = words.title(row["unit_title"])
    text = words.not_assessed if row["told"] is None else f"{row['told']} {unit}".strip()
    return {
        "city": city,
        "value": row["value"],
        "told": text,
        "span": "",
        "beside": words.verdict(row["status"]),
        "status": row["status"],
        "share": row["unit"] == "fraction",
        "why": told.numbers(row.get("why", [])),
    }


def _indicator(held: dict[str, dict[str, Any]], kind: str, one: str, title: str) -> dict[str, Any]:
    empty = {
        "kind": kind,
        "id": one,
        "title": title,
        "cities": [],
        "units": [],
        "least": False,
        "group": "",
    }
    return held.setdefault(f"{kind} {one}", empty)


def _json(content: Any) -> str:
    """JSON that can stand in a script element, whatever names hold."""
    text = orjson.dumps(content).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

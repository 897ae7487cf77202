"""The page of a batch: cities ranked by any indicator, the worst first, and their worst units.

One file that opens without internet; its figures lie in it as JSON, a small script of our own
draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.service.batch.records import Record, Told
from lifecircle.service.figures import number, percent
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.wording import Words

WORST_UNITS: Final = 200  # of all cities together, kept for an indicator


Worst = list[tuple[int, Told, float | None, int]]  # number of the city, unit, P, not covered


def add_worst(held: dict[str, Worst], city: int, found: Mapping[str, Any]) -> None:
    """Keep by service the units with most residents not covered, `WORST_UNITS` at most.

    `city`: the number of the city whose figures they are. Of equals those told first stay.
    """
    english = {shape["code"]: shape["name_en"] for shape in found["shapes"]}
    for block in found["services"]:
        units = held.setdefault(block["service"], [])
        units += [
            (
                city,
                {"zh": unit["name"], "en": english.get(unit["code"]) or unit["name"]},
                unit["P"],
                unit["not_covered"],
            )
            for unit in block["units"]
            if unit["not_covered"]
        ]
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
    style, script = own_asset("batch.css"), own_asset("batch.js")
    return own_template("batch.html").render(
        lang=lang,
        t=words,
        cities=len(records),
        residents=number(sum(one["residents"] or 0 for one in figures.values())),
        broken=[_broken(one, words) for one in records.values() if one.state == "failed"],
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        data=Markup(_json(_data(figures, worst, words))),  # noqa: S704  < > & are written as escapes
        policy=own_policy(style, scripts=(script,)),
    )


def _broken(record: Record, words: Words) -> tuple[str, str]:
    return record.city, "" if record.error is None else record.error[words.lang]


def _data(
    figures: Mapping[str, Mapping[str, Any]], worst: Mapping[str, Worst], words: Words
) -> dict[str, Any]:
    """Cities, indicators, and for each indicator its figures by city and its worst units."""
    lang = words.lang
    cities = [
        {
            "name": one["title"][lang],
            "residents": number(one["residents"]),
            "count": one["residents"],
        }
        for one in figures.values()
    ]
    indicators: dict[str, dict[str, Any]] = {}
    for i, one in enumerate(figures.values()):
        for block in one["services"]:
            found = _indicator(indicators, "P", block["service"], block["title"][lang])
            total = block["total"]
            told = percent(total["P"]) or words.not_assessed
            lost = total["not_covered"]
            found["cities"].append([i, total["P"], told, number(lost) or "", lost])
        for row in one["rows"]:
            found = _indicator(indicators, "row", row["id"], f"{row['id']} {row['title'][lang]}")
            unit = words.title(row["unit_title"])
            told = words.not_assessed if row["told"] is None else f"{row['told']} {unit}".strip()
            share = row["unit"] == "fraction"
            found["least"] = row["direction"] == "at most"
            verdict = words.verdict(row["status"])
            found["cities"].append([i, row["value"], told, verdict, row["status"], share])
    for service, units in worst.items():
        indicators[f"P {service}"]["units"] = [
            [i, name[lang], share, percent(share), number(lost), lost]
            for i, name, share, lost in units
        ]
    return {"cities": cities, "indicators": [*indicators.values()]}


def _indicator(held: dict[str, dict[str, Any]], kind: str, one: str, title: str) -> dict[str, Any]:
    empty = {"kind": kind, "id": one, "title": title, "cities": [], "units": [], "least": False}
    return held.setdefault(f"{kind} {one}", empty)


def _json(content: Any) -> str:
    """JSON that can stand in a script element, whatever names hold."""
    text = orjson.dumps(content).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

"""What a report rests on: where data are weak, input files, options, numbers of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lifecircle.service.figures import decimal, number, plain
from lifecircle.service.report.cells import Cell, text
from lifecircle.service.report.tables import Document, Row, count, titles_by_service
from lifecircle.service.wording import Words

RULES: Final = ("rule", "number", "source", "clause", "confidence")
QUALITY: Final = {  # figures of the quality block, by the text that names them
    "unsnapped_residents": "quality_unsnapped_residents",
    "unsnapped_cells": "quality_unsnapped_cells",
    "unsnapped_facilities": "quality_unsnapped_facilities",
    "modelled_residents": "quality_modelled",
    "junctions": "junctions",
    "edges": "edges",
    "components": "components",
    "island_residents": "quality_island_residents",
    "facilities_outside": "quality_outside",
    "facilities_merged": "quality_merged",
    "facilities_suspected": "quality_suspected",
    "unit_disagreements": "quality_disagreements",
}


def quality_rows(document: Document, words: Words) -> Iterator[Row]:
    """Where the data are weak."""
    quality = document["quality"]
    for name in (
        "unsnapped_residents", "unsnapped_cells", "unsnapped_facilities", "modelled_residents",
        "junctions", "edges", "components", "island_residents", "facilities_outside",
        "facilities_merged", "facilities_suspected", "unit_disagreements",
    ):  # fmt: skip
        yield [text(words(QUALITY[name])), Cell(count(words, quality[name]), quality[name])]
    length = quality["walkable_km"]
    yield [text(words("walkable_km")), Cell(decimal(length, 1) or words.none, length)]
    hours = quality["hours"]
    for name in ("given", "readable"):
        have, of = number(hours[name]), number(hours["facilities"])
        told = words("figure_have_of", have=have, of=of)
        yield [text(words(f"hours_{name}")), Cell(told, hours[name])]
    for row in hours["unreadable"]:
        told = f"{row['opening_hours']} ({number(row['facilities'])})"
        yield [text(words("hours_unreadable")), text(told)]
    titles = titles_by_service(document, words)
    absent = [titles[service] for service in quality["not_assessed"]]
    told = words.listed(absent) or words.none
    yield [text(words("services_not_assessed")), text(told)]


def input_rows(document: Document, words: Words) -> Iterator[Row]:
    """The input files with their digests."""
    for row in document["sources"]["inputs"]:
        yield [
            text(words.role(row["role"])),
            text(row["name"]),
            Cell(count(words, row["size_bytes"]), row["size_bytes"]),
            text(row["sha256"]),
        ]


def parameter_rows(document: Document, words: Words) -> Iterator[tuple[str, str]]:
    """The options of the build and the settings that are not as usual, in words."""
    titles = titles_by_service(document, words)
    for name, value in document["sources"]["parameters"].items():
        if name == "surveyed":
            yield words.parameter(name), words.value(_surveyed(titles, value))
        else:
            yield words.parameter(name), words.value(value)
    scorecard = document["scorecard"]
    for setting in () if scorecard is None else scorecard["settings"]:
        if setting["value"] != setting["default"]:
            yield words.title(setting["title"]), str(setting["value"])


def _surveyed(titles: Mapping[str, str], sayings: Iterable[str]) -> list[str]:
    """Services surveyed by their titles, with the units or the file where in a part only."""
    parts = (saying.partition(":") for saying in sayings)
    return [f"{titles.get(one, one)}{sign}{told}" for one, sign, told in parts]


def rule_rows(document: Document, words: Words) -> Iterator[Row]:
    """Every number of the policy with source, clause and confidence."""
    sources = document["sources"]
    for service in sources["services"]:
        title = words.title(service["title"])
        yield _rule(words, f"{title} · {words('minutes')}", service["minutes"])
        if service["target"] is not None:
            yield _rule(words, f"{title} · {words('target')}", service["target"])
    for walker in sources["walkers"]:
        title = words.title(walker["title"])
        pace = walker["metres_per_minute"]
        cited = {**walker["metres"], "value": pace}
        yield _rule(words, words("metres_a_minute", walker=title), cited)
    if document["scorecard"] is not None:
        for setting in document["scorecard"]["settings"]:
            yield _setting(words, setting)
    for rule in sources["rules"]:
        yield _rule(words, _rule_name(document, words, rule["rule"]), rule)


def _setting(words: Words, setting: Mapping[str, Any]) -> Row:
    """A setting of the scorecard: what the plan leaves open, and how it is taken here."""
    chosen = [c["title"] for c in setting["choices"] if c["id"] == setting["value"]]
    source = setting["source"]
    told = words.title(chosen[0]) if chosen else plain(setting["value"])
    return [
        text(words.title(setting["title"])),
        text(told) if chosen else Cell(told, setting["value"]),
        text("" if source is None else source["source"]),
        text("" if source is None else source["clause"]),
        text("" if source is None else words(f"confidence_{source['confidence']}")),
    ]


def _rule_name(document: Document, words: Words, rule: str) -> str:
    if not rule.startswith("circle_"):
        return words(f"rule_{rule}")
    kind, name = rule.removeprefix("circle_").split("_", 1)
    return f"{words.title(document['circles']['circles'][kind]['title'])} · {words(f'rule_{name}')}"


def _rule(words: Words, name: str, cited: Mapping[str, Any]) -> Row:
    return [
        text(name),
        Cell(plain(cited["value"]), cited["value"]),
        text(cited["source"]),
        text(cited["clause"]),
        text(words(f"confidence_{cited['confidence']}")),
    ]

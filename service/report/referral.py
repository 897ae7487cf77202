"""Referral in the report: units by what becomes of their residents, and the loads of both tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lifecircle.analysis.texts import listed
from lifecircle.service.catalog.tiers.referral import UNSERVED, without_chain
from lifecircle.service.figures import number, percent
from lifecircle.service.report.cells import Cell, text
from lifecircle.service.wording import Words

UNITS: Final = (
    "unit_code", "unit", "residents", "referral_served", "referral_share",
    *(f"referral_{reason}" for reason in UNSERVED), "not_assessed",
)  # fmt: skip
LOADS: Final = (
    "referral_tier", "facility", "load", "maximum", "referral_refers_to", "referral_leg",
    "referral_onward",
)  # fmt: skip
_TIERS: Final = (("stations", "station"), ("centres", "centre"))
Document = Mapping[str, Any]


def unit_rows(found: Document, words: Words) -> Iterator[list[Cell]]:
    """The whole area, then its units, those with most residents without a whole chain first."""
    yield [text(""), text(words("total")), *_figures(_total(found), words)]
    for row in sorted(found["units"], key=lambda one: -without_chain(one)):
        yield [text(row["code"]), text(words.named(row)), *_figures(row, words)]


def _total(found: Document) -> Document:
    return {**found, **found["unserved"]}


def _figures(row: Document, words: Words) -> list[Cell]:
    def persons(key: str) -> Cell:
        return Cell(number(row[key]) or words.not_assessed, row[key])

    return [
        persons("residents"),
        persons("served"),
        Cell(percent(row["share"]) or words.not_assessed, row["share"]),
        *map(persons, UNSERVED),
        Cell(number(row["not_assessed"] or None) or words.none, row["not_assessed"]),
    ]


def load_rows(found: Document, words: Words) -> Iterator[list[Cell]]:
    """Every station and centre, the fullest first in each tier."""
    for tier, one in _TIERS:
        order = sorted(found[tier], key=lambda row: (-(row["load"] or 0), row["facility"]))
        for row in order:
            yield [
                text(words(f"referral_one_{one}")),
                text(words.named(row) or row["facility"]),
                Cell(number(row["load"]) or words.not_assessed, row["load"]),
                Cell(number(row["max"]) or words.none, row["max"]),
                text(_goal(row, words)),
                Cell(words.minutes(row["leg_minutes"]) or words.none, row["leg_minutes"]),
                Cell(words.minutes(row["onward_minutes"]) or words.none, row["onward_minutes"]),
            ]


def _goal(row: Document, words: Words) -> str:
    """Whom a place refers to: nobody, itself where it is the hospital too, or another."""
    goal = row["refers_to"]
    if goal is None:
        return words.none
    if goal == row["facility"]:
        return words("referral_itself")
    return words.named(row, "refers_to_name") or str(goal)


def limit_line(found: Document, words: Words) -> str:
    """What the figures are about, or why there are none."""
    if not found["assessed"]:
        tiers = listed(words(f"referral_tier_{tier}") for tier in found["missing"])
        return words("referral_open", tiers=tiers.text(words.lang))
    return words("about_referral", limit=words.limit(found["minutes"]))

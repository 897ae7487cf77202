"""Referral as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.catchments.tiers.chains import REASONS
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.texts import listed
from lifecircle.service.figures import number, percent
from lifecircle.service.terminal import print_table, say, say_others, show_rests, table_of
from lifecircle.service.wording import Words


def show_referral(document: Mapping[str, Any], policy: Policy, lang: Language) -> None:
    """Units by reason, both tiers with their loads, and the sum in a sentence."""
    words = Words(lang, "referral")
    walker = policy.walkers[document["walker"]].title
    title = words("title", limit=words.limit(document["minutes"]), walker=words.title(walker))
    print_table(_units(document, title, words))
    for tier in ("stations", "centres"):
        if document[tier]:
            print_table(_tier(document, tier, words))
    say(_sum(document, words))
    show_rests(document["rests_on"], lang)
    say_others(document)


def _units(document: Mapping[str, Any], title: str, words: Words) -> Table:
    heads = ("code", "unit", "residents", "served", *REASONS)
    table = table_of(title, [words(name) for name in heads], left=(0, 1))
    for row in document["units"]:
        figures = (row[key] for key in ("residents", "served", *REASONS))
        told = (number(value) or words.not_assessed for value in figures)
        table.add_row(row["code"], words.named(row) or words.none, *told)
    return table


def _tier(document: Mapping[str, Any], tier: str, words: Words) -> Table:
    heads = ("facility", "load", "maximum", "refers_to", "leg", "onward")
    table = table_of(words(tier), [words(name) for name in heads], left=(0, 3))
    for row in document[tier]:
        table.add_row(
            words.named(row) or row["facility"],
            number(row["load"]) or words.not_assessed,
            number(row["max"]) or words.none,
            words.named(row, "refers_to_name") or row["refers_to"] or words.none,
            words.minutes(row["leg_minutes"]) or words.none,
            words.minutes(row["onward_minutes"]) or words.none,
        )
    return table


def _sum(document: Mapping[str, Any], words: Words) -> str:
    if not document["assessed"]:
        tiers = listed(words(f"tier_{tier}") for tier in document["missing"])
        return words("open", tiers=tiers.text(words.lang))
    mean = document["mean_minutes"] or {}
    legs = zip(("first", "second", "third"), ("to_first", "to_centre", "to_hospital"), strict=True)
    told = words(
        "sum",
        served=number(document["served"]) or words.not_assessed,
        residents=number(document["residents"]) or words.unknown,
        share=percent(document["share"]) or words.none,
        **{name: words.minutes(mean.get(leg)) or words.none for name, leg in legs},
    )
    if not document["hospital_unknown"]:
        return told
    most = number(document["served_most"]) or words.not_assessed
    return words.sentences((told, words("most", most=most)))

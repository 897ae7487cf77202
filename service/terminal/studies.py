"""What the commands for circles, equity and comparison print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import Policy
from lifecircle.service.catalog.rests import told_elsewhere
from lifecircle.service.figures import decimal, figure, number, percent, plain, points, signed
from lifecircle.service.terminal import (
    print_table,
    say,
    say_others,
    say_remark,
    say_uncounted,
    show_rests,
    table_of,
)
from lifecircle.service.wording import Words

_VARIANTS: Final = ("all_at", "upgraded", "with_optional", "night")
_MISSING_SHOWN: Final = 3


def show_circles(document: Mapping[str, Any], policy: Policy, lang: Language) -> None:
    """Every kind of circle: residents complete in every variant, and what most of them miss."""
    words, services = Words(lang, "study"), policy.services
    for block in document["circles"].values():
        title = words(
            "circles",
            title=words.title(block["title"]),
            required=block["required"],
            assessed=len(block["assessed"]),
        )
        names = ("variant", "complete", "share", "share_all", "score", "missing")
        table = table_of(title, [words(name) for name in names], left=(0, 5))
        for name, part in _parts(block, words):
            total = part["total"]
            missing = (
                f"{words.title(services[row['service']].title)} {number(row['residents'])}"
                for row in total["missing"][:_MISSING_SHOWN]
            )
            shares = [_percent(total[key], words) for key in ("share", "share_all", "score")]
            complete = number(total["complete"]) or words.not_assessed
            table.add_row(name, complete, *shares, words.listed(missing))
        print_table(table)
        show_rests(block["rests_on"], lang, told=block["warnings"])
        say_others(block)


def _parts(block: Mapping[str, Any], words: Words) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The variants of a circle with their names, each followed by its upper bound."""
    at = block.get("at")
    own = "variant_own" if at is None else "variant_at"
    variants = [(words(own, at=_moment(at, words)), block)]
    for name in _VARIANTS:
        if name in block:
            part = block[name]
            minutes, moment = plain(part["minutes"] or 0), _moment(part.get("at"), words)
            variants.append((words(f"variant_{name}", minutes=minutes, at=moment), part))
    for title, part in variants:
        yield title, part
        if "upper" in part:
            yield words("variant_upper"), part["upper"]


def _moment(at: str | None, words: Words) -> str:
    return "" if at is None else words.moment(at)


def show_equity(document: Mapping[str, Any], policy: Policy, lang: Language) -> None:
    """One table a service: all residents and every group; the worst tenth below."""
    words = Words(lang, "study")
    for block in document.get("services", [document]):
        title = (
            words.title(block["title"]),
            words.limit(block["minutes"]),
            words.title(policy.walkers[block["walker"]].title),
            words.group(block["group"]),
        )
        names = ("group", "residents", "gini", "palma", "mean", "below", "below_share")
        table = table_of(" · ".join(title), [words(name) for name in names], left=(0,))
        for row in block["groups"]:
            told = (
                number(row["residents"]),
                decimal(row["gini"], 3),
                decimal(row["palma"], 2),
                decimal(row["mean_minutes"], 1),
                number(row["below"]),
                percent(row["below_share"]),
            )
            table.add_row(words.group(row["code"]), *(one or words.not_assessed for one in told))
        print_table(table)
        say_uncounted(block)
        show_rests(
            block["rests_on"], lang, of_service="services" in document, told=block["warnings"]
        )
        worst = block["worst_tenth"]
        if worst is not None:
            units = [words.named(unit) for unit in worst["units"][:_MISSING_SHOWN]]
            say(
                words(
                    "worst",
                    persons=number(worst["persons"]),
                    minutes=decimal(worst["from_minutes"], 1) or words.none,
                    units=words.listed(units) or words.none,
                )
            )


def show_compare(document: Mapping[str, Any], lang: Language) -> None:
    """What changed by service, and by unit when one service was asked for."""
    words = Words(lang, "study")
    if not document["changed"]:
        say(words("no_change"))
    runs = {"before": document["from"]["run"], "after": document["to"]["run"]}
    one = len(document["services"]) == 1
    names = ("unit" if one else "service", "facilities", "P_from", "P_to", "change", "gained",
             "lost", "moved")  # fmt: skip
    heads = [words(name) for name in names]
    table = table_of(words("figure_before_after", **runs), heads, left=(0,))
    for block in document["services"]:
        places = words(
            "figure_before_after",
            before=number(block["facilities_from"]),
            after=number(block["facilities_to"]),
        )
        table.add_row(words.title(block["title"]), places, *_changes(block["total"], words))
        if one:
            for row in block["units"]:
                table.add_row(words.named(row), "", *_changes(row, words))
    print_table(table)
    if document["indicators"] is not None:
        _show_indicators(document, words)
    if one:
        show_rests(document["services"][0]["rests_on"], lang)
    told = [warning["text"] for block in document["services"] for warning in block["warnings"]]
    known = told_elsewhere(line for b in document["services"] if one for line in b["rests_on"])
    for text in dict.fromkeys(told):
        if text not in known:
            say_remark(text)


def _show_indicators(document: Mapping[str, Any], words: Words) -> None:
    """The promises of the plan whose value or status changed."""
    rows = document["indicators"]
    changed = [row for row in rows if row["changed"]]
    title = words("indicators", count=len(changed), all=len(rows))
    names = ("id", "indicator", "target", "value_from", "value_to", "status_from", "status_to")
    table = table_of(title, [words(name) for name in names], left=(0, 1, 5, 6))
    for row in changed:
        unit, direction = document["units"][row["unit"]], row["direction"]
        values = (row[key] for key in ("value_from", "value_to"))
        statuses = (row[key] for key in ("status_from", "status_to"))
        table.add_row(
            row["id"],
            words.title(row["title"]),
            words.target(row, unit),
            *(figure(value, unit, direction) or words.none for value in values),
            *("" if status is None else words.verdict(status) for status in statuses),
        )
    print_table(table)


def _changes(row: Mapping[str, Any], words: Words) -> list[str]:
    return [
        _percent(row["P_from"], words),
        _percent(row["P_to"], words),
        points(row["P_change"]) or words.not_assessed,
        *(number(row[key]) or words.not_assessed for key in ("gained", "lost", "moved")),
    ]


def _percent(share: float | None, words: Words) -> str:
    return percent(share) or words.not_assessed


def show_growth(document: Mapping[str, Any], lang: Language) -> None:
    """Residents in all and by unit, a column for each year, and the growth from first to last."""
    words = Words(lang, "study")
    years = [str(one["year"]) for one in document["years"]]
    heads = [words("unit"), *years, words("people_change"), words("people_growth")]
    table = table_of(words.title(document["title"]), heads, left=(0,))
    for row in ({"name": words("area"), "name_en": words("area"), **document["total"]},
                *document["units"]):  # fmt: skip
        residents = [number(row["residents"][year]) or words.none for year in years]
        grown = percent(row["growth"]) or words.none
        table.add_row(words.named(row), *residents, signed(row["change"]) or words.none, grown)
    print_table(table)
    say_uncounted(document)

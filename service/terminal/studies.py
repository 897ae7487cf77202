"""What the commands for circles, equity and comparison print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from lifecircle.analysis.errors import Language
from lifecircle.analysis.results.model import Run
from lifecircle.service import i18n
from lifecircle.service.maps.wording import percent, points
from lifecircle.service.report.scorecard import figure, target_of
from lifecircle.service.terminal import print_table, say

_VARIANTS: Final = ("all_at", "upgraded", "with_optional", "night")
_MISSING_SHOWN: Final = 3


def show_circles(document: Mapping[str, Any], run: Run, lang: Language) -> None:
    """Every kind of circle: residents complete in every variant, and what most of them miss."""
    services = run.policy.services
    for block in document["circles"].values():
        title = i18n.text(
            "study_circles",
            lang,
            title=block["title"][lang],
            required=block["required"],
            assessed=len(block["assessed"]),
        )
        names = ("variant", "complete", "share", "share_all", "score", "missing")
        table = _table(title, [f"study_{name}" for name in names], lang, left=(0, 5))
        for name, part in _parts(block, lang):
            total = part["total"]
            missing = ", ".join(
                f"{services[row['service']].title.text(lang)} {row['residents']:,}"
                for row in total["missing"][:_MISSING_SHOWN]
            )
            shares = [_percent(total[key], lang) for key in ("share", "share_all", "score")]
            table.add_row(name, _count(total["complete"], lang), *shares, missing)
        print_table(table)
        for warning in block["warnings"]:
            say("· " + warning["text"])


def _parts(block: Mapping[str, Any], lang: Language) -> Iterator[tuple[str, Mapping[str, Any]]]:
    at = block.get("at")
    yield i18n.text("study_own" if at is None else "study_at", lang, at=_moment(at, lang)), block
    if "upper" in block:
        yield i18n.text("study_upper", lang), block["upper"]
    for name in _VARIANTS:
        if name in block:
            part = block[name]
            yield i18n.text(f"study_{name}", lang, at=_moment(part.get("at"), lang)), part
            if "upper" in part:
                yield i18n.text("study_upper", lang), part["upper"]


def _moment(at: str | None, lang: Language) -> str:
    if at is None:
        return ""
    day, clock = at.split(" ")
    return f"{i18n.text(f'report_day_{day}', lang)} {clock}"


def show_equity(document: Mapping[str, Any], lang: Language) -> None:
    """One table a service: all residents and every group; the worst tenth below."""
    for block in document.get("services", [document]):
        title = i18n.text(
            "study_equity",
            lang,
            title=block["title"][lang],
            minutes=f"{block['minutes']:g}",
            walker=block["walker"],
            group=block["group"],
        )
        names = ("study_group", "cli_residents", "study_gini", "study_palma", "study_mean",
                 "study_below", "study_below_share")  # fmt: skip
        table = _table(title, names, lang, left=(0,))
        for row in block["groups"]:
            table.add_row(
                row["code"],
                _count(row["residents"], lang),
                _decimal(row["gini"], 3, lang),
                _decimal(row["palma"], 2, lang),
                _decimal(row["mean_minutes"], 1, lang),
                _count(row["below"], lang),
                _percent(row["below_share"], lang),
            )
        print_table(table)
        worst = block["worst_tenth"]
        if worst is not None:
            units = [_named(unit, lang) for unit in worst["units"][:_MISSING_SHOWN]]
            minutes = worst["from_minutes"]
            say(
                i18n.text(
                    "study_worst",
                    lang,
                    persons=f"{worst['persons']:,}",
                    minutes="—" if minutes is None else f"{minutes:.1f}",
                    units=i18n.text("comma", lang).join(units) or "—",
                )
            )


def show_compare(document: Mapping[str, Any], lang: Language) -> None:
    """What changed by service, and by unit when one service was asked for."""
    if not document["changed"]:
        say(i18n.text("study_no_change", lang))
    title = i18n.text(
        "study_compare", lang, first=document["from"]["run"], last=document["to"]["run"]
    )
    one = len(document["services"]) == 1
    names = ("cli_unit" if one else "cli_service", "study_facilities", "study_P_from",
             "study_P_to", "study_change", "study_gained", "study_lost", "study_moved")  # fmt: skip
    table = _table(title, names, lang, left=(0,))
    for block in document["services"]:
        places = f"{block['facilities_from']} → {block['facilities_to']}"
        table.add_row(block["title"][lang], places, *_changes(block["total"], lang))
        if one:
            for row in block["units"]:
                table.add_row(_named(row, lang), "", *_changes(row, lang))
    print_table(table)
    if document["indicators"] is not None:
        _show_indicators(document, lang)
    told = [warning["text"] for block in document["services"] for warning in block["warnings"]]
    for text in dict.fromkeys(told):
        say("· " + text)


def _show_indicators(document: Mapping[str, Any], lang: Language) -> None:
    """The promises of the plan whose value or status changed."""
    rows = document["indicators"]
    changed = [row for row in rows if row["changed"]]
    title = i18n.text("study_indicators", lang, count=len(changed), all=len(rows))
    names = ("study_id", "study_indicator", "study_target", "study_before", "study_after",
             "study_status_from", "study_status_to")  # fmt: skip
    table = _table(title, names, lang, left=(0, 1, 5, 6))
    for row in changed:
        unit, direction = document["units"][row["unit"]], row["direction"]
        values = (row[key] for key in ("value_from", "value_to"))
        statuses = (row[key] for key in ("status_from", "status_to"))
        table.add_row(
            row["id"],
            row["title"][lang],
            target_of(row, unit, lang),
            *(figure(value, unit, lang, direction) for value in values),
            *("" if one is None else i18n.text(f"scorecard_{one}", lang) for one in statuses),
        )
    print_table(table)


def _changes(row: Mapping[str, Any], lang: Language) -> list[str]:
    change = row["P_change"]
    return [
        _percent(row["P_from"], lang),
        _percent(row["P_to"], lang),
        points(change) or i18n.text("cli_not_assessed", lang),
        *(_count(row[key], lang) for key in ("gained", "lost", "moved")),
    ]


def _table(title: str, names: Sequence[str], lang: Language, *, left: Sequence[int]) -> Table:
    table = Table(title=title)
    for i, name in enumerate(names):
        table.add_column(i18n.text(name, lang), justify="left" if i in left else "right")
    return table


def _named(row: Mapping[str, Any], lang: Language) -> str:
    english = row.get("name_en")
    return str(english if lang == "en" and english else row["name"])


def _count(value: int | None, lang: Language) -> str:
    return i18n.text("cli_not_assessed", lang) if value is None else f"{value:,}"


def _percent(share: float | None, lang: Language) -> str:
    return percent(share) or i18n.text("cli_not_assessed", lang)


def _decimal(value: float | None, digits: int, lang: Language) -> str:
    return i18n.text("cli_not_assessed", lang) if value is None else f"{value:.{digits}f}"

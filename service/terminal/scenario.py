"""What the command for scenarios prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifecircle.analysis.errors import Language
from lifecircle.analysis.policy import Policy
from lifecircle.service.figures import number, percent
from lifecircle.service.terminal import print_table, say, say_remark, table_of
from lifecircle.service.wording import Words


def show_scenario(document: Mapping[str, Any], policy: Policy, lang: Language) -> None:
    """Services before and after, rows of the scorecard that change, winners and losers."""
    words = Words(lang, "study")
    heads = [words(key) for key in ("service", "P_from", "P_to", "gained", "lost")]
    table = table_of(words("scenario", count=len(document["edits"])), heads, left=(0,))
    for block in document["services"]:
        if block["residents_before"] == block["residents_after"] and not (
            block["gained"] or block["lost"]
        ):
            continue
        shares = (percent(block[f"P_{side}"]) or words.not_assessed for side in ("before", "after"))
        moved = (number(block[key]) or words.not_assessed for key in ("gained", "lost"))
        table.add_row(words.title(block["title"]), *shares, *moved)
    print_table(table)
    residents = document["residents"]
    say(
        words(
            "scenario_people",
            before=number(residents["before"]),
            after=number(residents["after"]),
            winners=number(document["winners"]["residents"]),
            losers=number(document["losers"]["residents"]),
        )
    )
    for row in document["scorecard"]:
        title = policy.scorecard.rows[row["id"]].title if policy.scorecard else row["id"]
        say(
            words(
                "scenario_row",
                id=row["id"],
                title=words.title(title),
                before=words.verdict(row["status_before"]),
                after=words.verdict(row["status_after"]),
            )
        )
    for remark in document["warnings"]:
        say_remark(remark["text"])

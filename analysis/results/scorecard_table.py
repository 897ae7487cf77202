"""The scorecard as a flat table: one row per promise, for CSV and Excel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from lifecircle.analysis.errors import Language, say
from lifecircle.analysis.results.columns import count, number, text
from lifecircle.analysis.results.export import write_table
from lifecircle.analysis.texts import NOTHING, listed

SCORECARD_COLUMNS: Final = (
    text("id"),
    text("title", "word_indicator"),
    text("section"),
    text("phrase"),
    number("target", "", "", "no_target"),
    text("direction", "column_direction", "no_direction"),
    text("unit", "column_measured_in"),
    text("nature", "column_nature", "not_boxed"),
    number("baseline", "", "", "no_base"),
    text("status"),
    text("headline", "column_headline"),
    number("value", "", "", "open"),
    number("lower", "column_lower", "", "unknown"),
    number("upper", "column_upper", "", "unknown"),
    number("band_low", "", "", "no_band"),
    number("band_high", "", "", "no_band"),
    count("holds", "", "", "no_band"),
    number("assessed_share", "word_assessed", "", "open"),
    text("readings", "column_readings"),
    count("left_out_count", "column_left_out_count", ""),
    text("left_out", "column_left_out", "none"),
    text("missing", "column_how_to_supply", "none"),
    text("trend", "column_trend", "none"),
    text("note", null="none"),
)


def scorecard_frame(document: Mapping[str, Any], lang: Language) -> pd.DataFrame:
    """The rows of a scorecard document with its figures unrounded."""
    rows = [_flat(row, lang) for row in document["rows"]]
    return pd.DataFrame(
        {
            column.name: pd.Series(
                [row[column.name] for row in rows],
                dtype={"integer": "Int64", "number": "Float64"}.get(column.dtype, "object"),
            )
            for column in SCORECARD_COLUMNS
        }
    )


def export_scorecard(document: Mapping[str, Any], path: Path, lang: Language = "zh") -> None:
    """Write a scorecard document as ``.csv`` or ``.xlsx``; settings stand on a second sheet.

    Raises
    ------
    ParameterError : another suffix.
    WorkspaceError : the file cannot be written.
    """
    table = scorecard_frame(document, lang)
    name = say("scorecard_sheet", lang)
    write_table(table, SCORECARD_COLUMNS, path, name, lang, lines=tuple(_notes(document, lang)))


def _flat(row: Mapping[str, Any], lang: Language) -> dict[str, Any]:
    details = row["details"]
    return {
        **{key: row[key] for key in ("id", "section", "phrase", "target", "unit", "nature",
                                     "status", "value", "lower", "upper", "assessed_share")},
        "band_low": None if row["band"] is None else row["band"]["low"],
        "band_high": None if row["band"] is None else row["band"]["high"],
        "holds": None if row["band"] is None else row["band"]["holds"],
        "title": row["title"][lang],
        "direction": None
        if row["target"] is None
        else say(f"scorecard_{row['direction'].replace(' ', '_')}", lang),
        "baseline": None if row["baseline"] is None else row["baseline"]["value"],
        "headline": details[row["headline"]]["title"][lang],
        "readings": _row_of(
            [f"{one['title'][lang]} = {_figure(one['value'])}" for one in details.values()],
            lang,
            "clauses",
        ),
        "left_out_count": len(row["left_out"]) or (None if row["status"] == "NOT_ASSESSED" else 0),
        "left_out": _row_of([who(one, lang) for one in row["left_out"]], lang),
        "missing": _row_of([one["text"] for one in row["missing"]], lang, "clauses"),
        "trend": _row_of([_year(one) for one in row["trend"]], lang, "clauses"),
        "note": None if row["note"] is None else row["note"][lang],
    }  # fmt: skip


def _row_of(
    told: Sequence[str], lang: Language, between: Literal["words", "clauses"] = "words"
) -> str | None:
    return listed(told, between).text(lang) if told else None


def who(one: Mapping[str, Any], lang: Language) -> str:
    """A unit left out in one line: its name and code, the persons or the facility."""
    english = one["name_en"] if lang == "en" else None
    if one["name"] is None:
        named = one["facility"] or say("scorecard_no_unit", lang)
    else:
        named = f"{english or one['name']} ({one['code']})"
        if one["facility"] is not None:
            named = f"{one['facility']} · {named}"
    more = []
    if one["persons"] is not None:
        more.append(say("scorecard_persons", lang, count=one["persons"]))
    if one["value"] is not None:
        more.append(f"{one['value']:.4g}")
    if one["label"] is not None:
        more.append(str(one["label"]))
    return f"{named} {' '.join(more)}".strip()


def _figure(value: float | None) -> str:
    return NOTHING if value is None else repr(value)


def _notes(document: Mapping[str, Any], lang: Language) -> Sequence[tuple[str, str]]:
    """Area, run, policy and every setting, as lines for the second sheet."""
    policy = document["policy"]
    head = (
        (say("word_area", lang), str(document["area"])),
        (say("word_run", lang), str(document["run"])),
        (say("word_policy", lang), f"{policy['source']} {policy['digest']}"),
        (say("word_walker", lang), document["walker_title"][lang]),
    )
    settings = ((one["title"][lang], _chosen(one, lang)) for one in document["settings"])
    return (*head, *settings, *_trends(document, lang))


def _trends(document: Mapping[str, Any], lang: Language) -> Iterator[tuple[str, str]]:
    """The headline within each unit over the years, where the area has runs of several."""
    for row in document["rows"] if len(document["years"]) > 1 else ():
        for unit in row["by_unit"]:
            told = _row_of([_year(one) for one in unit["trend"]], lang, "clauses")
            if told is not None:
                yield f"{row['id']} · {unit['name']} ({unit['code']})", told


def _year(one: Mapping[str, Any]) -> str:
    return f"{one['year']} = {_figure(one['value'])}"


def _chosen(setting: Mapping[str, Any], lang: Language) -> str:
    """The answer given to a setting, in words where it is a choice."""
    titles = (one["title"][lang] for one in setting["choices"] if one["id"] == setting["value"])
    return next(titles, str(setting["value"]))

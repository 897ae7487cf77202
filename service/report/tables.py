"""The tables of a report: one function per section, from the report's document to rows of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from lifecircle.analysis.policy.scorecard_model import AT_LEAST, Direction
from lifecircle.analysis.texts import whole
from lifecircle.service.catalog.gaps import FULL
from lifecircle.service.catalog.rests import FOLD, SEVERITIES
from lifecircle.service.figures import decimal, number, percent, plain, walked
from lifecircle.service.report.cells import Cell, text
from lifecircle.service.wording import Words

Document = Mapping[str, Any]
Row = list[Cell]
VARIANTS: Final = ("all_at", "upgraded", "with_optional", "night")

SCORECARD: Final = (
    "id", "indicator", "target", "value", "reading", "status", "baseline", "assessed", "left_out",
    "missing",
)  # fmt: skip
LEFT_OUT_NAMED: Final = 5
COVERAGE: Final = (
    "service", "minutes", "facilities", "P", "P_core", "L", "U", "C", "covered", "not_covered",
    "circle_open", "target",
)  # fmt: skip
GAPS: Final = (
    "rank", "service", "unit", "near", "residents", "group_65", "group_0_3", "reason", "walk",
    "walk_m",
    "nearest",
)  # fmt: skip
CIRCLES: Final = (
    "circle", "variant", "required", "types", "complete", "incomplete", "circle_open", "share",
    "share_all", "score",
)  # fmt: skip
EQUITY: Final = (
    "service", "gini", "palma", "mean", "median", "below", "below_65", "below_0_3",
    "worst_from", "worst_where",
)  # fmt: skip


def scorecard_rows(document: Document, words: Words) -> Iterator[Row]:
    """Every promise of the plan: target, value today in its headline reading, who is left out."""
    scorecard = document["scorecard"]
    for row in () if scorecard is None else scorecard["rows"]:
        lang, units = words.lang, scorecard["units"]
        unit, base = units[row["unit"]], row["baseline"]
        yield [
            text(row["id"]),
            text(
                row["title"][lang],
                words("quoted", section=row["section"], phrase=whole(row["phrase"])),
            ),
            Cell(words.target(row, unit), row["target"]),
            _firm(words, _amount(words, row["value"], unit, row["direction"]), row, unit),
            text(row["details"][row["headline"]]["title"][lang]),
            Cell(words.verdict(row["status"]), right=False, kind=row["status"]),
            _amount(
                words,
                None if base is None else base["value"],
                unit if base is None else units[base["unit"]],
            ),
            share(words, row["assessed_share"]),
            text(_left_out(row["left_out"], words)),
            text(_lacking(row["missing"], words)),
        ]


def _amount(
    words: Words, value: float | None, unit: Document, direction: Direction = AT_LEAST
) -> Cell:
    """A figure of the scorecard as its own page writes it, with its unit where it has words."""
    return Cell(words.with_unit(value, unit, direction), value)


def _firm(words: Words, cell: Cell, row: Document, unit: Document) -> Cell:
    """The figure of a row with its band, where one is kept."""
    band = words.row_band(row, unit)
    return replace(cell, note=words("figure_banded", told="", band=band).strip()) if band else cell


def _left_out(listed: Sequence[Mapping[str, Any]], words: Words) -> str:
    """The first units left out, and how many more."""
    names = list(dict.fromkeys(_who(one, words) for one in listed))
    told = words.listed(names[:LEFT_OUT_NAMED])
    if len(names) <= LEFT_OUT_NAMED:
        return told
    return words("figure_and_more", told=whole(told), count=len(names))


def _who(one: Mapping[str, Any], words: Words) -> str:
    return str(one["facility"] or "") if one["name"] is None else words.named(one)


def _lacking(missing: Sequence[Mapping[str, Any]], words: Words) -> str:
    return words.listed(dict.fromkeys(one["title"][words.lang] for one in missing))


def coverage_rows(document: Document, words: Words) -> Iterator[Row]:
    """Every service: the readings of the whole area, and the plan's target."""
    places = facilities_by_service(document)
    targets = targets_by_service(document)
    for block in document["coverage"]["services"]:
        total, service = block["total"], block["service"]
        yield [
            text(words.title(block["title"])),
            Cell(plain(block["minutes"]), block["minutes"]),
            Cell(count(words, places[service]), places[service]),
            Cell(
                words.banded(
                    percent(total["P"]) or words.not_assessed, total["P_low"], total["P_high"]
                ),
                total["P"],
            ),
            *(share(words, total[key]) for key in ("P_core", "L", "U", "C")),
            Cell(count(words, total["covered"]), total["covered"]),
            Cell(count(words, total["not_covered"]), total["not_covered"]),
            Cell(count(words, total["not_assessed"] or None), total["not_assessed"]),
            share(words, targets[service]),
        ]


def rest_rows(document: Document, words: Words) -> Iterator[list[str]]:
    """What the figures of every service rest on; what touches all of them stands first, once."""
    for title, line in _rests(document, words):
        yield [title, words(f"severity_{line['severity']}"), line["text"][words.lang]]


def worst_rests(document: Document, words: Words) -> list[str]:
    """The most serious of these, as many as stand before a fold."""
    found = sorted(_rests(document, words), key=lambda one: SEVERITIES.index(one[1]["severity"]))
    return [line["text"][words.lang] for _, line in found[:FOLD]]


def _rests(document: Document, words: Words) -> list[tuple[str, Mapping[str, Any]]]:
    """Every line with the service it is about; of all services first, each once."""
    everywhere: dict[str, tuple[str, Mapping[str, Any]]] = {}
    own = []
    for block in document["coverage"]["services"]:
        for line in block["rests_on"]:
            if line["of_service"]:
                own.append((words.title(block["title"]), line))
            else:
                everywhere.setdefault(line["text"]["en"], (words("all_services"), line))
    return [*everywhere.values(), *own]


def count(words: Words, value: float | None) -> str:
    """A whole number; a dash where there is none."""
    return number(value) or words.none


def share(words: Words, value: float | None) -> Cell:
    """A share as percent; a dash where there is none."""
    return Cell(percent(value) or words.none, value)


def facilities_by_service(document: Document) -> dict[str, int]:
    """How many facilities of every service the run holds."""
    return {row["service"]: row["facilities"] for row in document["service_table"]}


def targets_by_service(document: Document) -> dict[str, float | None]:
    """The plan's target of every service."""
    return {
        row["service"]: None if row["target"] is None else row["target"]["value"]
        for row in document["sources"]["services"]
    }


def gaps_listed(document: Document, *, full: bool) -> list[Document]:
    """The gaps of all services, worst first: those where places are full, or the others."""
    return [gap for gap in document["gaps"]["rows"] if (gap["reason"] == FULL) is full]


def bridge_lines(document: Document, words: Words) -> list[str]:
    """How the headlines hang together, for services where some are in reach of full places."""
    titles = titles_by_service(document, words)
    return [
        words("named_line", name=titles[one["service"]], told=whole(words.bridge(one)))
        for one in document["gaps"]["by_service"]
        if one["served"] is not None
    ]


def gap_rows(document: Document, words: Words, most: int, *, full: bool = False) -> Iterator[Row]:
    """The worst gaps of all services."""
    titles = titles_by_service(document, words)
    for rank, gap in enumerate(gaps_listed(document, full=full)[:most], start=1):
        metres, minutes = gap["metres_to_nearest"], gap["minutes_to_nearest"]
        yield [
            Cell(str(rank), rank),
            text(titles[gap["service"]]),
            text(words.named(gap, "unit_name")),
            text(words.beside(gap)),
            Cell(count(words, gap["residents"]), gap["residents"]),
            Cell(count(words, gap.get("residents_65")), gap.get("residents_65")),
            Cell(count(words, gap.get("residents_0_3")), gap.get("residents_0_3")),
            text(words.reason_of(gap)),
            Cell(walked(minutes) or words.none, minutes),
            Cell(decimal(metres, 0) or words.none, metres),
            text(words.named(gap, "nearest_facility_name")),
        ]


def titles_by_service(document: Document, words: Words) -> dict[str, str]:
    """The name of every service."""
    return {row["service"]: words.title(row["title"]) for row in document["sources"]["services"]}


def circle_variants(block: Document, words: Words) -> Iterator[tuple[str, Document]]:
    """The variants of a kind of circle with their names, its own limits first."""
    yield words("variant_own"), block
    for name in VARIANTS:
        if name in block:
            part = block[name]
            at = words.moment(part["at"]) if "at" in part else ""
            params = {"minutes": plain(part["minutes"] or 0), "at": at}
            yield words(f"variant_{name}", **params), part


def circle_rows(document: Document, words: Words) -> Iterator[Row]:
    """Every kind of circle in every variant."""
    for block in document["circles"]["circles"].values():
        for name, part in circle_variants(block, words):
            total = part["total"]
            shares = [
                Cell(_ranged(words, part, key), total[key])
                for key in ("share", "share_all", "score")
            ]
            yield [
                text(words.title(block["title"])),
                text(name),
                Cell(str(part["required"]), part["required"]),
                Cell(str(len(part["assessed"])), len(part["assessed"])),
                *(
                    Cell(count(words, total[key]), total[key])
                    for key in ("complete", "incomplete", "not_assessed")
                ),
                *shares,
            ]


def _ranged(words: Words, part: Document, key: str) -> str:
    """A share, with the upper bound where hours are unknown."""
    told = percent(part["total"][key]) or words.not_assessed
    band = part.get("band") if key == "share" else None
    if band is not None:
        told = words.banded(told, band["low"], band["high"])
    above = part.get("upper")
    if above is None or above["total"][key] == part["total"][key]:
        return told
    return words.ranged(told, percent(above["total"][key]))


def equity_rows(document: Document, words: Words) -> Iterator[Row]:
    """Every assessed service: how evenly its walks are spread."""
    for block in document["equity"]["services"]:
        total, worst = block["total"], block["worst_tenth"]
        if worst is None:
            continue
        groups = {row["code"]: row for row in block["groups"]}
        where = words.listed(words.named(unit) for unit in worst["units"][:3])
        yield [
            text(words.title(block["title"])),
            Cell(decimal(total["gini"], 3) or words.none, total["gini"]),
            Cell(decimal(total["palma"], 2) or words.none, total["palma"]),
            Cell(decimal(total["mean_minutes"], 1) or words.none, total["mean_minutes"]),
            Cell(decimal(total["median_minutes"], 1) or words.none, total["median_minutes"]),
            share(words, total["below_share"]),
            *(_below(words, groups.get(group)) for group in ("65", "0_3")),
            Cell(decimal(worst["from_minutes"], 1) or words.none, worst["from_minutes"]),
            text(where),
        ]


def _below(words: Words, row: Mapping[str, Any] | None) -> Cell:
    return share(words, None if row is None else row["below_share"])

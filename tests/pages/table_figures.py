"""Figures of pages that tables and panels tell, beside the answer of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from tests.pages.figures import Ask, Cells, Html, Pair, _compare, _features, cut, persons
from tests.pages.map_pages import blocks, visible

NONE = "—"
_WHY = {
    "no_station": "No station near",
    "too_far": "Chain too long",
    "station_full": "Station full",
    "centre_full": "Centre full",
}


def rows_of(page: str) -> list[list[str]]:
    """The cells of every row of every table, as they are read."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    cells = (re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows)
    return [[unescape(re.sub(r"<[^>]*>", "", one)).strip() for one in row] for row in cells if row]


def band(low: float | None, high: float | None) -> str:
    """A range of shares as a table has it."""
    ends = (cut(low), cut(high))
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} – {ends[1]}"


def referral_figures(html: Html, ask: Ask, cells: Cells) -> Iterator[Pair]:
    """The page of referral, by either first contact."""
    for query in ({}, {"pass_by": "true"}):
        told, page = ask("referral", **query), html("referral", **query)
        units = [
            {
                "name": one["name_en"] or one["name"],
                "Whole chain": persons(one["served"]),
                "Residents": persons(one["residents"]),
                **{label: persons(one[why]) for why, label in _WHY.items()},
            }
            for one in told["units"]
        ]
        yield from _compare(f"referral {query}", _features(page, "units"), units)
        text = visible(page)
        sums = [persons(told["served"]), *(persons(told["unserved"][why]) for why in _WHY)]
        of = f"{sums[0]} of {persons(told['residents'])} residents"
        yield f"referral {query} served", of in text, True
        for label, figure in zip(_WHY.values(), sums[1:], strict=True):
            yield f"referral {query} {label}", f"{label} {figure}" in text, True
        held = blocks(page)["data_cell_dots_main"]
        assert isinstance(held, dict)
        for i, cell in enumerate(cells):
            yield f"referral {query} {cell['id']}", held["r"][i], cell["residents"]


def proposal_figures(html: Html, ask: Ask, service: str) -> Iterator[Pair]:
    """The page of proposed sites that are found at once, and what it is on."""
    told = ask("siting", service=service, add=5)
    page = html("proposals", service=service)
    sites = [
        {
            "Residents newly covered": persons(one["residents_new"]),
            "All residents within the limit": persons(one["residents_reached"]),
            "Site id": one["site"],
            "Residents aged 0–3, newly covered": persons(one["residents_new_0_3"]),
            "Residents aged 65 and over, newly covered": persons(one["residents_new_65"]),
        }
        for one in told["proposals"]
    ]
    yield from _compare(f"proposals {service}", _features(page, "proposals"), sites)
    text = visible(page)
    gained = told["after"]["covered"] - told["before"]["covered"]
    for figure in (
        f"+{persons(gained)}", cut(told["before"]["share"]), cut(told["after"]["share"]),
        persons(told["before"]["covered"]), persons(told["after"]["covered"]),
        persons(told["residents"] - told["after"]["covered"]),
        persons(told["candidates"]["count"]),
    ):  # fmt: skip
        yield f"proposals {service} panel {figure}", str(figure) in text, True


def robustness_figures(page: str, told: dict[str, Any]) -> Iterator[Pair]:
    """The page of robustness: rows of the plan, services with what moves them, lists."""
    rows = rows_of(page)
    heads = {row[0]: row for row in rows}
    draws = told["draws"]
    for one in told["rows"]:
        mine = heads.get(one["id"])
        if one["holds"] is None or mine is None:
            yield f"robustness {one['id']}", mine is None, one["holds"] is None
            continue
        yield f"robustness {one['id']} holds", mine[3], f"{one['holds']} of {draws} draws"
        if one["unit"] == "fraction":
            value = one["value"]
            yield f"robustness {one['id']}", mine[5], cut(value["value"])
            yield f"robustness {one['id']} band", mine[6], band(value["low"], value["high"])
    for one in told["services"]:
        name, apart = one["title"]["en"], one["residents"]
        at = next((k for k, row in enumerate(rows) if row[0] == name and len(row) == 7), None)
        if one["P"]["value"] is None or at is None:
            yield f"robustness {name}", at is None, one["P"]["value"] is None
            continue
        wanted = [cut(one["P"]["value"]), band(one["P"]["low"], one["P"]["high"]), "",
                  *(persons(apart[word]) for word in ("always", "sometimes", "never"))]  # fmt: skip
        for k, figure in enumerate(wanted):
            yield f"robustness {name} {k}", rows[at][k + 1], figure
        swings = iter(one["swings"])
        for row in rows[at + 1 :]:
            if len(row) != 5:
                break
            swing = next(swings)
            yield f"robustness {name} {row[0]}", row[2], band(swing["low"], swing["high"])
    lists = [row for row in rows if len(row) == 5 and row[4].startswith(("stated", "two lists"))]
    for one, row in zip(told["lists"], lists, strict=True):
        yield f"robustness list {row[0]}", row[1], persons(one["places"])


def stage_figures(page: str, told: dict[str, Any]) -> Iterator[Pair]:
    """The page of staged siting."""
    rows = rows_of(page)
    years = [one["year"] for one in told["stages"]]
    for one, row in zip(told["proposals"], rows, strict=False):
        wanted = [str(one["rank"]), str(one["opens"])]
        wanted += [persons(one["loads"].get(str(year))) or NONE for year in years]
        yield from ((f"stages {one['site']}", *pair) for pair in zip(
            [row[0], *row[3:]], wanted, strict=True))  # fmt: skip
    names = ("residents", "served", "unserved", "unserved_before", "underload", "underload_before")
    for one in told["stages"]:
        row = next(row for row in rows if row[0] == str(one["year"]))
        for name, figure in zip(names, row[1:], strict=True):
            yield f"stages {one['year']} {name}", figure, persons(one[name])
    loads = {
        (one["name_en"], k): one["load"]
        for k, stage in enumerate(told["stages"])
        for one in stage["centres"]
        if not one["new"]
    }
    for row in rows:
        for k, figure in enumerate(row[2:] if len(row) == 2 + len(years) and not row[0] else ()):
            load = loads.get((row[1], k))
            shown = figure.partition(" · ")[0] if "·" in figure else None
            yield f"stages {row[1]} {years[k]}", shown, persons(load)


def item_figures(page: str, columns: list[str], features: list[dict[str, Any]]) -> Iterator[Pair]:
    """The table of a layer, its whole numbers."""
    for row, one in zip(rows_of(page), features, strict=True):
        for name, shown in zip(columns, row[1:], strict=True):
            told = one["properties"][name]
            if isinstance(told, int) and not isinstance(told, bool):
                yield f"items {one['id']} {name}", shown, persons(told)
            elif isinstance(told, float) and 0 <= told <= 1:
                near = abs(float(shown.replace(",", "")) - told) <= 0.0005001
                yield f"items {one['id']} {name}", near, True

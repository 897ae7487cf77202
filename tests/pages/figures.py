"""Every figure that pages hold as data, beside the answer of the API for the same question."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from tests.pages.map_pages import blocks

Pair = tuple[str, object, object]  # where, what the page shows, what the API says
Cells = list[dict[str, Any]]
Html = Callable[..., str]
Ask = Callable[..., Any]
_TENTH = Decimal("0.1")


def cut(share: float | None) -> str | None:
    """A share as people read it: percent cut to a tenth, never rounded up."""
    if share is None:
        return None
    percent = (Decimal(repr(share)) * 100).quantize(_TENTH, ROUND_FLOOR)
    return "<0.1%" if share > 0 and percent == 0 else f"{percent}%"


def persons(count: int | None) -> str | None:
    return None if count is None else f"{count:,}"


def _or_none(count: int) -> str | None:
    return persons(count) if count else None


def _tenths_up(minutes: float | None) -> int | None:
    """Tenths of minutes, rounded up; a cell walks whole centimetres, so some digits suffice."""
    if minutes is None:
        return None
    return int((Decimal(f"{minutes:.9f}") * 10).to_integral_value(ROUND_CEILING))


def _features(page: str, layer: str) -> list[dict[str, Any]]:
    told = blocks(page)[f"data_areas_{layer}"]
    assert isinstance(told, dict)
    labels = told["labels"]
    held = [one["properties"] for one in told["features"]["features"]]
    return [{"name": p["name"], **dict(zip(labels, p["values"], strict=True))} for p in held]


def _compare(
    where: str, shown: Iterable[dict[str, Any]], told: Iterable[dict[str, Any]]
) -> Iterator[Pair]:
    """Rows of a page and of the API: figures by the label of the page."""
    for mine, theirs in zip(shown, told, strict=True):
        for label, figure in theirs.items():
            yield f"{where} {mine['name']}: {label}", mine[label], figure


def coverage_figures(html: Html, ask: Ask, cells: Cells, service: str) -> Iterator[Pair]:
    """The page of coverage, and the desk, which lies on the same ground."""
    told = ask("coverage", service=service)
    units = [
        {
            "name": one["name_en"] or one["name"],
            "Residents covered (P)": "not assessed" if one["P"] is None else cut(one["P"]),
            "Residents": persons(one["residents"]),
            "Residents covered": persons(one["covered"]),
            "Residents not covered": persons(one["not_covered"]),
            "Residents covered within 800 m (P_core)": cut(one["P_core"]),
            "Residential land covered (L)": cut(one["L"]),
            "Units with a facility (U)": cut(one["U"]),
            "Residents far from any street": _or_none(one["unsnapped"]),
            "Residents cut off": _or_none(one["cut_off"]),
        }
        for one in told["units"]
    ]
    for layer in ("coverage", "desk"):
        page = html(layer, service=service)
        yield from _compare(f"{layer} {service}", _features(page, "units"), units)
        held = blocks(page)["data_cell_dots_main"]
        assert isinstance(held, dict)
        limit = told["minutes"]
        for i, cell in enumerate(cells):
            minutes = cell[f"minutes_{service}"]
            yield f"{layer} {service} {cell['id']} residents", held["r"][i], cell["residents"]
            yield f"{layer} {service} {cell['id']} minutes", held["m"][i], _tenths_up(minutes)
            if not cell["snapped"] or minutes is None:
                continue
            yield (
                f"{layer} {service} {cell['id']} covered",
                bool(held["k"][i]),
                minutes <= limit + 1e-9,
            )


def gap_figures(html: Html, ask: Ask, service: str) -> Iterator[Pair]:
    """The page of gaps."""
    told = [one["properties"] for one in ask("gaps", service=service)["features"]]
    shown = {one["Gap id"]: one for one in _features(html("gaps", service=service), "gaps")}
    yield f"gaps {service}", len(shown), len(told)
    for one in told:
        mine = shown[one["gap"]]
        where = f"gaps {service} {one['gap']}"
        yield f"{where} residents", mine["Residents"], persons(one["residents"])
        minutes = one["minutes_to_nearest"]
        said = None if minutes is None else f"{_tenths_up(minutes) / 10:.1f} min"  # type: ignore[operator]
        yield f"{where} minutes", mine["Mean walking time"], said
        for group, label in (("0_3", "aged 0–3"), ("65", "aged 65 and over")):
            yield f"{where} {group}", mine[f"Residents {label}"], persons(one[f"residents_{group}"])


def catchment_figures(html: Html, ask: Ask, service: str) -> Iterator[Pair]:
    """The page of catchments."""
    told = ask("catchments", service=service)["balanced"]
    shown = {
        one["name"]: one for one in _features(html("catchments", service=service), "catchments")
    }
    for centre in told["centres"]:
        mine = shown.get(centre["name_en"] or centre["name"])
        if mine is None:
            yield f"catchments {service} {centre['facility']}", 0, centre["load"]
            continue
        where = f"catchments {service} {centre['name']}"
        yield f"{where} load", mine["Residents assigned"], persons(centre["load"])
        yield f"{where} min", mine["Minimum"], persons(centre["min"])
        yield f"{where} max", mine["Maximum"], persons(centre["max"])


def circle_figures(html: Html, ask: Ask, cells: Cells) -> Iterator[Pair]:
    """The page of circles."""
    for kind, told in ask("circles")["circles"].items():
        units = [
            {
                "Share with a complete circle": cut(one["share"]),
                "Residents": persons(one["residents"]),
                "Residents with a complete circle": persons(one["complete"]),
                "Residents with an incomplete circle": persons(one["incomplete"]),
                "Residents not assessed": _or_none(one["not_assessed"]),
                "Share that reaches all types": cut(one["share_all"]),
                "Score": cut(one["score"]),
            }
            for one in told["units"]
        ]
        page = html("circles", kind=kind)
        yield from _compare(f"circles {kind}", _features(page, "units"), units)
        held = blocks(page)["data_cell_dots_main"]
        assert isinstance(held, dict)
        of = len(told["assessed"])
        for i, cell in enumerate(cells):
            reached, state = held["texts"][held["t"][i]][:2]
            where = f"circles {kind} {cell['id']}"
            yield f"{where} reached", reached, f"{cell[f'circle_{kind}_reached']} of {of}"
            yield f"{where} state", state, cell[f"circle_{kind}"].replace("_", " ")


def compare_figures(html: Html, ask: Ask, service: str) -> Iterator[Pair]:
    """The page of two runs."""
    told = next(
        one for one in ask("compare", service=service)["services"] if one["service"] == service
    )
    units = [
        {
            "P before": cut(one["P_from"]),
            "P after": cut(one["P_to"]),
            "Residents gained": persons(one["gained"]),
            "Residents lost": persons(one["lost"]),
            "Residents before": persons(one["residents_from"]),
            "Residents after": persons(one["residents_to"]),
        }
        for one in told["units"]
    ]
    yield from _compare(
        f"compare {service}", _features(html("compare", service=service), "units"), units
    )


def scorecard_figures(page: str, told: dict[str, Any]) -> Iterator[Pair]:
    """The page of the scorecard: every figure that it holds is one of the API, as often."""
    shown = sorted(float(one) for one in re.findall(r'data-value="([^"]+)"', page))
    figures: list[float] = []
    for row in told["rows"]:
        details = row["details"].values()
        figures += [one["value"] for one in details if one["value"] is not None]
    for k, figure in enumerate(shown):
        found = any(math.isclose(figure, one, rel_tol=1e-12) for one in figures)
        yield f"scorecard figure {k}", figure if found else "no figure of the API", figure


def quality_figures(html: Html, cells: Cells) -> Iterator[Pair]:
    """The page of data quality."""
    held = blocks(html("quality"))["data_cell_dots_main"]
    assert isinstance(held, dict)
    columns = dict(zip(held["labels"], held["columns"], strict=True))
    for i, cell in enumerate(cells):
        yield f"quality {cell['id']} residents", columns["Residents"][i], persons(cell["residents"])
        metres = columns["Distance to a street"][i]
        if cell["access_m"] is not None and metres is not None:
            shown = float(re.sub(r"[^\d.]", "", metres))
            near = abs(shown - cell["access_m"]) <= 0.1
            yield f"quality {cell['id']} metres", near, True

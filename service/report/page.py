"""The printed report: one HTML file with maps and plots, no script, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely
from markupsafe import Markup

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.results.layers.gap_outlines import KeptOutlines
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog import report_document
from lifecircle.service.catalog.firm.robustness import FirmWords
from lifecircle.service.catalog.gaps import DRAWN_CELLS, answer_gaps
from lifecircle.service.catalog.report import WALKER
from lifecircle.service.figures import number, percent, plain, stamp
from lifecircle.service.maps.escape import html_text
from lifecircle.service.maps.outside import refuse_outside
from lifecircle.service.report import referral, sources, tables
from lifecircle.service.report.cells import Cell, text
from lifecircle.service.report.drawing import (
    Bar,
    UnitShapes,
    bar_chart,
    round_up,
    share_legend,
    share_map,
    tenth_chart,
)
from lifecircle.service.report.firm import told_firm
from lifecircle.service.report.marks import MARKS, mark_rows
from lifecircle.service.report.standalone import own_asset, own_policy, own_template
from lifecircle.service.wording import Words

GAPS_SHOWN: Final = 25
UNITS_SHOWN: Final = 20
MAPS_SHOWN: Final = 6
LINES_SHOWN: Final = 4
MAP_WIDTH: Final = 320
MAP_HEIGHT: Final = 300
MISSING: Final = "#c9772b"
COUNTED: Final = ("residents", "facilities", "cells", "units")


def report_page(
    run: Run,
    languages: Sequence[Language] = ("zh",),
    *,
    by: str | None = None,
    settings: Mapping[str, str | float] | None = None,
    marks: Sequence[Mapping[str, Any]] = (),
    others: Sequence[Run] = (),
) -> str:
    """The report of a run as one HTML page to print, in one language or in several in turn.

    Raises
    ------
    UnknownNameError, ParameterError : as `report_document`.
    """
    parts = []
    for lang in languages:
        words = Words(lang, "report")
        document = report_document(
            run, by=by, settings=settings, marks=marks, others=others, lang=lang
        )
        parts.append(_part(run, document, words))
    style = _style()
    page = own_template("report.html", _through_the_door).render(
        lang="zh-Hans" if languages[0] == "zh" else "en",
        title=f"{run.manifest.title.text(languages[0])} · {Words(languages[0])('report')}",
        policy=style_policy(),
        style=Markup(style),  # noqa: S704  our own file
        parts=parts,
    )
    return refuse_outside(page)


def style_policy() -> str:
    """The Content-Security-Policy of a report: its own style by digest, nothing else."""
    return own_policy(_style())


def _style() -> str:
    return own_asset("report.css").strip()


def _part(run: Run, document: dict[str, Any], words: Words) -> dict[str, Any]:
    """What the template shows in one language."""
    return {
        "lang": "zh-Hans" if words.lang == "zh" else "en",
        "t": words,
        "d": document,
        "name": words.title(document["title"]),
        "level": _level(document, words),
        "assessed": sum(row["assessed"] for row in document["service_table"]),
        "tables": {
            "scorecard": (tables.SCORECARD, list(tables.scorecard_rows(document, words))),
            "rests_on": (
                ("service", "severity", "rest"),
                [list(map(text, row)) for row in tables.rest_rows(document, words)],
            ),
            "coverage": (tables.COVERAGE, list(tables.coverage_rows(document, words))),
            "gaps": (tables.GAPS, list(tables.gap_rows(document, words, GAPS_SHOWN))),
            "gaps_full": (
                tables.GAPS,
                list(tables.gap_rows(document, words, GAPS_SHOWN, full=True)),
            ),
            "circles": (tables.CIRCLES, list(tables.circle_rows(document, words))),
            "equity": (tables.EQUITY, list(tables.equity_rows(document, words))),
            "referral": (referral.UNITS, _referral(document, words)),
            "referral_loads": (referral.LOADS, _loads(document, words)),
            "reviews": (MARKS, list(mark_rows(document, words))),
            "quality": (("item", "number"), list(sources.quality_rows(document, words))),
            "inputs": (("role", "file", "size", "sha"), list(sources.input_rows(document, words))),
            "rules": (sources.RULES, list(sources.rule_rows(document, words))),
        },
        "bands": _bands(document, words),
        "firm": _firm(document, words),
        "rests": tables.worst_rests(document, words),
        "parameters": list(sources.parameter_rows(document, words)),
        "bridges": tables.bridge_lines(document, words),
        "referral": document["referral"] and referral.limit_line(document["referral"], words),
        "gaps_count": len(tables.gaps_listed(document, full=False)),
        "gaps_full_count": len(tables.gaps_listed(document, full=True)),
        "gaps_shown": GAPS_SHOWN,
        "core_metres": plain(run.policy.coverage.core_metres.value),
        "coverage_plot": _coverage_plot(document, words),
        "maps": _maps(run, document, words),
        "legend": share_legend(words.not_assessed),
        "missing_plots": [
            _missing_plot(document, block, words)
            for block in document["circles"]["circles"].values()
        ],
        "tenth_plot": _tenth_plot(run, document, words),
        "warnings": _warnings(document),
        "created": stamp(document["created"]),
        "counts": {name: number(document[name]) for name in COUNTED},
    }


def _referral(document: Mapping[str, Any], words: Words) -> list[list[Cell]]:
    """The whole area and the units with most residents without a whole chain."""
    found = document["referral"]
    return [] if found is None else list(referral.unit_rows(found, words))[: UNITS_SHOWN + 1]


def _loads(document: Mapping[str, Any], words: Words) -> list[list[Cell]]:
    """The centres: their stations stand in the workbook."""
    found = document["referral"]
    if found is None or not found["assessed"]:
        return []
    return list(referral.load_rows({**found, "stations": ()}, words))


def _bands(document: Mapping[str, Any], words: Words) -> str:
    """What stands in brackets beside figures; empty where no bands are kept."""
    heads = (block["bands"] for block in document["coverage"]["services"])
    head = next((one for one in heads if one is not None), None)
    return "" if head is None else words.bands_about(head)


def _firm(document: Mapping[str, Any], words: Words) -> dict[str, Any] | None:
    """How firm the verdicts stand; None where nobody kept it."""
    kept = document["robustness"]
    return None if kept is None else told_firm(kept, FirmWords.of(kept, words.lang))


def _level(document: Mapping[str, Any], words: Words) -> str:
    for level in document["levels"]:
        if level["level"] == document["by"]:
            return words.title(level["title"])
    return str(document["by"])


def shown_services(run: Run, document: Mapping[str, Any]) -> list[str]:
    """Services with a map of their own: assessed, those with a target or a capacity first."""
    services = run.policy.services
    assessed = [row["service"] for row in document["service_table"] if row["assessed"]]
    named = [s for s in assessed if services[s].target or services[s].capacity]
    rest = [s for s in assessed if s not in named]
    return [*named, *rest][:MAPS_SHOWN]


def _coverage_plot(document: Mapping[str, Any], words: Words) -> Markup:
    targets = tables.targets_by_service(document)
    bars = [
        Bar(
            words.title(block["title"]),
            block["total"]["P"],
            percent(block["total"]["P"]) or words.not_assessed,
            targets[block["service"]],
        )
        for block in document["coverage"]["services"]
    ]
    known = sorted(
        (bar for bar in bars if bar.share is not None), key=lambda bar: -(bar.share or 0)
    )
    return bar_chart([*known, *(bar for bar in bars if bar.share is None)], words("plot_coverage"))


def _maps(run: Run, document: Mapping[str, Any], words: Words) -> dict[str, list[Any]]:
    """Small maps: P of some services with their gaps, and the circles."""
    units, level = run.city.units, document["by"]
    members = units.of_level(level)
    english = units.name_en[members]
    names = [
        other if words.lang == "en" and other else name
        for name, other in zip(units.name[members], english, strict=True)
    ]
    shapes = UnitShapes.of(
        list(units.code[members]), names, units.geometry[members], MAP_WIDTH, MAP_HEIGHT
    )
    if shapes is None:
        return {"coverage": [], "circles": []}
    blocks = {block["service"]: block for block in document["coverage"]["services"]}
    coverage = []
    services = shown_services(run, document)
    kept = KeptOutlines(run, services) if len(run.city.cells) > DRAWN_CELLS else None
    for service in services:
        block = blocks[service]
        title = words.title(block["title"])
        shares = {row["code"]: row["P"] for row in block["units"]}
        drawn = share_map(shapes, shares, title, words.not_assessed, _outlines(run, service, kept))
        coverage.append((title, percent(block["total"]["P"]) or words.not_assessed, drawn))
    circles = []
    for block in document["circles"]["circles"].values():
        title = words.title(block["title"])
        shares = {row["code"]: row["share"] for row in block["units"]}
        drawn = share_map(shapes, shares, title, words.not_assessed)
        circles.append((title, percent(block["total"]["share"]) or words.not_assessed, drawn))
    return {"coverage": coverage, "circles": circles}


def _outlines(run: Run, service: str, kept: KeptOutlines | None) -> list[shapely.Geometry]:
    found = answer_gaps(run, Question(service, walker=WALKER), kept).found
    return [gap.geometry for gap in found]


def _missing_plot(
    document: Mapping[str, Any], block: Mapping[str, Any], words: Words
) -> tuple[str, Markup]:
    titles = tables.titles_by_service(document, words)
    residents = block["total"]["residents"]
    shares = [
        (titles[row["service"]], row["residents"] / residents)
        for row in block["total"]["missing"]
        if residents
    ]
    bars = [Bar(name, share, percent(share) or "") for name, share in shares]
    bars += [Bar(titles[name], None, words.not_assessed) for name in block["not_assessed"]]
    title = f"{words.title(block['title'])} · {words('plot_missing')}"
    most = min(1.0, round_up(max((share for _, share in shares), default=1.0)))
    return title, bar_chart(bars, title, colour=MISSING, most=most)


def _tenth_plot(run: Run, document: Mapping[str, Any], words: Words) -> Markup | None:
    blocks = {block["service"]: block for block in document["equity"]["services"]}
    series = [
        (words.title(blocks[service]["title"]), blocks[service]["tenths"])
        for service in shown_services(run, document)
        if blocks[service]["tenths"]
    ][:LINES_SHOWN]
    if not series:
        return None
    return tenth_chart(series, words("plot_tenths"), words("tenths_across"), words("walk"))


def _warnings(document: Mapping[str, Any]) -> list[str]:
    told = [warning["text"] for warning in document["warnings"]]
    for block in document["circles"]["circles"].values():
        told += [warning["text"] for warning in block["warnings"]]
        told += [warning["text"] for warning in block.get("night", {}).get("warnings", ())]
    return list(dict.fromkeys(told))


def _through_the_door(value: Any) -> Any:
    return "" if value is None else html_text(value)

"""The coverage page: units by P, cells by minutes to the nearest facility, the facilities."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from lifecircle.analysis.measures.coverage import Coverage, CoverageRow
from lifecircle.analysis.measures.question import Asked, Walks, covered
from lifecircle.analysis.quantities import Int32Array, minutes_of
from lifecircle.service.catalog.coverage import CoverageAnswer, answer_coverage
from lifecircle.service.catalog.rests import completeness_document, missed_of
from lifecircle.service.figures import number, percent, plain
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.firm_layer import Firm, firm_layer
from lifecircle.service.maps.folium_map import Areas, CellDots
from lifecircle.service.maps.panel import Fact, Ranking, RankRow, Swatch, Tile, Toggle
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    drawable,
    facility_layer,
    facility_toggle,
    footer,
    frame,
    level_shown,
    question_fields,
    rests,
    warnings,
)
from lifecircle.service.maps.shapes import packed_cells, polygons_degrees
from lifecircle.service.maps.shares import share_areas, share_toggle


def coverage_scene(ask: Ask, service: str) -> Scene:
    """Coverage of one service on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `lifecircle.analysis.measures.coverage.coverage`.
    """
    run = ask.run
    question = replace(ask.question, service=service, by=level_shown(ask))
    answer = answer_coverage(run.study, question)
    asked, found, walks = answer.asked, answer.found, answer.walks
    chosen = facilities_of(ask, service)
    title = ask.titled(asked.service)
    streets, streets_toggle = street_layer(ask)
    firm = firm_layer(ask, found)
    areas, places = unit_layer(ask, found, firm)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    cells, minutes_toggle = cell_layer(ask, asked, walks, chosen)
    view = frame(ask, ask.say("title_coverage", service=title)) | question_fields(ask, asked)
    view |= _figures(ask, found, firm)
    view |= {
        "toggles": (
            _share_toggle(ask, found),
            minutes_toggle,
            *firm.toggles,
            facility_toggle(ask, title),
            streets_toggle,
        ),
        "ranking": _ranking(ask, answer, places),
        "warnings": warnings(ask, *found.warnings),
        "footer": footer(ask, asked),
        **rests(ask, asked.service.id, found.total.edge_of_list),
    }
    return Scene((streets, areas, cells, *firm.layers, dots), view)


def facilities_of(ask: Ask, service: str) -> Int32Array:
    """Indices of the facilities of a service, int32 (k,)."""
    return np.flatnonzero(ask.run.city.facilities.of_service(service)).astype(np.int32)


def unit_layer(ask: Ask, found: Coverage, firm: Firm | None = None) -> tuple[Areas, dict[str, int]]:
    """Units of the level coloured by P, and the place of each unit (by code) in the layer."""
    units = ask.run.city.units
    members = units.of_level(found.by)
    shapes = units.geometry[members]
    kept = drawable(shapes)
    rows = [found.units[i] for i in kept]
    properties = []
    for row in rows:
        share = percent(row.P)
        properties.append(
            {
                "name": ask.named(row.name, row.name_en),
                "kind": ask.level(found.by),
                "short": share or ask.words.not_assessed,
                "c": scales.class_of(row.P, scales.SHARE_EDGES),
                "values": [*_told(ask, found.service, row), _band(firm, row)],
            }
        )
    drawn = polygons_degrees(shapes[kept], ask.run.city.crs, shared=True)
    labels = [
        _figure(ask, key)
        for key in (
            "P",
            "residents",
            "covered",
            "not_covered",
            "P_core",
            "L",
            "U",
            "unsnapped",
            "unsnapped_short_piece",
            "cut_off",
            "missed",
            "band",
        )
    ]
    layer = share_areas(drawn, properties, labels)
    return layer, {row.code: i for i, row in enumerate(rows)}


def _band(firm: Firm | None, row: CoverageRow) -> str | None:
    return None if firm is None else firm.band(row) or None


def _told(ask: Ask, service: str, row: CoverageRow) -> list[str | None]:
    return [
        percent(row.P) or ask.words.not_assessed,
        number(row.residents) or ask.words.unknown,
        number(row.covered),
        number(row.not_covered),
        percent(row.P_core),
        percent(row.L),
        percent(row.U),
        number(row.unsnapped or None),
        number(row.unsnapped_short_piece or None),
        number(row.cut_off or None),
        ask.words.missed(missed_of(completeness_document(ask.run.study, service), row.code)),
    ]


def cell_layer(
    ask: Ask, asked: Asked, walks: Walks | None, chosen: Int32Array
) -> tuple[CellDots, Toggle]:
    """Cells coloured by the class of their walk, and the switch with its legend."""
    cells, speed = ask.run.city.cells, asked.walker.speed_m_per_s
    scale = scales.minute_scale(asked.minutes)
    count = len(cells)
    if walks is None:
        classes = np.full(count, len(scale.colours) - 1)
        tenths: list[int | None] = [None] * count
        near: list[int | None] = [None] * count
        within: list[int | None] = [None] * count
    else:
        classes = scale.classes(walks.cell_cm, speed)
        judged = ask.run.study.judged(asked.service.id).cell
        classes[~judged] = len(scale.colours) - 1
        minutes = np.ceil(minutes_of(walks.cell_cm, speed) * 10 - 1e-6)
        tenths = [None if np.isnan(m) else int(m) for m in minutes]
        place = np.full(len(ask.run.city.facilities) + 1, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        near = [None if f < 0 else int(f) for f in place[walks.cell_facility]]
        reached = covered(walks.cell_cm, cells.position, asked.limit_cm)
        within = [int(r) if j else None for r, j in zip(reached, judged, strict=True)]
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "colours": list(scale.colours),
            "c": classes,
            "m": tenths,
            "f": near,
            "k": within,
        }
    )
    legend = _minute_legend(ask, scale, classes, walks)
    return layer, Toggle(
        "cells", ask.going("layer_cells", "layer_cells_by"), legend, ramp=len(legend) > 1
    )


def _minute_legend(
    ask: Ask, scale: scales.MinuteScale, classes: Any, walks: Walks | None
) -> tuple[Swatch, ...]:
    present = set(np.unique(classes).tolist())
    unknown = Swatch(scales.UNKNOWN_COLOUR, ask.words.not_assessed, apart=True)
    if walks is None:
        return (Swatch(scales.UNKNOWN_COLOUR, ask.words.not_assessed),)
    spans = [f"{plain(low)}–{plain(high)}" for low, high in pairwise([0.0, *scale.edges])]
    labels = [*spans, f">{plain(scale.edges[-1])}"]
    marks = [
        Swatch(colour, label, apart=i == scale.within)
        for i, (colour, label) in enumerate(zip(scale.colours, labels, strict=False))
    ]
    if len(scale.edges) + 1 in present:
        key = "no_way" if walks.any_facility else "none_here"
        marks.append(Swatch(scales.NO_WAY_COLOUR, ask.say(key), apart=True))
    if len(scale.colours) - 1 in present:
        marks.append(unknown)
    return tuple(marks)


def _share_toggle(ask: Ask, found: Coverage) -> Toggle:
    label = ask.say("layer_units_P", level=ask.level(found.by))
    return share_toggle(ask, label, some_unknown=any(row.P is None for row in found.units))


def _figures(ask: Ask, found: Coverage, firm: Firm) -> dict[str, Any]:
    total, known = found.total, completeness_document(ask.run.study, found.service)
    reasons = {
        "L": ask.say("reason_L" if total.covered is not None else "reason_U"),
        "U": ask.say("reason_U"),
        "P": ask.say("reason_P" if ask.run.city.cells.counted else "reason_residents"),
    }
    headline = ask.say(
        "headline",
        covered=number(total.covered) or ask.words.unknown,
        residents=number(_judged(total)) or ask.words.unknown,
    )
    tiles = (
        Tile(
            ask.say("P"),
            percent(total.P),
            headline if total.P is not None else reasons["P"],
            True,
            firm.band(total),
        ),
        Tile(
            ask.say("L"),
            percent(total.L),
            ask.say("about_L") if total.L is not None else reasons["L"],
        ),
        Tile(
            ask.say("U"),
            percent(total.U),
            ask.say("about_U") if total.U is not None else reasons["U"],
        ),
    )
    facts = [
        ("residents", number(total.residents)),
        ("covered", number(total.covered)),
        ("C", percent(total.C)),
        ("not_covered", number(total.not_covered)),
        ("not_assessed", number(total.not_assessed or None)),
        ("edge_of_list", number(total.edge_of_list or None)),
        ("of_them_unsnapped", number(total.unsnapped or None)),
        ("of_them_short_piece", number(total.unsnapped_short_piece or None)),
        ("of_them_cut_off", number(total.cut_off or None)),
        ("P_core", percent(total.P_core)),
        ("missed", ask.words.missed(missed_of(known, None))),
    ]
    unknown = sum(row.residents is None for row in found.units)
    if unknown:
        facts.append(("units_unknown", number(unknown)))
    told = [found.warnings[0]] if found.warnings and total.P is None else []
    return {
        "tiles": tiles,
        "facts": tuple(Fact(_figure(ask, key), value) for key, value in facts if value is not None),
        "not_assessed": " ".join(ask.warn(warning) for warning in told),
    }


def _judged(total: CoverageRow) -> int | None:
    """Residents whom the service is assessed for."""
    if total.residents is None or total.not_assessed is None:
        return None
    return total.residents - total.not_assessed


def _figure(ask: Ask, key: str) -> str:
    """What a figure is called; the inner ring by the metres of the policy."""
    if key == "P_core":
        return ask.say("P_core_metres", metres=plain(ask.run.policy.coverage.core_metres.value))
    return ask.say(key)


def _ranking(ask: Ask, answer: CoverageAnswer, places: dict[str, int]) -> Ranking | None:
    """The worst units of the level, and of the one beside it: villages stand beside communities."""
    found = answer.found
    levels, rows = [found.by], list(found.units)
    if answer.beside is not None:
        rows += answer.beside.units
        levels.append(answer.beside.by)
    worst = sorted((row for row in rows if row.not_covered), key=lambda row: -_left(row))
    if len(rows) < 2 or not worst:
        return None
    shown = tuple(
        RankRow(
            ask.named(row.name, row.name_en),
            number(row.not_covered) or "",
            ask.say("rank_unit", P=percent(row.P), residents=number(row.residents)),
            f"{100 * _left(row) / _left(worst[0]):.1f}",
            places.get(row.code),
        )
        for row in worst[:WORST_SHOWN]
    )
    note = ask.say("rank_note_units", shown=len(shown), count=len(worst))
    rest = (found.total.not_covered or 0) - sum(map(_left, worst))
    if rest > 0:
        note = ask.words.sentences((note, ask.say("rank_note_rest", residents=rest)))
    named = ask.words.listed(ask.level(level) for level in levels)
    return Ranking(ask.say("rank_units", level=named), note, "units", shown)


def _left(row: CoverageRow) -> int:
    return row.not_covered or 0

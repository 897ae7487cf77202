"""The gaps page: connected groups of uncovered cells, the worst first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from lifecircle.analysis.measures.gaps import Gap
from lifecircle.service.catalog.gaps import answer_gaps
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.coverage_scene import facilities_of
from lifecircle.service.maps.folium_map import Areas
from lifecircle.service.maps.panel import Fact, Ranking, RankRow, Swatch, Tile, Toggle
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    facility_layer,
    facility_toggle,
    feature_collection,
    footer,
    frame,
    level_shown,
    outline_layer,
    question_fields,
    street_layer,
    unit_name,
    warnings,
)
from lifecircle.service.maps.shapes import polygons_degrees
from lifecircle.service.wording import number, percent


def gaps_scene(ask: Ask, service: str) -> Scene:
    """Gaps of one service on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `lifecircle.analysis.measures.gaps.gaps`.
    """
    answer = answer_gaps(ask.run.study, ask.question.about(service))
    asked, found, remarks = answer.asked, answer.found, answer.remarks
    title = ask.titled(asked.service)
    chosen = facilities_of(ask, service)
    streets, streets_toggle = street_layer(ask)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    view = frame(ask, ask.say("title_gaps", service=title)) | question_fields(ask, asked)
    view |= _figures(ask, found, assessed=not remarks)
    view |= {
        "not_assessed": " ".join(ask.warn(remark) for remark in remarks),
        "toggles": (_toggle(ask), facility_toggle(ask, title), streets_toggle),
        "ranking": _ranking(ask, found),
        "warnings": warnings(ask, *remarks),
        "footer": footer(ask, asked),
    }
    return Scene((streets, outline_layer(ask), _gap_layer(ask, found), dots), view)


def _gap_layer(ask: Ask, found: tuple[Gap, ...]) -> Areas:
    shapes = np.array([gap.geometry for gap in found], dtype=object)
    properties = [
        {
            "name": _title(ask, gap),
            "kind": ask.say("rank_of", place=place, count=len(found)),
            "short": ask.words.persons(gap.residents),
            "always": str(place) if place <= WORST_SHOWN else "",
            "c": scales.class_of(gap.residents, scales.PERSON_EDGES),
            "values": _told(ask, gap),
        }
        for place, gap in enumerate(found, start=1)
    ]
    labels = [
        *(ask.say(key) for key in ("residents", "reason", "walk_mean", "nearest")),
        *(ask.words.group(name) for name in ask.run.city.cells.groups),
        ask.say("gap"),
    ]
    drawn = polygons_degrees(shapes, ask.run.city.crs, shared=False)
    return Areas(
        {
            "name": "gaps",
            "features": feature_collection(drawn, properties),
            "colours": list(scales.PERSON_COLOURS),
            "style": {
                "line": "#7a2a00",
                "weight": 1,
                "opacity": 0.85,
                "fill": scales.PERSON_OPACITY,
                "labels": "ranks",
            },
            "labels": labels,
        }
    )


def _told(ask: Ask, gap: Gap) -> list[str | None]:
    return [
        number(gap.residents),
        ask.words.reason(gap.reason),
        ask.words.minutes(gap.minutes_to_nearest),
        _nearest(ask, gap),
        *(number(gap.groups.get(name)) for name in ask.run.city.cells.groups),
        gap.id,
    ]


def _title(ask: Ask, gap: Gap) -> str:
    """The unit that holds most residents of a gap, at the level of the page."""
    cells = ask.run.city.cells
    index = cells.unit[level_shown(ask)][gap.cells]
    inside = index >= 0
    if not inside.any():
        return ask.say("outside_units")
    held = np.bincount(index[inside], cells.residents[gap.cells][inside])
    return unit_name(ask, int(held.argmax())) or ask.say("unnamed")


def _nearest(ask: Ask, gap: Gap) -> str | None:
    if gap.nearest_facility is None:
        return None
    facilities = ask.run.city.facilities
    english = facilities.attributes.get("name_en")
    i = gap.nearest_facility
    return ask.named(facilities.name[i], None if english is None else english[i])


def _toggle(ask: Ask) -> Toggle:
    bounds = [1, *scales.PERSON_EDGES]
    labels = [
        ask.say("span_persons", low=number(low), high=number(high - 1))
        for low, high in pairwise(bounds)
    ]
    labels.append(ask.say("span_persons_beyond", n=number(bounds[-1])))
    marks = [
        Swatch(scales.laid_over(colour, scales.PERSON_OPACITY), label)
        for colour, label in zip(scales.PERSON_COLOURS, labels, strict=True)
    ]
    return Toggle("gaps", ask.say("layer_gaps"), tuple(marks))


def _figures(ask: Ask, found: tuple[Gap, ...], *, assessed: bool) -> dict[str, Any]:
    residents = sum(gap.residents for gap in found)
    known = int(ask.run.city.cells.residents.sum())
    note = (
        ask.say("headline_gaps", residents=number(known), share=percent(residents / known))
        if known
        else ""
    )
    tiles = (
        Tile(
            ask.say("gap_residents"),
            number(residents) if assessed else None,
            note if assessed else ask.say("reason_P"),
            main=True,
        ),
        Tile(ask.say("gap_count"), number(len(found)) if assessed else None, ""),
        Tile(
            ask.say("gap_largest"),
            (number(found[0].residents) if found else "0") if assessed else None,
            "",
        ),
    )
    by_reason: dict[str, int] = {}
    for gap in found:
        by_reason[gap.reason] = by_reason.get(gap.reason, 0) + gap.residents
    facts = tuple(
        Fact(ask.words.reason(reason), ask.words.persons(count))
        for reason, count in sorted(by_reason.items(), key=lambda pair: -pair[1])
    )
    return {"tiles": tiles, "facts": facts}


def _ranking(ask: Ask, found: tuple[Gap, ...]) -> Ranking | None:
    if not found:
        return None
    most = found[0].residents
    rows = tuple(
        RankRow(
            _title(ask, gap),
            ask.words.persons(gap.residents),
            " · ".join(
                text
                for text in (
                    ask.words.reason(gap.reason),
                    ask.words.minutes(gap.minutes_to_nearest),
                    _nearest(ask, gap),
                )
                if text
            ),
            f"{100 * gap.residents / most:.1f}",
            index,
        )
        for index, gap in enumerate(found[:WORST_SHOWN])
    )
    note = ask.say("rank_note_gaps", shown=len(rows), count=number(len(found)))
    return Ranking(ask.say("rank_gaps"), note, "gaps", rows)

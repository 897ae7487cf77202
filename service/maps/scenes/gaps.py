"""The gaps page: connected groups of uncovered cells, the worst first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from lifecircle.analysis.measures.gaps.gaps import Bridge, Gap
from lifecircle.service.catalog.gaps import FULL, answer_gaps, bridge_row
from lifecircle.service.figures import number, percent
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas
from lifecircle.service.maps.panel import Fact, Ranking, RankRow, Tile, Toggle, laid
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    facility_layer,
    facility_toggle,
    feature_collection,
    footer,
    frame,
    outline_layer,
    question_fields,
    rests,
    unit_name,
    warnings,
)
from lifecircle.service.maps.scenes.coverage import facilities_of
from lifecircle.service.maps.shapes import polygons_degrees


def gaps_scene(ask: Ask, service: str) -> Scene:
    """Gaps of one service on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `lifecircle.analysis.measures.gaps.gaps.gaps`.
    """
    answer = answer_gaps(ask.run, ask.question.about(service))
    asked, found, remarks = answer.asked, answer.found, answer.remarks
    title = ask.titled(asked.service)
    chosen = facilities_of(ask, service)
    streets, streets_toggle = street_layer(ask)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    view = frame(ask, ask.say("title_gaps", service=title)) | question_fields(ask, asked)
    view |= _figures(ask, found, answer.bridge)
    view |= {
        "not_assessed": " ".join(ask.warn(remark) for remark in remarks),
        "toggles": (_toggle(ask), facility_toggle(ask, title), streets_toggle),
        "ranking": _ranking(ask, found, "", full=False),
        "ranking_full": _ranking(ask, found, "_full", full=True),
        "warnings": warnings(ask, *remarks),
        "footer": footer(ask, asked),
        **rests(ask, asked.service.id),
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
            "id": gap.id,
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
        _reason(ask, gap),
        ask.words.minutes(gap.minutes_to_nearest),
        _facility(ask, gap.nearest_facility),
        *(number(gap.groups.get(name)) for name in ask.run.city.cells.groups),
        gap.id,
    ]


def _reason(ask: Ask, gap: Gap) -> str:
    return ask.words.reason(gap.reason, gap.residents, gap.short_piece)


def _title(ask: Ask, gap: Gap) -> str:
    """The unit of a gap, its street, and the named place nearest to most of its residents."""
    if gap.unit is not None:
        unit = unit_name(ask, gap.unit) or ask.say("unnamed")
    else:
        many = ask.say("gap_across", count=gap.units)
        unit = many if gap.units else ask.say("outside_units")
    names = ask.run.city.street_names
    if names is not None and gap.street is not None:
        street = ask.named(names.name[gap.street], names.name_en[gap.street])
        unit = ask.say("gap_street", unit=unit, street=street)
    near = _facility(ask, gap.near)
    return unit if near is None else ask.say("gap_named", unit=unit, place=near)


def _facility(ask: Ask, index: int | None) -> str | None:
    if index is None:
        return None
    facilities = ask.run.city.facilities
    english = facilities.attributes.get("name_en")
    return ask.named(facilities.name[index], None if english is None else english[index])


def _toggle(ask: Ask) -> Toggle:
    bounds = [1, *scales.PERSON_EDGES]
    labels = [
        ask.say("span_persons", low=number(low), high=number(high - 1))
        for low, high in pairwise(bounds)
    ]
    labels.append(ask.say("span_persons_beyond", n=number(bounds[-1])))
    marks = [
        laid(colour, scales.PERSON_OPACITY, label)
        for colour, label in zip(scales.PERSON_COLOURS, labels, strict=True)
    ]
    return Toggle("gaps", ask.say("layer_gaps"), tuple(marks))


def _figures(ask: Ask, found: tuple[Gap, ...], bridge: Bridge) -> dict[str, Any]:
    """Who is not within reach, in reach of full places, served: together all residents."""
    known, beyond = bridge.known, bridge.not_covered
    largest = None if beyond is None else max((gap.residents for gap in found), default=0)
    share = percent(beyond / known) if beyond is not None and known else None
    note = ask.words.bridge(bridge_row(bridge))
    if share is not None:
        told = ask.say("headline_gaps", residents=number(known), share=share)
        note = ask.words.sentences((told, note))
    if beyond is None:
        note = ask.say("reason_residents" if known is None else "reason_P")
    tiles = [
        Tile(
            ask.say("unreachable"),
            number(beyond),
            note,
            main=True,
        )
    ]
    if bridge.full is not None:
        tiles += [
            Tile(ask.say("reachable_full"), number(bridge.full), ""),
            Tile(ask.say("served"), number(bridge.served), ""),
        ]
    tiles += [
        Tile(ask.say("gap_count"), None if beyond is None else number(len(found)), ""),
        Tile(ask.say("gap_largest"), number(largest), ""),
    ]
    facts = tuple(
        Fact(reason, ask.words.persons(count))
        for reason, count in ask.words.reasons(bridge_row(bridge))
    )
    return {"tiles": tuple(tiles), "facts": facts}


def _ranking(ask: Ask, found: tuple[Gap, ...], word: str, *, full: bool) -> Ranking | None:
    """The worst gaps, those of full places in a list of their own (`full`)."""
    mine = [(at, gap) for at, gap in enumerate(found) if (gap.reason == FULL) is full]
    if not mine:
        return None
    most = mine[0][1].residents
    rows = tuple(
        RankRow(
            _title(ask, gap),
            ask.words.persons(gap.residents),
            " · ".join(
                text
                for text in (
                    _reason(ask, gap),
                    ask.words.minutes(gap.minutes_to_nearest),
                    _facility(ask, gap.nearest_facility),
                )
                if text
            ),
            f"{100 * gap.residents / most:.1f}",
            index,
        )
        for index, gap in mine[:WORST_SHOWN]
    )
    note = ask.say("rank_note_gaps", shown=len(rows), count=number(len(mine)))
    return Ranking(ask.say(f"rank_gaps{word}"), note, "gaps", rows)

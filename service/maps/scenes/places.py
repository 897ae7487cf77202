"""The pages of what exists: units with their residents, facilities by service."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from lifecircle.analysis.measures.residents import sums_by, unknown_units
from lifecircle.analysis.quantities import Int32Array
from lifecircle.service.figures import number
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas
from lifecircle.service.maps.panel import Fact, Group, Ranking, RankRow, Swatch, Tile, Toggle, laid
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    carried,
    drawable,
    facility_layer,
    feature_collection,
    footer,
    frame,
    level_field,
    level_shown,
    outline_layer,
    warnings,
    year_field,
)
from lifecircle.service.maps.shapes import polygons_degrees


def units_scene(ask: Ask) -> Scene:
    """Units of one level, coloured by their residents."""
    units = ask.run.city.units
    level = level_shown(ask)
    members = units.of_level(level)
    residents = _residents(ask, level, members)
    known = [count for count in residents if count is not None]
    edges = scales.round_edges([count for count in known if count])
    kept = drawable(units.geometry[members])
    layer = _unit_layer(ask, level, members[kept], [residents[k] for k in kept], edges)
    streets, streets_toggle = street_layer(ask)
    legend = _legend(ask, edges, unknown=len(known) < len(residents))
    view = frame(ask, ask.say("title_units", level=ask.level(level)))
    view |= {
        "tiles": (
            Tile(
                ask.say("residents"),
                number(ask.run.manifest.residents),
                _modelled(ask),
                main=True,
            ),
            Tile(ask.say("units"), number(len(members)), ""),
            Tile(ask.say("cells"), number(len(ask.run.city.cells)), ""),
        ),
        "facts": _unknown_fact(ask, len(residents) - len(known)),
        "toggles": (Toggle("units", ask.say("layer_units_residents"), legend), streets_toggle),
        "ranking": _ranking(ask, members, residents, kept),
        "warnings": warnings(ask),
        "footer": footer(ask, None),
    }
    return Scene((streets, layer), view | _level_form(ask, level))


def _residents(ask: Ask, level: str, members: Int32Array) -> list[int | None]:
    """Residents of the cells in each unit, None where unknown."""
    units, cells = ask.run.city.units, ask.run.city.cells
    unknown = unknown_units(ask.run.city, level)
    summed = sums_by(cells.unit[level], len(units.code), cells.residents)
    return [None if unknown[i] else int(summed[i]) for i in members]


def _unit_layer(
    ask: Ask,
    level: str,
    members: Int32Array,
    residents: list[int | None],
    edges: tuple[float, ...],
) -> Areas:
    units = ask.run.city.units
    properties = []
    for i, count in zip(members, residents, strict=True):
        parent, given = int(units.parent[i]), units.residents.at(i)
        properties.append(
            {
                "name": ask.named(units.name[i], units.name_en[i]),
                "kind": ask.level(level),
                "short": number(count) or ask.words.unknown,
                "c": scales.class_of(count, edges),
                "id": str(units.code[i]),
                "values": [
                    number(count) or ask.words.unknown,
                    number(given),
                    ask.say(f"class_{units.unit_class[i]}") if units.unit_class[i] else None,
                    None if parent < 0 else ask.named(units.name[parent], units.name_en[parent]),
                    str(units.code[i]),
                ],
            }
        )
    drawn = polygons_degrees(units.geometry[members], ask.run.city.crs, shared=True)
    return Areas(
        {
            "name": "units",
            "features": feature_collection(drawn, properties),
            "colours": [*scales.SEQUENTIAL_COLOURS, scales.UNKNOWN_COLOUR],
            "style": {
                "line": "#5d6b70",
                "weight": 0.9,
                "opacity": 0.9,
                "fill": scales.UNIT_OPACITY,
                "labels": True,
            },
            "labels": [
                ask.say(key) for key in ("residents", "given_total", "class", "parent", "code")
            ],
        }
    )


def _legend(ask: Ask, edges: tuple[float, ...], *, unknown: bool) -> tuple[Swatch, ...]:
    labels = [
        ask.say("span_persons", low=number(low), high=number(high - 1))
        for low, high in pairwise([0.0, *edges])
    ]
    labels.append(ask.say("span_persons_beyond", n=number(edges[-1])))
    colours = list(scales.SEQUENTIAL_COLOURS)
    if unknown:
        labels.append(ask.words.unknown)
        colours.append(scales.UNKNOWN_COLOUR)
    return tuple(
        laid(colour, scales.UNIT_OPACITY, label)
        for colour, label in zip(colours, labels, strict=True)
    )


def _ranking(
    ask: Ask, members: Int32Array, residents: list[int | None], kept: Int32Array
) -> Ranking | None:
    if len(members) < 2:
        return None
    units = ask.run.city.units
    place = {int(k): feature for feature, k in enumerate(kept)}
    order = sorted(range(len(members)), key=lambda k: -(residents[k] or 0))[:WORST_SHOWN]
    most = max((count for count in residents if count), default=1)
    rows = tuple(
        RankRow(
            ask.named(units.name[members[k]], units.name_en[members[k]]),
            number(residents[k]) or ask.words.unknown,
            str(units.code[members[k]]),
            f"{100 * (residents[k] or 0) / most:.1f}",
            place.get(k),
        )
        for k in order
    )
    return Ranking(ask.say("rank_residents"), "", "units", rows)


def _modelled(ask: Ask) -> str:
    return ask.say("modelled_units") if ask.run.manifest.modelled else ""


def _unknown_fact(ask: Ask, count: int) -> tuple[Fact, ...]:
    return (Fact(ask.say("units_unknown"), number(count) or ""),) if count else ()


def _level_form(ask: Ask, level: str) -> dict[str, Any]:
    fields = (*level_field(ask), *year_field(ask))
    if ask.mode == "inline" or not fields:
        return {"plain": (Fact(ask.say("level"), ask.level(level)),)}
    hidden = {"lang": ask.lang, "service": ask.service, **ask.who, **carried(ask)}
    return {
        "fields": fields,
        "hidden": tuple((name, value) for name, value in hidden.items() if value is not None),
    }


def facilities_scene(ask: Ask) -> Scene:
    """All facilities by service, or those of one service."""
    facilities, policy = ask.run.city.facilities, ask.run.policy
    shown = [s for s in policy.services if ask.service is None or s == ask.service]
    counts = np.bincount(facilities.service, minlength=len(facilities.service_ids))
    groups: list[Group] = []
    colours: list[str] = []
    kinds: list[str] = []
    chosen: list[Any] = []
    classes: list[int] = []
    for name in shown:
        wanted = policy.services[name]
        colour = scales.TIER_COLOURS[wanted.tier]
        if not ask.run.city.assessed(name):
            groups.append(Group(ask.titled(wanted), -1, colour, None))
            continue
        at = facilities.service_ids.index(name) if name in facilities.service_ids else -1
        groups.append(
            Group(
                ask.titled(wanted),
                len(colours),
                colour,
                number(int(counts[at])) if at >= 0 else "0",
            )
        )
        mine = np.flatnonzero(facilities.service == at)
        chosen.append(mine)
        classes += [len(colours)] * len(mine)
        colours.append(colour)
        kinds.append(ask.titled(wanted))
    indices = np.concatenate(chosen).astype(np.int32) if chosen else np.empty(0, dtype=np.int32)
    dots = facility_layer(ask, indices, classes, colours, kinds)
    streets, streets_toggle = street_layer(ask)
    tiers = tuple(
        Swatch(colour, ask.say(f"tier_{tier}"), "dot")
        for tier, colour in scales.TIER_COLOURS.items()
        if any(policy.services[name].tier == tier for name in shown)
    )
    title = (
        ask.say("title_facilities")
        if ask.service is None
        else ask.say("title_facilities_of", service=ask.titled(policy.services[ask.service]))
    )
    view = frame(ask, title)
    view |= {
        "service": ask.service,
        "tiles": (
            Tile(
                ask.say("facilities"), number(len(indices)), _assessed_note(ask, groups), main=True
            ),
        ),
        "toggles": (Toggle("dots", ask.say("facilities"), tiers), streets_toggle),
        "groups": tuple(sorted(groups, key=lambda group: group.count is None)),
        "warnings": warnings(ask),
        "footer": footer(ask, None),
    }
    return Scene((streets, outline_layer(ask), dots), view)


def _assessed_note(ask: Ask, groups: list[Group]) -> str:
    known = sum(group.count is not None for group in groups)
    return ask.say("assessed_note", known=known, count=len(groups))

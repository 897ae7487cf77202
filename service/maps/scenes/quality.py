"""The page of data quality: cells by their distance to the streets, islands, doubtful places."""

from __future__ import annotations

import numpy as np
import shapely

from lifecircle.analysis.measures.quality import AreaQuality
from lifecircle.analysis.quantities import NOBODY, FloatArray, Int32Array
from lifecircle.service.catalog.common import persons_in
from lifecircle.service.catalog.quality import answer_quality
from lifecircle.service.figures import number, percent, plain
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import CellDots, FacilityDots
from lifecircle.service.maps.panel import Fact, Ranking, RankRow, Swatch, Tile, Toggle
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    footer,
    frame,
    level_shown,
    outline_layer,
    unit_name,
    warnings,
)
from lifecircle.service.maps.shapes import dot_places, packed_cells

LEG_COLOURS = ("#cfe3dc", "#8fc4b7", "#e8c46a", "#d9822b")
ISLAND_COLOUR = "#7b4fa3"
LOOSE_COLOUR = "#c81e1e"
LEG_EDGES = (0.1, 0.2, 0.4)  # shares of the longest leg allowed
DOT_KINDS = (
    ("loose", "#c81e1e"),
    ("outside", "#1f5fa6"),
    ("placed", "#b45309"),
    ("merged", "#4b5563"),
    ("suspected", "#b5179e"),
)


def quality_scene(ask: Ask) -> Scene:
    """Where the data of an area are weak."""
    answer = answer_quality(ask.run)
    found = answer.found
    cells, cell_toggle = _cells(ask, answer.component)
    dots, dot_toggle = _dots(ask, found, answer.leg_m)
    streets, streets_toggle = street_layer(ask)
    view = frame(ask, ask.say("quality"))
    outside = len(found.outside) if found.units_given else None
    view |= {
        "tiles": (
            Tile(
                ask.say("quality_unsnapped_residents"),
                number(persons_in(ask.run, found.unsnapped_residents)),
                ask.say("quality_unsnapped_note", n=_metres(ask)),
                main=True,
            ),
            Tile(
                ask.say("quality_island_residents"),
                number(persons_in(ask.run, sum(one.residents for one in found.islands))),
                "",
            ),
            Tile(ask.say("quality_mean"), _mean(ask, found), ask.say("quality_mean_note")),
        ),
        "facts": _facts(ask, found, outside),
        "toggles": (cell_toggle, dot_toggle, streets_toggle),
        "ranking": _ranking(ask, answer.component),
        "warnings": warnings(ask),
        "footer": footer(ask, None),
    }
    return Scene((streets, outline_layer(ask), cells, dots), view)


def _metres(ask: Ask) -> str:
    return plain(ask.run.policy.attachment.max_leg_m.value)


def _mean(ask: Ask, found: AreaQuality) -> str | None:
    mean = found.mean_leg_m
    return ask.words.metres(mean, 1)


def _classes(ask: Ask, component: Int32Array) -> Int32Array:
    """Class of every cell: by its leg, then on an island, then off the streets."""
    city = ask.run.city
    longest = ask.run.policy.attachment.max_leg_m.value
    edges = np.array(LEG_EDGES) * longest
    found = np.searchsorted(edges, city.cells.position.leg_m, side="left").astype(np.int32)
    lengths = city.network.component_length_m
    if len(lengths):
        found[(component != NOBODY) & (component != int(np.argmax(lengths)))] = len(LEG_COLOURS)
    found[city.cells.position.edge == NOBODY] = len(LEG_COLOURS) + 1
    return found


def _cells(ask: Ask, component: Int32Array) -> tuple[CellDots, Toggle]:
    cells = ask.run.city.cells
    longest = ask.run.policy.attachment.max_leg_m.value
    colours = [*LEG_COLOURS, ISLAND_COLOUR, LOOSE_COLOUR]
    classes = _classes(ask, component)
    level = level_shown(ask)
    counted = cells.counted
    residents = [number(int(n)) if counted else ask.words.unknown for n in cells.residents]
    legs = [
        (None if edge == NOBODY else ask.words.metres(leg, 1)) or ask.say("quality_loose")
        for edge, leg in zip(cells.position.edge, cells.position.leg_m, strict=True)
    ]
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "c": classes,
            "colours": colours,
            "labels": [ask.say(key) for key in ("residents", "street_distance", "unit")],
            "columns": [residents, legs, [unit_name(ask, int(i)) for i in cells.unit[level]]],
        }
    )
    edges = [0.0, *(share * longest for share in LEG_EDGES), longest]
    legend = [
        Swatch(colour, ask.say("quality_leg", low=plain(low), high=plain(high)))
        for colour, low, high in zip(LEG_COLOURS, edges[:-1], edges[1:], strict=True)
    ]
    present = set(np.unique(classes).tolist())
    if len(LEG_COLOURS) in present:
        legend.append(Swatch(ISLAND_COLOUR, ask.say("quality_on_island"), apart=True))
    if len(LEG_COLOURS) + 1 in present:
        legend.append(Swatch(LOOSE_COLOUR, ask.say("quality_loose"), apart=True))
    return layer, Toggle("cells", ask.say("quality_layer_cells"), tuple(legend))


def _dots(ask: Ask, found: AreaQuality, leg_m: FloatArray) -> tuple[FacilityDots, Toggle]:
    """Places to look at, each under the first of its reasons."""
    facilities, policy = ask.run.city.facilities, ask.run.policy
    titles = {name: ask.titled(service) for name, service in policy.services.items()}
    by_id = {(str(one), int(s)): i for i, (one, s) in
             enumerate(zip(facilities.id, facilities.service, strict=True))}  # fmt: skip
    chosen: dict[int, tuple[int, str]] = {}
    groups = (found.unsnapped_facilities, found.outside, found.placed)
    for kind, index in enumerate(groups):
        for i in index.tolist():
            chosen.setdefault(i, (kind, ""))
    for pair in found.same_places:
        service = facilities.service_ids.index(pair.service)
        at = by_id.get((pair.kept, service))
        kind = 3 if pair.state == "merged" else 4
        if at is not None:
            chosen.setdefault(at, (kind, f"{pair.other_name or ask.words.none} ({pair.other})"))
    index = np.array(sorted(chosen), dtype=np.int32)
    english = facilities.attributes.get("name_en")
    names, values = [], []
    for i in index.tolist():
        kind, other = chosen[i]
        name = facilities.name[i]
        names.append(
            None if name is None else ask.named(name, None if english is None else english[i])
        )
        values.append(
            [
                ask.say(f"quality_dot_{DOT_KINDS[kind][0]}"),
                titles.get(facilities.service_ids[facilities.service[i]]),
                other or None,
                None if np.isinf(leg_m[i]) else ask.words.metres(leg_m[i], 1),
                str(facilities.id[i]),
            ]
        )
    layer = FacilityDots(
        {
            "xy": dot_places(facilities.geometry[index], ask.run.city.crs),
            "c": [chosen[i][0] for i in index.tolist()],
            "colours": [colour for _, colour in DOT_KINDS],
            "kinds": [ask.say(f"quality_dot_{kind}") for kind, _ in DOT_KINDS],
            "names": names,
            "labels": [
                ask.say(key)
                for key in (
                    "quality_why", "service", "quality_other", "street_distance", "id",
                )
            ],
            "values": values,
            "radius": 4.6,
        }
    )  # fmt: skip
    counts = np.bincount([chosen[i][0] for i in chosen], minlength=len(DOT_KINDS))
    legend = tuple(
        Swatch(colour, f"{ask.say(f'quality_dot_{kind}')} {number(counts[k])}", "dot")
        for k, (kind, colour) in enumerate(DOT_KINDS)
        if counts[k]
    )
    return layer, Toggle("dots", ask.say("quality_about_facilities"), legend)


def _facts(ask: Ask, found: AreaQuality, outside: int | None) -> tuple[Fact, ...]:
    rows: list[tuple[str, str | None]] = [
        ("unsnapped_facilities", number(len(found.unsnapped_facilities))),
        ("outside", number(outside)),
        ("placed", number(len(found.placed))),
        ("merged", number(sum(one.state == "merged" for one in found.same_places))),
        ("suspected", number(sum(one.state == "suspected" for one in found.same_places))),
        ("disagreements", number(len(found.disagreements))),
        ("modelled", number(persons_in(ask.run, found.modelled_residents))),
    ]
    known = [row for row in found.spread if row.moved is not None]
    whole = sum(row.residents for row in known)
    if whole:
        rows.append(("moved", percent(sum(row.moved or 0 for row in known) / whole)))
    return tuple(Fact(ask.say(f"quality_{key}"), value or ask.words.unknown) for key, value in rows)


def _ranking(ask: Ask, component: Int32Array) -> Ranking | None:
    """Units by residents off the streets or on islands."""
    city = ask.run.city
    level = level_shown(ask)
    members = city.units.of_level(level)
    if len(members) < 2:
        return None
    bad = _classes(ask, component) >= len(LEG_COLOURS)
    held = city.cells.unit[level]
    count = np.zeros(len(city.units.code), dtype=np.int64)
    there = bad & (held != NOBODY)
    np.add.at(count, held[there], city.cells.residents[there])
    order = [i for i in sorted(members.tolist(), key=lambda i: -count[i]) if count[i]][:WORST_SHOWN]
    if not order:
        return None
    drawn = {int(i): k for k, i in enumerate(_drawn(ask, members))}
    most = max(int(count[i]) for i in order)
    rows = tuple(
        RankRow(
            ask.named(city.units.name[i], city.units.name_en[i]),
            number(int(count[i])) or "",
            str(city.units.code[i]),
            f"{100 * count[i] / most:.1f}",
            drawn.get(i),
        )
        for i in order
    )
    return Ranking(ask.say("quality_ranking"), ask.say("quality_ranking_note"), "units", rows)


def _drawn(ask: Ask, members: Int32Array) -> list[int]:
    shapes = ask.run.city.units.geometry[members]
    kept = [s is not None and not shapely.is_empty(s) for s in shapes]
    return [int(i) for i, there in zip(members, kept, strict=True) if there]

"""The page of two runs: units by the change of P, homes that gained or lost a service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.measures.compare import CompareRow, Comparison, Match
from lifecircle.analysis.measures.question import Asked
from lifecircle.analysis.measures.question import ask as check
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.results.run_files.manifest import read_manifest
from lifecircle.service.catalog.compare import answer_compare, cell_states, match_runs
from lifecircle.service.figures import date, number, percent, points, stamp
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas, CellDots
from lifecircle.service.maps.panel import (
    Fact,
    Field,
    Option,
    Ranking,
    RankRow,
    Swatch,
    Tile,
    Toggle,
    laid,
)
from lifecircle.service.maps.scene import (
    WORST_SHOWN,
    Scene,
    drawable,
    earlier_runs,
    facility_layer,
    facility_toggle,
    feature_collection,
    footer,
    frame,
    level_shown,
    question_fields,
    rests,
    warnings,
)
from lifecircle.service.maps.scenes.coverage import facilities_of
from lifecircle.service.maps.shapes import packed_cells, polygons_degrees

CHANGE_EDGES: Final = (0.05, 0.2)  # fractions, of a rise and of a fall alike
CHANGE_COLOURS: Final = (
    "#a8480c", "#e39a4f", "#f2d3ae", "#e6e8e8", "#bcd9ec", "#6fa9d2", "#1f5fa6",
)  # fmt: skip
STATE_COLOURS: Final = ("#0b4fa0", "#c2410c", "#c3d0da", "#e3dccf")  # gained, lost, both, neither
STATES: Final = ("gained_here", "lost_here", "kept_here", "without_here")


def compare_scene(ask: Ask, service: str) -> Scene:
    """Coverage of one service in two runs on a map (`ask.before` is the earlier one).

    Raises
    ------
    UnknownNameError, ParameterError : as `lifecircle.analysis.results.compare.compare`.
    """
    before, run = ask.before, ask.run
    assert before is not None
    question = replace(ask.question, service=service, by=level_shown(ask))
    asked = check(run.study, question)
    same = match_runs(before, run)
    found = answer_compare(before, run, question, same)
    title = ask.titled(asked.service)
    chosen = facilities_of(ask, service)
    streets, streets_toggle = street_layer(ask)
    areas, places = _unit_layer(ask, found)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    cells, cells_toggle = _cells(ask, before, found, same, asked)
    view = frame(ask, ask.say("title_compare", service=title)) | _form(ask, before, asked)
    view |= _figures(ask, before, found)
    view |= {
        "toggles": (
            _change_toggle(ask, found),
            cells_toggle,
            facility_toggle(ask, title),
            streets_toggle,
        ),
        "ranking": _ranking(ask, found, places),
        "warnings": warnings(ask, *found.warnings),
        **rests(ask, asked.service.id),
        "footer": (Fact(ask.say("run_from"), before.manifest.run), *footer(ask, asked)),
    }
    return Scene((streets, areas, cells, dots), view)


def change_class(change: float | None) -> int:
    """Class of a change of P: 0-2 loss, 3 none, 4-6 gain, 7 unknown."""
    if change is None:
        return len(CHANGE_COLOURS)
    size = 1 + int(np.searchsorted(CHANGE_EDGES, abs(change), side="right"))
    return 3 if change == 0 else 3 + size if change > 0 else 3 - size


def _unit_layer(ask: Ask, found: Comparison) -> tuple[Areas, dict[str, int]]:
    units = ask.run.city.units
    members = units.of_level(found.by)
    shapes = units.geometry[members]
    kept = drawable(shapes)
    by_code = {row.code: row for row in found.units}
    rows = [by_code[str(units.code[members[i]])] for i in kept]
    properties = [
        {
            "name": ask.named(row.name, row.name_en),
            "kind": ask.level(found.by),
            "short": points(row.P_change) or ask.words.not_assessed,
            "c": change_class(row.P_change),
            "values": _told(ask, row),
        }
        for row in rows
    ]
    drawn = polygons_degrees(shapes[kept], ask.run.city.crs, shared=True)
    labels = ("change", "P_from", "P_to", "gained", "lost", "moved", "residents_from",
              "residents_to", "unit_state")  # fmt: skip
    layer = Areas(
        {
            "name": "units",
            "features": feature_collection(drawn, properties),
            "colours": [*CHANGE_COLOURS, scales.UNKNOWN_COLOUR],
            "style": {"line": "#6a7278", "weight": 0.9, "opacity": 0.9,
                      "fill": scales.UNIT_OPACITY, "labels": True},
            "labels": [ask.say(key) for key in labels],
        }
    )  # fmt: skip
    return layer, {row.code: i for i, row in enumerate(rows)}


def _told(ask: Ask, row: CompareRow) -> list[str | None]:
    return [
        points(row.P_change) or ask.words.not_assessed,
        percent(row.P_from),
        percent(row.P_to),
        number(row.gained),
        number(row.lost),
        number(row.moved),
        number(row.residents_from),
        number(row.residents_to),
        None if row.state == "both" else ask.say(f"unit_{row.state}"),
    ]


def _cells(
    ask: Ask, before: Run, found: Comparison, same: Match, asked: Asked
) -> tuple[CellDots, Toggle]:
    cells = ask.run.city.cells
    states = cell_states(before, ask.run, found, same)
    if not ask.run.city.assessed(asked.service.id):
        states = np.full(len(cells), len(STATES), dtype=np.int32)
    texts = [[ask.say(state)] for state in (*STATES, "not_assessed")]
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "colours": [*STATE_COLOURS, scales.UNKNOWN_COLOUR],
            "c": states,
            "labels": [ask.say("state")],
            "texts": texts,
            "t": states,
        }
    )
    present = set(np.unique(states).tolist())
    marks = [
        Swatch(colour, ask.say(state))
        for i, (colour, state) in enumerate(
            zip((*STATE_COLOURS, scales.UNKNOWN_COLOUR), (*STATES, "not_assessed"), strict=True)
        )
        if i < 2 or i in present
    ]
    return layer, Toggle("cells", ask.say("layer_compare_cells"), tuple(marks))


def _change_toggle(ask: Ask, found: Comparison) -> Toggle:
    marks = [
        laid(colour, scales.UNIT_OPACITY, label)
        for colour, label in zip(CHANGE_COLOURS, _spans(ask), strict=True)
    ]
    if any(row.P_change is None for row in found.units):
        grey = (scales.UNKNOWN_COLOUR, scales.UNIT_OPACITY)
        marks.append(laid(*grey, ask.words.not_assessed, apart=True))
    label = ask.say("layer_units_change", level=ask.level(found.by))
    return Toggle("units", label, tuple(marks), ramp=True)


def _spans(ask: Ask) -> list[str]:
    """The classes of a change in percentage points, the greatest fall first."""
    low, high = (f"{100 * edge:g}" for edge in CHANGE_EDGES)
    falls = [("−" + high, "−" + low), ("−" + low, "0")]
    rises = [("0", low), (low, high)]
    spans = [[ask.say("change_span", low=a, high=b) for a, b in part] for part in (falls, rises)]
    below, above = ask.say("change_below", n=high), ask.say("change_above", n=high)
    return [below, *spans[0], "0", *spans[1], above]


def _form(ask: Ask, before: Run, asked: Asked) -> dict[str, Any]:
    form = question_fields(ask, asked)
    if ask.mode == "inline":
        named = _run_named(ask, before.manifest)
        return {"plain": (*form["plain"], Fact(ask.say("run_from"), named))}
    folder = ask.run.path.parent
    runs = tuple(
        Option(run, _option(ask, folder / run), run == before.manifest.run)
        for run in earlier_runs(ask)
    )
    return form | {"fields": (Field("from", ask.say("run_from"), runs), *form["fields"])}


def _option(ask: Ask, folder: Path) -> str:
    """A run to choose: when it was made and of which year; by its id alone if it cannot be read."""
    try:
        return _run_named(ask, read_manifest(folder))
    except WorkspaceError:
        return folder.name


def _run_named(ask: Ask, manifest: Manifest) -> str:
    identity = manifest.run.rpartition("-")[2]
    made = stamp(manifest.created)
    return ask.say("run_made_year", year=manifest.year, made=made, id=identity)


def _figures(ask: Ask, before: Run, found: Comparison) -> dict[str, Any]:
    total = found.total
    unknown = ask.words.unknown
    note = ask.say(
        "headline_compare",
        old=percent(total.P_from) or ask.words.not_assessed,
        new=percent(total.P_to) or ask.words.not_assessed,
    )
    change = points(total.P_change)
    tiles = (
        Tile(
            ask.say("change"),
            change,
            note,
            True,
        ),
        Tile(ask.say("gained"), number(total.gained), ask.say("about_gained")),
        Tile(ask.say("lost"), number(total.lost), ask.say("about_lost")),
    )
    facts = (
        Fact(ask.say("run_from"), _named(ask, before)),
        Fact(ask.say("run_to"), _named(ask, ask.run)),
        Fact(ask.say("moved"), number(total.moved) or unknown),
        Fact(ask.say("covered"), _arrow(total.covered_from, total.covered_to, unknown)),
        Fact(ask.say("residents"), _arrow(total.residents_from, total.residents_to, unknown)),
        Fact(ask.say("facilities"), _arrow(found.facilities_from, found.facilities_to, unknown)),
    )
    return {"tiles": tiles, "facts": facts}


def _named(ask: Ask, run: Run) -> str:
    return f"{run.manifest.title.text(ask.lang)} · {date(run.manifest.created)}"


def _arrow(old: int | None, new: int | None, unknown: str) -> str:
    told = (number(value) or unknown for value in (old, new))
    return " → ".join(told)


def _ranking(ask: Ask, found: Comparison, places: dict[str, int]) -> Ranking | None:
    """Units where most residents gained or lost, both counted."""
    changed = sorted(
        (row for row in found.units if row.gained or row.lost),
        key=lambda row: (-(row.gained or 0) - (row.lost or 0), row.code),
    )
    if not changed:
        return None
    most = (changed[0].gained or 0) + (changed[0].lost or 0)
    rows = tuple(
        RankRow(
            ask.named(row.name, row.name_en),
            f"+{number(row.gained)} / −{number(row.lost)}",
            ask.say(
                "rank_compare",
                old=percent(row.P_from) or ask.words.not_assessed,
                new=percent(row.P_to) or ask.words.not_assessed,
            ),
            f"{100 * ((row.gained or 0) + (row.lost or 0)) / most:.1f}",
            places.get(row.code),
        )
        for row in changed[:WORST_SHOWN]
    )
    title = ask.say("rank_changes", level=ask.level(found.by))
    note = ask.say("rank_note_compare", shown=len(rows), count=number(len(changed)))
    return Ranking(title, note, "units", rows)

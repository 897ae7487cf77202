"""The proposals page: who is covered now, who would be, who is left, and the curve.

Shown are the proposals kept last for the service; where none is kept, some are found at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Asked, covered, walks_to
from lifecircle.analysis.measures.question import ask as check
from lifecircle.analysis.measures.residents import judged_persons
from lifecircle.analysis.quantities import Int32Array, minutes_of
from lifecircle.service.catalog.siting.proposals import ProposalsAnswer, answer_proposals
from lifecircle.service.figures import date, decimal, number, percent, percent_up, percent_whole
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas, CellDots
from lifecircle.service.maps.panel import Curve, Fact, Ranking, RankRow, Swatch, Tile, Toggle
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
from lifecircle.service.maps.shapes import packed_cells, polygons_degrees

FOUND_AT_ONCE: Final = 5
COLOURS: Final = ("#3f8ac4", "#d6328a", "#e6750f", "#a9adb1")
BOX: Final = (34.0, 292.0, 8.0, 100.0)  # left, right, top, bottom of the curve


def proposals_scene(ask: Ask, service: str) -> Scene:
    """Proposals for one service on a map.

    Raises
    ------
    UnknownNameError, ParameterError : no such service or walker; impossible minutes.
    """
    run = ask.run
    question = ask.question.about(service)
    asked = check(run.study, question)
    title = ask.titled(asked.service)
    chosen = facilities_of(ask, service)
    streets, streets_toggle = street_layer(ask)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    view = frame(ask, ask.say("title_proposals", service=title)) | question_fields(ask, asked)
    view |= {"footer": footer(ask, asked), **rests(ask, asked.service.id)}
    try:
        answer = answer_proposals(run, question, FOUND_AT_ONCE, ask.lang)
    except ParameterError as why:
        view |= {
            "not_assessed": why.text(ask.lang),
            "toggles": (facility_toggle(ask, title), streets_toggle),
            "warnings": warnings(ask),
        }
        return Scene((streets, outline_layer(ask), dots), view)
    view |= _figures(ask, answer)
    cells, cells_toggle = _cell_layer(ask, asked, answer.before, answer.after)
    view |= {
        "subtitle": _subtitle(ask, answer),
        "toggles": (_reach_toggle(ask), cells_toggle, facility_toggle(ask, title), streets_toggle),
        "ranking": _ranking(ask, answer),
        "curve": _curve(ask, answer),
        "warnings": warnings(ask, *answer.remarks),
    }
    reach = _reach_layer(ask, answer)
    return Scene((streets, outline_layer(ask), cells, reach, dots), view)


def proposals_waiting(ask: Ask, service: str) -> Scene:
    """The same before any proposal is known: who is covered now.

    Raises
    ------
    UnknownNameError, ParameterError : as `proposals_scene`.
    """
    study = ask.run.study
    asked = check(study, ask.question.about(service))
    walks = walks_to(study, service)
    if walks is None or not ask.run.city.assessed(service):
        return proposals_scene(ask, service)  # nothing is solved for it
    title = ask.titled(asked.service)
    chosen = facilities_of(ask, service)
    streets, streets_toggle = street_layer(ask)
    dots = facility_layer(ask, chosen, [0] * len(chosen), [scales.DOT_COLOUR], [title])
    now = np.asarray(walks.cell_cm)
    cells, found = _cell_layer(ask, asked, now, now)
    left = found.legend[2]
    beyond = replace(left, label=ask.say("siting_legend_now"))  # what is new is not known, so not 0
    now_alone = (found.legend[0], beyond)
    cells_toggle = replace(found, label=ask.say("siting_layer_now"), legend=now_alone)
    view = frame(ask, ask.say("title_proposals", service=title)) | question_fields(ask, asked)
    view |= {
        "working": ask.say("working"),
        "toggles": (cells_toggle, facility_toggle(ask, title), streets_toggle),
        "warnings": warnings(ask),
        "footer": footer(ask, asked),
        **rests(ask, service),
    }
    return Scene((streets, outline_layer(ask), cells, dots), view)


def _subtitle(ask: Ask, answer: ProposalsAnswer) -> str:
    document = answer.document
    how = ask.say("siting_aim", objective=ask.words.objective(document["objective"]))
    if "kept" in document:
        return ask.say("siting_kept", how=how, at=date(document["kept"]), id=document["id"])
    return ask.say("siting_at_once", how=how)


def _figures(ask: Ask, answer: ProposalsAnswer) -> dict[str, Any]:
    document = answer.document
    before, after = document["before"], document["after"]
    gained = after["covered"] - before["covered"]
    count = len(document["proposals"])
    tiles = (
        Tile(
            ask.say("residents_new"),
            f"+{number(gained)}",
            ask.say(
                "siting_headline",
                count=count,
                before=percent(before["share"]),
                after=percent(after["share"]),
            ),
            main=True,
        ),
        Tile(ask.say("siting_before"), percent(before["share"]), ask.say("siting_before_note")),
        Tile(ask.say("siting_after"), percent(after["share"]), ask.say("siting_after_note")),
    )
    facts = [
        Fact(ask.say("siting_covered_before"), number(before["covered"]) or "0"),
        Fact(ask.say("siting_covered_after"), number(after["covered"]) or "0"),
        Fact(ask.say("siting_left"), number(document["residents"] - after["covered"]) or "0"),
        Fact(ask.say("siting_candidates"), number(document["candidates"]["count"]) or "0"),
        Fact(ask.say("siting_sure"), _sure(ask, document)),
    ]
    minutes = document["mean_minutes"]
    if minutes["before"] is not None:
        told = ask.say(
            "figure_before_after",
            before=decimal(minutes["before"], 1),
            after=decimal(minutes["after"], 1),
        )
        facts.insert(3, Fact(ask.say("mean"), told))
    if document["loads"] is not None:
        facts.append(Fact(ask.say("siting_unserved"), number(document["loads"]["unserved"]) or "0"))
    return {"tiles": tiles, "facts": tuple(facts)}


def _sure(ask: Ask, document: dict[str, Any]) -> str:
    among = ask.words.candidates(document["candidates"])
    if document["proven"]:
        return ask.say("siting_proven", among=among)
    return ask.say("siting_within", among=among, gap=percent_up(document["gap"]))


def _cell_layer(
    ask: Ask, asked: Asked, before: Int32Array, after: Int32Array
) -> tuple[CellDots, Toggle]:
    cells, speed = ask.run.city.cells, asked.walker.speed_m_per_s
    was, now = (covered(cm, cells.position, asked.limit_cm) for cm in (before, after))
    classes = np.select([was, now], [0, 1], default=2)
    classes[judged_persons(ask.run.study, asked.service.id, TOTAL) == 0] = 3
    minutes = np.ceil(minutes_of(after, speed) * 10 - 1e-6)
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "colours": list(COLOURS),
            "c": classes,
            "m": [None if np.isnan(m) else int(m) for m in minutes],
            "k": now.astype(np.int64),
        }
    )
    persons = [int(cells.residents[classes == k].sum()) for k in range(3)]
    marks = tuple(
        Swatch(COLOURS[k], ask.say(key, n=number(persons[k])))
        for k, key in enumerate(("siting_legend_was", "siting_legend_new", "siting_legend_left"))
    )
    return layer, Toggle("cells", ask.say("siting_layer_cells"), marks)


def _reach_layer(ask: Ask, answer: ProposalsAnswer) -> Areas:
    """How far one walks from each site: for the eye, residents are counted by walks."""
    run, document, service = ask.run, answer.document, answer.document["service"]
    shapes = list(answer.reach)
    told = [
        {
            "name": _title(ask, row),
            "kind": ask.say("siting_rank_of", rank=row["rank"], count=len(shapes)),
            "short": ask.say("siting_new_persons", n=number(row["residents_new"])),
            "always": str(row["rank"]),
            "c": 0,
            "id": f"{document.get('id', service)}-{row['rank']}",
            "values": _told(ask, row),
        }
        for row in document["proposals"]
    ]
    labels = [
        *(
            ask.say(key)
            for key in (
                "residents_new",
                "residents_reached",
                "person_minutes_saved",
                "site_kind",
                "unit",
                "siting_load",
                "site",
            )
        ),
        *(ask.say("siting_group_new", group=ask.words.group(g)) for g in _groups(ask)),
    ]
    thin = polygons_degrees(np.array(shapes, dtype=object), run.city.crs, shared=False)
    features = feature_collection(thin, told)
    for feature, row in zip(features["features"], document["proposals"], strict=True):
        feature["properties"]["at"] = [row["lon"], row["lat"]]
    return Areas(
        {
            "name": "proposals",
            "features": features,
            "colours": ["#d6328a"],
            "style": {
                "line": "#a3145f",
                "weight": 1.6,
                "opacity": 0.95,
                "fill": 0.06,
                "labels": "ranks",
            },
            "labels": labels,
        }
    )


def _told(ask: Ask, row: dict[str, Any]) -> list[str | None]:
    kind = row["kind"]
    policy = ask.run.policy.services
    named = ask.titled(policy[kind]) if kind in policy else ask.say(f"site_kind_{kind}")
    return [
        number(row["residents_new"]),
        number(row["residents_reached"]),
        ask.say("figure_person_minutes", n=number(row["person_minutes_saved"])),
        named,
        _unit(ask, row),
        number(row["load"]),
        row["site"],
        *(number(row.get(f"residents_new_{g}")) for g in _groups(ask)),
    ]


def _groups(ask: Ask) -> list[str]:
    """Groups of persons; households are none."""
    return [name for name in ask.run.city.cells.groups if name != "households"]


def _title(ask: Ask, row: dict[str, Any]) -> str:
    return ask.words.named(row) or _unit(ask, row) or ask.say("outside_units")


def _unit(ask: Ask, row: dict[str, Any]) -> str | None:
    """Name of the unit of a site in the reader's language."""
    units = ask.run.city.units
    found = np.flatnonzero(units.code == row["unit_code"])
    return unit_name(ask, int(found[0])) if len(found) else None


def _reach_toggle(ask: Ask) -> Toggle:
    return Toggle(
        "proposals", ask.say("siting_layer_reach"), (Swatch("#a3145f", ask.say("siting_reach")),)
    )


def _ranking(ask: Ask, answer: ProposalsAnswer) -> Ranking | None:
    rows = answer.document["proposals"]
    if not rows:
        return None
    most = max(1, *(row["residents_new"] for row in rows))
    ranked = tuple(
        RankRow(
            _title(ask, row),
            f"+{number(row['residents_new'])}",
            " · ".join(
                text
                for text in (
                    _told(ask, row)[3],
                    _unit(ask, row) if row["name"] else None,
                    ask.say("siting_within_reach", n=number(row["residents_reached"])),
                )
                if text
            ),
            f"{100 * row['residents_new'] / most:.1f}",
            index,
        )
        for index, row in enumerate(rows[:WORST_SHOWN])
    )
    note = ask.say("siting_rank_note", shown=len(ranked), count=len(rows))
    return Ranking(ask.say("siting_rank"), note, "proposals", ranked)


def _curve(ask: Ask, answer: ProposalsAnswer) -> Curve | None:
    """Share covered against the number of sites, with this answer marked on it."""
    rows = answer.document["curve"]
    if len(rows) < 2 or rows[-1]["share"] is None:
        return None
    left, right, top, bottom = BOX
    most = rows[-1]["sites"]

    def at(sites: float, share: float) -> tuple[str, str]:
        x = left + (right - left) * sites / most
        return f"{x:.1f}", f"{bottom - (bottom - top) * share:.1f}"

    count = len(answer.document["proposals"])
    x, y = at(count, answer.document["after"]["share"])
    ticks = tuple((at(0, share)[1], percent_whole(share)) for share in (0.0, 0.5, 1.0))
    return Curve(
        ask.say("siting_curve"),
        ask.say(
            "siting_curve_note",
            share=percent(rows[-1]["share"]),
            sites=number(most),
            first=percent(rows[0]["share"]),
        ),
        " ".join(",".join(at(row["sites"], row["share"])) for row in rows),
        x,
        y,
        ask.say("siting_curve_mark", sites=count, share=percent(answer.document["after"]["share"])),
        ticks,
        ask.say("siting_curve_first"),
        ask.say("siting_curve_last", sites=number(most)),
    )

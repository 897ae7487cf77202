"""The catchments page: who belongs to which centre, and loads against minimum and maximum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.measures.catchments.catchments import Centre, Solution
from lifecircle.analysis.measures.catchments.rule_result import STATES
from lifecircle.analysis.measures.question import ask as check
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.service.catalog.catchments import CatchmentsAnswer, answer_catchments
from lifecircle.service.figures import number, percent
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas
from lifecircle.service.maps.panel import (
    Fact,
    Field,
    Option,
    Ranking,
    RankRow,
    Tile,
    Toggle,
    laid,
)
from lifecircle.service.maps.scene import (
    Scene,
    facility_layer,
    facility_toggle,
    feature_collection,
    footer,
    frame,
    outline_layer,
    question_fields,
    rests,
    warnings,
)
from lifecircle.service.maps.shapes import polygons_degrees

SOLUTIONS: Final = ("balanced", "natural", "balanced_all")  # a page opens on the first
STATE_COLOURS: Final = {"within": "#3f8ac4", "overload": "#d95f0e", "underload": "#8c7aa9"}
TINTS: Final = {
    "within": ("#3f8ac4", "#7fb4dd", "#1f5fa6"),
    "overload": ("#d95f0e", "#f0934e", "#a8480c"),
    "underload": ("#8c7aa9", "#b8abcd", "#64548a"),
}
_TOUCHING_M: Final = 120.0  # catchments this near are neighbours and get another tint
FULL_COLOUR, CUT_COLOUR = "#b3001b", "#6e6e6e"
_STATES: Final = tuple(STATE_COLOURS)
_TONES: Final = {"within": "", "overload": "over", "underload": "under"}
_OPACITY: Final = 0.55


def catchments_scene(ask: Ask, service: str) -> Scene:
    """Catchments of one service on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `analysis.measures.catchments.catchments.catchments`.
    """
    run = ask.run
    question = ask.question.about(service)
    asked = check(run.study, question)
    chosen = ask.keep.get("solution", SOLUTIONS[0])
    if chosen == "balanced_all":
        question = replace(question, minutes=math.inf)
    answer = answer_catchments(run, question, chosen)
    found, solution, shapes = answer.found, answer.solution, answer.shapes
    title = ask.titled(asked.service)
    streets, streets_toggle = street_layer(ask)
    offered = np.array([centre.facility for centre in solution.centres], dtype=np.int32)
    dots = facility_layer(ask, offered, [0] * len(offered), [scales.DOT_COLOUR], [title])
    drawn = [row for row, shape in enumerate(shapes) if shape is not None]
    view = frame(ask, _heading(ask, title, chosen, asked.minutes))
    view |= _form(ask, question_fields(ask, asked), service, chosen)
    view |= _figures(ask, answer)
    view |= {
        "not_assessed": "" if found.assessed else ask.say("catchments_not_assessed"),
        "toggles": (
            _toggle(ask),
            _unserved_toggle(ask),
            facility_toggle(ask, title),
            streets_toggle,
        ),
        "ranking": _ranking(ask, solution, {row: at for at, row in enumerate(drawn)}),
        "warnings": warnings(ask, *found.warnings),
        **rests(ask, asked.service.id),
        "footer": footer(ask, asked if chosen == "balanced" else None),
    }
    layers = (
        streets,
        _unserved_layer(ask, answer),
        _catchment_layer(ask, solution, [(row, shapes[row]) for row in drawn]),
        outline_layer(ask),
        dots,
    )
    return Scene(layers, view)


def _heading(ask: Ask, title: str, chosen: str, minutes: float) -> str:
    """The service, and which solution within which limit."""
    told = (
        ask.say("solution_balanced_within", limit=ask.words.limit(minutes))
        if chosen == "balanced"
        else ask.say(f"solution_{chosen}")
    )
    return f"{ask.say('title_catchments', service=title)} · {told}"


def _form(ask: Ask, fields: dict[str, Any], service: str, chosen: str) -> dict[str, Any]:
    """The form of the page: services with a capacity rule, and which solution."""
    if "plain" in fields:
        named = Fact(ask.say("solution"), ask.say(f"solution_{chosen}"))
        limit = ask.say("limit")
        told = [
            Fact(limit, ask.words.limit(None))
            if fact.label == limit and chosen != "balanced"
            else fact
            for fact in fields["plain"]
        ]
        return {"plain": (*told, named)}
    policy = ask.run.policy
    services = tuple(
        Option(name, ask.titled(policy.services[name]), name == service)
        for name in policy.capacity_services
    )
    solutions = tuple(Option(one, ask.say(f"solution_{one}"), one == chosen) for one in SOLUTIONS)
    rest = [field for field in fields["fields"] if field.name != "service"]
    hidden = tuple(pair for pair in fields["hidden"] if pair[0] != "solution")
    return {
        "fields": (
            Field("service", ask.say("service"), services),
            Field("solution", ask.say("solution"), solutions),
            *rest,
        ),
        "hidden": hidden,
    }


def _name(ask: Ask, centre: Centre) -> str:
    places = ask.run.city.facilities
    english = places.attributes.get("name_en")
    i = centre.facility
    return ask.named(places.name[i], None if english is None else english[i])


def _told(ask: Ask, centre: Centre) -> str:
    """What is over or under, in words."""
    if centre.overload:
        return ask.say("overload_by", n=number(centre.overload))
    if centre.underload:
        return ask.say("underload_by", n=number(centre.underload))
    return ask.words.load("within")


def _catchment_layer(
    ask: Ask, solution: Solution, drawn: list[tuple[int, shapely.Geometry | None]]
) -> Areas:
    properties = []
    tints = _tints([shape for _, shape in drawn])
    for (row, _), tint in zip(drawn, tints, strict=True):
        centre = solution.centres[row]
        properties.append(
            {
                "name": _name(ask, centre),
                "kind": ask.say("catchment"),
                "short": ask.words.persons(centre.load),
                "c": len(TINTS["within"]) * _STATES.index(centre.state) + tint,
                "values": [
                    number(centre.load),
                    _told(ask, centre),
                    number(centre.minimum),
                    number(centre.maximum),
                    ask.say(f"basis_{centre.basis}"),
                ],
            }
        )
    shapes = object_array([shape for _, shape in drawn])
    degrees = polygons_degrees(shapes, ask.run.city.crs, shared=True)
    keys = ("load", "state", "minimum", "maximum", "basis")
    return Areas(
        {
            "name": "catchments",
            "features": feature_collection(degrees, properties),
            "colours": [colour for state in _STATES for colour in TINTS[state]],
            "style": {
                "line": "#ffffff",
                "weight": 2,
                "opacity": 1,
                "fill": _OPACITY,
                "labels": True,
            },
            "labels": [ask.say(key) for key in keys],
        }
    )


def _tints(shapes: Sequence[Any]) -> list[int]:
    """A tint for each shape, other than its neighbours' where three tints allow that."""
    if not shapes:
        return []
    first, second = shapely.STRtree(shapes).query(shapes, "dwithin", distance=_TOUCHING_M)
    order = np.argsort(first, kind="stable")
    beside = np.split(second[order], np.searchsorted(first[order], np.arange(1, len(shapes))))
    chosen: list[int] = []
    for row, others in enumerate(beside):
        taken = [chosen[other] for other in others.tolist() if other < row]
        free = [tint for tint in range(len(TINTS["within"])) if tint not in taken]
        least = min(range(len(TINTS["within"])), key=taken.count)
        chosen.append(free[0] if free else least)
    return chosen


def _unserved_layer(ask: Ask, answer: CatchmentsAnswer) -> Areas:
    """Cells with unserved residents: in reach but full, and out of reach."""
    classes = {"reachable_full": 0, "unreachable": 1}
    shapes = [shape for _, _, shape in answer.unserved]
    properties = [
        {
            "name": ask.say(key),
            "kind": ask.say("unserved"),
            "short": ask.words.persons(count),
            "c": classes[key],
            "values": [number(count)],
        }
        for key, count, _ in answer.unserved
    ]
    degrees = polygons_degrees(object_array(shapes), ask.run.city.crs, shared=False)
    return Areas(
        {
            "name": "unserved",
            "features": feature_collection(degrees, properties),
            "colours": [FULL_COLOUR, CUT_COLOUR],
            "style": {"line": "#3a3f44", "weight": 0.6, "opacity": 0.5, "fill": 0.3,
                      "labels": False},
            "labels": [ask.say("unserved")],
        }
    )  # fmt: skip


def _toggle(ask: Ask) -> Toggle:
    marks = tuple(
        laid(colour, _OPACITY, ask.words.load(state)) for state, colour in STATE_COLOURS.items()
    )
    return Toggle("catchments", ask.say("layer_catchments"), marks)


def _unserved_toggle(ask: Ask) -> Toggle:
    marks = (
        laid(FULL_COLOUR, 0.3, ask.say("reachable_full")),
        laid(CUT_COLOUR, 0.3, ask.say("unreachable")),
    )
    return Toggle("unserved", ask.say("unserved"), marks)


def _figures(ask: Ask, answer: CatchmentsAnswer) -> dict[str, Any]:
    found, solution, rule = answer.found, answer.solution, answer.rule
    share = solution.served / found.residents if found.residents and found.assessed else None
    over = sum(centre.overload for centre in solution.centres)
    count = dict.fromkeys(_STATES, 0)
    for centre in solution.centres if found.assessed else ():
        count[centre.state] += 1

    def told(value: int) -> str | None:
        return number(value) if found.assessed else None

    note = ask.say("served_note", served=number(solution.served), all=number(found.residents))
    sums = {
        "known": found.residents + found.not_assessed,
        "covered": found.residents - solution.unreachable,
        "not_covered": solution.unreachable,
        "not_assessed": found.not_assessed,
        "reachable_full": solution.reachable_full,
        "served": solution.served,
    }
    told_note = ask.words.sentences((note, ask.words.bridge(sums))) if found.assessed else ""
    tiles = (
        Tile(ask.say("served"), percent(share), told_note, main=True),
        Tile(ask.say("reachable_full"), told(solution.reachable_full), ""),
        Tile(ask.say("unreachable"), told(solution.unreachable), ""),
        Tile(ask.say("overload_all"), told(over), ask.say("persons_above")),
        Tile(ask.say("underload_all"), told(solution.underload), ask.say("persons_below")),
    )
    facts = [
        Fact(ask.words.load(state), ask.say("figure_centres", n=number(n)))
        for state, n in count.items()
    ]
    if found.assessed:
        walked = ask.say("figure_person_minutes", n=number(solution.person_minutes))
        facts.append(Fact(ask.say("person_minutes"), walked))
    if rule is not None:
        facts += [
            Fact(
                ask.say("rule_state", state=ask.words.rule(state)),
                ask.say("figure_subdistricts", n=number(rule.states[state])),
            )
            for state in STATES
            if rule.states[state]
        ]
    return {"tiles": tiles, "facts": tuple(facts)}


def _ranking(ask: Ask, solution: Solution, feature: dict[int, int]) -> Ranking | None:
    """Load bars: overloaded first, then underused, then the others by load."""
    if not solution.centres:
        return None
    order = sorted(
        range(len(solution.centres)),
        key=lambda row: (
            -solution.centres[row].overload,
            -solution.centres[row].underload,
            -solution.centres[row].load,
        ),
    )
    longest = max(max(centre.load, centre.maximum) for centre in solution.centres) or 1

    def share(value: int) -> str:
        return f"{100 * value / longest:.1f}"

    rows = []
    for row in order:
        centre = solution.centres[row]
        detail = (
            _told(ask, centre),
            ask.say("bounds", low=number(centre.minimum), high=number(centre.maximum)),
            ask.say(f"basis_{centre.basis}"),
        )
        rows.append(
            RankRow(
                _name(ask, centre),
                ask.words.persons(centre.load),
                " · ".join(detail),
                share(centre.load),
                feature.get(row),
                (share(centre.minimum), share(centre.maximum)),
                _TONES[centre.state],
            )
        )
    return Ranking(ask.say("rank_loads"), ask.say("rank_note_loads"), "catchments", tuple(rows))

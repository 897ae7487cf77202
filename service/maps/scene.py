"""What every page has: streets, facilities, units; frame, footer and form of the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.measures.question import WHOLE, Asked, level_of
from lifecircle.analysis.policy.sections.profiles import WALK
from lifecircle.analysis.quantities import CM_PER_M, Int32Array
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids
from lifecircle.service.catalog.rests import folded_rests, rests_document
from lifecircle.service.figures import date, plain
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import PROFILED, Ask
from lifecircle.service.maps.folium_map import Areas, DataLayer, FacilityDots
from lifecircle.service.maps.panel import Fact, Field, Link, Option, Swatch, Toggle
from lifecircle.service.maps.shapes import dot_places, pack_shapes, polygons_degrees

LAYERS = ("coverage", "gaps", "circles", "proposals", "units", "facilities", "quality")
COMPARE = "compare"  # a page of two runs; its tab stands where there is an earlier run
WORST_SHOWN = 20
DESK = "desk"  # a page of the service on which changes are drawn
MARKED = {  # on which page a click on which layer marks what
    "gaps": {"gaps": "gap", "dots": "facility"},
    "proposals": {"proposals": "proposal", "dots": "facility"},
    "facilities": {"dots": "facility"},
    "units": {"units": "unit"},
}
CATCHMENTS = "catchments"  # a page where the policy has a rule of capacity
REFERRAL = "referral"  # a page where the policy says who refers to whom
MANY_DOTS = 1500
SHORT_DIGEST = 12
_PANEL_WORDS = (
    "fold", "not_assessed", "layers", "services", "warnings", "rests_on", "rests_folded",
    "grounds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """Layers from the lowest to the highest, and what the panel shows of them."""

    layers: tuple[DataLayer, ...]
    view: dict[str, Any]


def layers_for(run: Run) -> tuple[str, ...]:
    """The pages a run has."""
    after, policy = LAYERS.index("proposals"), run.policy
    some = ((CATCHMENTS, policy.capacity_services), (REFERRAL, policy.capacities.referral))
    return (*LAYERS[:after], *(layer for layer, rule in some if rule), *LAYERS[after:])


def facility_layer(
    ask: Ask,
    chosen: Int32Array,
    classes: Sequence[int],
    colours: Sequence[str],
    kinds: Sequence[str],
    *,
    more: Sequence[tuple[str, Sequence[str | None]]] = (),
) -> FacilityDots:
    """Facilities `chosen` (indices) as dots with what a click says about them.

    `more`: further labels, each with a value for every dot; they stand first.
    """
    facilities = ask.run.city.facilities
    unit_level = level_shown(ask)
    shown = [
        name for name in ("ownership", "level", "opening_hours") if name in facilities.attributes
    ]
    english = facilities.attributes.get("name_en")
    names, values = [], []
    for k, i in enumerate(chosen):
        name = facilities.name[i]
        names.append(
            None if name is None else ask.named(name, None if english is None else english[i])
        )
        unit = unit_name(ask, int(facilities.unit[unit_level][i]))
        rows = [facilities.attributes[column][i] for column in shown]
        values.append(
            [
                *(column[k] for _, column in more),
                unit,
                *(None if row is None else str(row) for row in rows),
            ]
        )
    return FacilityDots(
        {
            "xy": dot_places(facilities.geometry[chosen], ask.run.city.crs),
            "c": list(classes),
            "colours": list(colours),
            "kinds": list(kinds),
            "names": names,
            "labels": [
                *(label for label, _ in more),
                ask.say("unit"),
                *(ask.words.attribute(column) for column in shown),
            ],
            "values": values,
            "radius": 4.6 if len(chosen) <= MANY_DOTS else 3.0,
            **_marked_by(ask, chosen),
        }
    )


def _marked_by(ask: Ask, chosen: Int32Array) -> dict[str, list[str]]:
    """The ids by which facilities are marked, on pages that keep marks."""
    if ask.mode == "inline" or ask.layer not in MARKED:
        return {}
    ids = facility_ids(ask.run)
    return {"ids": [ids[i] for i in chosen]}


def level_shown(ask: Ask) -> str:
    """The level asked for; else the lowest that holds most residents."""
    return level_of(ask.run.city, None if _uncut(ask) else ask.by)


def _uncut(ask: Ask) -> bool:
    """Whether the page shows gaps that are not cut at the borders of units."""
    return ask.layer == "gaps" and ask.by == WHOLE


def unit_name(ask: Ask, index: int) -> str | None:
    """Name of a unit in the reader's language, None for no unit."""
    units = ask.run.city.units
    return None if index < 0 else ask.named(units.name[index], units.name_en[index])


def feature_collection(
    shapes: GeometryArray, properties: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Polygons in degrees, packed, with their properties; each gets a place inside `at`."""
    inside = [shapely.point_on_surface(_largest(shape)) for shape in shapes]
    features = [
        {"type": "Feature", "properties": told | {"at": [round(at.x, 6), round(at.y, 6)]}}
        for told, at in zip(properties, inside, strict=True)
    ]
    return {"type": "FeatureCollection", "features": features, "shapes": pack_shapes(shapes)}


def _largest(shape: Any) -> Any:
    parts = shapely.get_parts(shape)
    return parts[int(np.argmax(shapely.area(parts)))]


def drawable(shapes: GeometryArray) -> Int32Array:
    """Indices of the geometries that can be drawn (known and not empty)."""
    return np.flatnonzero([s is not None and not s.is_empty for s in shapes]).astype(np.int32)


def facility_toggle(ask: Ask, title: str) -> Toggle:
    """The switch of the facilities of one service."""
    return Toggle("dots", ask.say("facilities"), (Swatch(scales.DOT_COLOUR, title, "dot"),))


def frame(ask: Ask, title: str) -> dict[str, Any]:
    """Title, tabs, language switch, synthetic banner, credits."""
    manifest = ask.run.manifest
    other = "en" if ask.lang == "zh" else "zh"
    linked = ask.mode == "linked"
    return {
        "layer": ask.layer,
        "area": manifest.title.text(ask.lang),
        "title": title,
        "words": {key: ask.say(key) for key in _PANEL_WORDS},
        "tabs": tuple(
            Link(ask.say(layer), ask.address(layer), layer == ask.layer)
            for layer in (*layers_for(ask.run), *((COMPARE,) if earlier_runs(ask) else ()))
        )
        if linked
        else (),
        "desk": Link(ask.say("desk_button"), ask.address(DESK), ask.layer == DESK)
        if linked
        else None,
        "switch": Link(
            ask.say("page_language"),
            ask.address(lang=other),
            lang="zh-Hans" if other == "zh" else "en",
        )
        if linked
        else None,
        "banner": ask.say("synthetic_note") if manifest.synthetic else "",
        "credits": () if manifest.synthetic else (ask.say("credit_osm"),),
    }


def earlier_runs(ask: Ask) -> tuple[str, ...]:
    """Runs of the area made before this one, the latest first."""
    folder = ask.run.path.parent
    if ask.before is None and folder.name != "runs":
        return ()
    named = {run.name for run in folder.iterdir() if run.is_dir()} if folder.is_dir() else set()
    before = set() if ask.before is None else {ask.before.manifest.run}
    earlier = (run for run in named if run < ask.run.manifest.run)
    return tuple(sorted({*earlier, *before}, reverse=True))


def footer(ask: Ask, asked: Asked | None) -> tuple[Fact, ...]:
    """Where the figures come from: run, policy, and the parameters of the question."""
    manifest = ask.run.manifest
    facts = []
    if asked is not None:
        metres = asked.limit_cm / CM_PER_M
        cited = asked.service.minutes
        facts += [
            Fact(ask.say("limit"), ask.words.limit(asked.minutes)),
            Fact(ask.say("walker"), ask.titled(asked.walker)),
            Fact(ask.say("on_the_flat"), ask.words.metres(metres) or ""),
        ]
        if asked.minutes == cited.value:
            facts.append(Fact(ask.say("basis"), f"{cited.source} {cited.clause}".strip()))
    digest = manifest.policy_digest[:SHORT_DIGEST]
    sloped = ask.run.city.network.slope is not None
    facts += [
        Fact(ask.say("slope"), ask.say("slope_on" if sloped else "slope_off")),
        Fact(ask.say("run"), manifest.run),
        Fact(ask.say("policy_and_digest"), f"{manifest.policy_id} · {digest}"),
        Fact(ask.say("created"), date(manifest.created)),
    ]
    return tuple(facts)


def rests(ask: Ask, service: str, edge: int | None = None) -> dict[str, tuple[str, ...]]:
    """What the answer rests on: the lines shown at once and those in the fold."""
    return told_rests(ask, rests_document(ask.run.study, ask.question.about(service), edge=edge))


def told_rests(ask: Ask, lines: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Lines of what an answer rests on, as the panel shows them."""
    shown, folded = folded_rests(lines, ask.lang)
    return {
        "rests": tuple(line["text"] for line in shown),
        "rests_folded": tuple(line["text"] for line in folded),
    }


def warnings(ask: Ask, *more: Any) -> tuple[str, ...]:
    """The remarks of the run and of the question, each once."""
    told = [ask.warn(warning) for warning in (*more, *ask.run.manifest.warnings)]
    return tuple(dict.fromkeys(told))


def service_field(ask: Ask, chosen: str) -> Field:
    """The choice of the service, by its group; those not assessed say so."""
    policy = ask.run.policy
    groups = policy.grouped(ask.run.manifest.services)
    options = []
    for title, names in groups:
        other = ask.say("option_other") if len(groups) > 1 else ""
        group = other if title is None else title.text(ask.lang)
        for name in names:
            label = ask.titled(policy.services[name])
            if not ask.run.city.assessed(name):
                label = ask.say("option_not_assessed", title=label)
            options.append(Option(name, label, name == chosen, group))
    return Field("service", ask.say("service"), tuple(options))


def question_fields(ask: Ask, asked: Asked) -> dict[str, Any]:
    """The form (service, minutes, walker), or its answers as text where pages cannot link."""
    if ask.mode == "inline":
        return {
            "service": asked.service.id,
            "plain": (
                Fact(ask.say("service"), ask.titled(asked.service)),
                Fact(ask.say("limit"), ask.words.limit(asked.minutes)),
                Fact(ask.say("walker"), ask.titled(asked.walker)),
            ),
        }
    own = plain(asked.service.minutes.value)
    walkers = tuple(
        Option(walker.id, ask.titled(walker), walker.id == asked.walker.id)
        for walker in ask.run.policy.walkers.values()
    )
    return {
        "service": asked.service.id,
        "fields": (
            service_field(ask, asked.service.id),
            Field(
                "minutes",
                ask.say("minutes"),
                value="" if ask.minutes is None else plain(ask.minutes),
                placeholder=ask.say("own_minutes", n=own),
            ),
            *profile_field(ask),
            *(() if ask.profile is not None else (Field("walker", ask.say("walker"), walkers),)),
            *level_field(ask),
            *year_field(ask),
        ),
        "hidden": (("lang", ask.lang), *carried(ask).items()),
    }


def carried(ask: Ask) -> dict[str, str]:
    """What the form of a page carries along unseen; not the year where it is chosen there."""
    chosen = {"year"} if year_field(ask) else set()
    return {name: value for name, value in ask.keep.items() if name not in chosen}


def year_field(ask: Ask) -> tuple[Field, ...]:
    """The choice of the year, where an area has runs of several and none is named."""
    if len(ask.years) < 2 or ask.layer == COMPARE or "run" in ask.keep:
        return ()
    now = ask.run.manifest.year
    options = tuple(Option(str(year), str(year), year == now) for year in ask.years)
    return (Field("year", ask.say("year"), options),)


def profile_field(ask: Ask) -> tuple[Field, ...]:
    """The choice of who travels, on pages and of runs that have more than one."""
    roads, chosen = ask.run.city.roads, ask.profile
    if not roads or ask.layer not in PROFILED:
        return ()
    options = [Option(WALK, ask.say("on_foot"), chosen is None)]
    for name in roads:
        title = ask.run.policy.profiles[name].title.text(ask.lang)
        options.append(Option(name, title, chosen is not None and name == chosen.id))
    return (Field("profile", ask.say("profile"), tuple(options)),)


def level_field(ask: Ask) -> tuple[Field, ...]:
    """The choice of the unit level, where there is one."""
    levels = ask.run.city.units.levels
    if len(levels) < 2:
        return ()
    chosen = WHOLE if _uncut(ask) else level_shown(ask)
    options = [Option(level, ask.level(level), level == chosen) for level in levels]
    if ask.layer == "gaps":
        options.append(Option(WHOLE, ask.say("by_none"), chosen == WHOLE))
    return (Field("by", ask.say("level"), tuple(options)),)


def outline_layer(ask: Ask) -> Areas:
    """Borders of the units as quiet context, named when hovered."""
    units = ask.run.city.units
    level = level_shown(ask)
    members = units.of_level(level)
    members = members[drawable(units.geometry[members])]
    properties = [
        {
            "name": ask.named(units.name[i], units.name_en[i]),
            "kind": ask.level(level),
            "c": 0,
            "values": [str(units.code[i])],
        }
        for i in members
    ]
    shapes = polygons_degrees(units.geometry[members], ask.run.city.crs, shared=True)
    return Areas(
        {
            "name": "units",
            "features": feature_collection(shapes, properties),
            "colours": ["#ffffff"],
            "style": {"line": "#8d959b", "weight": 0.8, "opacity": 0.9, "fill": 0, "labels": False},
            "labels": [ask.say("code")],
        }
    )

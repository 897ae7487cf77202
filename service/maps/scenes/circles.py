"""The circles page: units by residents with a complete circle, homes by what they are short of."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from lifecircle.analysis.measures.circles import CircleRow, CircleTable
from lifecircle.analysis.quantities import Int32Array
from lifecircle.service.catalog.circles import (
    CirclesAnswer,
    answer_circles,
    circle_shown,
    night_text,
    variants_of,
)
from lifecircle.service.catalog.firm.bands import kept_bands
from lifecircle.service.catalog.rests import rests_of_services
from lifecircle.service.figures import number, percent, percent_span, plain
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.context_layers import street_layer
from lifecircle.service.maps.folium_map import Areas, CellDots, FacilityDots
from lifecircle.service.maps.panel import (
    Fact,
    Field,
    Option,
    Ranking,
    RankRow,
    Swatch,
    Tile,
    Toggle,
)
from lifecircle.service.maps.scene import (
    MANY_DOTS,
    WORST_SHOWN,
    Scene,
    carried,
    drawable,
    facility_layer,
    footer,
    frame,
    level_field,
    level_shown,
    profile_field,
    told_rests,
    warnings,
    year_field,
)
from lifecircle.service.maps.shapes import packed_cells, polygons_degrees
from lifecircle.service.maps.shares import share_areas, share_toggle

SHORT_EDGES: Final = (1, 2, 3, 5)  # types short of a complete circle: 0, 1, 2, 3-4, 5 or more
SHORT_COLOURS: Final = ("#1f5fa6", "#86b7da", "#ecdfc3", "#e39a4f", "#a8480c")
MISSING_SHOWN: Final = 3


def circles_scene(ask: Ask) -> Scene:
    """Circles of one kind and variant on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `analysis.measures.circles.circles`; no such variant.
    """
    run, rules = ask.run, ask.run.policy.circles
    kind = circle_shown(ask.run.policy, ask.kind)
    offered = variants_of(ask.run.policy, kind)
    variant = next((one for one in offered if one == ask.variant), offered[0])
    question = replace(ask.question, service=None, by=level_shown(ask))
    found = answer_circles(ask.run.study, question, kind, variant)
    title = rules[kind].title.text(ask.lang)
    streets, streets_toggle = street_layer(ask)
    areas, places = _unit_layer(ask, found)
    dots, dots_toggle = _dots(ask, found)
    cells, cells_toggle = _cells(ask, found.table)
    view = frame(ask, title) | _form(ask, kind, variant, offered)
    view |= _figures(ask, found, kept_band(ask, kind, variant, found))
    view |= {
        "toggles": (_share_toggle(ask, found), cells_toggle, dots_toggle, streets_toggle),
        "ranking": _ranking(ask, found, places),
        "warnings": warnings(ask, *found.remarks),
        **told_rests(ask, rests_of_services(run.study, rules[kind].services)),
        "footer": (
            Fact(ask.say("variant"), variant_title(ask, kind, variant)),
            Fact(ask.say("walker"), ask.titled(ask.run.policy.walkers[ask.walker])),
            *footer(ask, None),
        ),
    }
    return Scene((streets, areas, cells, dots), view)


def variant_title(ask: Ask, kind: str, variant: str) -> str:
    """What a variant of a circle is called, with its minutes or its hour."""
    rule = ask.run.policy.circles[kind]
    night = night_text(ask.run.policy, kind) if variant == "night" else None
    return ask.say(
        f"variant_{variant}",
        minutes=plain(rule.minutes_all.value),
        at="" if night is None else ask.words.moment(night),
    )


def _unit_layer(ask: Ask, found: CirclesAnswer) -> tuple[Areas, dict[str, int]]:
    units = ask.run.city.units
    members = units.of_level(found.figures.by)
    shapes = units.geometry[members]
    kept = drawable(shapes)
    rows = [found.figures.units[i] for i in kept]
    properties = [
        {
            "name": ask.named(units.name[members[i]], units.name_en[members[i]]),
            "kind": ask.level(found.figures.by),
            "short": percent(row.share) or ask.words.not_assessed,
            "c": scales.class_of(row.share, scales.SHARE_EDGES),
            "values": _told(ask, row),
        }
        for i, row in zip(kept, rows, strict=True)
    ]
    drawn = polygons_degrees(shapes[kept], ask.run.city.crs, shared=True)
    labels = [
        ask.say(key)
        for key in (
            "share",
            "residents",
            "complete",
            "incomplete",
            "circle_open",
            "share_all",
            "score",
            "unsnapped",
            "unsnapped_short_piece",
            "missing",
        )
    ]
    layer = share_areas(drawn, properties, labels)
    return layer, {row.code: i for i, row in enumerate(rows)}


def _told(ask: Ask, row: CircleRow) -> list[str | None]:
    return [
        percent(row.share) or ask.words.not_assessed,
        number(row.residents) or ask.words.unknown,
        number(row.complete),
        number(row.incomplete),
        number(row.not_assessed or None),
        percent(row.share_all),
        percent(row.score),
        number(row.unsnapped or None),
        number(row.unsnapped_short_piece or None),
        _missing(ask, row) or None,
    ]


def _missing(ask: Ask, row: CircleRow) -> str:
    services = ask.run.policy.services
    told = [
        f"{ask.titled(services[service])} {number(count)}"
        for service, count in row.missing[:MISSING_SHOWN]
    ]
    return ask.words.listed(told)


def _cells(ask: Ask, table: CircleTable) -> tuple[CellDots, Toggle]:
    """Homes coloured by how many types they are short of; a click tells which they miss."""
    classes, present = short_classes(table)
    texts, which = _texts(ask, table)
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "colours": [*SHORT_COLOURS, scales.UNKNOWN_COLOUR],
            "c": classes,
            "labels": [ask.say("reached"), ask.say("state"), ask.say("missing")],
            "texts": texts,
            "t": which,
        }
    )
    spans = [str(low) if high - low == 1 else f"{low}–{high - 1}" for low, high in pairwise(
        (0, *SHORT_EDGES)
    )]  # fmt: skip
    labels = [ask.say("is_complete"), *spans[1:], ask.say("or_more", n=SHORT_EDGES[-1])]
    marks = [
        Swatch(colour, label, apart=i == 1)
        for i, (colour, label) in enumerate(zip(SHORT_COLOURS, labels, strict=True))
    ]
    if len(SHORT_COLOURS) in present:
        marks.append(Swatch(scales.UNKNOWN_COLOUR, ask.words.not_assessed, apart=True))
    return layer, Toggle("cells", ask.say("layer_circle_cells"), tuple(marks), ramp=True)


def short_classes(table: CircleTable) -> tuple[Int32Array, set[int]]:
    """Class of every cell by types short of a complete circle, and the classes there are."""
    short = np.maximum(table.required - table.reached, 0)
    classes = np.searchsorted(SHORT_EDGES, short, side="right").astype(np.int32)
    classes[table.state == 1] = 0
    classes[table.state == -1] = len(SHORT_COLOURS)
    return classes, set(np.unique(classes).tolist())


def _texts(ask: Ask, table: CircleTable) -> tuple[list[list[str]], Int32Array]:
    """What a click on a home tells, once for each pattern of types reached."""
    services = ask.run.policy.services
    pattern = np.vstack([table.reach, table.state[None]]).astype(np.int8).T
    kinds, which = np.unique(pattern, axis=0, return_inverse=True)
    known = np.flatnonzero(table.assessed)
    states = {1: "is_complete", 0: "is_incomplete", -1: "not_assessed"}
    texts = []
    for row in kinds:
        lacking = [ask.titled(services[table.services[k]]) for k in known if not row[k]]
        texts.append(
            [
                ask.say("reached_of", n=int(row[known].sum()), count=len(known)),
                ask.say(states[int(row[-1])]),
                ask.words.listed(lacking) or ask.say("nothing_missing"),
            ]
        )
    return texts, which.ravel().astype(np.int32)


def _dots(ask: Ask, found: CirclesAnswer) -> tuple[FacilityDots, Toggle]:
    """The facilities of every type of the circle, in the evening those that are open."""
    places, table = ask.run.city.facilities, found.table
    number_of = {name: i for i, name in enumerate(places.service_ids)}
    kinds = [service for service in table.services if service in number_of]
    class_of = np.full(len(places.service_ids), -1, dtype=np.int32)
    for k, service in enumerate(kinds):
        class_of[number_of[service]] = k
    mine = class_of[places.service] if len(places) else np.zeros(0, dtype=np.int32)
    shown = mine >= 0 if found.open is None else (mine >= 0) & found.open
    chosen = np.flatnonzero(shown).astype(np.int32)
    titles = [ask.titled(ask.run.policy.services[service]) for service in kinds]
    colours = [scales.DOT_COLOUR] * max(1, len(kinds))
    layer = facility_layer(ask, chosen, mine[chosen].tolist(), colours, titles or [""])
    layer.show = len(chosen) <= MANY_DOTS  # thousands would hide the homes
    legend = (Swatch(scales.DOT_COLOUR, ask.say("circle_places", n=number(len(chosen))), "dot"),)
    return layer, Toggle("dots", ask.say("facilities"), legend)


def _share_toggle(ask: Ask, found: CirclesAnswer) -> Toggle:
    label = ask.say("layer_units_circles", level=ask.level(found.figures.by))
    return share_toggle(
        ask, label, some_unknown=any(row.share is None for row in found.figures.units)
    )


def _form(ask: Ask, kind: str, variant: str, offered: tuple[str, ...]) -> dict[str, Any]:
    rules, policy = ask.run.policy.circles, ask.run.policy
    if ask.mode == "inline":
        return {
            "plain": (
                Fact(ask.say("circle"), rules[kind].title.text(ask.lang)),
                Fact(ask.say("variant"), variant_title(ask, kind, variant)),
                Fact(ask.say("walker"), ask.titled(policy.walkers[ask.walker])),
            )
        }
    kinds = tuple(Option(one, rules[one].title.text(ask.lang), one == kind) for one in rules)
    variants = tuple(Option(one, variant_title(ask, kind, one), one == variant) for one in offered)
    own = ask.say("own_each")
    limit = "" if ask.minutes is None else plain(ask.minutes)
    walkers = tuple(
        Option(walker.id, ask.titled(walker), walker.id == ask.walker)
        for walker in policy.walkers.values()
    )
    return {
        "fields": (
            Field("kind", ask.say("circle"), kinds),
            Field("variant", ask.say("variant"), variants),
            Field("minutes", ask.say("minutes"), value=limit, placeholder=own),
            *profile_field(ask),
            *(() if ask.profile is not None else (Field("walker", ask.say("walker"), walkers),)),
            *level_field(ask),
            *year_field(ask),
        ),
        "hidden": (("lang", ask.lang), *carried(ask).items()),
    }


def kept_band(ask: Ask, kind: str, variant: str, found: CirclesAnswer) -> str:
    """The band kept for the share of all residents, in whole percent; empty where none is."""
    own = variant == "own" and ask.minutes is None
    bands = kept_bands(ask.run, ask.walker, at=ask.question.at) if own else None
    band = None if bands is None else bands.circle(kind, found.figures.total.share)
    return "" if band is None else percent_span(band["low"], band["high"])


def _figures(ask: Ask, found: CirclesAnswer, band: str) -> dict[str, Any]:
    total, required = found.figures.total, found.figures.required
    assessed = len(found.figures.assessed)
    note = ask.say(
        "headline_circles",
        complete=number(total.complete) or ask.words.unknown,
        residents=number(total.residents) or ask.words.unknown,
    )
    if found.upper is not None and found.upper.total.share is not None:
        note += ask.say("upper_bound", share=percent(found.upper.total.share))
    tiles = (
        Tile(
            ask.say("share"),
            percent(total.share),
            note if total.share is not None else ask.say("reason_circles"),
            True,
            band,
        ),
        Tile(ask.say("share_all"), percent(total.share_all), ask.say("about_share_all")),
        Tile(ask.say("score"), percent(total.score), ask.say("about_score")),
    )
    facts = [
        Fact(ask.say("required"), ask.say("required_of", n=required, count=assessed)),
        Fact(ask.say("complete"), number(total.complete) or ask.words.unknown),
        Fact(ask.say("incomplete"), number(total.incomplete) or ask.words.unknown),
    ]
    if total.not_assessed:
        facts.append(Fact(ask.say("circle_open"), number(total.not_assessed) or ""))
    services = ask.run.policy.services
    facts += [
        Fact(ask.say("lacks", service=ask.titled(services[service])), number(count) or "0")
        for service, count in total.missing
    ]
    return {"tiles": tiles, "facts": tuple(facts)}


def _ranking(ask: Ask, found: CirclesAnswer, places: dict[str, int]) -> Ranking | None:
    named = {
        str(code): ask.named(name, english)
        for code, name, english in zip(
            ask.run.city.units.code,
            ask.run.city.units.name,
            ask.run.city.units.name_en,
            strict=True,
        )
    }
    worst = sorted(
        (row for row in found.figures.units if row.incomplete),
        key=lambda row: (-(row.incomplete or 0), row.code),
    )
    if not worst:
        return None
    most = worst[0].incomplete or 1
    rows = tuple(
        RankRow(
            named[row.code],
            number(row.incomplete) or "0",
            _missing(ask, row),
            f"{100 * (row.incomplete or 0) / most:.1f}",
            places.get(row.code),
        )
        for row in worst[:WORST_SHOWN]
    )
    title = ask.say("rank_circles", level=ask.level(found.figures.by))
    note = ask.say("rank_note_circles", shown=len(rows), count=number(len(worst)))
    return Ranking(title, note, "units", rows)

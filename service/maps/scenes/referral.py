"""The referral page: whole chains 站 → 中心 → 医院 within the minutes, and loads of both tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from lifecircle.analysis.measures.catchments.tiers.referral import Referral
from lifecircle.analysis.quantities import CM_PER_M, Int32Array, limit_cm
from lifecircle.analysis.texts import listed
from lifecircle.service.catalog.tiers.referral import (
    UNSERVED,
    ReferralAnswer,
    answer_referral,
    without_chain,
)
from lifecircle.service.figures import number, percent, plain
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
    WORST_SHOWN,
    Scene,
    carried,
    drawable,
    facility_layer,
    footer,
    frame,
    level_field,
    told_rests,
    warnings,
    year_field,
)
from lifecircle.service.maps.shapes import packed_cells, polygons_degrees
from lifecircle.service.maps.shares import share_areas, share_toggle
from lifecircle.service.wording import Words

STATES: Final = ("served", *UNSERVED)
STATE_COLOURS: Final = ("#3f8ac4", "#8c2d04", "#e6750f", "#c51b8a", "#6a3d9a")
TIERS: Final = ("station", "centre", "hospital")
TIER_COLOURS: Final = ("#4a8793", scales.DOT_COLOUR, "#b3001b")
AT_ONCE: Final = "pass_by"
Row = Mapping[str, Any]


def referral_scene(ask: Ask) -> Scene:
    """Referral from tier to tier on a map.

    Raises
    ------
    UnknownNameError, ParameterError : as `analysis.measures.catchments.tiers.referral.referral`.
    """
    answer = answer_referral(ask.run, ask.question, pass_by=AT_ONCE in ask.keep, lang=ask.lang)
    document, words = answer.document, Words(ask.lang, "referral")
    streets, streets_toggle = street_layer(ask)
    areas, places = _unit_layer(ask, document, words)
    cells, cells_toggle = _cell_layer(ask, answer.found, words)
    dots, dots_toggle = _dots(ask, answer, words)
    limit = ask.words.limit(document["minutes"])
    view = frame(ask, ask.say("title_referral", limit=limit)) | _form(ask, document)
    view |= _figures(ask, document, words)
    view |= {
        "toggles": (
            share_toggle(
                ask,
                ask.say("layer_units_referral", level=ask.level(document["by"])),
                some_unknown=any(row["share"] is None for row in document["units"]),
            ),
            cells_toggle,
            dots_toggle,
            streets_toggle,
        ),
        "ranking": _worst(ask, document, words, places),
        "rankings": tuple(
            ranking
            for tier in ("centres", "stations")
            if (ranking := _loads(ask, document, tier, words)) is not None
        ),
        "warnings": warnings(ask, *answer.found.warnings),
        **told_rests(ask, document["rests_on"]),
        "footer": (*_basis(ask, document), *footer(ask, None)),
    }
    return Scene((streets, areas, cells, dots), view)


def _form(ask: Ask, document: Row) -> dict[str, Any]:
    """The form of the page; where pages cannot link, its answers as text."""
    policy, passed = ask.run.policy, bool(document["pass_by"])
    ways = tuple(
        Option(value, ask.say(f"pass_by_{word}"), chosen)
        for value, word, chosen in (("", "no", not passed), ("true", "yes", passed))
    )
    walker = policy.walkers[document["walker"]]
    if ask.mode == "inline":
        return {
            "plain": (
                Fact(ask.say("limit"), ask.words.limit(document["minutes"])),
                Fact(ask.say("walker"), ask.titled(walker)),
                Fact(ask.say("pass_by"), next(way.label for way in ways if way.chosen)),
            )
        }
    rule = policy.capacities.referral
    own = "" if rule is None else ask.say("own_minutes", n=plain(rule.minutes.value))
    limit = "" if ask.minutes is None else plain(ask.minutes)
    walkers = tuple(
        Option(one.id, ask.titled(one), one.id == walker.id) for one in policy.walkers.values()
    )
    return {
        "fields": (
            Field("minutes", ask.say("minutes"), value=limit, placeholder=own),
            Field("walker", ask.say("walker"), walkers),
            Field(AT_ONCE, ask.say("pass_by"), ways),
            *level_field(ask),
            *year_field(ask),
        ),
        "hidden": (
            ("lang", ask.lang),
            *((name, value) for name, value in carried(ask).items() if name != AT_ONCE),
        ),
    }


def _figures(ask: Ask, document: Row, words: Words) -> dict[str, Any]:
    """Whole chains, and the others by reason: together all who are assessed."""
    told = document["assessed"]
    note = ask.say(
        "served_note",
        served=number(document["served"]) or words.not_assessed,
        all=number(document["residents"]) or words.unknown,
    )
    tiles = (
        Tile(words("served"), percent(document["share"]), note if told else "", main=True),
        *(
            Tile(words(reason), number(document["unserved"][reason]), ask.say(f"about_{reason}"))
            for reason in UNSERVED
        ),
    )
    mean = document["mean_minutes"] or {}
    facts = [
        ("mean_chain", words.minutes(mean.get("whole"))),
        ("to_first", words.minutes(mean.get("to_first"))),
        ("to_centre", words.minutes(mean.get("to_centre"))),
        ("to_hospital", words.minutes(mean.get("to_hospital"))),
        ("not_assessed", number(document["not_assessed"] or None)),
    ]
    if document["hospital_unknown"] and told:
        facts.append(("served_most", number(document["served_most"])))
    tiers = listed(words(f"tier_{tier}") for tier in document["missing"])
    return {
        "tiles": tiles,
        "facts": tuple(Fact(ask.say(key), value) for key, value in facts if value is not None),
        "not_assessed": "" if told else words("open", tiers=tiers.text(ask.lang)),
    }


def _unit_layer(ask: Ask, document: Row, words: Words) -> tuple[Areas, dict[str, int]]:
    """Units by the share with a whole chain, and the place of each (by code) in the layer."""
    units = ask.run.city.units
    shapes = units.geometry[units.of_level(document["by"])]
    kept = drawable(shapes)
    rows = [document["units"][i] for i in kept]
    properties = [
        {
            "name": ask.named(row["name"], row["name_en"]),
            "kind": ask.level(document["by"]),
            "short": percent(row["share"]) or words.not_assessed,
            "c": scales.class_of(row["share"], scales.SHARE_EDGES),
            "values": [
                percent(row["share"]) or words.not_assessed,
                number(row["residents"]) or words.unknown,
                *(number(row[state]) for state in STATES),
            ],
        }
        for row in rows
    ]
    labels = [ask.say("share_referral"), ask.say("residents"), *map(words, STATES)]
    drawn = polygons_degrees(shapes[kept], ask.run.city.crs, shared=True)
    layer = share_areas(drawn, properties, labels)
    return layer, {row["code"]: i for i, row in enumerate(rows)}


def _cell_layer(ask: Ask, found: Referral, words: Words) -> tuple[CellDots, Toggle]:
    """Cells by what becomes of most of their residents; of cells that are split all is told."""
    persons = np.stack([found.served, *(found.unserved[reason] for reason in UNSERVED)])
    state = persons.argmax(axis=0)
    if not found.assessed:
        persons = np.zeros_like(persons)
    state[persons.sum(axis=0) == 0] = len(STATES)
    texts = [*map(words, STATES), words.not_assessed]
    told = state.copy()
    for row in np.flatnonzero((persons > 0).sum(axis=0) > 1).tolist():
        parts = ((words(one), n) for one, n in zip(STATES, persons[:, row].tolist(), strict=True))
        split = words.listed(f"{name} {number(n)}" for name, n in parts if n)
        told[row] = len(texts)
        texts.append(split)
    layer = CellDots(
        {
            **packed_cells(ask.run.study),
            "colours": [*STATE_COLOURS, scales.UNKNOWN_COLOUR],
            "c": state,
            "labels": [ask.say("state")],
            "texts": [[text] for text in texts],
            "t": told,
        }
    )
    present = set(np.unique(state).tolist())
    names = (*map(words, STATES), words.not_assessed)
    colours = (*STATE_COLOURS, scales.UNKNOWN_COLOUR)
    marks = tuple(
        Swatch(colour, name)
        for i, (colour, name) in enumerate(zip(colours, names, strict=True))
        if i in present
    )
    return layer, Toggle("cells", ask.say("layer_referral_cells"), marks)


def _dots(ask: Ask, answer: ReferralAnswer, words: Words) -> tuple[FacilityDots, Toggle]:
    """The places of both tiers with their loads, and the hospitals that centres refer to."""
    found, document = answer.found, answer.document
    hospitals = np.unique(found.centres.refers_to[found.centres.refers_to >= 0])
    groups: tuple[Int32Array, ...] = (
        found.stations.facility,
        np.setdiff1d(found.centres.facility, hospitals),
        hospitals,
    )
    chosen = np.concatenate(groups).astype(np.int32)
    classes = np.repeat(np.arange(len(TIERS)), [len(group) for group in groups])
    pairs = ((found.stations, "stations"), (found.centres, "centres"))
    told: dict[int, Row] = {
        facility: row
        for tier, name in pairs
        for facility, row in zip(tier.facility.tolist(), document[name], strict=True)
    }
    values = _told(ask, [told.get(i) for i in chosen.tolist()], words)
    labels = [words(key) for key in ("load", "maximum", "refers_to", "leg")]
    titles = [words(f"one_{tier}") for tier in TIERS]
    layer = facility_layer(
        ask, chosen, classes.tolist(), TIER_COLOURS, titles,
        more=list(zip(labels, values, strict=True)),
    )  # fmt: skip
    marks = tuple(
        Swatch(colour, f"{title} · {number(len(group))}", "dot")
        for colour, title, group in zip(TIER_COLOURS, titles, groups, strict=True)
        if len(group)
    )
    return layer, Toggle("dots", ask.say("facilities"), marks)


def _told(ask: Ask, rows: Sequence[Row | None], words: Words) -> list[list[str | None]]:
    """Load, maximum, whom it refers to and how far that is, of every dot."""
    told = [
        (None,) * 4
        if row is None
        else (
            number(row["load"]) or words.not_assessed,
            number(row["max"]),
            None if row["refers_to"] is None else _goal(ask, row),
            words.minutes(row["leg_minutes"]),
        )
        for row in rows
    ]
    return [[row[k] for row in told] for k in range(4)]


def _goal(ask: Ask, row: Row) -> str:
    """The name of the place that a place refers to, which may be of neither tier."""
    return ask.named(row["refers_to_name"], row["refers_to_name_en"])


def _worst(ask: Ask, document: Row, words: Words, places: Mapping[str, int]) -> Ranking | None:
    """The units with most residents without a whole chain."""
    rows = [(without_chain(row), row) for row in document["units"] if row["served"] is not None]
    worst = sorted((one for one in rows if one[0]), key=lambda one: -one[0])
    if not worst:
        return None
    shown = tuple(
        RankRow(
            ask.named(row["name"], row["name_en"]),
            ask.words.persons(lost),
            " · ".join(f"{words(one)} {number(row[one])}" for one in UNSERVED if row[one]),
            f"{100 * lost / worst[0][0]:.1f}",
            places.get(row["code"]),
        )
        for lost, row in worst[:WORST_SHOWN]
    )
    title = ask.say("rank_referral", level=ask.level(document["by"]))
    note = ask.say("rank_note_referral", shown=len(shown), count=number(len(worst)))
    return Ranking(title, note, "units", shown)


def _loads(ask: Ask, document: Row, tier: str, words: Words) -> Ranking | None:
    """Load bars of a tier with the maximum as a mark, the fullest first."""
    rows = document[tier] if document["assessed"] else ()
    order = sorted(rows, key=lambda row: (-row["load"], row["facility"]))
    longest = max((max(row["load"], row["max"] or 0) for row in order), default=0) or 1
    shown = tuple(
        RankRow(
            ask.named(row["name"], row["name_en"]),
            ask.words.persons(row["load"]),
            " · ".join(_detail(ask, row, words)),
            f"{100 * row['load'] / longest:.1f}",
            None,
            () if row["max"] is None else (f"{100 * row['max'] / longest:.1f}",),
            "over" if row["full"] else "",
        )
        for row in order[:WORST_SHOWN]
    )
    if not shown:
        return None
    note = ask.say(f"rank_note_{tier}", shown=len(shown), count=number(len(order)))
    return Ranking(ask.say(f"rank_{tier}"), note, "dots", shown)


def _detail(ask: Ask, row: Row, words: Words) -> Sequence[str]:
    """Whether it is full, and whom it refers to."""
    goal = row["refers_to"]
    told = [ask.say("full_at", n=number(row["max"]))] if row["full"] else []
    if goal is None:
        return [*told, ask.say("refers_nowhere")]
    if goal == row["facility"]:
        return [*told, words("one_hospital")]
    minutes = words.minutes(row["leg_minutes"]) or words.none
    return [*told, ask.say("refers_on", name=_goal(ask, row), minutes=minutes)]


def _basis(ask: Ask, document: Row) -> tuple[Fact, ...]:
    """The limit and where it comes from."""
    walker = ask.run.policy.walkers[document["walker"]]
    metres = limit_cm(document["minutes"], walker.speed_m_per_s) / CM_PER_M
    facts = [
        Fact(ask.say("limit"), ask.words.limit(document["minutes"])),
        Fact(ask.say("walker"), ask.titled(walker)),
        Fact(ask.say("on_the_flat"), ask.words.metres(metres) or ""),
    ]
    rule = ask.run.policy.capacities.referral
    if rule is not None and ask.minutes is None:
        cited = rule.minutes
        facts.append(Fact(ask.say("basis"), f"{cited.source} {cited.clause}".strip()))
    return tuple(facts)

"""What the scripts of a page are told: words, where to ask, which columns make a table."""

from __future__ import annotations

from typing import Any, Final

from lifecircle.service.figures import date
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.panel import View
from lifecircle.service.maps.scene import MARKED

ANSWERING: Final = frozenset({"coverage", "gaps", "desk"})  # where a click asks the service
_CLICK_WORDS: Final = {  # as the script of the panel calls them
    "unnamed": "unnamed",
    "cell": "cell",
    "residents": "residents",
    "minutes": "walk",
    "minutes_value": "figure_minutes",
    "nearest": "nearest",
    "state": "state",
    "covered": "covered_here",
    "not_covered": "not_covered_here",
    "no_way": "no_way",
    "modelled": "modelled_here",
    "late_failed": "late_failed",
}
_ANSWER_WORDS: Final = (
    "here", "close", "wait", "failed", "way", "no_way", "climb", "services", "within", "beyond",
    "unknown", "minutes", "missing", "nothing_missing", "comma", "ring",
)  # fmt: skip
_SEARCH_WORDS: Final = ("search", "nothing_found")
_SLOTS: Final = {name: "{" + name + "}" for name in ("n", "name", "names", "minutes", "metres")}
_MORE_SLOTS: Final = {"service": "{service}", "why": "{why}"}
_MARK_WORDS: Final = (
    "title", "excel", "none", "none_yet", "failed", "said", "confirmed", "not_a_gap", "planned",
    "built", "wrong_data", "moved", "gone", "moved_about", "gone_about", "change", "verdict",
    "because", "note", "who", "save", "cancel", "remove", "wait", "saved", "clash", "over", "take",
    "colon", "mark_gap", "mark_proposal", "mark_facility", "mark_unit", "kind_gap",
    "kind_proposal", "kind_facility", "kind_unit", "local",
)  # fmt: skip
_MARK_SLOTS: Final = {name: "{" + name + "}" for name in ("n", "why", "author", "at")}
_BAND: Final = 11  # of the same: the band of P
_TABLE_COLUMNS: Final = (1, 3, 0)  # of the coverage page's units: residents, not covered, P


def page_config(ask: Ask, view: View, ask_at: str | None) -> dict[str, Any]:
    """All that the scripts need beside the layers; every value is data, never markup."""
    config: dict[str, Any] = {
        "lang": ask.lang,
        "words": {
            **{name: ask.say(key, n="{n}") for name, key in _CLICK_WORDS.items()},
            "streets_partial": ask.going("layer_streets_partial", "layer_streets_partial_by"),
        },
        "tools": {
            name: ask.say(f"tool_{name}") for name in ("full", "print", "picture", "measure", "map")
        },
        "picture": _picture(ask, view),
        "measure": {
            "hint": ask.say("measure_hint"),
            "told": ask.say("measure_told", metres="{metres}"),
        },
    }
    if ask.layer in MARKED:
        config["marks"] = _marking(ask, view, ask_at)
    if ask.layer == "coverage":
        config["table"] = {
            "title": ask.say("table_title", n="{n}"),
            "name": ask.say("table_name"),
            "columns": [*_TABLE_COLUMNS, *((_BAND,) if _is_firm(view) else ())],
        }
    if ask_at is not None and ask.mode == "linked":
        words = {name: ask.say(f"ask_{name}") for name in _SEARCH_WORDS}
        config["search"] = {"url": ask_at, "run": ask.run.manifest.run, "words": words}
        if ask.layer in ANSWERING:
            config["ask"] = _asking(ask, view, ask_at)
    return config


def _is_firm(view: View) -> bool:
    """Whether the page tells how firm its figures stand."""
    return any(one.layer == "firm" for one in view.toggles)


def _picture(ask: Ask, view: View) -> dict[str, str]:
    manifest = ask.run.manifest
    sources = [*view.credits, ask.say("picture_sources", run=manifest.run)]
    if manifest.synthetic:
        sources.insert(0, ask.say("synthetic_note"))
    return {
        "title": view.title,
        "subtitle": ask.words.sentences((view.area, view.subtitle, date(manifest.created)))
        if view.subtitle
        else f"{view.area} · {date(manifest.created)}",
        "sources": " · ".join(sources),
        "file": f"{manifest.area}-{ask.layer}-{manifest.run}",
    }


def _marking(ask: Ask, view: View, ask_at: str | None) -> dict[str, Any]:
    """Marks of reviews: where to ask for them, or those the page was made with."""
    layers = MARKED[ask.layer]
    asks = ask_at is not None and ask.mode == "linked"
    return {
        "url": f"{ask_at}/reviews" if asks else None,
        "run": ask.run.manifest.run,
        "service": view.service,
        "layers": layers,
        "kinds": sorted(set(layers.values())),
        "list": [] if asks else list(ask.marks),
        "words": {name: ask.say(f"mark_{name}", **_MARK_SLOTS) for name in _MARK_WORDS},
    }


def _asking(ask: Ask, view: View, ask_at: str) -> dict[str, Any]:
    slots = _SLOTS | _MORE_SLOTS
    return {
        "url": ask_at,
        "run": ask.run.manifest.run,
        "service": view.service,
        "walker": ask.walker if ask.profile is None else None,
        "profile": None if ask.profile is None else ask.profile.id,
        "minutes": ask.minutes,
        "titles": {
            service: ask.titled(ask.run.policy.services[service])
            for service in ask.run.travel.services
        },
        "words": {name: ask.say(f"ask_{name}", **slots) for name in _ANSWER_WORDS},
    }

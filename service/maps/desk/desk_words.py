"""What the scripts of the desk are told: where to ask, names of all they may meet, words."""

from __future__ import annotations

from typing import Any, Final

from lifecircle.analysis.city.facilities.ids import distinct_ids
from lifecircle.service.catalog.scenarios.scenario import EDIT_OPS, EDIT_WAYS
from lifecircle.service.catalog.scorecard import units_document
from lifecircle.service.i18n import TEXTS
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.scenes.coverage import facilities_of
from lifecircle.service.wording import RULE_STATES

SCRIPTS: Final = (
    "desk/edits.js",
    "desk/draw.js",
    "desk/change.js",
    "desk/changed-cells.js",
    "desk/asking.js",
    "desk/toolbar.js",
    "desk/edit-list.js",
    "desk/keys.js",
    "desk/shelf.js",
    "desk/kept.js",
    "desk/beside.js",
    "desk/desk.js",
)
STYLES: Final = ("desk/desk.css",)
_PREFIX: Final = "map_desk_"
_SLOTS: Final = ("n", "name", "before", "after", "why", "service", "run", "most", "metres")
_LOADS: Final = ("within", "overload", "underload")
_VERDICTS: Final = ("met", "not_met", "partly", "no_target", "NOT_ASSESSED")
_ATTRIBUTES: Final = ("ownership", "capacity")
_OWNERS: Final = ("government", "private")


def desk_config(ask: Ask, service: str, ask_at: str) -> dict[str, Any]:
    """All that the desk needs beside the map; every value is data, never markup."""
    run = ask.run
    ids = distinct_ids(run.city.facilities)
    card = run.policy.scorecard
    words = ask.words
    return {
        "url": ask_at,
        "run": run.manifest.run,
        "service": service,
        "minutes": ask.minutes,
        "walker": ask.walker,
        "by": ask.by,
        "services": [[name, ask.titled(run.policy.services[name])] for name in run.travel.services],
        "ids": [ids[i] for i in facilities_of(ask, service)],
        "groups": {name: words.group(name) for name in run.city.cells.groups},
        "attributes": {name: words.attribute(name) for name in _ATTRIBUTES},
        "owners": {name: ask.say(f"desk_owner_{name}") for name in _OWNERS},
        "ops": {op: ask.say(f"desk_op_{op}") for op in EDIT_OPS},
        "hints": {op: ask.say(f"desk_hint_{op}") for op in EDIT_OPS},
        "kinds": {kind: ask.say(f"desk_kind_{kind}") for kind in EDIT_WAYS},
        "loads": {state: words.load(state) for state in _LOADS},
        "rule": {state: words.rule(state) for state in RULE_STATES},
        "verdicts": {state: words.verdict(state) for state in _VERDICTS},
        "units": {} if card is None else units_document(card),
        "not_assessed": words.not_assessed,
        "words": _said(ask),
    }


def _said(ask: Ask) -> dict[str, str]:
    """Every text of the desk by its bare name, with places for what the scripts fill in."""
    slots = {name: "{" + name + "}" for name in _SLOTS}
    names = (key.removeprefix(_PREFIX) for key in TEXTS.keys() if key.startswith(_PREFIX))  # noqa: SIM118
    return {name: ask.say(f"desk_{name}", **slots) for name in names}

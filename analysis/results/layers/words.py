"""Which columns of a layer hold one of a closed list of words, and which words these are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, get_args

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.city.residents.dasymetric import SPREAD_METHODS
from lifecircle.analysis.measures.catchments import catchments
from lifecircle.analysis.measures.catchments.capacity import BASES
from lifecircle.analysis.measures.gaps.cells import REASONS
from lifecircle.analysis.measures.siting.objectives import Objective
from lifecircle.analysis.readers.records.aliases import known_values
from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.model import Run

SOLUTIONS: Final = ("natural", "balanced")
COMPLETENESS: Final = ("complete", "incomplete")
CLASSES: Final = ("urban", "rural")
# columns of facilities: the list of words that is known of each; a table may hold other words
FACILITY_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"ownership": "ownership", "level": "facility_level"}
)
MOST_OTHER: Final = 100  # words of a table beside the known ones; with more it is no list


def with_words(columns: Iterable[Column], run: Run, layer: str) -> tuple[Column, ...]:
    """The columns, each that holds words of a list with that list."""
    return tuple(replace(one, words=_words(one.name, run, layer)) for one in columns)


def _known_and_held(field: str, held: StrArray) -> tuple[str, ...]:
    """The words known of a field, then the others a run holds, sorted; none where it is no list."""
    known = dict.fromkeys(known_values(field).values())
    others = sorted({str(one) for one in held if one is not None} - set(known))
    return (*known, *others) if len(others) <= MOST_OTHER else ()


def _words(name: str, run: Run, layer: str) -> tuple[str, ...]:
    policy = run.policy
    if name == "service":
        held = run.city.facilities.service_ids if layer == "facilities" else ()
        return tuple(dict.fromkeys((*policy.services, *held)))
    if layer in ("units", "circles") and name == "level":
        return tuple(run.city.units.levels)
    if layer == "cells" and name in {f"circle_{kind}" for kind in policy.circles}:
        return COMPLETENESS
    if layer == "facilities" and name in FACILITY_WORDS:
        return _known_and_held(FACILITY_WORDS[name], run.city.facilities.texts(name))
    fixed = {
        ("units", "class"): CLASSES,
        ("units", "spread_method"): SPREAD_METHODS,
        ("gaps", "reason"): REASONS,
        ("circles", "kind"): tuple(policy.circles),
        ("catchments", "solution"): SOLUTIONS,
        ("catchments", "state"): get_args(catchments.State),
        ("catchments", "basis"): BASES,
        ("proposals", "objective"): get_args(Objective),
        ("proposals", "walker"): tuple(policy.walkers),
    }
    return fixed.get((layer, name), ())

"""Which columns of a layer hold one of a closed list of words, and which words these are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, get_args

from lifecircle.analysis.measures.catchments import catchments
from lifecircle.analysis.measures.gaps.cells import REASONS
from lifecircle.analysis.measures.siting.result import Objective
from lifecircle.analysis.results.columns import Column
from lifecircle.analysis.results.model import Run

SOLUTIONS: Final = ("natural", "balanced")
COMPLETENESS: Final = ("complete", "incomplete")
CLASSES: Final = ("urban", "rural")


def with_words(columns: Iterable[Column], run: Run, layer: str) -> tuple[Column, ...]:
    """The columns, each that holds words of a list with that list."""
    return tuple(replace(one, words=_words(one.name, run, layer)) for one in columns)


def _words(name: str, run: Run, layer: str) -> tuple[str, ...]:
    policy = run.policy
    if name == "service":
        held = run.city.facilities.service_ids if layer == "facilities" else ()
        return tuple(dict.fromkeys((*policy.services, *held)))
    if layer in ("units", "circles") and name == "level":
        return tuple(run.city.units.levels)
    if layer == "cells" and name in {f"circle_{kind}" for kind in policy.circles}:
        return COMPLETENESS
    fixed = {
        ("units", "class"): CLASSES,
        ("gaps", "reason"): REASONS,
        ("circles", "kind"): tuple(policy.circles),
        ("catchments", "solution"): SOLUTIONS,
        ("catchments", "state"): get_args(catchments.State),
        ("proposals", "objective"): get_args(Objective),
        ("proposals", "walker"): tuple(policy.walkers),
    }
    return fixed.get((layer, name), ())

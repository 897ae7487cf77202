"""Readings and scorecards of a test's own, written as the packaged ones are: in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from lifecircle.analysis.city.model import WHOLE_AREA, City, Statistics
from lifecircle.analysis.measures.scorecard.card import EVALUATORS, checked_settings
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import Outcome
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.policy.faults import Blame
from lifecircle.analysis.policy.files import Joined
from lifecircle.analysis.policy.scorecard import scorecard_of
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.readers.records.attributes import restored_attribute
from tests.worlds.parts import Place, study_of, texts
from tests.worlds.tiny import TINY_PLACES, tiny_city, walks

NEAR = 600 / 1910  # c1, c2, c3 walk 370, 470 and 970 m to h1; c4 walks 2,070
HEALTH = 'any_of = ["health_centre"]'

HEAD = """
[sources]
plan = "a plan"
[figures]
five = { value = 5, source = "plan", clause = "x", confidence = "interpretation" }
fifteen = { value = 15, source = "plan", clause = "x", confidence = "interpretation" }
half = { value = 0.5, source = "plan", clause = "x", confidence = "interpretation" }
one = { value = 1, source = "plan", clause = "x", confidence = "interpretation" }
two = { value = 2, source = "plan", clause = "x", confidence = "interpretation" }
hundred = { value = 100, source = "plan", clause = "x", confidence = "interpretation" }
many = { value = 450, source = "plan", clause = "x", confidence = "interpretation" }
far = { value = 10000, source = "plan", clause = "x", confidence = "interpretation" }
[class_of_level]
subdistrict = "urban"
[judging]
walk = "$walk"
residents = "$population"
[settings.walk]
zh = "x"
en = "x"
default = "ceiling"
choices = { ceiling = { zh = "x", en = "x" }, floor = { zh = "x", en = "x" } }
[settings.population]
zh = "x"
en = "x"
default = "cells"
choices = { cells = { zh = "x", en = "x" }, units = { zh = "x", en = "x" } }
[settings.catchment]
zh = "x"
en = "x"
default = "open"
choices = { open = { zh = "x", en = "x" }, closed = { zh = "x", en = "x" } }
[readings.U]
zh = "U"
en = "U"
[rows.X]
zh = "x"
en = "x"
phrases = [{ section = "三", text = "x" }]
numbers = []
unit = "fraction"
scope = { units = [{ level = "community" }] }
headline = "U"
[rows.X.readings]
"""


@cache
def _policy() -> Policy:
    return load_policy()


def card(readings: str) -> Scorecard:
    """A scorecard of one row X with some readings, unchecked."""
    content = tomllib.loads(HEAD + readings)
    return scorecard_of("x", Joined(Blame("x.toml"), content, ""), None)


def ground(
    city: City | None = None, readings: str = 'U = { kind = "drive" }', **settings: Any
) -> Ground:
    """A ground under the drawn city."""
    held = tiny_city() if city is None else city
    policy = _policy()
    scorecard = card(readings)
    return Ground(
        study_of(held, policy, travel=walks(held, tuple(policy.services))),
        scorecard,
        checked_settings(scorecard, {}) | settings,
        "adult",
        None,
    )


def outcome(reading: str, city: City | None = None, **settings: Any) -> Outcome:
    """What a reading comes to over the drawn city; `reading` as in a scorecard file."""
    readings = f"U = {{ {reading} }}"
    floor = ground(city, readings, **settings)
    one = floor.scorecard.rows["X"].readings["U"]
    return EVALUATORS[one.kind](floor, one)


def with_statistics(
    city: City, rows: Sequence[tuple[str, str, float] | tuple[str, str, float, int]]
) -> City:
    """The city with figures of units: (code or ``area``, attribute, value[, year])."""
    code = {one: i for i, one in enumerate(city.units.code)}
    filled = [(*row, None)[:4] for row in rows]
    ordered = sorted(filled, key=lambda row: (row[1], code.get(row[0], WHOLE_AREA), row[3] or 0))
    return replace(
        city,
        statistics=Statistics(
            unit=np.array([code.get(row[0], WHOLE_AREA) for row in ordered], dtype=np.int32),
            attribute=texts([row[1] for row in ordered]),
            value=np.array([row[2] for row in ordered], dtype=np.float64),
            year=Counts.listed(row[3] for row in ordered),
            source=texts(["test"] * len(ordered)),
        ),
    )


def with_column(city: City, name: str, values: Mapping[str, object]) -> City:
    """The city with one column of facilities, by facility id; the others are unknown."""
    places = city.facilities
    column = restored_attribute(name, (values.get(str(one)) for one in places.id))
    return replace(city, facilities=replace(places, attributes={**places.attributes, name: column}))


def left(found: Outcome, state: int = 0) -> int:
    assert found.atoms is not None
    return int(np.count_nonzero(found.atoms.state == state))


def places(*more: Place) -> City:
    return tiny_city(places=(*TINY_PLACES, *more))

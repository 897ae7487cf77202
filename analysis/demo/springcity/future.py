"""Springcity after today: residents of 2028 and 2030, and who moves into its new estates when."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.demo.springcity.facts import NOW
from lifecircle.analysis.demo.springcity.plan import MARK_ZH, Plan
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.quantities import IntArray

LATER: Final = (2028, 2030)
_GROWN: Final = (1.0, 1.12)  # residents of a cell in 2030, of those in 2025
_BY_2028: Final = 0.6  # of that growth
_BESIDE: Final = 0.0001  # degrees from the middle of the cell: two rows are two places
_OLDER, _CHILDREN = 1.25, 0.9  # in 2030, of those in 2025
_MOVING: Final = ((2027, 0.25), (2029, 0.25), (2031, 0.25))
"""Year of moving in and new residents, of an estate's residents of 2025; the estates in turn."""


@dataclass(frozen=True, slots=True)
class Moving:
    """People who will move into a new estate: beside its cell `near`, from `year` on."""

    estate: str
    near: int
    year: int
    residents: int


@dataclass(frozen=True, slots=True)
class Future:
    """Residents of the cells (c,) in each year, children and older ones too, and who moves in."""

    residents: dict[int, IntArray]
    children: dict[int, IntArray]
    older: dict[int, IntArray]
    moving: tuple[Moving, ...]


def people_after(plan: Plan, people: People) -> Future:
    """Today's cells in 2025, 2028 and 2030, and the new residents of the estates."""
    grown = plan.rng("future").uniform(*_GROWN, len(people.id))
    last = np.round(people.residents * grown).astype(np.int64)
    some = people.residents + np.floor((last - people.residents) * _BY_2028).astype(np.int64)
    residents = dict(zip((NOW, *LATER), (people.residents, some, last), strict=True))
    older, children = {NOW: people.older}, {NOW: people.children}
    for year, share in zip(LATER, (_BY_2028, 1.0), strict=True):
        more, fewer = 1 + (_OLDER - 1) * share, 1 + (_CHILDREN - 1) * share
        older[year] = np.minimum(residents[year], np.round(people.older * more).astype(np.int64))
        children[year] = np.minimum(
            residents[year] - older[year], np.round(people.children * fewer).astype(np.int64)
        )
    return Future(residents, children, older, tuple(_moving(people)))


def _moving(people: People) -> Iterator[Moving]:
    estates = people.member["new_estate"].astype(str)
    codes = sorted({code for code in people.member["new_estate"] if code is not None})
    for number, code in enumerate(codes):
        here = np.flatnonzero(estates == code)
        year, share = _MOVING[number % len(_MOVING)]
        more = int(people.residents[here].sum() * share)
        near = int(here[int(np.argmax(people.residents[here]))])
        yield Moving(code, near, year, more)


def write_years(path: Path, people: People, future: Future) -> None:
    """Points with residents of each year in columns of their own (``population_2030`` ...)."""
    years = tuple(future.residents)
    heads = [f"{name}_{year}" for year in years for name in ("population", "pop_0_3", "pop_65")]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["id", "lon", "lat", *heads, "move_in_year", "source"])
        for k in range(len(people.id)):
            told = [
                held[year][k]
                for year in years
                for held in (future.residents, future.children, future.older)
            ]
            lon, lat = (f"{degree:.7f}" for degree in people.lonlat[k])
            writer.writerow([people.id[k], lon, lat, *told, "", MARK_ZH])
        for one in future.moving:
            lon, lat = (f"{degree:.7f}" for degree in people.lonlat[one.near] + _BESIDE)
            told = [number for _ in years for number in (one.residents, 0, 0)]
            writer.writerow([f"new/{one.estate}", lon, lat, *told, one.year, MARK_ZH])

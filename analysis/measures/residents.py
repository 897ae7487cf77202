"""Persons of cells and units: of a group, judged by a service, summed, and where unknown."""

from __future__ import annotations

from typing import Final

import numpy as np

from lifecircle.analysis.city.model import Cells, City
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.names import TOTAL, group_words
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import Int32Array, IntArray
from lifecircle.analysis.unknown_names import find_id, unknown

NOBODY_COUNTED: Final = Warn("nobody_counted")


def need_residents(*cities: City) -> None:
    """Refuse a question that only numbers of residents can answer, where nobody is counted.

    Raises
    ------
    ParameterError : nobody knows how many people live in one of the areas.
    """
    if not all(city.cells.counted for city in cities):
        raise ParameterError(NOBODY_COUNTED.key)


def persons_of(cells: Cells, group: str) -> IntArray:
    """Persons of a group in every cell, int64 (c,); ``total`` is all residents."""
    if group == TOTAL:
        return cells.residents
    if group in cells.groups:
        return cells.groups[group].value
    words = group_words(cells)
    found = find_id(group, words)
    if found is None:
        raise unknown("unknown_group", group, (TOTAL, *cells.groups), words)
    return cells.residents if found == TOTAL else cells.groups[found].value


def judged_persons(study: Study, service: str, group: str) -> IntArray:
    """Persons of a group in every cell, int64 (c,), those of whom a service is not assessed 0."""
    persons, judged = persons_of(study.city.cells, group), study.judged(service)
    if judged.everywhere:
        return persons
    counted: IntArray = np.where(judged.cell, persons, 0)
    return counted


def sums_by(
    index: Int32Array | IntArray,
    units: int,
    persons: IntArray,
    chosen: np.ndarray | None = None,
) -> IntArray:
    """Persons per unit, int64 (units,): exact (whole numbers below 2**53 add exactly)."""
    keep = index >= 0 if chosen is None else (index >= 0) & chosen
    summed = np.bincount(index[keep], weights=persons[keep], minlength=units)
    return summed.astype(np.int64)


def unknown_units(city: City, level: str) -> np.ndarray:
    """Bool (k,): units without a known number of residents and without any cell at a level.

    All of them where nobody is counted.
    """
    if not city.cells.counted:
        return np.ones(len(city.units.code), dtype=np.bool_)
    index = city.cells.unit[level]
    peopled = np.bincount(index[index >= 0], minlength=len(city.units.code)) > 0
    unknown_total: np.ndarray = ~(city.units.residents.known | peopled)
    return unknown_total

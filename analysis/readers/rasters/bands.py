"""Age bands of one product summed into residents and groups, pixel by pixel.

Source: WorldPop, age and sex structures: bands 0, 1-4, 5-9 ... of women and men, the last open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import FloatArray, IntArray
from lifecircle.analysis.readers.rasters.pixels import Pixels
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.texts import listed

Bands = dict[tuple[str | None, int], Pixels]  # by sex and the age they begin with

_EVERY: Final = (0, 1, *range(5, 85, 5))  # bands of every release; newer ones have these too:
_NEWER: Final = (85, 90)
_OLD: Final = 65
_OF_1_TO_4: Final = 0.75  # ages 1, 2, 3 of the four years of a band
_NAMED: Final = 6


def sum_bands(read: Sequence[Pixels], found: Findings) -> Pixels:
    """One raster of residents with groups from age bands, or the only one there is.

    Residents are those of the raster of all of them where one is given, else the sum of all
    bands of both sexes. Group ``0_3`` is band 0 and three quarters of band 1-4, ``65`` the bands
    from 65 on, each only where no band of it is missing.

    Raises
    ------
    InputError : rasters of different grids or years, or not known by their names; a band twice; one
        band missing without the raster of all residents.
    """
    bands = {
        (one.product.sex, one.product.age): one
        for one in read
        if one.product is not None and one.product.age is not None
    }
    if len(read) == 1 and not bands:
        return read[0]
    whole = [one for one in read if one.product is None or one.product.age is None]
    _check_together(read, whole, len(bands), found)
    missing = _missing(bands, _ages_of(bands))
    if missing and not whole:
        first = next(iter(bands.values())).product
        assert first is not None
        if len(read) == 1:
            found.add("raster_band_alone", product=first.title())
        else:
            named = listed([*missing[:_NAMED], *(["..."] if len(missing) > _NAMED else [])])
            found.add("raster_bands_missing", count=len(missing), bands=named)
    found.stop_on_errors()
    return _add_up(read, whole, bands, found)


def _check_together(
    read: Sequence[Pixels], whole: Sequence[Pixels], bands: int, found: Findings
) -> None:
    if len(whole) > 1 or bands + len(whole) != len(read):
        found.add("raster_several", files=listed(one.file for one in read[:_NAMED]))
        found.stop_on_errors()
    first = read[0]
    for one in read[1:]:
        if one.grid.is_other(first.grid):
            found.add("raster_grids", one=first.file, other=one.file)
            break
    years = {one.product.year for one in read if one.product is not None}
    if len(years - {None}) > 1:
        found.add("raster_years", years=", ".join(str(year) for year in sorted(years, key=str)))
    found.stop_on_errors()


def _ages_of(bands: Bands) -> tuple[int, ...]:
    """The bands there have to be: those of a newer release where one of its own is there."""
    newer = any(age in _NEWER for _, age in bands)
    return (*_EVERY, *_NEWER) if newer else _EVERY


def _missing(bands: Bands, ages: Sequence[int]) -> list[str]:
    """Bands of an age that are not there, as ``f_65``; ``t`` stands for both sexes."""
    lacking = []
    for age in ages:
        if ("t", age) not in bands:
            lacking += [f"{sex}_{age}" for sex in "fm" if (sex, age) not in bands]
    return lacking


def _add_up(
    read: Sequence[Pixels],
    whole: Sequence[Pixels],
    bands: Bands,
    found: Findings,
) -> Pixels:
    ages = _ages_of(bands)
    index = np.unique(np.concatenate([one.index for one in read]))

    def total(parts: Sequence[Pixels], weight: float = 1.0) -> FloatArray:
        summed = np.zeros(len(index))
        for one in parts:
            summed[np.searchsorted(index, one.index)] += weight * one.persons
        return summed

    def of_age(*wanted: int) -> list[Pixels]:
        both = [bands["t", age] for age in wanted if ("t", age) in bands]
        alone = [age for age in wanted if ("t", age) not in bands]
        return both + [bands[sex, age] for age in alone for sex in "fm" if (sex, age) in bands]

    groups: dict[str, FloatArray] = {}
    if not _missing(bands, (0, 1)):
        groups["0_3"] = total(of_age(0)) + total(of_age(1), _OF_1_TO_4)
        found.add("raster_band_1_4", severity="warning")
    old = [age for age in ages if age >= _OLD]
    if not _missing(bands, old):
        groups["65"] = total(of_age(*old))
    persons = total(whole or of_age(*ages))
    first = next(iter(bands.values())).product
    assert first is not None
    product = replace(first, age=None, sex=None)
    return _without_empty(replace(read[0], product=product), index, persons, groups)


def _without_empty(
    like: Pixels, index: IntArray, persons: FloatArray, groups: dict[str, FloatArray]
) -> Pixels:
    """Pixels with residents; a group is nowhere more than they are."""
    kept = persons > 0
    held = {name: np.minimum(one, persons)[kept] for name, one in groups.items()}
    return Pixels(like.file, like.grid, index[kept], persons[kept], held, like.product)

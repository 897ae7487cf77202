"""What a checker looks at beside what a reader refuses: cells that read well and mean nothing.

Each function notes faults row by row. None of them changes a value, and none is asked when an
area is built: they are for the person who fills in the table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import numpy as np

from lifecircle.analysis.quantities import BoolArray, FloatArray, ObjectArray
from lifecircle.analysis.readers.checker.near_repeats import (
    find_near_repeats,
    metres_apart,
    span_metres,
)
from lifecircle.analysis.readers.records.aliases import fold, known_values
from lifecircle.analysis.readers.records.cells import (
    Uncalculated,
    group_rows,
    is_absent,
    is_sheet_error,
    read_numbers,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import Column, refuse_rounded_codes
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.readers.records.records import Records

# Below are the limits of plausibility of a checker; they move no figure and refuse no file.
NEAR_M: Final = 25.0  # two rows of one name and type this near may be one place
FAR_KM: Final = 50.0  # farther than this from the middle of the file, and ten times what is usual
FAR_TIMES: Final = 10.0
SHARED_BY: Final = 3  # so many differently named places on one spot are doubted
FEW_DECIMALS: Final = 4  # of a degree: 3 decimals are about 100 m
LARGEST_AREA_M2: Final = 1_000_000.0
LARGEST_CAPACITY: Final = 1_000_000.0
CODE_LENGTHS: Final = (6, 9, 12)
_CODES_SHARE: Final = 0.5  # of the codes: more of them are division codes, and all have to be

AREAS: Final = ("built_area", "indoor_area", "outdoor_area", "activity_area")
WHOLE: Final = ("beds", "places", "capacity")
_PARTS: Final = ("indoor_area", "activity_area")
_TIME = re.compile(r"(\d{1,2})\s*[::点时]\s*(\d{1,2})?")
_HIDDEN = re.compile(r"[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u2028-\u202f\ufeff\n\r\t]")
_ALWAYS_OPEN: Final = ("24/7", "24小时", "全天", "24h", "dawn", "dusk", "sunrise", "sunset", "off")


def check_cells(records: Records, found: Findings) -> None:
    """Errors of a spreadsheet and signs nobody sees, in any cell of text.

    An error in a column that is used is a fault of the reader already.
    """
    for column in records.columns:
        said = [cell if isinstance(cell, str) else "" for cell in column.values]
        broken = np.array([is_sheet_error(cell) for cell in said], np.bool_)
        found.each("input_cell_error", broken, severity="warning", column=column.title,
                   values=column.values)  # fmt: skip
        empty = np.array([isinstance(cell, Uncalculated) for cell in said], np.bool_)
        found.each("input_cell_formula", empty, severity="warning", column=column.title,
                   values=column.values)  # fmt: skip
        hidden = np.array([_HIDDEN.search(cell.strip(" ")) is not None for cell in said], np.bool_)
        found.each("check_hidden_signs", hidden, severity="warning", column=column.title)


def check_codes(column: Column | None, found: Findings) -> None:
    """Division codes: not rounded by a spreadsheet, digits only, 6, 9 or 12 of them."""
    if column is None:
        return
    said = [None if t is None else _make_half_width(t) for t in read_texts(column.values)]
    damaged = refuse_rounded_codes(column, found)
    rest = [t for t, bad in zip(said, damaged, strict=True) if t is not None and not bad]
    sound = [t for t in rest if t.isdigit() and len(t) in CODE_LENGTHS]
    if not rest or len(sound) <= _CODES_SHARE * len(rest):
        return
    wrong = np.array(
        [
            t is not None and not bad and not (t.isdigit() and len(t) in CODE_LENGTHS)
            for t, bad in zip(said, damaged, strict=True)
        ],
        np.bool_,
    )
    found.each(
        "check_code_length", wrong, severity="warning", column=column.title, values=column.values
    )


def check_words(picked: Mapping[str, Column], found: Findings) -> None:
    """Ownership: words that are understood (yes and no are looked at by the reader)."""
    known = {fold(w) for w in known_values("ownership")}
    _check_words(picked.get("ownership"), known, "check_ownership_word", found)


def check_hours(column: Column | None, found: Findings) -> None:
    """Opening hours: at least one time of day, and none that no clock shows."""
    if column is None:
        return
    said = [
        None if t is None else unicodedata.normalize("NFKC", t) for t in read_texts(column.values)
    ]
    times = [[] if t is None else _TIME.findall(t) for t in said]
    wrong = np.array(
        [any(int(h) > 24 or int(m or 0) > 59 for h, m in one) for one in times], np.bool_
    )
    found.each(
        "check_hours_impossible",
        wrong,
        severity="warning",
        column=column.title,
        values=column.values,
    )
    silent = np.array(
        [
            t is not None and not one and not any(word in t.casefold() for word in _ALWAYS_OPEN)
            for t, one in zip(said, times, strict=True)
        ],
        np.bool_,
    )
    found.each(
        "check_hours_unread", silent, severity="warning", column=column.title, values=column.values
    )


def check_measures(picked: Mapping[str, Column], found: Findings) -> None:
    """Areas, beds, places: not larger than can be, whole where counted, parts within the whole."""
    values = {
        field: read_numbers(picked[field].values) for field in (*AREAS, *WHOLE) if field in picked
    }
    for field, parsed in values.items():
        column = picked[field]
        number = np.where(parsed.known, parsed.value, 0.0)
        most = LARGEST_AREA_M2 if field in AREAS else LARGEST_CAPACITY
        found.each("check_measure_large", number > most, column=column.title,
                   values=column.values, severity="warning", most=most)  # fmt: skip
        if field in WHOLE:
            broken = (number > 0) & (np.abs(number - np.rint(number)) > 1e-6)
            found.each("check_measure_not_whole", broken, severity="warning", column=column.title,
                       values=column.values)  # fmt: skip
    whole = values.get("built_area")
    for field in _PARTS:
        part = values.get(field)
        if whole is None or part is None:
            continue
        more = part.known & whole.known & (whole.value > 0)
        more &= np.where(more, part.value > whole.value, False)
        found.each("check_part_larger", more, severity="warning", column=picked[field].title,
                   values=picked[field].values, whole=picked["built_area"].title)  # fmt: skip


def check_groups(picked: Mapping[str, Column], found: Findings) -> None:
    """Children and old people together are not more than all residents."""
    if not {"population", "pop_0_3", "pop_65"} <= set(picked):
        return
    whole, young, old = (
        read_numbers(picked[name].values) for name in ("population", "pop_0_3", "pop_65")
    )
    known = whole.known & young.known & old.known
    each = np.where(known, (young.value <= whole.value) & (old.value <= whole.value), False)
    more = each & np.where(known, young.value + old.value > whole.value, False)
    title = f"{picked['pop_0_3'].title}, {picked['pop_65'].title}"
    found.each("check_groups_more", more, column=title, total=picked["population"].title)


def check_precision(picked: Mapping[str, Column], degrees: BoolArray, found: Findings) -> None:
    """Coordinates in degrees with too few decimals to tell one street from the next."""
    if not {"lon", "lat"} <= set(picked):
        return
    lon, lat = picked["lon"], picked["lat"]
    few = np.array(
        [
            max(_decimals(a), _decimals(b)) < FEW_DECIMALS
            for a, b in zip(lon.values, lat.values, strict=True)
        ],
        np.bool_,
    )
    found.each(
        "check_coordinate_rough",
        few & degrees,
        severity="warning",
        column=f"{lon.title}, {lat.title}",
    )


def check_places(
    centre: FloatArray, names: ObjectArray | None, kinds: ObjectArray | None, where: str,
    found: Findings,
) -> None:  # fmt: skip
    """Places (degrees, NaN where none) far from all others, on one spot with others, or twice."""
    there: BoolArray = np.asarray(np.isfinite(centre).all(axis=1))
    _check_far(centre, there, where, found)
    if names is None or kinds is None:
        return
    there &= ~is_absent(names)
    spots = group_rows(
        (lon, lat) if held else None
        for (lon, lat), held in zip(centre.tolist(), there, strict=True)
    )
    shared = np.zeros(len(centre), np.bool_)
    for rows in spots.values():
        if len({fold(names[i]) for i in rows}) >= SHARED_BY:
            shared[rows] = True
    found.each("check_spot_shared", shared, severity="warning", column=where, count=SHARED_BY)
    groups = group_rows(
        (kind, fold(name)) if held else None
        for kind, name, held in zip(kinds, names, there, strict=True)
    )
    for later, earlier in find_near_repeats(centre, list(groups.values()), NEAR_M):
        found.add(
            "check_near_twice",
            severity="warning",
            row=int(found.rows[later]),
            metres=round(metres_apart(centre[later], centre[earlier]), 1),
            first_row=int(found.rows[earlier]),
        )


def _check_far(centre: FloatArray, there: BoolArray, where: str, found: Findings) -> None:
    if there.sum() < SHARED_BY:
        return
    middle = np.median(centre[there], axis=0)
    km = span_metres(centre - middle, float(middle[1])) / 1000
    usual = float(np.median(km[there]))
    far = there & (np.nan_to_num(km) > max(FAR_KM, FAR_TIMES * usual))
    for index in np.flatnonzero(far):
        found.add("check_far_away", severity="warning", row=int(found.rows[index]), column=where,
                  km=round(float(km[index])))  # fmt: skip


def _check_words(column: Column | None, known: set[str], key: str, found: Findings) -> None:
    if column is None:
        return
    said = read_texts(column.values)
    strange = np.array([t is not None and fold(t) not in known for t in said], np.bool_)
    found.each(key, strange, severity="warning", column=column.title, values=column.values)


def _make_half_width(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _decimals(cell: object) -> int:
    """Decimals of a number as written; many where it is none, so that nothing is said."""
    text = repr(float(cell)) if isinstance(cell, float) else str(cell).strip()
    text = unicodedata.normalize("NFKC", text)
    if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text):
        return FEW_DECIMALS
    return len(text.partition(".")[2].rstrip("0"))

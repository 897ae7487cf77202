"""Administrative and planning units from layers: one file per level, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import Counts, FloatArray, ObjectArray
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.aliases import fold
from lifecircle.analysis.readers.records.cells import (
    find_repeats,
    group_rows,
    is_absent,
    keep_where,
    no_texts,
    object_array,
    read_texts,
)
from lifecircle.analysis.readers.records.columns import (
    Column,
    pick_columns,
    read_persons,
    refuse_strange_cells,
)
from lifecircle.analysis.readers.records.coordinates.locate import locate
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.findings import LISTED, ROWS_NAMED, Findings
from lifecircle.analysis.readers.records.groups import read_groups
from lifecircle.analysis.readers.records.identifiers import order_by_code, read_plain
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.repair import repair_shapes
from lifecircle.analysis.readers.records.tables import UnitTable
from lifecircle.analysis.readers.tables.crowds import refuse_crowds
from lifecircle.analysis.readers.tables.heaps import refuse_heaped_units
from lifecircle.analysis.readers.tables.of_year import of_year
from lifecircle.analysis.readers.tables.unit_parts import UnitRows, join_parts
from lifecircle.analysis.texts import Title, first_of, listed, say_both
from lifecircle.analysis.whole_persons import Along, are_whole, round_people

PLAIN_LEVEL: Final = "unit"

_POLYGONS: Final = (3, 6)
_AT_ONCE: Final = 64  # units held against all others at a time: stacked ones would fill memory
_MOST_PAIRS: Final = 200_000  # neighbours looked at; a city has some thousands
_OVERLAP_SHARE: Final = 0.05  # of the smaller unit; less than that is how borders are drawn
_TEXTS: Final = ("code", "name", "name_en", "level", "unit_class", "parent_code")


@dataclass(frozen=True, slots=True)
class _Part:
    """The units of one file; their groups as far as the file has them."""

    file: str
    units: UnitRows


def read_units(
    paths: Sequence[Path],
    policy: Policy,
    declared: Declarations = SILENT,
    year: int | None = None,
) -> UnitTable:
    """Units of all levels from polygon files; two files of one level are joined.

    Parameters
    ----------
    paths
        Layers, or tables with a WKT column.
    policy
        Names the levels a `level` column may use.
    declared
        What is said of the files; a layer's own CRS counts as declared.
    year
        Whose residents are meant, where the columns name years (`of_year`).

    Raises
    ------
    InputError
        With every fault of every file.
    """
    opened: list[Records] = []
    faults = Findings("")
    for path in paths:
        try:
            opened.append(of_year(read_records(path, declared), year))
        except InputError as error:
            faults.take(error.faults)
    return units_of(opened, policy, faults)


def units_of(files: Sequence[Records], policy: Policy, found: Findings | None = None) -> UnitTable:
    """Units of files that are already open (see `read_units`); `found` holds earlier faults."""
    most = max((records.listed for records in files), default=LISTED)
    every = found if found is not None else Findings("", listed=most)
    parts: list[_Part] = []
    for records in files:
        mine = records.findings()
        label = f"{records.path.stem}-" if len(files) > 1 else ""
        parts.append(_read_part(records, policy, label, mine))
        every.merge(mine)
    every.stop_on_errors()
    texts = {name: np.concatenate([part.units.texts[name] for part in parts]) for name in _TEXTS}
    _refuse_repeats(parts, texts, every)
    every.stop_on_errors()
    where = Located.joined([part.units.where for part in parts])
    persons = np.concatenate([np.empty(0), *(part.units.persons for part in parts)])
    _look_at_land(parts, texts, persons, where, every)
    every.stop_on_errors()
    groups = sorted({name for part in parts for name in part.units.groups})
    held = {
        name: np.concatenate(
            [part.units.groups.get(name, np.full(len(part.units.rows), np.nan)) for part in parts]
        )
        for name in groups
    }
    residents, counts = _round_totals(persons, held, texts)
    return UnitTable(
        **texts,
        residents=residents,
        groups=counts,
        where=where,
        warnings=every.warnings(),
    )


def _read_part(records: Records, policy: Policy, label: str, found: Findings) -> _Part:
    picked = pick_columns(records.columns, "units", found)
    refuse_strange_cells(picked, found)
    located = locate(records, found)
    shapes = located.shapes
    wrong = ~shapely.is_missing(shapes) & ~np.isin(shapely.get_type_id(shapes), _POLYGONS)
    found.each("input_unit_not_polygon", wrong)
    if wrong.any():
        located = located.with_shapes(keep_where(shapes, ~wrong))
    located = repair_shapes(located, found)
    persons = np.full(len(records), np.nan)
    if "population" in picked:
        persons = read_persons(picked["population"], found, required=False)
        unknown = np.isnan(persons)
        if not unknown.all():
            found.remark("input_units_unknown", unknown, column=picked["population"].title)
        refuse_crowds(located, persons, picked["population"].title, found)
    texts = {
        "code": _read_codes(picked, records, label, found),
        "name": _read_names(picked.get("name"), records, found),
        "name_en": read_plain(picked.get("name_en"), records),
        "level": _read_levels(picked.get("level"), records, policy, found),
        "unit_class": _read_classes(picked.get("class"), records, found),
        "parent_code": read_plain(picked.get("parent_code"), records),
    }
    groups = read_groups(records, picked, persons, found)
    units = join_parts(UnitRows(records.rows, texts, persons, groups, located), found)
    return _Part(records.file, units)


def _round_totals(
    persons: FloatArray, groups: Mapping[str, FloatArray], texts: Mapping[str, ObjectArray]
) -> tuple[Counts, dict[str, Counts]]:
    """Whole totals of units and groups: a running sum over the units of a level by their codes."""
    if are_whole(persons, *groups.values()):
        counts = {name: Counts.of(one, ~np.isnan(one)) for name, one in groups.items()}
        return Counts.of(persons, ~np.isnan(persons)), counts
    value, held = persons.copy(), {name: one.copy() for name, one in groups.items()}
    for rows in group_rows(texts["level"]).values():
        members = np.array(rows)
        order = order_by_code(texts["code"][members])
        own = {name: one[members] for name, one in groups.items()}
        people, counts = round_people(persons[members], own, Along.listed(order))
        value[members[people.known]] = people.value[people.known]
        for name, one in counts.items():
            held[name][members[one.known]] = one.value[one.known]
    counts = {name: Counts.of(one, ~np.isnan(one)) for name, one in held.items()}
    return Counts.of(value, ~np.isnan(value)), counts


def _read_codes(
    picked: Mapping[str, Column], records: Records, label: str, found: Findings
) -> ObjectArray:
    """Codes of the units: their column, else an id column, else the row number."""
    column = picked.get("code")
    if column is None and "id" in picked:
        column = picked["id"]
        found.add("input_code_from_id", column=column.title, severity="warning")
    if column is None:
        found.add("input_code_from_row", severity="warning")
        return object_array([f"{label}{row}" for row in records.rows])
    codes = read_texts(column.values)
    found.each("input_code_blank", is_absent(codes), column=column.title)
    return codes


def _read_names(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    if column is None:
        found.add("input_name_missing", columns=records.titles)
        return no_texts(len(records))
    names = read_texts(column.values)
    found.each("input_name_blank", is_absent(names), column=column.title)
    return names


def _read_levels(
    column: Column | None, records: Records, policy: Policy, found: Findings
) -> ObjectArray:
    """Level ids of the policy; ``unit`` where nothing is said."""
    plain = object_array([PLAIN_LEVEL] * len(records))
    if column is None:
        found.add("input_level_missing", severity="warning")
        return plain
    words = records.words("level")
    words = {word: level for word, level in words.items() if level in policy.unit_levels}
    for level, title in policy.unit_levels.items():
        words |= {fold(name): level for name in (level, title.zh, title.en)}
    said = read_texts(column.values)
    blank = is_absent(said)
    levels = object_array([PLAIN_LEVEL if s is None else words.get(fold(s)) for s in said])
    found.remark("input_level_blank", blank, column=column.title)
    found.each(
        "input_level_unknown",
        is_absent(levels),
        column=column.title,
        values=column.values,
        known=", ".join(policy.unit_levels),
    )
    return np.where(is_absent(levels), plain, levels)


def _read_classes(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    """``urban``, ``rural`` or None; what is not understood is unknown, with a warning."""
    if column is None:
        found.add("input_class_missing", severity="warning")
        return no_texts(len(records))
    words = records.words("class")
    said = read_texts(column.values)
    classes = object_array([None if s is None else words.get(fold(s)) for s in said])
    found.remark("input_class_unknown", is_absent(classes), column=column.title)
    return classes


def _refuse_repeats(
    parts: Sequence[_Part], texts: Mapping[str, ObjectArray], found: Findings
) -> None:
    """A code may stand once in a level."""
    files = [part.file for part in parts for _ in range(len(part.units.rows))]
    rows = np.concatenate([part.units.rows for part in parts])
    for members in group_rows(texts["level"]).values():
        repeats, earlier = find_repeats(texts["code"][members])
        for index in np.flatnonzero(repeats).tolist():
            mine, first = members[index], members[earlier[index]]
            names = texts["name"][mine], texts["name"][first]
            one = Findings(files[mine])
            one.add(
                "input_code_twice" if names[0] == names[1] else "input_code_two_names",
                row=int(rows[mine]),
                value=texts["code"][mine],
                name=names[0],
                first_name=names[1],
                first_file=files[first],
                first_row=int(rows[first]),
            )
            found.merge(one)


def _look_at_land(
    parts: Sequence[_Part], texts: Mapping[str, ObjectArray], persons: FloatArray,
    where: Located, found: Findings,
) -> None:  # fmt: skip
    """Refuse heaps and sums of units, and warn about units of one level that share land."""
    files = [part.file for part in parts for _ in range(len(part.units.rows))]
    alike = len({(reading.crs, reading.datum) for reading in where.readings}) == 1
    every = where.shapes if alike else where.in_degrees()
    heaped = Findings(", ".join(dict.fromkeys(files)))
    refuse_heaped_units(every, group_rows(texts["level"]), heaped)
    found.merge(heaped)
    found.stop_on_errors()
    for level, members in group_rows(texts["level"]).items():
        names = texts["name"][members]
        one = Findings(", ".join(dict.fromkeys(files[i] for i in members)))
        found_pairs = find_overlaps(every[members])
        for outer, inner in _find_sums(every[members], persons[members], found_pairs[0]):
            one.add("input_unit_is_sum", severity="error", name=names[outer], level=level,
                    inner=first_of([str(names[i]) for i in inner], ROWS_NAMED))  # fmt: skip
        for key, pairs in zip(
            ("input_units_inside", "input_units_overlap"), found_pairs, strict=True
        ):
            if pairs:
                shown = _name_pairs(names, pairs)
                one.add(key, severity="warning", count=len(pairs), pairs=shown, level=level)
        found.merge(one)


def _find_sums(
    shapes: ObjectArray, persons: FloatArray, inside: Sequence[tuple[int, int]]
) -> list[tuple[int, list[int]]]:
    """Units with residents whose land others of their level hold, each with those others.

    Nobody can live in what is left of such a unit: it is the sum of the others.
    """
    held: dict[int, list[int]] = {}
    for inner, outer in inside:
        held.setdefault(outer, []).append(inner)
    return [
        (outer, inner)
        for outer, inner in held.items()
        if persons[outer] > 0
        and shapely.area(shapely.intersection(shapes[outer], shapely.union_all(shapes[inner])))
        >= plausible().inside_share.value * shapely.area(shapes[outer])
    ]


def _name_pairs(names: ObjectArray, pairs: Sequence[tuple[int, int]]) -> Title | str:
    """The first pairs by their names, and how many more there are."""
    told = [f"{names[i]} / {names[j]}" for i, j in pairs[:ROWS_NAMED]]
    more = len(pairs) - ROWS_NAMED
    if more <= 0:
        return ", ".join(told)
    return say_both("word_and_more", first=listed(told), count=more)


def find_overlaps(shapes: ObjectArray) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs of shapes of which one lies inside the other (that first), and others that overlap.

    Others share more than a sliver of the smaller one's area. Equal shapes lie in none.
    Of more than 200,000 pairs that touch at all only the first are looked at.
    """
    tree = shapely.STRtree(shapes)
    area = shapely.area(shapes)
    inside: list[tuple[int, int]] = []
    found: list[tuple[int, int]] = []
    looked_at = 0
    for start in range(0, len(shapes), _AT_ONCE):
        left, right = tree.query(shapes[start : start + _AT_ONCE], predicate="intersects")
        left = left + start
        once = left < right
        left, right = left[once], right[once]
        left, right = left[: _MOST_PAIRS - looked_at], right[: _MOST_PAIRS - looked_at]
        looked_at += len(left)
        shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
        smaller = np.minimum(area[left], area[right])
        within = (shared >= plausible().inside_share.value * smaller) & (area[left] != area[right])
        for i, j in zip(left[within].tolist(), right[within].tolist(), strict=True):
            inside.append((i, j) if area[i] < area[j] else (j, i))
        much = np.flatnonzero((shared > _OVERLAP_SHARE * smaller) & ~within)
        found += zip(left[much].tolist(), right[much].tolist(), strict=True)
        if looked_at >= _MOST_PAIRS:
            break
    return inside, found

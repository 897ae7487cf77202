"""Administrative and planning units from layers: one file per level, or one for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import BoolArray
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.columns import (
    Column,
    counts,
    duplicates,
    folded,
    objects,
    pick,
    texts,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declarations
from lifecircle.analysis.readers.records.findings import (
    ROWS_NAMED,
    Findings,
    ObjectArray,
    Table,
    absent,
    frame_of,
    kept,
)
from lifecircle.analysis.readers.records.locate import locate, repaired
from lifecircle.analysis.readers.records.population_groups import group_columns, nullable
from lifecircle.analysis.readers.records.records import Records

PLAIN_LEVEL: Final = "unit"

_POLYGONS: Final = (3, 6)
_MOST_PAIRS: Final = 200_000  # neighbours looked at; a city has some thousands
_OVERLAP_SHARE: Final = 0.05  # of the smaller unit; less than that is how borders are drawn


def read_units(
    paths: Sequence[Path],
    datum: str | None,
    policy: Policy,
    declared: Declarations = SILENT,
) -> Table:
    """Units of all levels from polygon files; two files of one level are joined.

    Parameters
    ----------
    paths
        Layers, or tables with a WKT column.
    datum
        Of bare WKT coordinates; a layer's own CRS counts as declared.
    policy
        Names the levels a `level` column may use.
    declared
        What else the user says of the files.

    Returns
    -------
    Table
        EPSG:4326; `code` str, `name`, `name_en`, `level`, `unit_class` (``urban``, ``rural``,
        None), `parent_code`, `residents` and groups as nullable Int64 (null = unknown, never 0),
        `geometry` valid polygons.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    opened: list[Records] = []
    faults = Findings("")
    for path in paths:
        try:
            opened.append(read_records(path, declared))
        except InputError as error:
            faults.take(error.faults)
    return units_of(opened, datum, policy, faults)


def units_of(
    files: Sequence[Records], datum: str | None, policy: Policy, found: Findings | None = None
) -> Table:
    """Units of files that are already open (see `read_units`); `found` holds earlier faults."""
    every = found if found is not None else Findings("")
    frames: list[pd.DataFrame] = []
    for records in files:
        mine = records.findings()
        label = f"{records.path.stem}-" if len(files) > 1 else ""
        frames.append(_one_file(records, datum, policy, label, mine))
        every.merge(mine)
    every.stop_on_errors()
    frame = pd.concat([_filled(one, frames) for one in frames], ignore_index=True)
    _refuse_duplicates(frame, every)
    every.stop_on_errors()
    _remark_overlaps(frame, every)
    plain = frame.drop(columns=["_file", "_row", "geometry"])
    return every.table(gpd.GeoDataFrame(plain, geometry=list(frame.geometry), crs="EPSG:4326"))


def _one_file(
    records: Records, datum: str | None, policy: Policy, label: str, found: Findings
) -> pd.DataFrame:
    picked = pick(records.columns, "units", found)
    shapes = locate(records, datum, found)
    wrong = ~absent(shapes) & ~np.isin(shapely.get_type_id(shapes), _POLYGONS)
    found.each("input_unit_not_polygon", wrong)
    shapes = repaired(kept(shapes, ~wrong), found)
    known: BoolArray = np.zeros(len(records), np.bool_)
    residents = np.zeros(len(records))
    if "population" in picked:
        residents, known = counts(picked["population"], found, required=False)
        unknown = ~known
        if known.any():
            found.remark("input_units_unknown", unknown, column=picked["population"].title)
    columns: dict[str, Any] = {
        "code": _codes(picked, records, label, found),
        "name": _names(picked.get("name"), records, found),
        "name_en": _plain(picked.get("name_en"), records),
        "level": _levels(picked.get("level"), records, policy, found),
        "unit_class": _classes(picked.get("class"), records, found),
        "parent_code": _plain(picked.get("parent_code"), records),
        "residents": nullable(residents, known),
    }
    columns |= group_columns(records, picked, residents, known, found)
    columns |= {"geometry": shapes, "_file": records.file, "_row": records.rows}
    return frame_of(columns)


def _filled(frame: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """A frame with the groups that only other files have, unknown there."""
    missing = {name for other in frames for name in other.columns} - set(frame.columns)
    blank = pd.array([None] * len(frame), dtype="Int64")
    return frame.assign(**dict.fromkeys(sorted(missing), blank))


def _plain(column: Column | None, records: Records) -> ObjectArray:
    """A column of text, None where blank or where there is no such column."""
    return objects([None] * len(records)) if column is None else texts(column.values)


def _codes(picked: dict[str, Column], records: Records, label: str, found: Findings) -> ObjectArray:
    """Codes of the units: their column, else an id column, else the row number."""
    column = picked.get("code")
    if column is None and "id" in picked:
        column = picked["id"]
        found.add("input_code_from_id", column=column.title, severity="warning")
    if column is None:
        found.add("input_code_from_row", severity="warning")
        return objects([f"{label}{row}" for row in records.rows])
    codes = texts(column.values)
    found.each("input_code_blank", absent(codes), column=column.title)
    return codes


def _names(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    if column is None:
        found.add("input_name_missing", columns=records.titles)
        return objects([None] * len(records))
    names = texts(column.values)
    found.each("input_name_blank", absent(names), column=column.title)
    return names


def _levels(
    column: Column | None, records: Records, policy: Policy, found: Findings
) -> ObjectArray:
    """Level ids of the policy; ``unit`` where nothing is said."""
    plain = objects([PLAIN_LEVEL] * len(records))
    if column is None:
        found.add("input_level_missing", severity="warning")
        return plain
    words = records.words("level")
    words = {word: level for word, level in words.items() if level in policy.unit_levels}
    for level, title in policy.unit_levels.items():
        words |= {folded(name): level for name in (level, title.zh, title.en)}
    said = texts(column.values)
    blank = absent(said)
    levels = objects([PLAIN_LEVEL if s is None else words.get(folded(s)) for s in said])
    found.remark("input_level_blank", blank, column=column.title)
    found.each(
        "input_level_unknown",
        absent(levels),
        column=column.title,
        values=column.values,
        known=", ".join(policy.unit_levels),
    )
    return np.where(absent(levels), plain, levels)


def _classes(column: Column | None, records: Records, found: Findings) -> ObjectArray:
    """``urban``, ``rural`` or None; what is not understood is unknown, with a warning."""
    if column is None:
        found.add("input_class_missing", severity="warning")
        return objects([None] * len(records))
    words = records.words("class")
    said = texts(column.values)
    classes = objects([None if s is None else words.get(folded(s)) for s in said])
    found.remark("input_class_unknown", absent(classes), column=column.title)
    return classes


def _refuse_duplicates(frame: pd.DataFrame, found: Findings) -> None:
    """A code may stand once in a level."""
    for level in frame["level"].unique():
        group = frame[frame["level"] == level]
        repeats, earlier = duplicates(group["code"].to_numpy(dtype=object))
        for index in np.flatnonzero(repeats):
            mine, first = group.iloc[index], group.iloc[earlier[int(index)]]
            one = Findings(str(mine["_file"]))
            one.add(
                "input_code_twice",
                row=int(mine["_row"]),
                value=mine["code"],
                first_file=first["_file"],
                first_row=int(first["_row"]),
            )
            found.merge(one)


def _remark_overlaps(frame: pd.DataFrame, found: Findings) -> None:
    """Warn about units of one level that share more than a sliver of land."""
    for level in frame["level"].unique():
        group = frame[frame["level"] == level]
        shapes = group["geometry"].to_numpy(dtype=object)
        left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        once = left < right
        left, right = left[once][:_MOST_PAIRS], right[once][:_MOST_PAIRS]
        if len(left) == 0:
            continue
        shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
        smaller = np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
        much = np.flatnonzero(shared > _OVERLAP_SHARE * smaller)
        if len(much) == 0:
            continue
        names = group["name"].to_numpy(dtype=object)
        pairs = [f"{names[left[k]]} / {names[right[k]]}" for k in much[:ROWS_NAMED]]
        one = Findings(", ".join(dict.fromkeys(group["_file"])))
        one.add(
            "input_units_overlap",
            severity="warning",
            count=len(much),
            pairs=", ".join(pairs),
            level=level,
        )
        found.merge(one)

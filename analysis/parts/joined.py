"""The answers of all parts laid together, as if the map had been read at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.city.residents.part_spread import PartSpread
from lifecircle.analysis.parts.answer import FRAMES, read_answer
from lifecircle.analysis.parts.cutting import part_count
from lifecircle.analysis.parts.working import part_folder
from lifecircle.analysis.readers.osm.incomplete import Incomplete
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.tables import FROM_OSM, FacilityTable


@dataclass(frozen=True, slots=True)
class Joined:
    """What the parts of an area found; nothing where it is built at once.

    `houses`: ids of all buildings.
    """

    places: OsmPlaces | None = None
    houses: StrArray | None = None
    spreads: tuple[PartSpread, ...] = ()


def join_parts(folder: Path) -> Joined:
    """What all parts of a cut area answered.

    Raises
    ------
    OSError : the answer of a part is not there.
    """
    answers = [read_answer(part_folder(folder, i)) for i in range(part_count(folder))]
    every = [answer.places for answer in answers]
    frames = {name: _join_frames([getattr(one, name) for one in every]) for name in FRAMES}
    places = OsmPlaces(
        _join_tables([one.facilities for one in every]),
        **frames,
        incomplete=tuple(sorted((lost for one in every for lost in one.incomplete), key=_place)),
    )
    return Joined(
        places,
        object_array(sorted(house for answer in answers for house in answer.houses)),
        tuple(answer.spread for answer in answers if answer.spread is not None),
    )


def _place(lost: Incomplete) -> tuple[bool, int]:
    """Where a thing stands in a file in order: ways by id, then relations."""
    kind, _, number = lost.id.partition("/")
    return kind == "relation", int(number)


def _join_frames(frames: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    held = [frame for frame in frames if len(frame)] or [frames[0]]
    joined = pd.concat(held, ignore_index=True)
    order = np.argsort(joined["id"].to_numpy().astype(str), kind="stable")
    return joined.iloc[order].reset_index(drop=True)


def _join_tables(tables: Sequence[FacilityTable]) -> FacilityTable:
    """Rows by the id of their thing; those of one thing stand in one part, in their order."""

    def joined(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(list(values))

    ids = joined([table.id for table in tables])
    order = np.array(sorted(range(len(ids)), key=lambda row: str(ids[row])), dtype=np.int64)
    shapes = joined([table.where.shapes for table in tables])[order]
    return FacilityTable(
        id=ids[order],
        service=joined([table.service for table in tables])[order],
        name=joined([table.name for table in tables])[order],
        source=joined([table.source for table in tables])[order],
        attributes={
            name: joined([table.attributes[name] for table in tables])[order]
            for name in tables[0].attributes
        },
        where=Located.of_degrees(shapes, FROM_OSM),
        rows=np.arange(1, len(ids) + 1, dtype=np.int64),
    )

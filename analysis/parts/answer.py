"""What a part answers, as files that any machine can write and another read.

::

    PART/facilities.parquet, residential.parquet ...   the things it answers for
    PART/cells.parquet    residents of its units, where they are spread
    PART/answer.json      the rest; it is written last, and without it there is no answer
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.notes import Spread
from lifecircle.analysis.city.residents.dasymetric import SpreadResult
from lifecircle.analysis.city.residents.part_spread import PartSpread
from lifecircle.analysis.city.residents.population import CellSeed
from lifecircle.analysis.quantities import Counts
from lifecircle.analysis.readers.osm.incomplete import Incomplete
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.analysis.readers.records.tables import FROM_OSM, FacilityTable
from lifecircle.analysis.writing import write_aside

FRAMES: Final = ("buildings", "residential", "boundaries", "not_open", "no_homes")
_ANSWER: Final = "answer.json"
_CRS: Final = "EPSG:4326"
_OF_TABLE: Final = ("id", "service", "name", "source")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part found: its places, `houses` (ids of buildings), residents of its units.

    Where residents are spread the frame of buildings is empty: nobody asks for them again.
    """

    places: OsmPlaces
    houses: tuple[str, ...]
    spread: PartSpread | None


def is_answered(folder: Path) -> bool:
    """Whether the folder of a part holds its answer."""
    return (folder / _ANSWER).is_file()


def write_answer(answer: Answer, folder: Path) -> None:
    """Write all files of a part's answer, the one that counts last."""
    folder.mkdir(parents=True, exist_ok=True)
    places = answer.places
    for name in FRAMES:
        _write(folder / f"{name}.parquet", getattr(places, name))
    _write(folder / "facilities.parquet", _frame_of(places.facilities))
    said: dict[str, Any] = {
        "incomplete": [asdict(one) for one in places.incomplete],
        "attributes": [*places.facilities.attributes],
        "houses": answer.houses,
    }
    if (part := answer.spread) is not None:
        result = part.result
        _write(folder / "cells.parquet", _cells_of(result))
        said["spread"] = {
            "units": part.units.tolist(),
            "method": result.method.tolist(),
            "level": result.level,
            "far": result.far.tolist(),
            "groups": [*result.seed.groups],
            "rows": [asdict(row) for row in part.rows],
        }
    write_aside(folder / _ANSWER, json.dumps(said, ensure_ascii=False).encode())


def read_answer(folder: Path) -> Answer:
    """The answer of a part.

    Raises
    ------
    OSError : there is none.
    """
    said = json.loads((folder / _ANSWER).read_text(encoding="utf-8"))
    frames = {name: _read(folder / f"{name}.parquet") for name in FRAMES}
    places = OsmPlaces(
        _table_of(_read(folder / "facilities.parquet"), said["attributes"]),
        **frames,
        incomplete=tuple(Incomplete(**one) for one in said["incomplete"]),
    )
    spread = None
    if "spread" in said:
        spread = _spread_of(_read(folder / "cells.parquet"), said["spread"])
    return Answer(places, tuple(said["houses"]), spread)


def _write(file: Path, frame: gpd.GeoDataFrame) -> None:
    frame.to_parquet(file, index=False, compression="zstd")


def _read(file: Path) -> gpd.GeoDataFrame:
    """A frame as it was written: texts are objects, None where there is none."""
    frame = gpd.read_parquet(file)
    for name in frame.columns.drop(frame.geometry.name):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            texts = frame[name].astype(object)
            frame[name] = texts.where(texts.notna(), None)
    return frame


def _frame_of(table: FacilityTable) -> gpd.GeoDataFrame:
    columns = {name: getattr(table, name) for name in _OF_TABLE}
    held = {f"attribute_{name}": values for name, values in table.attributes.items()}
    return gpd.GeoDataFrame(columns | held, geometry=table.where.shapes, crs=_CRS)


def _table_of(frame: gpd.GeoDataFrame, attributes: list[str]) -> FacilityTable:
    columns = {name: frame[name].to_numpy() for name in _OF_TABLE}
    return FacilityTable(
        **columns,
        attributes={name: frame[f"attribute_{name}"].to_numpy() for name in attributes},
        where=Located.of_degrees(np.asarray(frame.geometry, dtype=object), FROM_OSM),
        rows=np.arange(1, len(frame) + 1, dtype=np.int64),
    )


def _cells_of(result: SpreadResult) -> gpd.GeoDataFrame:
    """Cells as rows; a group is two columns, its persons and whether they are known."""
    seed = result.seed
    columns: dict[str, Any] = {
        "id": seed.id.astype(str).astype(object),
        "x_m": seed.xy_m[:, 0],
        "y_m": seed.xy_m[:, 1],
        "residents": seed.residents,
        "unit": result.unit,
    }
    for number, counts in enumerate(seed.groups.values()):
        columns |= {f"value_{number}": counts.value, f"known_{number}": counts.known}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(seed.polygon))


def _spread_of(frame: gpd.GeoDataFrame, said: dict[str, Any]) -> PartSpread:
    groups = {
        name: Counts.of(
            frame[f"value_{number}"].to_numpy(), frame[f"known_{number}"].to_numpy(dtype=np.bool_)
        )
        for number, name in enumerate(said["groups"])
    }
    polygon = np.array(frame.geometry, dtype=object)
    polygon[shapely.is_missing(polygon)] = None
    seed = CellSeed(
        id=frame["id"].to_numpy(),
        xy_m=frame[["x_m", "y_m"]].to_numpy(),
        polygon=polygon,
        residents=frame["residents"].to_numpy(),
        groups=groups,
        modelled=np.ones(len(frame), dtype=np.bool_),
    )
    result = SpreadResult(
        seed,
        np.array(said["method"], dtype=object),
        frame["unit"].to_numpy(dtype=np.int32),
        said["level"],
        np.array(said["far"], dtype=np.int32),
        (),
    )
    rows = tuple(Spread(**row) for row in said["rows"])
    return PartSpread(np.array(said["units"], dtype=np.int32), result, rows)

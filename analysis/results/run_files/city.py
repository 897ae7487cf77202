"""A city and its walks as files: GeoParquet tables and arrays that can be memory-mapped.

``facilities.parquet units.parquet`` (GeoParquet, metric CRS, zstd) hold their tables row for
row, ``cells.parquet`` ids and shapes of cells, which are read when someone asks for them;
``<table>.<field>.npy`` hold all else of cells, streets, land, attachments and walks;
``statistics.parquet`` holds figures about units, ``street_names.parquet`` names of ways;
``city.json`` holds the names that tie them together.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.city.extents import extents_of
from lifecircle.analysis.city.model import (
    Cells,
    City,
    Deferred,
    Extent,
    Facilities,
    GeometryArray,
    LandSamples,
    Statistics,
    StrArray,
    Units,
)
from lifecircle.analysis.city.notes import BuildNotes
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import Counts, Int32Array
from lifecircle.analysis.readers.osm.ground import Ground
from lifecircle.analysis.readers.osm.street_names import StreetNames
from lifecircle.analysis.readers.records.attributes import restored_attribute, stored_attribute
from lifecircle.analysis.results.frozen.policy import plain, record
from lifecircle.analysis.results.run_files.arrays import (
    Table,
    TableFile,
    load,
    read_arrays,
    write_arrays,
)
from lifecircle.analysis.results.run_files.roads import read_positions, read_roads, write_roads

STREET_NAMES: Final = "street_names.parquet"
UNKNOWN_YEAR: Final = -1  # of a figure in ``statistics.parquet``


def write_city(folder: Path, city: City, travel: NearestFacility) -> None:
    """Write a city and its walks into an empty folder; equal content gives equal bytes."""
    index = {
        "crs": city.crs,
        "levels": city.units.levels,
        "groups": tuple(city.cells.groups),
        "counted": city.cells.counted,
        "service_ids": city.facilities.service_ids,
        "attributes": tuple(city.facilities.attributes),
        "land": city.land is not None,
        "slope": city.network.slope is not None,
        "statistics": city.statistics is not None,
        "surveyed": sorted(city.surveyed),
        **_extent_index(city),
        "travel": travel.services,
        "warnings": city.warnings,
        "notes": city.notes,
    }
    text = json.dumps(plain(index), ensure_ascii=False, indent=1)
    (folder / "city.json").write_text(text + "\n", encoding="utf-8")
    _write_cells(folder, city.cells, city.crs)
    _write_table(folder / "facilities.parquet", *_facility_columns(city.facilities), city.crs)
    _write_table(folder / "units.parquet", *_unit_columns(city.units), city.crs)
    write_arrays(folder, "network", city.network)
    if city.network.slope is not None:
        write_arrays(folder, "slope", city.network.slope)
    write_arrays(folder, "travel", travel)
    write_arrays(folder, "attachment", city.facilities.attachment)
    np.save(folder / "attachment.facility.npy", city.facilities.attached_facility)
    write_roads(folder, city)
    if city.ground is not None:
        write_arrays(folder, "ground", city.ground)
    if city.street_names is not None:
        _write_names(folder / STREET_NAMES, city.street_names)
    if city.statistics is not None:
        pd.DataFrame(_statistics_columns(city.statistics)).to_parquet(
            folder / "statistics.parquet", index=False, compression="zstd"
        )
    if city.land is not None:
        write_arrays(folder, "land", city.land)
        write_arrays(folder, "land.position", city.land.position)
        _write_units(folder, "land", city.land.unit)


def read_city(folder: Path) -> tuple[City, NearestFacility]:
    """The city and walks written by `write_city`; arrays are memory-mapped, read-only."""
    index = json.loads((folder / "city.json").read_text(encoding="utf-8"))
    levels = tuple(index["levels"])
    crs = index["crs"]
    city = City(
        crs=crs,
        network=_read_network(folder, crs, slope=index.get("slope", False)),
        units=_read_units(Table.of(folder / "units.parquet"), levels),
        cells=_read_cells(folder, levels, index),
        facilities=_read_facilities(folder, levels, index),
        land=_read_land(folder, levels) if index["land"] else None,
        surveyed=frozenset(index["surveyed"]),
        warnings=tuple(Warn(warn["key"], warn["params"]) for warn in index["warnings"]),
        statistics=_read_statistics(folder) if index.get("statistics") else None,
        notes=record(BuildNotes, index.get("notes", {})),
        ground=_read_ground(folder),
        street_names=_read_names(folder / STREET_NAMES),
    )
    extents = _read_extents(index.get("extents", {}), city.units)
    city = dataclasses.replace(city, extents=extents, roads=read_roads(folder, city))
    return city, read_arrays(folder, "travel", NearestFacility, services=tuple(index["travel"]))


def _extent_index(city: City) -> dict[str, Any]:
    """Where lists are complete; nothing where all are everywhere."""
    if not city.extents:
        return {}
    return {
        "extents": {
            service: {
                "units": extent.units,
                "drawn": None if extent.drawn is None else shapely.to_wkb(extent.drawn, hex=True),
            }
            for service, extent in sorted(city.extents.items())
        }
    }


def _read_extents(index: dict[str, Any], units: Units) -> Mapping[str, Extent]:
    named = {service: np.array(one["units"], np.int32) for service, one in index.items()}
    drawn = {
        service: shapely.from_wkb(one["drawn"])
        for service, one in index.items()
        if one["drawn"] is not None
    }
    return extents_of(named, drawn, units)


# ---- tables ------------------------------------------------------------------------------


def _write_cells(folder: Path, cells: Cells, crs: str) -> None:
    """Ids and shapes as a table, the rest as arrays; groups go by their number in the index."""
    bare = np.array([shape is None for shape in cells.polygon], dtype=np.bool_)
    shapes = cells.polygon.copy()
    shapes[bare] = shapely.points(cells.xy_m[bare])
    _write_table(folder / "cells.parquet", {"id": _texts(cells.id)}, shapes, crs)
    write_arrays(folder, "cells", cells)
    write_arrays(folder, "cells.position", cells.position)
    _write_units(folder, "cells", cells.unit)
    for number, held in enumerate(cells.groups.values()):
        write_arrays(folder, f"cells.group.{number}", held)


def _facility_columns(facilities: Facilities) -> tuple[dict[str, Any], GeometryArray]:
    names = np.array([*facilities.service_ids, None], dtype=object)
    columns = {
        "id": _texts(facilities.id),
        "service": _texts(names[facilities.service]),
        "service_index": facilities.service,
        "name": _texts(facilities.name),
        "source": _texts(facilities.source),
        **{
            f"attr_{name}": stored_attribute(name, values)
            for name, values in facilities.attributes.items()
        },
        **{f"unit_{level}": unit for level, unit in facilities.unit.items()},
    }
    return columns, facilities.geometry


def _unit_columns(units: Units) -> tuple[dict[str, Any], GeometryArray]:
    columns = {
        "code": _texts(units.code),
        "name": _texts(units.name),
        "name_en": _texts(units.name_en),
        "level": _texts(units.level),
        "class": _texts(units.unit_class),
        "parent": units.parent,
        "residents": pd.arrays.IntegerArray(units.residents.value.copy(), ~units.residents.known),
    }
    return columns, units.geometry


def _statistics_columns(statistics: Statistics) -> dict[str, Any]:
    return {
        "unit": statistics.unit,
        "attribute": pd.Series(statistics.attribute, dtype="string"),
        "value": statistics.value,
        "year": np.where(statistics.year.known, statistics.year.value, UNKNOWN_YEAR),
        "source": pd.Series(statistics.source, dtype="string"),
    }


def _read_statistics(folder: Path) -> Statistics:
    table = Table.of(folder / "statistics.parquet")
    year = table.numbers("year", np.int64)
    return Statistics(
        unit=table.numbers("unit", np.int32),
        attribute=table.texts("attribute"),
        value=table.numbers("value", np.float64),
        year=Counts.of(year, year != UNKNOWN_YEAR),
        source=table.texts("source"),
    )


def _texts(values: StrArray) -> pd.Series:
    return pd.Series(values, dtype=object)


def _write_table(path: Path, columns: dict[str, Any], shapes: GeometryArray, crs: str) -> None:
    frame = gpd.GeoDataFrame(
        pd.DataFrame(columns), geometry=gpd.GeoSeries(shapes, crs=crs), crs=crs
    )
    frame.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0")


def _read_units(table: Table, levels: tuple[str, ...]) -> Units:
    return Units(
        code=table.texts("code"),
        name=table.texts("name"),
        name_en=table.texts("name_en"),
        level=table.texts("level"),
        unit_class=table.texts("class"),
        parent=table.numbers("parent", np.int32),
        residents=table.counts("residents"),
        geometry=table.shapes(),
        levels=levels,
    )


def _read_cells(folder: Path, levels: tuple[str, ...], index: dict[str, Any]) -> Cells:
    file = TableFile(folder / "cells.parquet")
    ids = file.later("id", lambda table: table.ids("id"))
    outline = file.later("geometry", Table.polygons)
    counted = index.get("counted", True)
    if not (folder / "cells.xy_m.npy").exists():
        return _read_table_of_cells(file.read(), levels, index, ids, outline)
    groups = {
        name: read_arrays(folder, f"cells.group.{number}", Counts)
        for number, name in enumerate(index["groups"])
    }
    return read_arrays(
        folder,
        "cells",
        Cells,
        ids=ids,
        outline=outline,
        groups=MappingProxyType(groups),
        unit=_read_units_of(folder, "cells", levels),
        position=read_positions(folder, "cells.position"),
        counted=counted,
    )


def _read_table_of_cells(
    table: Table, levels: tuple[str, ...], index: dict[str, Any], ids: Deferred, outline: Deferred
) -> Cells:
    """Cells of a run of before, whose numbers stand in the table too."""
    return Cells(
        ids=ids,
        xy_m=table.pairs("x_m", "y_m"),
        outline=outline,
        residents=table.numbers("residents", np.int64),
        groups=MappingProxyType({k: table.counts(f"pop_{k}") for k in index["groups"]}),
        unit=table.units(levels),
        modelled=table.numbers("modelled", np.bool_),
        position=Positions(
            table.numbers("edge", np.int32),
            table.numbers("at_m", np.float64),
            table.numbers("leg_m", np.float64),
            table.pairs("street_x_m", "street_y_m"),
        ),
        counted=index.get("counted", True),
    )


def _read_facilities(folder: Path, levels: tuple[str, ...], index: dict[str, Any]) -> Facilities:
    table = Table.of(folder / "facilities.parquet")
    return Facilities(
        id=table.texts("id"),
        service_ids=tuple(index["service_ids"]),
        service=table.numbers("service_index", np.int32),
        name=table.texts("name"),
        geometry=table.shapes(),
        source=table.texts("source"),
        attributes=MappingProxyType(
            {k: restored_attribute(k, table.texts(f"attr_{k}")) for k in index["attributes"]}
        ),
        unit=table.units(levels),
        attached_facility=load(folder / "attachment.facility.npy"),
        attachment=read_positions(folder, "attachment"),
    )


# ---- arrays ------------------------------------------------------------------------------


def _read_network(folder: Path, crs: str, *, slope: bool) -> WalkNetwork:
    """The streets, with what slope adds where heights were used, and bridges where there are."""
    profile = read_arrays(folder, "slope", SlopeProfile) if slope else None
    forms = folder / "network.vertex_form.npy"
    form = load(forms) if forms.exists() else None
    return read_arrays(folder, "network", WalkNetwork, crs=crs, vertex_form=form, slope=profile)


def _read_ground(folder: Path) -> Ground | None:
    """What lies under the figures; runs of before have none."""
    if not (folder / "ground.kind.npy").exists():
        return None
    names = (field.name for field in dataclasses.fields(Ground))  # read: empty files map nowhere
    return Ground(*(np.load(folder / f"ground.{name}.npy", allow_pickle=False) for name in names))


def _write_names(path: Path, names: StreetNames) -> None:
    columns = {"way": names.way, "name": _texts(names.name), "name_en": _texts(names.name_en)}
    pd.DataFrame(columns).astype({"name": "string", "name_en": "string"}).to_parquet(
        path, index=False, compression="zstd"
    )


def _read_names(path: Path) -> StreetNames | None:
    """What streets are called; runs of before do not know."""
    if not path.exists():
        return None
    table = Table.of(path)
    return StreetNames(table.numbers("way", np.int64), table.texts("name"), table.texts("name_en"))


def _read_land(folder: Path, levels: tuple[str, ...]) -> LandSamples:
    return read_arrays(
        folder,
        "land",
        LandSamples,
        unit=_read_units_of(folder, "land", levels),
        position=read_positions(folder, "land.position"),
    )


def _write_units(folder: Path, prefix: str, unit: Mapping[str, Int32Array]) -> None:
    for level, held in unit.items():
        np.save(folder / f"{prefix}.unit.{level}.npy", held)


def _read_units_of(folder: Path, prefix: str, levels: tuple[str, ...]) -> Mapping[str, Int32Array]:
    """For each level the unit (n,) a row lies in."""
    return MappingProxyType({k: load(folder / f"{prefix}.unit.{k}.npy") for k in levels})

"""Layers of a run as frames in EPSG:4326: what HTTP, maps and exports show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.errors import UnknownNameError
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.gaps.gaps import Gap
from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.results.columns import LAYERS, Column, columns_of
from lifecircle.analysis.results.export_blocks import ROWS, Blocks, frame_blocks
from lifecircle.analysis.results.layers.catchments import catchment_values
from lifecircle.analysis.results.layers.files import distinct_shapes, read_layer, write_layer
from lifecircle.analysis.results.layers.gaps import gap_layer, gap_values
from lifecircle.analysis.results.layers.values import (
    CellShapes,
    Values,
    cell_layer,
    circle_layer,
    facility_layer,
    looked_up,
    network_layer,
    objects,
    unit_layer,
)
from lifecircle.analysis.results.layers.words import with_words
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.proposals import any_kept, proposal_values

__all__ = [
    "DEGREES",
    "LAYERS",
    "METRIC_CRS",
    "gap_frame",
    "gap_rows",
    "layer_blocks",
    "layer_columns",
    "layer_frame",
    "layer_makers",
    "layers_of",
    "write_layers",
]

DEGREES: Final = "EPSG:4326"
METRIC_CRS: Final = "metric_crs"  # attribute of a layer's frame: the CRS its shapes are made in
MadeLayers = Callable[[], Mapping[str, gpd.GeoDataFrame]]

STORED: Final = ("units", "gaps", "circles")
STORED_WHERE_HELD: Final = ("catchments",)
LONGEST: Final = "gaps"  # takes as long to make as all others together


def layer_frame(run: Run, layer: str) -> gpd.GeoDataFrame:
    """One layer of a run in EPSG:4326, ``id`` first, then the columns of the column table.

    Walks are those of the adult walker, limits each service's own minutes. Whole numbers that
    may be null are pandas Int64, numbers that may be null hold NaN, texts None. Layers that take
    long are read from the run's folder, where the build wrote them: for a changed city ask the
    measures themselves.

    Raises
    ------
    UnknownNameError : no such layer.
    """
    frame = _stored(run, layer)
    if frame is None:
        frame = _frame(run, layer, *_BUILDERS[layer](run))
    frame.attrs[METRIC_CRS] = run.city.crs
    return frame


def layer_blocks(run: Run, layer: str) -> Blocks:
    """A layer as `layer_frame`, some rows at a time: columns are typed for these alone.

    Raises
    ------
    UnknownNameError : no such layer.
    """
    stored = _stored(run, layer)
    if stored is not None:
        stored.attrs[METRIC_CRS] = run.city.crs
        kinds = frozenset(stored.geometry.geom_type.dropna())
        return Blocks(len(stored), kinds, partial(frame_blocks, stored))
    values, shapes = _BUILDERS[layer](run)

    def make() -> Iterator[gpd.GeoDataFrame]:
        for start in range(0, max(len(shapes), 1), ROWS):
            rows = slice(start, start + ROWS)
            some = {name: held[rows] for name, held in values.items()}
            frame = _frame(run, layer, some, shapes[rows])
            frame.attrs[METRIC_CRS] = run.city.crs
            yield frame

    if isinstance(shapes, CellShapes):
        return Blocks(len(shapes), shapes.kinds, make)
    kinds = frozenset(shape.geom_type for shape in shapes if shape is not None)
    return Blocks(len(shapes), kinds, make)


def layer_makers(run: Run) -> tuple[MadeLayers, MadeLayers]:
    """What makes the layers that take long, for the store to keep: the longest, all others."""
    held = layers_of(run)
    kept = [layer for layer in (*STORED, *STORED_WHERE_HELD) if layer in held]

    def make(some: Sequence[str]) -> dict[str, gpd.GeoDataFrame]:
        return {layer: _frame(run, layer, *_BUILDERS[layer](run)) for layer in some}

    others = [layer for layer in kept if layer != LONGEST]
    return partial(make, [LONGEST]), partial(make, others)


def write_layers(folder: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write finished layers into a run's folder, as GeoParquet."""
    for layer, frame in layers.items():
        write_layer(layer_file(folder, layer), frame)


def layers_of(run: Run) -> tuple[str, ...]:
    """The layers this run has: those of every run; catchments and proposals where it has any."""
    has = (("catchments", bool(run.catchments)), ("proposals", any_kept(run.path)))
    return (*LAYERS, *(layer for layer, held in has if held))


def layer_file(folder: Path, layer: str) -> Path:
    """Where a layer lies in the folder of its run."""
    return folder / f"layer.{layer}.parquet"


def _stored(run: Run, layer: str) -> gpd.GeoDataFrame | None:
    """A layer as the build wrote it; None when it did not, or with other columns."""
    columns = layer_columns(run, layer)
    if layer not in (*STORED, *STORED_WHERE_HELD) or not layer_file(run.path, layer).is_file():
        return None
    frame = read_layer(layer_file(run.path, layer))
    if list(frame.columns) != [*(column.name for column in columns), frame.geometry.name]:
        return None
    for column in columns:
        if column.dtype == "text":
            texts = frame[column.name].astype(object)
            frame[column.name] = texts.where(texts.notna(), None)
    return frame


def layer_columns(run: Run, layer: str) -> tuple[Column, ...]:
    """The columns of a layer of this run, in order, without the geometry."""
    known = layers_of(run)
    if layer not in known:
        raise UnknownNameError("unknown_layer", name=layer, known=", ".join(known))
    return layer_columns_of(run, layer)


def layer_columns_of(run: Run, layer: str) -> tuple[Column, ...]:
    """The columns a layer has or would have in this run."""
    return with_words(columns_of(layer, run.policy, tuple(run.city.cells.groups)), run, layer)


def proposal_frame(run: Run, found: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Answers of siting (kept or not) as the layer ``proposals``."""
    return _frame(run, "proposals", *proposal_values(run, found))


def gap_frame(run: Run, found: Sequence[Gap]) -> gpd.GeoDataFrame:
    """Gaps (of any question) as the layer ``gaps``, in the order given."""
    return _frame(run, "gaps", *gap_values(run, found))


def gap_rows(run: Run, found: Sequence[Gap]) -> list[dict[str, Any]]:
    """Gaps as mappings of plain values without ``id``, as their frame holds them (None: null)."""
    values, _ = gap_values(run, found)
    names = [column.name for column in layer_columns_of(run, "gaps") if column.name != "id"]
    return [
        dict(zip(names, row, strict=True))
        for row in zip(*(values[name] for name in names), strict=True)
    ]


def catchment_frame(run: Run, found: Catchments) -> gpd.GeoDataFrame:
    """Catchments of any question as the layer ``catchments``."""
    asked = replace(run, catchments={found.service: found})
    return _frame(run, "catchments", *catchment_values(asked))


def _frame(
    run: Run, layer: str, values: Values, shapes: GeometryArray | CellShapes
) -> gpd.GeoDataFrame:
    columns = {
        column.name: _typed(column, values[column.name][:])  # some columns are made by rows
        for column in layer_columns_of(run, layer)
    }
    geometry = in_degrees(shapes[:], run.city.crs)
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=geometry, crs=DEGREES)


def in_degrees(shapes: GeometryArray, crs: str) -> gpd.GeoSeries:
    """Shapes in EPSG:4326; one that stands in many rows is turned once."""
    distinct, row = distinct_shapes(shapes)
    turned = shapely.transform(distinct, lambda places: _each_turned_once(places, crs))
    return gpd.GeoSeries(looked_up(turned, row), crs=DEGREES)


def _each_turned_once(xy_m: FloatArray, crs: str) -> FloatArray:
    """Places (n, 2) in degrees; outlines that run along each other share most of theirs."""
    x, y = (pd.factorize(column) for column in xy_m.T)
    place, keys = pd.factorize(x[0] * len(y[1]) + y[0])
    column, row = np.divmod(keys, max(len(y[1]), 1))
    return to_lonlat(np.column_stack((x[1][column], y[1][row])), crs)[place]


def _typed(column: Column, values: Any) -> Any:
    if column.dtype == "text":
        return pd.Series(objects(values), dtype=object)
    if column.dtype == "integer":
        return pd.array(values, dtype="Int64")
    if column.dtype == "boolean":
        return np.asarray(values, dtype=np.bool_)
    return pd.array(values, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan)


_BUILDERS: Final[Mapping[str, Callable[[Run], tuple[Values, GeometryArray | CellShapes]]]] = (
    MappingProxyType(
        {
            "cells": cell_layer,
            "facilities": facility_layer,
            "units": unit_layer,
            "gaps": gap_layer,
            "circles": circle_layer,
            "network": network_layer,
            "catchments": catchment_values,
            "proposals": proposal_values,
        }
    )
)

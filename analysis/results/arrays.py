"""Records of arrays as files, one ``.npy`` a field, memory-mapped when they are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.roads import RoadNetwork

_Record = TypeVar("_Record")
_ROADS, _SPEED = "roads.", ".uv_km_h.npy"


def write_arrays(folder: Path, prefix: str, table: Any) -> None:
    """Every array field of a frozen record, one file each."""
    for field in dataclasses.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            np.save(folder / f"{prefix}.{field.name}.npy", np.ascontiguousarray(value))


def read_arrays(folder: Path, prefix: str, kind: type[_Record], **rest: Any) -> _Record:
    """The record written by `write_arrays`; `rest`: the fields that are no files."""
    names = [f.name for f in dataclasses.fields(kind) if f.name not in rest]  # type: ignore[arg-type]
    return kind(**rest, **{name: load(folder / f"{prefix}.{name}.npy") for name in names})


def load(path: Path) -> NDArray[Any]:
    """An array, memory-mapped and read-only."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def write_roads(folder: Path, city: City) -> None:
    """The roads of every profile: nothing where there are none."""
    for profile, roads in city.roads.items():
        write_arrays(folder, f"{_ROADS}{profile}", roads)
        write_arrays(folder, f"{_ROADS}{profile}.network", roads.network)


def read_roads(folder: Path, crs: str) -> Mapping[str, RoadNetwork]:
    """The roads of every profile; runs from before have none."""
    found = sorted(folder.glob(f"{_ROADS}*{_SPEED}"))
    names = [path.name.removeprefix(_ROADS).removesuffix(_SPEED) for path in found]
    return {name: _read_roads(folder, f"{_ROADS}{name}", crs) for name in names}


def _read_roads(folder: Path, prefix: str, crs: str) -> RoadNetwork:
    forms = folder / f"{prefix}.network.vertex_form.npy"
    form = load(forms) if forms.exists() else None
    network = read_arrays(
        folder, f"{prefix}.network", WalkNetwork, crs=crs, vertex_form=form, slope=None
    )
    return read_arrays(folder, prefix, RoadNetwork, network=network)

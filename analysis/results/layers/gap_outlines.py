"""Outlines of gaps that the build drew: read from the layer ``gaps``, not drawn anew.

Drawing is most of what gaps cost. The build asked with each service's own minutes, the adult
walker, all residents and the default level; every other question is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.machine import collecting_seldom, return_freed_memory
from lifecircle.analysis.measures.gaps.gaps import Gap
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.quantities import NOBODY
from lifecircle.analysis.results.layers.layers import layer_file
from lifecircle.analysis.results.layers.values import WALKER
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.run_files.arrays import reading

_PIECE: Final = 2**20  # bytes
_COLUMNS: Final = ("id", "service", "residents", "geometry")


def asks_as_build(run: Run, question: Question) -> bool:
    """Whether the layer ``gaps`` of a run answers a settled question."""
    service = run.policy.services.get(question.service or "")
    return (
        question.minutes in (None, service and service.minutes.value)
        and question.walker == WALKER
        and question.group == TOTAL
        and question.by in (None, run.study.default_level)
        and question.at is None
    )


class KeptOutlines:
    """The outlines that the build drew for some services; none where the run keeps no layer."""

    def __init__(self, run: Run, services: Sequence[str]) -> None:
        self._crs = run.city.crs
        self._row: dict[str, int] = {}
        self._residents: list[int] = []
        self._wkb: pa.Array | None = None
        file = layer_file(run.path, "gaps")
        if services and file.is_file():
            return_freed_memory()
            with reading(run.path):
                table = _rows_of(file, services)
                self._row = {name: i for i, name in enumerate(table.column("id").to_pylist())}
                self._residents = table.column("residents").to_pylist()
                held = table.column("geometry")
                if len(held) == 0:  # nobody out of reach, or nobody counted
                    self._wkb = pa.array([], pa.binary())
                    return
                shapes = held.combine_chunks()
                self._wkb = shapes.dictionary.take(shapes.indices)
                del table, held, shapes  # all others, before what they took is given back

    def degrees(self, found: Sequence[Gap]) -> GeometryArray | None:
        """Those of gaps, in their order, EPSG:4326; None where the layer does not hold them all."""
        if self._wkb is None:
            return None
        rows = [self._row.get(gap.id, NOBODY) for gap in found]
        for i, gap in zip(rows, found, strict=True):
            if i == NOBODY or self._residents[i] != gap.residents:
                return None
        wkb = self._wkb.take(pa.array(rows, pa.int32())).to_numpy(zero_copy_only=False)
        with collecting_seldom():
            drawn: GeometryArray = shapely.from_wkb(wkb)
        return np.asarray(drawn, dtype=object)

    def metric(self, found: Sequence[Gap]) -> GeometryArray | None:
        """The same in the city's metric CRS, within nanometres of those that were drawn."""
        drawn = self.degrees(found)
        if drawn is None:
            return None
        turned: GeometryArray = shapely.transform(drawn, lambda xy: to_metric(xy, self._crs))
        return turned


def _rows_of(file: Path, services: Sequence[str]) -> pa.Table:
    """The rows of some services; a piece of the file is in memory at a time."""
    with pq.ParquetFile(
        file, read_dictionary=["geometry"], buffer_size=_PIECE, pre_buffer=False
    ) as held:
        table = held.read(list(_COLUMNS), use_threads=False)
    if table.num_rows == 0:  # its columns then have no type
        return table
    wanted = pc.is_in(table.column("service"), pa.array(services, pa.string()))
    return table.filter(wanted)

"""Records of arrays as files, one ``.npy`` a field, memory-mapped; tables read as arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import Deferred, GeometryArray, StrArray
from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.machine import collecting_seldom
from lifecircle.analysis.quantities import NOBODY, Counts, FloatArray, Int32Array, read_only

_Record = TypeVar("_Record")
_UNREADABLE: Final = (
    OSError, EOFError, ValueError, KeyError, TypeError, pa.ArrowException,
    shapely.errors.ShapelyError,
)  # fmt: skip
_POINT_BYTES: Final = 21  # of WKB: no other shape has as many


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


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Whatever a broken file of a run is met with becomes one error.

    What tables took while they were read is given back: an idle server would keep it for good.

    Raises
    ------
    WorkspaceError : a file cannot be read.
    """
    try:
        yield
    except _UNREADABLE as fault:
        if isinstance(fault, WorkspaceError):
            raise
        raise WorkspaceError("run_unreadable", path=folder.name, file="*") from fault
    finally:
        pa.default_memory_pool().release_unused()


class TableFile:
    """A parquet file held open: what is asked for later is there though the file be removed.

    Its foot is read at once, so that a file cut short is known when it is opened.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._file = pq.ParquetFile(pa.OSFile(str(path)), pre_buffer=False)
        self._lock = Lock()

    def read(self, *columns: str) -> Table:
        """Some of the columns, all where none is named; threads may ask at once.

        By one thread: a pool of them keeps tens of megabytes for good.
        """
        with self._lock:
            return Table(self._file.read(list(columns) or None, use_threads=False))

    def later(self, column: str, make: Callable[[Table], GeometryArray]) -> Deferred:
        """Objects made of a column when they are asked for.

        Raises, then
        ------------
        WorkspaceError : the file cannot be read.
        """

        def made() -> GeometryArray:
            with reading(self._folder):
                return make(self.read(column))

        return Deferred(made)


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Columns of a parquet file as numpy arrays, None for null texts."""

    table: Any

    @classmethod
    def of(cls, path: Path) -> Table:
        """All columns of a file."""
        return TableFile(path).read()

    def numbers(self, name: str, dtype: type[np.generic]) -> NDArray[Any]:
        """Numbers (n,) of a column without nulls, read-only."""
        column = self.table.column(name).to_numpy().astype(dtype, copy=False)
        return read_only(np.ascontiguousarray(column))

    def counts(self, name: str) -> Counts:
        """Whole numbers (n,), unknown where null."""
        column = self.table.column(name)
        known = ~np.asarray(column.is_null())
        return Counts.of(column.fill_null(0).to_numpy(), known)

    def texts(self, name: str) -> StrArray:
        """Texts (n,), None where null; rows of one text hold one object."""
        column = self.table.column(name).combine_chunks().dictionary_encode()
        held = column.dictionary.to_pylist()
        words = np.empty(len(held) + 1, dtype=object)
        words[:-1] = held
        taken: StrArray = words[column.indices.fill_null(len(held)).to_numpy()]
        return taken

    def ids(self, name: str) -> StrArray:
        """Texts (n,) of which few repeat, None where null."""
        held: StrArray = self.table.column(name).to_numpy()
        return held

    def pairs(self, x: str, y: str) -> FloatArray:
        """Two columns as places (n, 2), read-only."""
        both = np.column_stack([self.numbers(x, np.float64), self.numbers(y, np.float64)])
        read_only(both)
        return both

    def shapes(self) -> GeometryArray:
        """Shapes (n,) of the column of WKB."""
        with collecting_seldom():  # it would look through all there is every so many shapes
            shapes: GeometryArray = shapely.from_wkb(self.table.column("geometry").to_numpy())
        return shapes

    def polygons(self) -> GeometryArray:
        """Polygons (n,), None for rows that are points: these are not even made."""
        column = self.table.column("geometry").combine_chunks()
        area = pc.binary_length(column).fill_null(0).to_numpy() != _POINT_BYTES
        shapes = np.full(len(area), None, dtype=object)
        with collecting_seldom():
            shapes[area] = shapely.from_wkb(column.filter(pa.array(area)).to_numpy(False))
        return shapes

    def codes(self, name: str) -> tuple[list[str | None], Int32Array]:
        """The distinct texts of a column, and which of them each row holds (n,), -1 where null."""
        column = self.table.column(name).combine_chunks().dictionary_encode()
        return column.dictionary.to_pylist(), column.indices.fill_null(NOBODY).to_numpy()

    def units(self, levels: tuple[str, ...]) -> Mapping[str, Int32Array]:
        """For each level the unit (n,) a row lies in, -1 outside all."""
        return MappingProxyType({k: self.numbers(f"unit_{k}", np.int32) for k in levels})

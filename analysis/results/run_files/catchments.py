"""The catchments of a run as files: what the build worked out with each service's own minutes.

``catchments.json`` holds the figures, ``catchments.parquet`` who goes where (service, solution,
cell, facility, persons), ``catchments.cells.parquet`` who is unserved and who is in reach.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.assignment import Assignment
from lifecircle.analysis.measures.catchments.catchments import (
    Catchments,
    Centre,
    Solution,
)
from lifecircle.analysis.quantities import read_only
from lifecircle.analysis.results.frozen.policy import plain, record
from lifecircle.analysis.results.run_files.arrays import Table, TableFile, reading

FIGURES: Final = "catchments.json"
_PARTS: Final = "catchments.parquet"
_CELLS: Final = "catchments.cells.parquet"
_SOLUTIONS: Final = ("natural", "balanced")


def write_catchments(folder: Path, found: Mapping[str, Catchments]) -> None:
    """Write the catchments of a run; nothing when there are none."""
    if not found:
        return
    figures = {name: _figures(one) for name, one in found.items()}
    text = json.dumps(plain(figures), ensure_ascii=False, indent=1)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")
    names = ("service", "solution", "cell", "row", "persons", "walk_cm", "facility")
    parts: dict[str, list[Any]] = {name: [] for name in names}
    cells: dict[str, Any] = {}
    for name, one in found.items():
        for which in _SOLUTIONS:
            solution: Solution = getattr(one, which)
            part = solution.part
            facility = np.array([c.facility for c in solution.centres], dtype=np.int32)
            parts["service"] += [name] * len(part.cell)
            parts["solution"] += [which] * len(part.cell)
            parts["cell"].append(part.cell)
            parts["row"].append(part.centre)
            parts["persons"].append(part.persons)
            parts["walk_cm"].append(part.walk_cm)
            parts["facility"].append(facility[part.centre])
            cells[f"{name}.{which}.unserved"] = part.unserved
            cells[f"{name}.{which}.reachable"] = part.reachable
    joined = {k: np.concatenate(v) if v and k not in {"service", "solution"} else v
              for k, v in parts.items()}  # fmt: skip
    pq.write_table(pa.table(joined), folder / _PARTS, compression="zstd")
    pq.write_table(pa.table(cells), folder / _CELLS, compression="zstd")


class KeptCatchments(Mapping[str, Catchments]):
    """The catchments of a run by service; who goes where is read when the first is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._figures = (folder / FIGURES).read_bytes()
        self._services = tuple(json.loads(self._figures))
        self._files = (TableFile(folder / _PARTS), TableFile(folder / _CELLS))

    def __getitem__(self, service: str) -> Catchments:
        if service not in self._services:  # nothing is read to say so
            raise KeyError(service)
        return self._found[service]

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)

    @cached_property
    def _found(self) -> Mapping[str, Catchments]:
        """All of them, from the files as they were when the run was opened."""
        with reading(self._folder):
            return _read(json.loads(self._figures), *(file.read() for file in self._files))


def read_catchments(folder: Path) -> Mapping[str, Catchments]:
    """The catchments written by `write_catchments`; empty for a run without."""
    return KeptCatchments(folder) if (folder / FIGURES).is_file() else MappingProxyType({})


def _read(figures: Mapping[str, Any], parts: Table, cells: Table) -> Mapping[str, Catchments]:
    services, service = parts.codes("service")
    solutions, solution = parts.codes("solution")
    found = {}
    for name, content in figures.items():
        answers = {}
        for which in _SOLUTIONS:
            mine = (service == _code(services, name)) & (solution == _code(solutions, which))
            part = _part(content[which], parts.table, cells.table, mine, f"{name}.{which}")
            centres = tuple(record(Centre, one) for one in content[which]["centres"])
            answers[which] = Solution(**{**content[which], "centres": centres, "part": part})
        bare = {key: value for key, value in content.items() if key not in _SOLUTIONS}
        found[name] = _whole(bare, answers)
    return MappingProxyType(found)


def _code(words: Sequence[str | None], word: str) -> int:
    """Where a word stands among some; beyond them all where it is none of them."""
    return words.index(word) if word in words else len(words)


def _figures(found: Catchments) -> dict[str, Any]:
    """Everything but the arrays."""
    content = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    for which in _SOLUTIONS:
        solution = content[which]
        fields = {f.name: getattr(solution, f.name) for f in dataclasses.fields(solution)}
        part: Assignment = fields.pop("part")
        fields["_part"] = {
            "underload": part.underload,
            "person_cm": part.person_cm,
            "least_unserved": part.least_unserved,
            "least_underload": part.least_underload,
            "bound_cm": part.bound_cm,
            "ties_open": part.ties_open,
        }
        content[which] = fields
    return content


def _part(
    content: dict[str, Any], parts: pa.Table, cells: pa.Table, mine: np.ndarray, stem: str
) -> Assignment:
    names = ("cell", "row", "persons", "walk_cm")
    cell, centre, persons, walks = (parts[name].to_numpy()[mine] for name in names)
    load = np.array([one["load"] for one in content["centres"]], dtype=np.int64)
    unserved = cells[f"{stem}.unserved"].to_numpy()
    reachable = cells[f"{stem}.reachable"].to_numpy(zero_copy_only=False)
    for array in (cell, centre, persons, walks, load, unserved, reachable):
        read_only(array)
    rest = content.pop("_part")
    rest.setdefault("ties_open", stem.endswith(".balanced"))  # runs of before ties were settled
    return Assignment(cell, centre, persons, walks, unserved, reachable, load, **rest)


def _whole(content: dict[str, Any], answers: dict[str, Solution]) -> Catchments:
    warnings = tuple(Warn(one["key"], one["params"]) for one in content.pop("warnings"))
    content.setdefault("not_assessed", 0)  # runs of before lists had an extent
    content["not_offered"] = tuple(content["not_offered"])
    return Catchments(**{**content, **answers, "warnings": warnings})

"""What streets are called: the names of OpenStreetMap ways, by the way's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecircle.analysis.policy import Tags
from lifecircle.analysis.quantities import Int32Array, IntArray, read_only


@dataclass(frozen=True, slots=True)
class StreetNames:
    """Named ways (s,), ascending by `way`; `name_en` is None where nobody gave one."""

    way: IntArray
    name: NDArray[np.object_]
    name_en: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.way)

    @classmethod
    def of(cls, named: Mapping[int, tuple[str, str | None]]) -> StreetNames:
        """The names of ways by their ids."""
        way = np.array(sorted(named), dtype=np.int64)
        name, name_en = (np.empty(len(way), dtype=object) for _ in range(2))
        for k, one in enumerate(way.tolist()):
            name[k], name_en[k] = named[one]
        return cls(*(read_only(values) for values in (way, name, name_en)))  # type: ignore[arg-type]

    def rows(self, way: IntArray) -> Int32Array:
        """The row of each way, int32 (k,), -1 where it has no name."""
        if not len(self):
            return np.full(len(way), -1, dtype=np.int32)
        row = np.minimum(np.searchsorted(self.way, way), len(self) - 1)
        return np.where(self.way[row] == way, row, -1).astype(np.int32)


def name_of(tags: Tags) -> tuple[str, str | None] | None:
    """The name of a way as it stands on the map and in English, None where it has none."""
    name = tags.get("name") or tags.get("name:zh") or tags.get("name:en")
    return None if not name else (name, tags.get("name:en"))

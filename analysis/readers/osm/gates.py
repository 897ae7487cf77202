"""Gates, entrances and fences of an OpenStreetMap file, which say where an area can be entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lifecircle.analysis.policy import Tags, WalkRules
from lifecircle.analysis.policy.joining import JoiningRules
from lifecircle.analysis.quantities import BoolArray, FloatArray
from lifecircle.analysis.readers.osm.opl import count_nodes, read_nodes

#: Keys that a node is a gate or an entrance by.
GATE_KEYS: Final = ("barrier", "entrance")


@dataclass(frozen=True, slots=True)
class Gates:
    """What stands on outlines.

    `gate` float64 (g, 2), degrees WGS84; `is_open` bool (g,), whether the public may pass on foot;
    `fence` float64 (s, 2, 2), both ends of each straight piece of a fence, wall or hedge.
    """

    gate: FloatArray
    is_open: BoolArray
    fence: FloatArray


@dataclass(slots=True)
class GateReader:
    """Notes gates and fences as the objects of a file come by."""

    joining: JoiningRules
    walk: WalkRules
    _gates: list[tuple[float, float]] = field(default_factory=list)
    _open: list[bool] = field(default_factory=list)
    _fences: list[bytes] = field(default_factory=list)

    def note_node(self, tags: Mapping[str, str], place: tuple[float, float] | None) -> None:
        """Keep a node that is a gate or an entrance."""
        entrance = tags.get("entrance", "no")
        known = tags.get("barrier") in self.joining.gates
        if (known or entrance not in self.joining.entrance_no) and place is not None:
            self._gates.append(place)
            self._open.append(self._is_open(tags))

    def note_way(self, tags: Mapping[str, str], nodes: bytes) -> None:
        """Keep a way that is a fence, wall or hedge; `nodes` as `opl.read_nodes` takes them."""
        if tags.get("barrier") in self.joining.fences:
            self._fences.append(nodes)

    def _is_open(self, tags: Tags) -> bool:
        """Whether the public may pass on foot: what is said of walkers goes before the rest."""
        foot = tags.get("foot")
        if foot in self.walk.foot_no:
            return False
        if foot in self.walk.foot_yes:
            return True
        return tags.get("access") not in self.walk.access_no and tags.get("locked") != "yes"

    def found(self) -> Gates:
        """All of them."""
        return Gates(
            np.array(self._gates, dtype=np.float64).reshape(-1, 2),
            np.array(self._open, dtype=bool),
            _pieces(self._fences),
        )


def _pieces(fences: list[bytes]) -> FloatArray:
    """Both ends of each piece of some ways, float64 (s, 2, 2); nodes without a place left out."""
    lonlat = read_nodes(fences)[1]
    way = np.repeat(np.arange(len(fences)), [count_nodes(nodes) for nodes in fences])
    known = ~np.isnan(lonlat[:, 0])
    lonlat, way = lonlat[known], way[known]
    same = way[1:] == way[:-1]
    return np.stack((lonlat[:-1][same], lonlat[1:][same]), axis=1)

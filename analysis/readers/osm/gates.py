"""Gates, entrances and fences of an OpenStreetMap file, which say where an area can be entered."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from lifecircle.analysis.policy import Tags, WalkRules
from lifecircle.analysis.policy.joining import JoiningRules
from lifecircle.analysis.quantities import BoolArray, FloatArray


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
    _fences: list[tuple[tuple[float, float], tuple[float, float]]] = field(default_factory=list)

    def note_node(self, node: Any) -> None:
        """Keep a node that is a gate or an entrance."""
        tags = node.tags
        entrance = tags.get("entrance", "no")
        known = tags.get("barrier") in self.joining.gates
        if (known or entrance not in self.joining.entrance_no) and node.location.valid():
            self._gates.append((node.lon, node.lat))
            self._open.append(self._is_open(tags))

    def note_way(self, way: Any) -> None:
        """Keep a way that is a fence, wall or hedge."""
        if way.tags.get("barrier") not in self.joining.fences:
            return
        places = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
        self._fences += list(pairwise(places))

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
            np.array(self._fences, dtype=np.float64).reshape(-1, 2, 2),
        )

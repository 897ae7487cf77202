"""A run: one immutable result of an area under a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from lifecircle.analysis.access.nearest import NearestFacility
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.policy import Policy, Title
from lifecircle.analysis.provenance import InputFile


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run was made of and from. `bbox` is west, south, east, north in degrees (WGS84).

    `residents`: None where nobody is counted. `modelled` names what was estimated
    (``population`` ...); `synthetic` marks generated areas;
    `parameters` are the build's options; `timings_s` seconds per step (not part of the figures).
    """

    area: str
    run: str
    title: Title
    crs: str
    bbox: tuple[float, float, float, float]
    residents: int | None
    counts: Mapping[str, int]
    services: tuple[str, ...]
    policy_id: str
    policy_digest: str
    synthetic: bool
    modelled: tuple[str, ...]
    warnings: tuple[Warn, ...]
    inputs: tuple[InputFile, ...]
    parameters: Mapping[str, Any]
    code_version: str
    created: str
    timings_s: Mapping[str, float]

    @property
    def year(self) -> int:
        """The year whose state the run shows: declared, of its statistics, or of its build."""
        told = self.parameters.get("year")
        return int(self.created[:4] if told is None else told)


@dataclass(frozen=True, eq=False)
class Run:
    """A run: manifest, policy, city and walks (arrays memory-mapped where opened from files).

    `catchments` by service: those the build worked out, none in runs from before there were any.
    """

    path: Path
    manifest: Manifest
    policy: Policy
    city: City
    travel: NearestFacility
    catchments: Mapping[str, Catchments] = field(default_factory=dict)
    known_costs: WalkCosts | None = None

    def __repr__(self) -> str:
        told = self.manifest
        return (
            f"<Run {told.area}/{told.run or '(not saved)'}: {self.city.cells.people} residents, "
            f"{len(told.services)} services, policy {told.policy_id}>"
        )

    def _repr_html_(self) -> str:
        """What the run is of, as a small table for a notebook."""
        told, city = self.manifest, self.city
        rows = {
            "area": f"{told.area} · {told.title.zh} · {told.title.en}",
            "run": told.run,
            "residents": f"{city.cells.people} in {len(city.cells):,} cells",
            "units": f"{len(city.units.code):,} ({', '.join(city.units.levels)})",
            "facilities": f"{len(city.facilities):,}, {len(told.services)} services assessed",
            "streets": f"{city.network.edge_length_m.sum() / 1000:,.1f} km, {told.crs}",
            "policy": told.policy_id,
        }
        lines = (f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in rows.items())
        return f"<table>{''.join(lines)}</table>"

    @cached_property
    def study(self) -> Study:
        """What the measures are asked of."""
        return Study(self.city, self.travel, self.policy, self.catchments, self.known_costs)

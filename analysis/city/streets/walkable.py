"""From streets as read to the network people walk: closures, barriers, slope.

Nothing here happens unless it is asked for: without heights, rule and closures the network is
that of `build_network`, and its figures are the same to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifecircle.analysis.city.crs import metric_crs
from lifecircle.analysis.city.streets.erase import Cut, cut_inside, widen_shapes
from lifecircle.analysis.city.streets.main_roads import part_by_main_roads
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.slope import SlopeFacts, add_slope
from lifecircle.analysis.errors import Fault, InputError, ParameterError, Warn
from lifecircle.analysis.policy import BarrierRules, Policy, TerrainRules
from lifecircle.analysis.policy.sections.terrain import WayForm
from lifecircle.analysis.readers.osm.aside import in_order
from lifecircle.analysis.readers.osm.barriers import (
    LineKind,
    read_barrier_lines,
    read_closed_main_roads,
)
from lifecircle.analysis.readers.osm.streets import FormOf, RawStreets
from lifecircle.analysis.readers.osm.way_forms import rules_of, way_forms
from lifecircle.analysis.readers.rasters.elevation import Elevation, read_elevation
from lifecircle.analysis.readers.records.tables import ClosureTable
from lifecircle.analysis.texts import listed, say_both

BARRIERS: Final = ("main_road", "railway", "river")
_LINES: Final[tuple[LineKind, ...]] = ("railway", "river")


@dataclass(frozen=True, slots=True)
class Terrain:
    """What a build asks of the ground.

    `elevation`: a DEM for slope. `barrier_rule`: which of `BARRIERS` nobody is led across.
    `closures`: layers of places closed for walking.
    """

    elevation: Path | None = None
    barrier_rule: tuple[str, ...] = ()
    closures: tuple[Path, ...] = ()

    def check(self, *, with_osm: bool) -> None:
        """Refuse barriers nobody knows, or that the streets' source cannot tell.

        Raises
        ------
        ParameterError
        """
        unknown = sorted(set(self.barrier_rule) - set(BARRIERS))
        if unknown:
            raise ParameterError(
                "barrier_kinds", names=", ".join(unknown), known=", ".join(BARRIERS)
            )
        if not with_osm and set(self.barrier_rule) & set(_LINES):
            raise ParameterError("barrier_needs_osm")

    def form_of(self, policy: Policy) -> FormOf:
        """What readers of streets have to keep of each way's tags."""
        return way_forms(policy)


@dataclass(frozen=True, slots=True)
class Walkable:
    """The network, what has to be said about it, and what the manifest keeps."""

    network: WalkNetwork
    warnings: tuple[Warn, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


def walkable_network(
    streets: RawStreets,
    terrain: Terrain,
    policy: Policy,
    osm: Path | None = None,
    closures: Sequence[ClosureTable] = (),
) -> Walkable:
    """The network of streets as the ground, closures and the barrier rule leave it.

    `closures` are those of ``terrain.closures``, as read; `osm` is the file that railways and
    rivers are read from.

    Raises
    ------
    InputError
        The heights cannot be used; nothing is left to walk along.
    """
    warnings: list[Warn] = []
    for path, table in zip(terrain.closures, closures, strict=True):
        streets, said = _close_places(streets, table, path.name, rules_of(policy)[1])
        warnings += said
    if terrain.barrier_rule:
        streets, said = _bar_streets(streets, terrain.barrier_rule, policy, osm)
        warnings += said
    if len(streets.way_id) == 0:
        raise InputError([Fault("closures_nothing_left", "")])
    network = build_network(streets)
    parameters: dict[str, Any] = {
        "slope": None,
        "barrier_rule": [kind for kind in BARRIERS if kind in terrain.barrier_rule],
        "closures": [path.name for path in terrain.closures],
    }
    if terrain.elevation is not None:
        rules = rules_of(policy)[0]
        ground = read_elevation(terrain.elevation, streets.lonlat, rules)
        forms = network.vertex_form
        network, facts = add_slope(network, ground, rules)
        if facts.unknown_m >= facts.length_m:
            raise InputError([Fault("elevation_nothing", terrain.elevation.name)])
        warnings += _describe_slope(terrain.elevation.name, ground, facts, rules)
        if osm is None and (forms is None or not forms.any()):
            warnings.append(Warn("slope_graph_forms"))
        parameters["slope"] = _keep_slope(ground, facts)
    return Walkable(without_forms(network), tuple(warnings), parameters)


def without_forms(network: WalkNetwork) -> WalkNetwork:
    """The network as a run keeps it: of the forms only bridges and tunnels, if there are any."""
    if network.vertex_form is None:
        return network
    above = network.vertex_form & np.uint8(WayForm.ABOVE_OR_BELOW)
    above.setflags(write=False)
    return replace(network, vertex_form=above if above.any() else None)


def _close_places(
    streets: RawStreets, table: ClosureTable, file: str, rules: BarrierRules
) -> tuple[RawStreets, list[Warn]]:
    crs = metric_crs(streets.lonlat)
    shapes = table.where.in_degrees()
    cut = cut_inside(streets, widen_shapes(shapes, rules.closure_margin_m.value, crs))
    said = [
        Warn("closures_used", {"file": file, "count": len(table), "metres": round(cut.removed_m)})
    ]
    loose = table.rows[~cut.met]
    if len(loose):
        rows = ", ".join(str(row) for row in loose[:10]) + (" ..." if len(loose) > 10 else "")
        said.append(Warn("closures_loose", {"count": len(loose), "rows": rows}))
    return cut.streets, said


def _bar_streets(
    streets: RawStreets, kinds: Sequence[str], policy: Policy, osm: Path | None
) -> tuple[RawStreets, list[Warn]]:
    """Streets cut at railways and rivers and parted by main roads, as far as asked."""
    rules = rules_of(policy)[1]
    names = [kind for kind in BARRIERS if kind in kinds]
    said = [_list_kinds("barrier_rule_on", names, source=rules.source)]
    idle: list[str] = []
    for kind in _LINES:
        if kind not in kinds or osm is None:
            continue
        with in_order(osm) as ordered:
            lines = read_barrier_lines(ordered.path, kind, rules)
        cut = _cut_along(streets, kind, rules, lines)
        if cut.removed_m == 0:
            idle.append(kind)
        streets = cut.streets
    if "main_road" in kinds:
        closed = None if osm is None else _closed_main_roads(osm, policy, rules)
        parted = part_by_main_roads(streets, closed)
        if parted is streets:
            idle.append("main_road")
        streets = parted
    if idle:
        said.append(_list_kinds("barrier_none", idle))
    return streets, said


def _closed_main_roads(osm: Path, policy: Policy, rules: BarrierRules) -> RawStreets | None:
    with in_order(osm) as ordered:
        return read_closed_main_roads(ordered.path, policy.walk, rules)


def _cut_along(streets: RawStreets, kind: LineKind, rules: BarrierRules, lines: np.ndarray) -> Cut:
    """Streets cut where they cross lines; bridges and tunnels pass a railway, nothing a river."""
    half_m = rules.line_width_m.value / 2
    areas = widen_shapes(lines, half_m, metric_crs(streets.lonlat))
    spared = None
    if kind == "railway" and streets.form is not None:
        spared = (streets.form & int(WayForm.OFF_GROUND)) > 0
    return cut_inside(streets, areas, spared)


def _list_kinds(key: str, kinds: Sequence[str], **params: Any) -> Warn:
    """A remark that lists kinds of barriers in words of both languages."""
    named = listed(say_both(f"barrier_kind_{kind}") for kind in kinds)
    return Warn(key, {"kinds": named, **params})


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _describe_slope(
    file: str, ground: Elevation, facts: SlopeFacts, rules: TerrainRules
) -> list[Warn]:
    """What slope did, and what is doubtful about the heights."""
    said = [Warn("file_remark", {"remark": fault.both()}) for fault in ground.warnings]
    mean, steepest = _percent(facts.mean_slope), f"{100 * rules.steepest.value:g}"
    said.append(
        Warn(
            "slope_used",
            {
                "file": file,
                "cell_m": f"{ground.step_m:.0f}",
                "mean_percent": mean,
                "extra_percent": _percent(facts.extra_share),
            },
        )
    )
    if facts.unknown_m > 0:
        share = facts.unknown_m / facts.length_m
        params = {"km": f"{facts.unknown_m / 1000:.1f}", "percent": _percent(share)}
        said.append(Warn("slope_unknown", params))
    if facts.mean_slope > rules.implausible_slope.value:
        steep = _percent(facts.steep_m / facts.length_m)
        params = {"mean_percent": mean, "steep_percent": steep, "steepest_percent": steepest}
        said.append(Warn("slope_implausible", params))
    elif facts.steep_m > 0:
        params = {"km": f"{facts.steep_m / 1000:.1f}", "steepest_percent": steepest}
        said.append(Warn("slope_steep", params))
    return said


def _keep_slope(ground: Elevation, facts: SlopeFacts) -> dict[str, float]:
    return {
        "cell_m": round(ground.step_m, 2),
        "mean_slope": round(facts.mean_slope, 5),
        "extra_share": round(facts.extra_share, 5),
        "unknown_share": round(facts.unknown_m / facts.length_m, 5),
        "stairs_km": round(facts.stairs_m / 1000, 3),
        "off_ground_km": round(facts.off_ground_m / 1000, 3),
    }

"""Streets, where things join them, and walking times of every cell to every service."""

from __future__ import annotations

import numpy as np
import shapely

from tests.oracles.audit.areas import polygon_area
from tests.oracles.audit.checks import Check, Ledger
from tests.oracles.audit.scene import EXPORT_M, Scene

BAR_S = 0.1


def check_walks(scene: Scene, ledger: Ledger) -> None:
    _streets(scene, ledger)
    _homes(scene, ledger)
    _facilities(scene, ledger)
    for service in scene.services:
        _times(scene, ledger, service)


def _streets(scene: Scene, ledger: Ledger) -> None:
    """Lengths of the published network against every segment of the file."""
    streets = scene.streets
    network = scene.product.layer("network")
    ours = np.bincount(streets.component, weights=streets.length_m)
    theirs = network.groupby("component")["length_m"].sum().to_numpy()
    ledger.same(
        "streets.length", "walkable length, km",
        [("all", float(theirs.sum() / 1000), float(ours.sum() / 1000))],
        within=1e-4, unit="km",
    )  # fmt: skip
    ours, theirs = np.sort(ours[ours > 0])[::-1], np.sort(theirs)[::-1]
    count = max(len(ours), len(theirs))
    pad = [np.pad(one, (0, count - len(one))) for one in (theirs, ours)]
    ledger.same(
        "streets.pieces", "pieces of the network by length, m",
        [(f"piece {k}", float(a), float(b)) for k, (a, b) in enumerate(zip(*pad, strict=True))],
        within=0.01, unit="m",
    )  # fmt: skip


def _homes(scene: Scene, ledger: Ledger) -> None:
    cells, homes = scene.cells, scene.homes
    names = cells["id"].tolist()
    ledger.same(
        "homes.snapped", "cells that join the streets",
        zip(names, cells["snapped"].tolist(), homes.snapped.tolist(), strict=True),
    )  # fmt: skip
    told = cells["access_m"].to_numpy(dtype=float)
    lost = np.zeros(len(cells), dtype=bool)
    lost[scene.elsewhere] = True
    both = np.flatnonzero(homes.snapped & np.isfinite(told) & ~lost)
    ledger.same(
        "homes.leg", "access leg of cells, m",
        [(names[k], float(told[k]), float(homes.leg_m[k])) for k in both.tolist()],
        within=EXPORT_M, unit="m",
    )  # fmt: skip
    ledger.add(
        Check(
            "homes.start", "cells whose start can be told",
            len(cells), len(cells) - int(lost.sum()),
            examples=tuple(names[k] for k in np.flatnonzero(lost).tolist()[:8]),
            note="the centroid lies outside, and DEFINITIONS names no one point inside",
            told_only=True,
        )
    )  # fmt: skip
    if "short_piece" in cells.columns:
        ledger.same(
            "homes.short_piece", "cells on a short piece",
            zip(names, cells["short_piece"].fillna(False).astype(bool).tolist(),
                homes.short_piece.tolist(), strict=True),
        )  # fmt: skip


def _facilities(scene: Scene, ledger: Ledger) -> None:
    """Least leg of every facility, and areas whose crossings gates and fences take away."""
    frame, goals = scene.facilities, scene.goals
    names = (frame["service"] + " " + frame["id"]).tolist()
    legs = [min((leg for _, _, leg in one.at), default=None) for one in goals]
    ledger.same(
        "facilities.snapped", "facilities that join the streets",
        zip(names, frame["snapped"].tolist(), [leg is not None for leg in legs], strict=True),
    )  # fmt: skip
    told = frame["access_m"].astype(float).tolist()
    ledger.same(
        "facilities.leg", "least access leg of facilities, m",
        [(name, float(a), float(b)) for name, a, b in zip(names, told, legs, strict=True)
         if b is not None and np.isfinite(a)],
        within=EXPORT_M, unit="m",
        note=f"{sum(one.crossed for one in goals)} areas that streets meet; crossings taken away "
        f"by gates: {sum(len(one.closed) for one in goals)}, "
        f"by fences: {sum(len(one.fenced) for one in goals)}",
    )  # fmt: skip
    _areas(scene, ledger)


def _areas(scene: Scene, ledger: Ledger) -> None:
    """Our shoelace against shapely's areas: they decide nothing differently."""
    shapes = scene.joiner.metric(np.asarray(scene.facilities.geometry.array, dtype=object))
    rows = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    ledger.same(
        "facilities.area", "area of facilities, shoelace against shapely, m2",
        [(scene.facilities["id"][k], float(shapely.area(shapes[k])), polygon_area(shapes[k]))
         for k in rows.tolist()],
        within=1e-3, unit="m2",
    )  # fmt: skip


def _times(scene: Scene, ledger: Ledger, service: str) -> None:
    """Every cell beyond a tenth of a second, cells whose start cannot be told left out."""
    ours, theirs = scene.seconds[service], scene.told_s(service)
    names = scene.cells["id"].tolist()
    kept = np.ones(len(names), dtype=bool)
    kept[scene.elsewhere] = False
    rows = np.flatnonzero(kept)
    reached = np.isfinite(ours)
    ledger.same(
        f"times.{service}", f"seconds to the nearest {service}",
        [(names[k], float(theirs[k]), float(ours[k])) for k in rows.tolist()
         if reached[k] or np.isfinite(theirs[k])],
        within=BAR_S, unit="s",
    )  # fmt: skip

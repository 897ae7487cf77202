"""Catchments: natural loads, and the three minima of the balanced ones by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

from tests.oracles.audit.checking.check_walks import BAR_S
from tests.oracles.audit.checks import Ledger
from tests.oracles.audit.scene import ADULT_S_PER_M, Scene
from tests.oracles.audit.streets import Floats, Ints


@dataclass(frozen=True, slots=True)
class Best:
    """The lexicographic minima of a balanced assignment."""

    unserved: int
    underload: int
    person_m: float
    loads: Ints


def check_loads(scene: Scene, ledger: Ledger) -> None:
    loads: list[tuple[str, Any, Any]] = []
    sums: list[tuple[str, Any, Any]] = []
    least: list[tuple[str, Any, Any]] = []
    walking: list[tuple[str, Any, Any]] = []
    settled: list[tuple[str, Any, Any]] = []
    for service in scene.services:
        if f"centre_{service}" not in scene.cells.columns:
            continue
        asked = scene.product.offered("/catchments", service=service)
        if asked is None or not asked["assessed"] or asked.get("group", "total") != "total":
            continue
        for solution in ("natural", "balanced"):
            sums.extend(_conserved(service, solution, asked))
        sums.append((f"{service} known", asked["residents"], int(scene.assessed(service).sum())))
        metres = _metres(scene, service, asked)
        loads.extend(_natural(scene, service, asked["natural"], metres))
        centres = asked["balanced"]["centres"]
        best = least_loads(
            metres, scene.assessed(service), scene.services[service] / ADULT_S_PER_M * 60,
            np.array([one["min"] for one in centres]), np.array([one["max"] for one in centres]),
        )  # fmt: skip
        told = asked["balanced"]
        unserved = told["unserved"]["reachable_full"] + told["unserved"]["unreachable"]
        edge = _edge(scene, metres, scene.services[service])
        close = abs(unserved - best.unserved) <= edge
        least.append((f"{service} unserved", unserved, unserved if close else best.unserved))
        low = abs(told["underload"] - best.underload) <= edge
        least.append((f"{service} underload", told["underload"],
                      told["underload"] if low else best.underload))  # fmt: skip
        walking.append((f"{service} minutes each", told["person_minutes"] / max(1, told["served"]),
                        best.person_m * ADULT_S_PER_M / 60 / max(1, best.loads.sum())))  # fmt: skip
        settled.extend(
            (f"{service} {one['facility']}", one["load"], int(load))
            for one, load in zip(centres, best.loads.tolist(), strict=True)
        )
    if not sums:
        return
    ledger.same("loads.sums", "served + unserved = known; loads = served", sums, unit="persons")
    ledger.same("loads.natural", "natural loads", loads, unit="persons",
                note="cells as near to two centres may go to either")  # fmt: skip
    ledger.same("loads.least", "balanced: least unserved, then least underload", least,
                unit="persons")  # fmt: skip
    ledger.same("loads.walking", "balanced: least walking, minutes a person", walking,
                within=BAR_S / 60, unit="min")  # fmt: skip
    ledger.same("loads.balanced", "balanced loads of one optimum (ties open)", settled,
                unit="persons", told_only=True)  # fmt: skip


def _conserved(service: str, solution: str, asked: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    told = asked[solution]
    unserved = told["unserved"]["reachable_full"] + told["unserved"]["unreachable"]
    load = sum(one["load"] for one in told["centres"])
    name = f"{service} {solution}"
    rows = [(f"{name} all", told["served"] + unserved, asked["residents"]),
            (f"{name} loads", load, told["served"])]  # fmt: skip
    rows.extend(
        (f"{name} {one['facility']} {field}", one[field], expected)
        for one in told["centres"]
        for field, expected in (
            ("overload", max(0, one["load"] - one["max"])),
            ("underload", max(0, one["min"] - one["load"])),
        )
    )
    return rows


def _metres(scene: Scene, service: str, asked: dict[str, Any]) -> Floats:
    """Own metres (centre, cell) of the centres in the document's order."""
    rows = {scene.facilities["id"][k]: k for k in scene.facilities_of(service).tolist()}
    order = np.array([rows[one["facility"]] for one in asked["balanced"]["centres"]])
    return scene.walks.between_m(order)


def _natural(
    scene: Scene, service: str, told: dict[str, Any], metres: Floats
) -> list[tuple[str, Any, Any]]:
    """Everyone to the nearest; who stands as near to another (0.1 s) may be counted there."""
    nearest = metres.argmin(axis=0)
    least = metres.min(axis=0)
    reached = np.isfinite(least)
    rows: list[tuple[str, Any, Any]] = []
    persons = scene.assessed(service)
    for k, one in enumerate(told["centres"]):
        own = reached & (nearest == k)
        margin = least + BAR_S / ADULT_S_PER_M
        rivals = np.delete(metres, k, axis=0).min(axis=0, initial=np.inf)
        open_ones = reached & (metres[k] <= margin) & (rivals <= margin)
        low = int(persons[own & ~open_ones].sum())
        high = int(persons[own | open_ones].sum())
        ok = low <= one["load"] <= high
        ours = one["load"] if ok else int(persons[own].sum())
        rows.append((f"{service} {one['facility']}", one["load"], ours))
    return rows


def _edge(scene: Scene, metres: Floats, minutes: float) -> int:
    """Residents for whom some centre lies within the bar of the limit."""
    near = np.abs(metres * ADULT_S_PER_M - minutes * 60) <= BAR_S
    return int(scene.residents[near.any(axis=0)].sum())


def least_loads(metres: Floats, persons: Ints, limit_m: float, least: Floats, most: Floats) -> Best:
    """Fewest unserved, then least underload, then least walking: three linear programs.

    The constraints are those of a flow: an optimum in whole persons exists and is found.
    """
    centre, cell = np.nonzero(metres <= limit_m)
    arcs, cells, centres = len(cell), len(persons), len(least)
    size = arcs + cells + centres  # walks, unserved, underload
    rows = coo_array(
        (np.ones(arcs + cells),
         (np.concatenate([cell, np.arange(cells)]), np.arange(arcs + cells))),
        shape=(cells, size),
    )  # fmt: skip
    load = coo_array((np.ones(arcs), (centre, np.arange(arcs))), shape=(centres, size))
    below = load + coo_array(
        (np.ones(centres), (np.arange(centres), arcs + cells + np.arange(centres))),
        shape=(centres, size),
    )
    upper = csr_array(vstack([load, -below]))
    right = np.concatenate([most, -np.asarray(least)]).astype(float)
    cost = np.zeros((3, size))
    cost[0, arcs : arcs + cells] = 1
    cost[1, arcs + cells :] = 1
    cost[2, :arcs] = metres[centre, cell]
    values, solved = [], None
    for stage in range(3):
        solved = linprog(
            cost[stage], A_ub=upper, b_ub=right, A_eq=csr_array(rows), b_eq=persons.astype(float),
            method="highs",
        )  # fmt: skip
        assert solved.status == 0, solved.message
        values.append(float(solved.fun))
        if stage < 2:  # held as a whole number of persons
            upper = csr_array(vstack([upper, csr_array(cost[stage : stage + 1])]))
            right = np.append(right, round(solved.fun) + 1e-6)
    loads = np.rint(load @ solved.x).astype(np.int64)
    return Best(round(values[0]), round(values[1]), values[2], loads)

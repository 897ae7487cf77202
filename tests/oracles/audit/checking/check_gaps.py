"""Gaps by an own union-find: one unit, one reason, one component, 250 m between attachments."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.oracles.audit.checking.check_coverage import ROUNDED_S
from tests.oracles.audit.checks import Check, Ledger
from tests.oracles.audit.scene import Scene
from tests.oracles.audit.streets import Ints

Gap = tuple[str, str, int]  # unit, reason, persons


def check_gaps(scene: Scene, ledger: Ledger) -> None:
    _sums(scene, ledger)
    _reasons(scene, ledger)
    wrong, compared, equal, most = [], 0, 0, 0.0
    for service in scene.services:
        ours = Counter(own_gaps(scene, service))
        theirs = Counter(
            (str(one["unit_code"] or ""), one["reason"], int(one["residents"]))
            for one in scene.gaps[service]
        )
        same = sum((ours & theirs).values())
        compared += max(sum(ours.values()), sum(theirs.values()))
        equal += same
        if ours != theirs:
            lost = sum(n * k[2] for k, n in (ours - theirs).items())
            most = max(most, float(lost))
            wrong.append(
                f"{service}: product {sum(theirs.values())} gaps, audit {sum(ours.values())}, "
                f"{same} equal, {lost} persons in gaps that differ"
            )
    ledger.add(
        Check("gaps.each", "gaps by unit, reason, persons", compared, equal, most, "persons",
              tuple(wrong[:8]), "the product's own times; joined by 250 m, component, reason, unit")
    )  # fmt: skip
    _ids(scene, ledger)
    _inside_units(scene, ledger)


def _sums(scene: Scene, ledger: Ledger) -> None:
    """Covered and the other gaps are all; the over_capacity are the reachable_full."""
    all_rows, full_rows = [], []
    for service, document in scene.coverage.items():
        gaps = scene.gaps[service]
        full = sum(one["residents"] for one in gaps if one["reason"] == "over_capacity")
        others = sum(one["residents"] for one in gaps) - full
        total = document["total"]
        known = total["residents"] - (total.get("not_assessed") or 0)
        all_rows.append((service, total["covered"] + others, known))
        asked = scene.product.document("/catchments", service=service) if full else None
        if asked is not None:
            told = asked["balanced"]["unserved"]["reachable_full"]
            full_rows.append((service, full, told))
    ledger.same(
        "gaps.sum", "covered + gaps without over_capacity = known", all_rows, unit="persons"
    )
    if full_rows:
        ledger.same(
            "gaps.full", "over_capacity = reachable_full of balanced", full_rows, unit="persons"
        )


def _reasons(scene: Scene, ledger: Ledger) -> None:
    """Residents by unit and reason, recomputed from the published times with pandas."""
    rows: list[tuple[str, Any, Any]] = []
    for service in scene.services:
        frame = pd.DataFrame(
            {
                "unit": scene.unit_of_cell,
                "reason": _reason(scene, service),
                "n": scene.assessed(service),
            }
        )
        ours = (
            frame[(frame["reason"] != "") & (frame["n"] > 0)]
            .groupby(["unit", "reason"])["n"]
            .sum()
            .to_dict()
        )
        theirs: dict[tuple[str, str], int] = defaultdict(int)
        for one in scene.gaps[service]:
            if one["reason"] != "over_capacity":
                theirs[str(one["unit_code"] or ""), one["reason"]] += int(one["residents"])
        for key in sorted({*ours, *theirs}):
            name = f"{service} {key[0]} {key[1]}"
            rows.append((name, theirs.get(key, 0), int(ours.get(key, 0))))
    ledger.same("gaps.reasons", "uncovered residents by unit and reason", rows, unit="persons")


def _reason(scene: Scene, service: str) -> Any:
    """The first reason that fits each uncovered cell; '' where covered."""
    seconds = scene.told_s(service)
    snapped = scene.cells["snapped"].to_numpy(dtype=bool)
    answer = np.full(len(seconds), "", dtype=object)
    answer[seconds > scene.services[service] * 60 + ROUNDED_S] = "too_far"
    answer[~np.isfinite(seconds)] = "cut_off"
    if not len(scene.facilities_of(service)):
        answer[:] = "no_facility"
    answer[~snapped] = "unsnapped"
    return answer


def own_gaps(scene: Scene, service: str) -> list[Gap]:
    """Every gap of a service, of the published times and our attachments."""
    found = _linked(scene, _reason(scene, service), scene.assessed(service))
    column = f"unserved_{service}"
    if column in scene.cells.columns:
        unserved = scene.cells[column].fillna(0).to_numpy(dtype=np.int64)
        seconds = scene.told_s(service)
        in_reach = seconds <= scene.services[service] * 60 + ROUNDED_S
        reason = np.where((unserved > 0) & in_reach, "over_capacity", "").astype(object)
        found.extend(_linked(scene, reason, unserved))
    return found


def _linked(scene: Scene, reason: Any, persons: Ints) -> list[Gap]:
    """Groups of cells of one unit, reason and component within 250 m of one another."""
    there = (reason != "") & (persons > 0)
    pairs = scene.linkable
    pairs = pairs[there[pairs].all(axis=1)]
    pairs = pairs[reason[pairs[:, 0]] == reason[pairs[:, 1]]]
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(there), len(there)))
    label = connected_components(links, directed=False)[1]
    rows = np.flatnonzero(there)
    frame = pd.DataFrame(
        {
            "label": label[rows],
            "unit": scene.unit_of_cell.to_numpy(dtype=object)[rows],
            "reason": reason[rows],
            "n": persons[rows],
        }
    )
    each = frame.groupby("label").agg({"unit": "first", "reason": "first", "n": "sum"})
    return [(str(one.unit), str(one.reason), int(one.n)) for one in each.itertuples()]


def _ids(scene: Scene, ledger: Ledger) -> None:
    """Asked again, one service at a time: the same gaps under the same ids, each id once."""
    rows: list[tuple[str, Any, Any]] = []
    for service in scene.services:
        first = {one["id"]: one["residents"] for one in scene.gaps[service]}
        again = {
            one.get("id"): one["properties"]["residents"]
            for one in scene.product.document("/gaps", service=service)["features"]
        }
        rows.append((service, again == first, True))
        rows.append((f"{service} ids once", len(first), len(scene.gaps[service])))
    ledger.same("gaps.ids", "ids of gaps stay, each once", rows)


def _inside_units(scene: Scene, ledger: Ledger) -> None:
    """Nobody reads of more residents in a gap than its unit has."""
    of_unit = pd.Series(scene.residents).groupby(scene.unit_of_cell.to_numpy()).sum()
    gaps = [(service, one) for service, own in scene.gaps.items() for one in own]
    large = [
        f"{service} {one['id']}: {one['residents']} in {one['unit_code']} with "
        f"{of_unit.get(str(one['unit_code'] or ''), 0)}"
        for service, one in gaps
        if one["residents"] > of_unit.get(str(one["unit_code"] or ""), 0)
    ]
    ledger.add(
        Check("gaps.units", "gaps with no more residents than their unit", len(gaps),
              len(gaps) - len(large), examples=tuple(large[:8]))
    )  # fmt: skip

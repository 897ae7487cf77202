"""Bar e: catchments beside the HiGHS linear program; 100,000 cells and 300 centres in memory.

The instance of 3,000 cells and 30 centres stands on the streets of Porto; each centre takes
30,000 to 100,000 of 1.8 million people. HiGHS gets the plain linear program (everyone served,
loads within bounds, least person-centimetres) as ready-made arrays; ours solves the lexicographic
question, in whole persons, and proves the bound.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.bars import SEED, Row, Skip, medians_s, shared_file
from benchmarks.town import porto, positions_near_streets
from lifecircle.analysis.access.od_matrix import walk_matrix
from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.measures.catchments.assignment import Assignment, balanced_assignment
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms

BAR_RATIO = 10.0
BAR_MB = 4 * 1024
LOW, HIGH = 30_000, 100_000
POA_CENTRES, POA_SEED = 14, 14
PER_MINUTE = 100 * 1000 / 15  # centimetres an adult walks in a minute

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """Cells with persons, walks to every centre, bounds."""

    persons: Ints
    cost: NDArray[np.int32]
    low: Ints
    high: Ints


def porto_instance(cells: int, centres: int, people: int) -> Instance:
    """Cells and centres near the streets of Porto's largest component, seeded."""
    town = porto()
    rng = np.random.default_rng(SEED)
    at = positions_near_streets(town, 2 * cells, rng)
    component = town.network.edge_component
    main = int(np.bincount(component, town.network.edge_length_m).argmax())
    home = at.take(np.flatnonzero(component[at.edge] == main)[:cells])
    places = positions_near_streets(town, 2 * centres, rng)
    place = places.take(np.flatnonzero(component[places.edge] == main)[:centres])
    share = rng.gamma(2.0, 1.0, cells)
    persons = np.floor(share / share.sum() * people).astype(np.int64)
    rows = np.arange(centres, dtype=np.int32)
    cost = walk_matrix(town.costs, Attachments(rows, place), home, rows)
    return Instance(persons, cost, np.full(centres, LOW), np.full(centres, HIGH))


def ours(instance: Instance) -> Assignment:
    """Our answer."""
    return balanced_assignment(instance.persons, instance.cost, instance.low, instance.high)


def highs_lp(instance: Instance, unserved: int | None = None, underload: int = 0) -> float:
    """Least person-centimetres by HiGHS: a linear program over all pairs.

    `unserved`, `underload`: held as totals, with a slack variable per cell and per centre, where
    not everyone can be served or not every minimum met; None: no slacks at all.
    """
    centres, cells = instance.cost.shape
    real = instance.cost != UNREACHED_CM
    j, i = np.nonzero(real)
    columns = [np.column_stack((i, cells + j))]
    cost, upper = [instance.cost[real].astype(float)], [np.full(len(i), highspy.kHighsInf)]
    held: list[float] = []
    if unserved is not None:
        columns.append(np.column_stack((np.arange(cells), np.full(cells, cells + centres))))
        row = np.full(centres, cells + centres + 1)
        columns.append(np.column_stack((cells + np.arange(centres), row)))
        cost += [np.zeros(cells), np.zeros(centres)]
        upper += [instance.persons.astype(float), instance.low.astype(float)]
        held = [float(unserved), float(underload)]
    rows = np.concatenate(columns)
    lower = np.concatenate((instance.persons, instance.low, held)).astype(float)
    top = highspy.kHighsInf if held else instance.high
    most = np.concatenate((instance.persons, np.broadcast_to(top, centres), held)).astype(float)
    lengths = np.full(len(rows), 2)
    index = rows.ravel()
    if held:  # the maxima stand in rows of their own, where no slack can lift them
        more = np.full(len(rows), -1)
        more[: len(i)] = cells + centres + 2 + j
        three = np.column_stack((rows, more)).ravel()
        index, lengths = three[three >= 0], lengths + (more >= 0)
        lower = np.concatenate((lower, np.zeros(centres)))
        most = np.concatenate((most, instance.high.astype(float)))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(rows), len(lower)
    lp.col_cost_, lp.col_upper_ = np.concatenate(cost), np.concatenate(upper)
    lp.col_lower_ = np.zeros(len(rows))
    lp.row_lower_, lp.row_upper_ = lower, most
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    lp.a_matrix_.index_ = index.astype(np.int32)
    lp.a_matrix_.value_ = np.ones(len(index))
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(lp)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS: {solver.getModelStatus()}")
    return float(solver.getInfo().objective_function_value)


def porto_alegre() -> tuple[Instance, list[str]]:
    """The hexagons of Porto Alegre and 14 of those with health care, far from each other.

    A farthest-point sample: the first by the seed, each further one farthest from those taken.
    """
    table = pd.read_csv(shared_file("porto_alegre/poa_hexgrid.csv"))
    policy = load_policy()
    network = build_network(
        read_streets(shared_file("porto_alegre/poa_osm.pbf"), policy.walk, way_forms(policy))
    )
    index = EdgeIndex.by(network, policy.attachment)
    xy = to_metric(table[["lon", "lat"]].to_numpy(), network.crs)
    able = np.flatnonzero(table["healthcare"].fillna(0).to_numpy() > 0)
    taken = [int(able[np.random.default_rng(POA_SEED).integers(len(able))])]
    while len(taken) < POA_CENTRES:
        away = np.hypot(*(xy[able, None] - xy[taken][None]).transpose(2, 0, 1)).min(axis=1)
        taken.append(int(able[away.argmax()]))
    leg_m = policy.attachment.max_leg_m.value
    home, place = index.snap(xy, leg_m), index.snap(xy[taken], leg_m)
    joined = np.flatnonzero(place.snapped).astype(np.int32)
    rows = np.arange(POA_CENTRES, dtype=np.int32)
    at = Attachments(joined, place.take(joined))
    cost = walk_matrix(flat_costs(network), at, home, rows)
    persons = table["population"].to_numpy().astype(np.int64)
    bounds = np.full(POA_CENTRES, LOW), np.full(POA_CENTRES, HIGH)
    return Instance(persons, cost, *bounds), table["id"].iloc[taken].tolist()


def large() -> None:
    """100,000 cells and 300 centres, walks and all, in this process: seconds and peak as JSON."""
    porto()
    warm = porto_instance(200, 10, 400_000)
    ours(warm)
    start, cpu = time.perf_counter(), time.process_time()
    instance = porto_instance(100_000, 300, 13_500_000)
    walked, walked_cpu = time.perf_counter() - start, time.process_time() - cpu
    start, cpu = time.perf_counter(), time.process_time()
    found = ours(instance)
    solved, solved_cpu = time.perf_counter() - start, time.process_time() - cpu
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    told = {"walks_s": walked, "solve_s": solved, "peak_mb": peak,
            "walks_cpu_s": walked_cpu, "solve_cpu_s": solved_cpu, "proven": found.proven,
            "unserved": found.total_unserved, "underload": found.underload,
            "person_minutes": found.person_cm / PER_MINUTE, "split": found.split_cells}  # fmt: skip
    print(json.dumps(told))


def measured_large() -> dict[str, float]:
    """`large` in a process of its own."""
    if not Path("/proc/self/status").exists():
        raise Skip("no /proc to read the peak memory from")
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", "from benchmarks import bar_e; bar_e.large()"],
        capture_output=True, check=True, cwd=root,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout)
    return told


def measure() -> list[Row]:
    """The rows of bar e."""
    instance = porto_instance(3_000, 30, 1_800_000)
    found, peer = ours(instance), highs_lp(instance)
    seconds = medians_s({"ours": lambda: ours(instance), "peer": lambda: highs_lp(instance)}, 5)
    ratio = seconds["peer"] / seconds["ours"]
    same = abs(found.person_cm - peer) <= 1e-7 * peer and found.total_unserved == 0
    rows = [
        Row("e", "3,000 cells, 30 centres, 30k-100k each", f"{seconds['ours']:.3f} s",
            "HiGHS LP, all pairs", f"{seconds['peer']:.2f} s", ratio, f">= {BAR_RATIO:.0f}x",
            ratio >= BAR_RATIO and same and found.proven,
            f"objective {found.person_cm / 100:,.0f} person-metres, HiGHS {peer / 100:,.0f}; "
            f"{found.split_cells} cells split; lexicographic, whole persons, bound proven"),
    ]  # fmt: skip
    alegre, chosen = porto_alegre()
    mine = ours(alegre)
    short = (mine.total_unserved, mine.underload)
    bound = highs_lp(alegre, *short)
    one = medians_s({"ours": lambda: ours(alegre), "peer": lambda: highs_lp(alegre, *short)}, 5)
    rows.append(
        Row("e", f"Porto Alegre, {POA_CENTRES} centres", f"{one['ours']:.3f} s", "HiGHS LP",
            f"{one['peer']:.2f} s", one["peer"] / one["ours"], "same objective",
            abs(mine.person_cm - bound) <= 1e-7 * bound,
            f"{mine.person_cm / PER_MINUTE:,.0f} person-minutes, LP bound "
            f"{bound / PER_MINUTE:,.0f}; unserved {mine.total_unserved:,}, underload "
            f"{mine.underload:,}; loads {mine.load.tolist()}; hexagons {', '.join(chosen)}")
    )  # fmt: skip
    big = measured_large()
    rows.append(
        Row("e", "100,000 cells, 300 centres, with walks",
            f"{big['walks_s'] + big['solve_s']:.1f} s, {big['peak_mb']:,.0f} MB", "-", "-", None,
            f"< {BAR_MB:,} MB", big["peak_mb"] < BAR_MB and bool(big["proven"]),
            f"snapping and walks {big['walks_s']:.1f} s ({big['walks_cpu_s']:.1f} of processors), "
            f"assignment {big['solve_s']:.1f} s ({big['solve_cpu_s']:.1f}); "
            f"unserved {big['unserved']:,}, underload {big['underload']:,}, split {big['split']:,}")
    )  # fmt: skip
    return rows

"""Siting beside spopt: five more centres for Porto Alegre, covering most and walking least.

Fourteen of the hexagons with health care stand (a farthest-point sample, seed 14); the other
hexagons are the candidates. spopt builds the same question with the fourteen fixed and hands it to
the solver PuLP finds; ours is greedy and interchange with the bound, then HiGHS for what is left.
The p-median of spopt has a column for every pair of cell and site, so it gets fewer candidates.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.bars import Row, medians_s, ms, shared_file, skipped
from benchmarks.peers.elsewhere import ask_peer
from benchmarks.town import porto, positions_near_streets
from lifecircle.analysis.access.nearest import travel_table
from lifecircle.analysis.access.od_matrix import service_facilities, walk_matrix
from lifecircle.analysis.access.sites import SiteWalks, walks_to_sites
from lifecircle.analysis.access.walking import flat_costs, walk_costs
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.siting import kernel
from lifecircle.analysis.measures.siting.exact import best_sites
from lifecircle.analysis.measures.siting.problem import (
    SiteProblem,
    pose_maximal_covering,
    pose_p_median,
)
from lifecircle.analysis.measures.siting.search import Chosen, greedy_curve, search
from lifecircle.analysis.measures.what_if import Addition, what_if
from lifecircle.analysis.pipeline import analyse_city
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms

CENTRES, SEED, ADDED = 14, 14, 5
LIMIT_CM = 100_000  # 15 minutes of an adult
MEDIAN_SITES = 60  # candidates of the p-median that spopt can hold
TIME_LIMIT_S = 120.0
NO_WAY = 1e12  # centimetres: very far
LARGE = 100_000
BAR_GAP = 0.01
BAR_WHAT_IF = 20


@dataclass(frozen=True)
class Town:
    """Walks (cm) from hexagons to those that stand, and to the candidates: (c, n) each."""

    persons: np.ndarray
    standing_cm: np.ndarray
    site_cm: np.ndarray

    def near(self, sites: np.ndarray, most_cm: np.ndarray) -> SiteWalks:
        """The walks to some of the candidates that are not longer than `most_cm` (c,)."""
        cm = self.site_cm[:, sites]
        site, cell = np.nonzero((cm <= most_cm[:, None]).T)
        start = np.searchsorted(site, np.arange(len(sites) + 1)).astype(np.int64)
        return SiteWalks(start, cell.astype(np.int32), cm[cell, site].astype(np.int32))

    def covering(self) -> SiteProblem:
        """Cover most residents within 15 minutes."""
        everyone = np.full(len(self.persons), LIMIT_CM)
        covered = self.standing_cm.min(axis=1) <= LIMIT_CM
        sites = np.arange(self.site_cm.shape[1])
        return pose_maximal_covering(self.persons, covered, self.near(sites, everyone))

    def walking(self, sites: np.ndarray) -> SiteProblem:
        """Walk least; hexagons without any way to what stands are left out."""
        base = self.standing_cm.min(axis=1).astype(np.int64)
        persons = np.where(base == UNREACHED_CM, 0, self.persons)
        return pose_p_median(persons, base, self.near(sites, base - 1))


def porto_alegre() -> Town:
    """Hexagons, the fourteen that stand and the candidates, with all walks."""
    table = pd.read_csv(shared_file("porto_alegre/poa_hexgrid.csv"))
    policy = load_policy()
    network = build_network(
        read_streets(shared_file("porto_alegre/poa_osm.pbf"), policy.walk, way_forms(policy))
    )
    index = EdgeIndex.by(network, policy.attachment)
    xy = to_metric(table[["lon", "lat"]].to_numpy(), network.crs)
    able = np.flatnonzero(table["healthcare"].fillna(0).to_numpy() > 0)
    taken = spread(xy, able, [int(able[np.random.default_rng(SEED).integers(len(able))])], CENTRES)
    position = index.snap(xy, policy.attachment.max_leg_m.value)
    rest = np.setdiff1d(np.flatnonzero(position.snapped), taken)
    costs = flat_costs(network)

    def walks(places: np.ndarray) -> np.ndarray:
        places = places[position.snapped[places]]
        at = Attachments(places.astype(np.int32), position.take(places))
        return walk_matrix(costs, at, position, places.astype(np.int32)).T

    persons = table["population"].to_numpy().astype(np.int64)
    return Town(persons, walks(np.array(taken)), walks(rest))


def spread(xy: np.ndarray, able: np.ndarray, taken: list[int], count: int) -> list[int]:
    """A farthest-point sample: each further one farthest from those taken."""
    while len(taken) < count:
        away = np.hypot(*(xy[able, None] - xy[taken][None]).transpose(2, 0, 1)).min(axis=1)
        taken.append(int(able[away.argmax()]))
    return taken


def measure() -> list[Row]:
    """The rows of siting."""
    town = porto_alegre()
    cover = town.covering()
    sites = np.linspace(0, town.site_cm.shape[1] - 1, MEDIAN_SITES).astype(np.int64)
    every = np.arange(town.site_cm.shape[1])
    rows = [
        _against_spopt("MCLP, +5 of all hexagons", "MCLP", town, every),
        _against_spopt(f"p-median, +5 of {MEDIAN_SITES} hexagons", "PMedian", town, sites),
    ]
    for title, problem in (("covering", cover), ("p-median", town.walking(every))):
        rows.append(_three_ways(f"{title}, +5 of {problem.sites} hexagons", problem))
    curve = greedy_curve(cover, cover.sites)
    rising = bool((np.diff(curve) > 0).all() and (np.diff(curve, 2) <= 0).all())
    rows.append(
        Row("site", "curve: sites against covered", f"{len(curve) - 1} sites", "-", "-", None,
            "never falls", rising, f"{curve[0]} to {curve[-1]} newly covered")
    )  # fmt: skip
    return rows + large_rows() + what_if_rows()


def _three_ways(title: str, problem: SiteProblem) -> Row:
    """Greedy, interchange and exact on one question; the gap of what comes at once."""
    everyone = np.ones(problem.sites, dtype=np.bool_)
    seconds = medians_s({"at once": lambda: search(problem, ADDED)}, 5)
    started = time.perf_counter()
    exact = best_sites(problem, ADDED, TIME_LIMIT_S)
    whole = time.perf_counter() - started
    _, gain = kernel.greedy(*problem.arrays, ADDED, everyone)
    found, _ = search(problem, ADDED)
    note = (
        f"greedy {int(gain.sum()):,}, at once {found.value:,} <= {found.bound:,}, "
        f"exact {exact.value:,} <= {exact.bound:,} ({exact.method}, {whole:.2f} s)"
    )
    return Row("site", title, ms(seconds["at once"]), "proven bound", f"{exact.bound:,}",
               exact.gap, f"gap <= {BAR_GAP:.0%}", exact.gap <= BAR_GAP, note)  # fmt: skip


def large_rows() -> list[Row]:
    """Among 100,000 candidates on Porto's streets, for as many homes: their walks, then the choice.

    A tenth of the homes has a place already; the seconds of the choice are those until an answer
    with its proven bound is there.
    """
    town = porto()
    rng = np.random.default_rng(SEED)
    home, site = (positions_near_streets(town, LARGE, rng) for _ in range(2))
    persons = rng.integers(1, 300, LARGE)
    covered = rng.random(LARGE) < 1 / 10
    places = Attachments(np.arange(LARGE, dtype=np.int32), site)
    clocks = [(time.perf_counter(), time.process_time())]

    def lap() -> None:
        clocks.append((time.perf_counter(), time.process_time()))

    walks = walks_to_sites(town.costs, places, LARGE, home, LIMIT_CM)
    lap()
    problem = pose_maximal_covering(persons, covered, walks)
    found, _ = search(problem, ADDED)
    lap()
    (walked, walked_cpu), (chosen, chosen_cpu) = np.diff(np.array(clocks), axis=0).tolist()
    return [
        Row("site", f"covering, +{ADDED} of {LARGE:,} candidates, {LARGE:,} homes",
            f"{walked + chosen:.1f} s", "proven bound", f"{found.bound:,}", found.gap,
            f"gap <= {BAR_GAP:.0%}", found.gap <= BAR_GAP,
            f"walks {walked:.1f} s ({walked_cpu:.1f} of processors, {len(walks.cell):,} pairs), "
            f"choice {chosen:.1f} s ({chosen_cpu:.1f}); found {found.value:,} ({found.method})")
    ]  # fmt: skip


def _against_spopt(title: str, kind: str, town: Town, sites: np.ndarray) -> Row:
    """Both from the matrix of walks: building the question counts on both sides."""
    base = town.standing_cm.min(axis=1)
    way = np.full(len(base), True) if kind == "MCLP" else base != UNREACHED_CM
    walks = np.hstack([town.standing_cm, town.site_cm[:, sites]])[way].astype(np.float64)
    walks[walks == UNREACHED_CM] = NO_WAY
    persons = town.persons[way]
    said = ask_peer(
        "spopt", "spopt_peer", kind, walks=walks, persons=persons, limit_cm=LIMIT_CM,
        standing=town.standing_cm.shape[1], added=ADDED,
    )  # fmt: skip
    if isinstance(said, str):
        return skipped("site", title, said)

    def ask() -> Chosen:
        problem = town.covering() if kind == "MCLP" else town.walking(sites)
        return best_sites(problem, ADDED, TIME_LIMIT_S)

    seconds = medians_s({"ours": ask}, 3)
    ours, opened = ask(), np.array(said["opened"])
    if kind == "MCLP":
        gained = (walks[:, opened] <= LIMIT_CM).any(axis=1) & ~(base <= LIMIT_CM)
        value = int(persons[gained].sum())
    else:
        value = int((persons * (base[way] - walks[:, opened].min(axis=1))).sum())
    note = f"ours {ours.value:,} (proven: {ours.proven}), spopt {value:,}, {said['solver']}"
    return Row("site", title, ms(seconds["ours"]), f"spopt {said['version']}", ms(said["seconds"]),
               said["seconds"] / seconds["ours"], "same objective",
               ours.value == value and ours.proven, note)  # fmt: skip


def what_if_rows() -> list[Row]:
    """One place more, before and after by unit, beside walks and coverage computed afresh."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_springcity(Path(folder))
        _, policy, city, travel, *_ = analyse_city(springcity_request(files))
    costs = walk_costs(city.network)
    rng = np.random.default_rng(SEED)
    snapped = np.flatnonzero(city.cells.position.snapped)
    places = [city.cells.position.take(snapped[[i]]) for i in rng.integers(len(snapped), size=20)]
    service = "health_centre"
    stands = [int(i) for i in service_facilities(city, service)[:5]]

    study = Study(city, travel, policy, {}, costs)

    def adding() -> None:
        for place in places:
            what_if(
                study,
                Question(),
                add=[Addition(service, place)],
            )

    def removing() -> None:
        for facility in stands:
            what_if(
                study,
                Question(),
                remove=[facility],
            )

    def afresh() -> None:
        table = travel_table(city, costs, tuple(policy.services))
        for one in policy.services:
            coverage(Study(city, table, policy, {}, costs), Question(service=one))

    seconds = medians_s({"add": adding, "remove": removing, "afresh": afresh}, 5)
    rows = []
    for name, count in (("add", len(places)), ("remove", len(stands))):
        one = seconds[name] / count
        ratio = one / seconds["afresh"]
        rows.append(
            Row("site", f"what-if: {name} one health centre", ms(one), "walks and coverage afresh",
                ms(seconds["afresh"]), ratio, f"<= 1/{BAR_WHAT_IF}", ratio <= 1 / BAR_WHAT_IF,
                "springcity, all services of the policy afresh")
        )  # fmt: skip
    return rows

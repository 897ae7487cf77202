"""Which of equal optima is the answer: held against all of them, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lifecircle.analysis.measures.catchments import pricing, ties
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.assignment import (
    Assignment,
    balanced_assignment,
    balanced_on_arcs,
)
from lifecircle.analysis.measures.catchments.flow_model import FlowModel
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.catchments.whole_cells import whole_cells
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, settle
from lifecircle.analysis.quantities import UNREACHED_CM

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tied:
    """A small question with many equal optima, and the order of its ids."""

    persons: Ints
    cost: NDArray[np.int32]
    minimum: Ints
    maximum: Ints
    ranks: Ranks

    def solve(self) -> Assignment:
        return balanced_assignment(
            self.persons, self.cost, self.minimum, self.maximum, lambda: self.ranks
        )

    def solve_on_arcs(self) -> Assignment:
        arcs = Arcs.from_matrix(self.cost)
        return balanced_on_arcs(self.persons, arcs, self.minimum, self.maximum, lambda: self.ranks)

    def turned(self, rng: np.random.Generator) -> tuple[Tied, Ints, Ints]:
        """The same question with its rows in another order, which comes with it."""
        cells, centres = rng.permutation(len(self.persons)), rng.permutation(len(self.minimum))
        cost = np.ascontiguousarray(self.cost[centres][:, cells])
        ranks = Ranks(self.ranks.cell[cells], self.ranks.centre[centres], self.ranks.cells)
        bounds = self.minimum[centres], self.maximum[centres]
        return Tied(self.persons[cells], cost, *bounds, ranks), cells, centres


def drawn(
    rng: np.random.Generator, most_cells: int = 4, most_persons: int = 2, centres: int = 3
) -> Tied:
    """Walks of few lengths, persons alike, ids in any order."""
    cells, centres = int(rng.integers(1, most_cells + 1)), int(rng.integers(1, centres + 1))
    persons = rng.integers(0, most_persons + 1, cells).astype(np.int64)
    cost = rng.integers(0, rng.integers(1, 4), (centres, cells)).astype(np.int32)
    cost[rng.random(cost.shape) < rng.choice([0.0, 0.3])] = UNREACHED_CM
    room = max(int(persons.sum()), 1)
    maximum = rng.integers(0, room + 1, centres).astype(np.int64)
    minimum = rng.integers(0, rng.integers(1, room + 1) + 1, centres).astype(np.int64)
    ranks = Ranks(rng.permutation(cells) + 1, rng.permutation(centres) + 1, cells)
    return Tied(persons, cost, minimum, maximum, ranks)


def on_matrix(found: Assignment) -> Ints:
    """Persons by centre and cell."""
    persons = np.zeros((len(found.load), len(found.unserved)), dtype=np.int64)
    persons[found.centre, found.cell] = found.persons
    return persons


def first_of_all(asked: Tied) -> Ints:
    """Every flow written down; the best by the three aims, the sum of ranks, and the order."""
    centres, cells = asked.cost.shape
    ways = [
        [
            way
            for way in product(range(int(count) + 1), repeat=centres)
            if sum(way) <= count
            and not any(n and asked.cost[j, i] == UNREACHED_CM for j, n in enumerate(way))
        ]
        for i, count in enumerate(asked.persons)
    ]
    flows = np.array(list(product(*ways)), dtype=np.int64).reshape(-1, cells, centres)
    flows = flows.transpose(0, 2, 1)
    load = flows.sum(axis=2)
    flows, load = (part[(load <= asked.maximum).all(axis=1)] for part in (flows, load))
    walk = np.where(asked.cost == UNREACHED_CM, 0, asked.cost).astype(np.int64)
    rank_sum = asked.ranks.centre[:, None] * (cells + 1) + asked.ranks.cell[None, :]
    aims = [
        -flows.sum(axis=(1, 2)),
        np.maximum(asked.minimum - load, 0).sum(axis=1),
        (flows * walk).sum(axis=(1, 2)),
        (flows * rank_sum).sum(axis=(1, 2)),
    ]
    by_rank = flows[:, np.argsort(asked.ranks.centre)][:, :, np.argsort(asked.ranks.cell)]
    keys = np.column_stack((*aims, -by_rank.reshape(len(flows), -1)))
    return flows[np.lexsort(keys.T[::-1])[0]]


@pytest.mark.parametrize("seed", range(4))
def test_the_first_of_all_optima(seed: int) -> None:
    """Exhaustive on 250 instances a seed; most of them have several optima."""
    rng = np.random.default_rng([10, seed])
    for _ in range(250):
        asked = drawn(rng)
        expected = first_of_all(asked)
        for found in (asked.solve(), asked.solve_on_arcs()):
            assert found.proven and not found.ties_open
            assert np.array_equal(on_matrix(found), expected)


def test_the_first_of_all_optima_of_more_persons() -> None:
    """Two centres and up to six persons a cell: splits that only ranks decide."""
    rng = np.random.default_rng(12)
    for _ in range(100):
        asked = drawn(rng, 3, 6, 2)
        assert np.array_equal(on_matrix(asked.solve()), first_of_all(asked))


def test_with_arcs_priced_in_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_FIRST_ARCS", 1), ("_MORE_ARCS", 1), ("_ALL_ARCS", 0)):
        monkeypatch.setattr(pricing, name, value)
    rng = np.random.default_rng(13)
    for _ in range(200):
        asked = drawn(rng)
        assert np.array_equal(on_matrix(asked.solve()), first_of_all(asked))


few = settings(max_examples=150, deadline=None, derandomize=True)


@few
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    """Some dozens of cells that stand alike: split and whole, dense and by arcs."""
    rng = np.random.default_rng(seed)
    asked = drawn(rng, 40, 9, 6)
    other, cells, centres = asked.turned(rng)
    found = asked.solve()
    for turned in (other.solve(), other.solve_on_arcs()):
        assert np.array_equal(on_matrix(turned), on_matrix(found)[centres][:, cells])
        assert np.array_equal(turned.unserved, found.unserved[cells])
    whole = [
        whole_cells(
            one.persons, Arcs.from_matrix(one.cost), one.minimum, one.maximum, split, one.ranks
        )
        for one, split in ((asked, found), (other, other.solve()))
    ]
    assert np.array_equal(on_matrix(whole[1]), on_matrix(whole[0])[centres][:, cells])


@few
@given(st.integers(0, 2**32 - 1))
def test_siting_settles_alike(seed: int) -> None:
    """The places that are open hold what catchments of those alone hold."""
    rng = np.random.default_rng(seed)
    asked = drawn(rng, 12, 9, 5)
    flow = FlowModel(asked.persons, Arcs.from_matrix(asked.cost), asked.minimum, asked.maximum)
    sites = np.flatnonzero(rng.random(len(asked.minimum)) < 0.5)
    found, open_ = settle(CapacitatedModel(flow, 0), sites, asked.ranks)
    shut = np.full_like(asked.cost, UNREACHED_CM)
    shut[sites] = asked.cost[sites]
    is_open = np.isin(np.arange(len(asked.minimum)), sites)
    alone = balanced_assignment(
        asked.persons,
        shut,
        np.where(is_open, asked.minimum, 0),
        np.where(is_open, asked.maximum, 0),
        lambda: asked.ranks,
    )
    assert not open_
    assert np.array_equal(found.load, alone.load)
    assert np.array_equal(found.unserved, alone.unserved)
    assert np.array_equal(found.persons, alone.persons)


def test_two_centres_in_one_house() -> None:
    """Equal walks for everyone: the lower id is filled first, by the cells of the lower ids."""
    persons = np.full(2000, 50)
    cost = np.tile(np.arange(2000, dtype=np.int32), (3, 1))
    asked = Tied(
        persons,
        cost,
        np.array([0, 10_000, 0]),
        np.array([30_025, 50_000, 60_000]),
        Ranks(np.arange(2000, 0, -1), np.array([3, 2, 1]), 2000),
    )
    found = asked.solve()
    assert found.load.tolist() == [0, 40_000, 60_000] and not found.ties_open
    expected = np.repeat([1, 2], [800, 1200])
    assert np.array_equal(on_matrix(found)[expected, np.arange(2000)], persons)


def test_too_long_a_choice_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ties, "BUDGET", 3)
    persons = np.full(50, 2)
    cost = np.ones((3, 50), dtype=np.int32)
    bounds = np.array([30, 30, 30]), np.array([34, 34, 34])
    found = balanced_assignment(persons, cost, *bounds)
    assert found.ties_open and found.proven
    monkeypatch.undo()
    settled = balanced_assignment(persons, cost, *bounds)
    assert not settled.ties_open
    assert (settled.load.tolist(), settled.unserved.sum()) == ([34, 34, 32], 0)
    assert settled.person_cm == found.person_cm


def test_costs_beyond_all_sums_leave_ties_open() -> None:
    """Ranks so large that no price could be exact: any optimum, and it is said."""
    ranks = Ranks(np.array([1, 2]), np.array([1, 2**30]), 2**31)
    cost = np.ones((2, 2), dtype=np.int32)
    bounds = np.array([1, 1]), np.array([2, 2])
    found = balanced_assignment(np.array([1, 1]), cost, *bounds, lambda: ranks)
    assert found.ties_open and found.proven

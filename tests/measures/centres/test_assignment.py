"""The solver behind catchments, against exhaustive search on thousands of small instances."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lifecircle.analysis.access.od_matrix import SparseODMatrix
from lifecircle.analysis.measures.catchments import coarse, pricing
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.assignment import (
    Assignment,
    balanced_assignment,
    balanced_on_arcs,
    nearest_assignment,
)
from lifecircle.analysis.measures.catchments.whole_cells import whole_cells
from lifecircle.analysis.quantities import UNREACHED_CM

Ints = NDArray[np.int64]
Instance = tuple[Ints, NDArray[np.int32], Ints, Ints]
Triple = tuple[int, int, int]


def triple(found: Assignment) -> Triple:
    """Unserved, underload, centimetres: what is minimised in this order."""
    return found.total_unserved, found.underload, found.person_cm


def drawn(rng: np.random.Generator, most_cells: int = 8, most_persons: int = 4) -> Instance:
    """A small instance: few persons, ties, holes, tight and loose bounds, minima over maxima."""
    cells, centres = int(rng.integers(1, most_cells + 1)), int(rng.integers(1, 4))
    persons = rng.integers(0, most_persons + 1, cells).astype(np.int64)
    cost = rng.integers(0, rng.integers(1, 30), (centres, cells)).astype(np.int32)
    cost[rng.random(cost.shape) < rng.choice([0.0, 0.3, 0.7])] = UNREACHED_CM
    room = max(int(persons.sum()), 1)
    maximum = rng.integers(0, rng.integers(1, room + 1) + 1, centres).astype(np.int64)
    minimum = rng.integers(0, rng.integers(1, room + 1) + 1, centres).astype(np.int64)
    return persons, cost, minimum, maximum


def every_load(instance: Instance) -> Triple:
    """The optimum by going through every vector of loads, person by person."""
    persons, cost, minimum, maximum = instance
    best: dict[tuple[int, ...], int] = {tuple([0] * len(maximum)): 0}
    for cell, count in enumerate(persons.tolist()):
        for _ in range(count):
            after = dict(best)  # nobody serves this one
            for load, walked in best.items():
                for centre in range(len(maximum)):
                    if cost[centre, cell] == UNREACHED_CM or load[centre] == maximum[centre]:
                        continue
                    more = (*load[:centre], load[centre] + 1, *load[centre + 1 :])
                    total = walked + int(cost[centre, cell])
                    if total < after.get(more, 2**62):
                        after[more] = total
            best = after
    everyone = int(persons.sum())
    return min(
        (
            everyone - sum(load),
            sum(max(0, low - n) for low, n in zip(minimum.tolist(), load, strict=True)),
            walked,
        )
        for load, walked in best.items()
    )


def every_assignment(instance: Instance) -> Triple:
    """The optimum by writing down every way of sending every single person."""
    persons, cost, minimum, maximum = instance
    homes = np.repeat(np.arange(len(persons)), persons)
    best: Triple = (2**62, 0, 0)
    for choice in product(range(len(maximum) + 1), repeat=len(homes)):
        load = [0] * (len(maximum) + 1)
        walked = 0
        for home, centre in zip(homes.tolist(), choice, strict=True):
            load[centre] += 1
            if centre < len(maximum):
                walked += int(cost[centre, home])
        if walked >= UNREACHED_CM or any(n > top for n, top in zip(load, maximum, strict=False)):
            continue
        under = sum(max(0, low - n) for low, n in zip(minimum.tolist(), load, strict=False))
        best = min(best, (load[-1], under, walked))
    return best


def nearest(cost: NDArray[np.int32]) -> SparseODMatrix:
    """The nearest centre of every cell, the lower row on a tie."""
    near = cost.min(axis=0, initial=UNREACHED_CM)
    cell = np.flatnonzero(near != UNREACHED_CM)
    first = np.concatenate(([0], np.cumsum(near != UNREACHED_CM)))
    which = cost.argmin(axis=0)[cell] if len(cost) else cell
    return SparseODMatrix(first.astype(np.int64), which.astype(np.int32), near[cell])


def check_shape(instance: Instance, found: Assignment) -> None:
    """Conservation, hard maxima, only real arcs, everything told."""
    persons, cost, minimum, maximum = instance
    served = np.zeros(len(persons), dtype=np.int64)
    np.add.at(served, found.cell, found.persons)
    assert np.array_equal(served + found.unserved, persons)
    assert (found.persons > 0).all() and (found.unserved >= 0).all()
    assert (found.load <= maximum).all()
    assert (cost[found.centre, found.cell] != UNREACHED_CM).all()
    assert np.array_equal(found.reachable, (cost != UNREACHED_CM).any(axis=0))
    assert found.underload == np.maximum(minimum - found.load, 0).sum()
    assert found.proven and found.bound_cm == found.person_cm


@pytest.mark.parametrize("seed", range(4))
def test_the_same_optimum_as_every_vector_of_loads(seed: int) -> None:
    """Up to 8 cells and 3 centres, 500 instances a seed."""
    rng = np.random.default_rng([2022, seed])
    for _ in range(500):
        instance = drawn(rng)
        found = balanced_assignment(*instance)
        check_shape(instance, found)
        expected = every_load(instance)
        assert triple(found) == expected
        persons, cost, minimum, maximum = instance
        sparse = balanced_on_arcs(persons, Arcs.from_matrix(cost), minimum, maximum)
        check_shape(instance, sparse)
        assert triple(sparse) == expected


def test_the_same_optimum_as_every_assignment() -> None:
    """Tiny instances written out person by person: the oracle of the oracle."""
    rng = np.random.default_rng(77)
    for _ in range(300):
        instance = drawn(rng, most_cells=4, most_persons=2)
        if instance[0].sum() > 6:
            continue
        expected = every_assignment(instance)
        assert every_load(instance) == expected
        assert triple(balanced_assignment(*instance)) == expected


def test_arcs_left_out_at_first_are_priced_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one arc a cell to begin with, the optimum is the same."""
    monkeypatch.setattr(pricing, "_FIRST_ARCS", 1)
    monkeypatch.setattr(pricing, "_MORE_ARCS", 1)
    monkeypatch.setattr(pricing, "_ALL_ARCS", 0)
    rng = np.random.default_rng(5)
    rounds = 0
    for _ in range(300):
        instance = drawn(rng)
        found = balanced_assignment(*instance)
        check_shape(instance, found)
        assert triple(found) == every_load(instance)
        rounds += found.total_unserved == 0
    assert rounds > 20


def large(rng: np.random.Generator, cells: int, centres: int, slack: float) -> Instance:
    """Cells and centres in a square, walks as the crow flies."""
    home, place = rng.uniform(0, 5000, (cells, 2)), rng.uniform(0, 5000, (centres, 2))
    metres = np.hypot(*(place[:, None] - home[None]).transpose(2, 0, 1))
    persons = rng.integers(0, 900, cells).astype(np.int64)
    mean = int(persons.sum()) / centres
    maximum = rng.uniform(0.6, 1.4 * slack, centres) * mean
    minimum = rng.uniform(0.2, 0.9, centres) * mean
    return (
        persons,
        (100 * metres).astype(np.int32),
        minimum.astype(np.int64),
        maximum.astype(np.int64),
    )


@pytest.mark.parametrize("slack", [0.8, 1.0, 1.4])
@pytest.mark.parametrize("holes", [0.0, 0.4])
def test_a_coarse_start_changes_nothing(
    slack: float, holes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large questions begin with joined cells: the answer is the same to the person."""
    rng = np.random.default_rng(9)
    persons, cost, minimum, maximum = large(rng, 2000, 12, slack)
    cost //= 5000  # many equal walks
    cost[rng.random(cost.shape) < holes] = UNREACHED_CM
    plain = balanced_assignment(persons, cost, minimum, maximum)
    for module in (coarse, pricing):
        monkeypatch.setattr(module, "LARGE", 100)
    found = balanced_assignment(persons, cost, minimum, maximum)
    for name in ("cell", "centre", "persons", "walk_cm", "unserved", "load"):
        assert np.array_equal(getattr(found, name), getattr(plain, name))
    assert found.least == plain.least and found.proven and not found.ties_open


def test_joined_cells_are_near_each_other() -> None:
    rng = np.random.default_rng(10)
    home, place = rng.uniform(0, 5000, (3000, 2)), rng.uniform(0, 5000, (20, 2))
    cost = np.hypot(*(place[:, None] - home[None]).transpose(2, 0, 1)).astype(np.int32)
    group = coarse.join_cells(cost)
    size = np.bincount(group)
    assert size.min() >= 1 and size.max() <= 10 and len(size) < 600
    centre = np.column_stack([np.bincount(group, home[:, k]) / size for k in (0, 1)])
    assert np.hypot(*(home - centre[group]).T).mean() < 200


@pytest.mark.parametrize("slack", [0.8, 1.0, 1.4])
def test_the_same_objective_as_highs(slack: float) -> None:
    """800 cells and 25 centres: HiGHS solves the three linear programs one after the other."""
    instance = large(np.random.default_rng(8), 800, 25, slack)
    found = balanced_assignment(*instance)
    check_shape(instance, found)
    assert triple(found) == pytest.approx(highs_triple(instance), rel=1e-7)


def highs_triple(instance: Instance) -> tuple[float, float, float]:
    import highspy

    persons, cost, minimum, maximum = instance
    centres, cells = cost.shape
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    x = [[solver.addVariable(0, float(persons[i])) for j in range(centres)] for i in range(cells)]
    u = [solver.addVariable(0, float(persons[i])) for i in range(cells)]
    s = [solver.addVariable(0, float(minimum[j])) for j in range(centres)]
    for i in range(cells):
        solver.addConstr(solver.qsum(x[i]) + u[i] == float(persons[i]))
    for j in range(centres):
        load = solver.qsum([x[i][j] for i in range(cells)])
        solver.addConstr(load <= float(maximum[j]))
        solver.addConstr(load + s[j] >= float(minimum[j]))
    values = []
    for goal in (
        solver.qsum(u),
        solver.qsum(s),
        solver.qsum([x[i][j] * float(cost[j, i]) for i in range(cells) for j in range(centres)]),
    ):
        solver.minimize(goal)
        values.append(float(solver.getInfo().objective_function_value))
        solver.addConstr(goal <= values[-1] + 1e-6)
    return values[0], values[1], values[2]


def test_natural_is_the_nearest_and_ties_go_to_the_lower_row() -> None:
    persons = np.array([5, 0, 7, 2])
    cost = np.array([[4, 1, 9, UNREACHED_CM], [4, 0, 3, UNREACHED_CM]], dtype=np.int32)
    found = nearest_assignment(persons, nearest(cost), np.array([6, 6]))
    assert found.load.tolist() == [5, 7] and found.unserved.tolist() == [0, 0, 0, 2]
    assert triple(found) == (2, 1, 5 * 4 + 7 * 3)
    nobody = nearest_assignment(
        persons, nearest(np.zeros((0, 4), dtype=np.int32)), np.zeros(0, np.int64)
    )
    assert nobody.total_unserved == 14 and not nobody.reachable.any()


few = settings(max_examples=60, deadline=None, derandomize=True)


@few
@given(st.integers(0, 2**32 - 1))
def test_more_room_serves_no_fewer_and_order_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    persons, cost, minimum, maximum = instance = drawn(rng)
    found = balanced_assignment(*instance)
    more = balanced_assignment(persons, cost, minimum, maximum + rng.integers(0, 3, len(maximum)))
    assert more.total_unserved <= found.total_unserved
    cells, centres = rng.permutation(len(persons)), rng.permutation(len(maximum))
    turned = balanced_assignment(
        persons[cells],
        np.ascontiguousarray(cost[centres][:, cells]),
        minimum[centres],
        maximum[centres],
    )
    assert triple(turned) == triple(found)


def test_odd_input() -> None:
    cost = np.array([[5, UNREACHED_CM, 2], [5, UNREACHED_CM, 2]], dtype=np.int32)
    people = np.array([10, 4, 6])
    # no residents at all; one unreachable cell; a centre of capacity 0; minimum over maximum
    empty = balanced_assignment(np.zeros(3, np.int64), cost, np.array([3, 0]), np.array([9, 9]))
    assert triple(empty) == (0, 3, 0) and empty.proven
    shut = balanced_assignment(people, cost, np.array([0, 0]), np.array([0, 12]))
    assert shut.load.tolist() == [0, 12] and shut.total_unserved == 4 + 4
    assert shut.unserved[1] == 4 and not shut.reachable[1]
    contrary = balanced_assignment(people, cost, np.array([20, 0]), np.array([8, 8]))
    assert contrary.load.tolist() == [8, 8] and contrary.underload == 12
    # two centres at one place: the floors are met as well as can be
    twins = balanced_assignment(people, cost, np.array([7, 9]), np.array([16, 16]))
    assert triple(twins) == (4, 0, 10 * 5 + 6 * 2)
    nothing = balanced_assignment(people, np.zeros((0, 3), np.int32), *np.zeros((2, 0), np.int64))
    assert nothing.total_unserved == 20
    # far walks and many people do not overflow
    far = np.array([[2_000_000_000, 1], [1_999_999_999, 2_000_000_000]], dtype=np.int32)
    crowd = np.array([30_000_000, 20_000_000])
    huge = balanced_assignment(crowd, far, np.array([0, 0]), np.array([40_000_000, 40_000_000]))
    assert triple(huge) == (0, 0, 30_000_000 * 1_999_999_999 + 20_000_000)


def every_whole(instance: Instance) -> Triple:
    """The optimum of whole cells by writing down all of them."""
    persons, cost, minimum, maximum = instance
    best: Triple = (2**62, 0, 0)
    for choice in product(range(-1, len(maximum)), repeat=len(persons)):
        load, unserved, walked = [0] * len(maximum), 0, 0
        for cell, centre in enumerate(choice):
            if centre < 0:
                unserved += int(persons[cell])
                continue
            load[centre] += int(persons[cell])
            walked += int(persons[cell]) * int(cost[centre, cell])
            if cost[centre, cell] == UNREACHED_CM and persons[cell] > 0:
                break
        else:
            if all(n <= top for n, top in zip(load, maximum.tolist(), strict=True)):
                under = sum(max(0, low - n) for low, n in zip(minimum, load, strict=True))
                best = min(best, (unserved, int(under), walked))
    return best


def test_whole_cells_hold_the_maxima_and_state_their_gap() -> None:
    """Never split, never above a maximum, never better than the bound, mostly the optimum."""
    rng = np.random.default_rng(31)
    optimal = 0
    for _ in range(200):
        instance = drawn(rng, most_cells=5)
        persons, cost, minimum, maximum = instance
        split = balanced_assignment(*instance)
        whole = whole_cells(persons, Arcs.from_matrix(cost), minimum, maximum, split)
        assert whole.split_cells == 0
        assert (whole.persons == persons[whole.cell]).all()
        assert (whole.load <= maximum).all()
        assert np.array_equal(
            np.bincount(whole.cell, whole.persons, len(persons)) + whole.unserved, persons
        )
        bound = (whole.least_unserved, whole.least_underload, whole.bound_cm)
        assert bound == triple(split)
        best = every_whole(instance)
        assert triple(whole) >= best >= bound
        optimal += triple(whole) == best
        assert whole.proven == (triple(whole) == bound)
    assert optimal >= 190


def test_whole_cells_of_a_large_instance_are_near_the_bound() -> None:
    instance = large(np.random.default_rng(8), 800, 25, 1.4)
    persons, cost, minimum, maximum = instance
    split = balanced_assignment(*instance)
    whole = whole_cells(persons, Arcs.from_matrix(cost), minimum, maximum, split)
    assert split.split_cells > 0 and whole.split_cells == 0
    assert whole.total_unserved == split.total_unserved == 0
    assert split.person_cm <= whole.person_cm <= 1.025 * split.person_cm

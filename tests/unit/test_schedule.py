"""Rounds and blocks: who is measured when."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.results import Cell
from harness.schedule import BLOCK_TRIALS, ScheduledTrial, Scheduler, williams_row
from tests.unit.test_cores import GIB, cell, machine


def scheduler(rounds: int = 3, seed: int = 0) -> Scheduler:
    return Scheduler(seed=seed, rounds=rounds, topology=machine(1, 2, 1), memory_bytes=8 * GIB)


def trials(made: Scheduler, cells: list[Cell], index: int) -> list[ScheduledTrial]:
    return [trial for block in made.round(cells, index) for trial in block]


@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 10))
def test_every_cell_stands_once_in_every_round(count: int, rounds: int, seed: int) -> None:
    cells = [cell(f"f{number}", cpus=1 + number % 2) for number in range(count)]
    for index in range(rounds):
        in_round = trials(scheduler(rounds, seed), cells, index)
        assert {trial.index for trial in in_round} == {index}
        assert sorted(trial.cell.id for trial in in_round) == sorted(each.id for each in cells)


@given(st.integers(0, 50))
def test_each_cell_stands_once_in_every_third_of_three_rounds(seed: int) -> None:
    cells = [cell(f"f{number}") for number in range(21)]
    thirds = Counter(
        (trial.cell.framework, place * 3 // len(cells))
        for index in range(3)
        for place, trial in enumerate(trials(scheduler(3, seed), cells, index))
    )
    assert set(thirds.values()) == {1}


@given(st.integers(2, 12))
def test_in_a_design_each_stands_in_every_place_and_follows_every_other_equally_often(count: int) -> None:
    rows = [williams_row(count, row) for row in range(2 * count)]
    assert {tuple(sorted(column)) for column in zip(*rows[:count], strict=True)} == {tuple(range(count))}
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(follows) == count * (count - 1)
    assert set(follows.values()) == {2}


@given(st.integers(3, 5), st.integers(0, 20))
def test_of_few_cells_none_follows_the_same_one_in_more_than_three_of_five_rounds(
    count: int, seed: int
) -> None:
    cells = [cell(f"f{number}") for number in range(count)]
    follows = Counter(
        (one.cell.framework, other.cell.framework)
        for index in range(5)
        for one, other in pairwise(trials(scheduler(5, seed), cells, index))
    )
    assert max(follows.values()) <= 3


@given(st.integers(1, 60), st.integers(0, 5))
def test_a_block_is_short_and_on_the_same_cpus(count: int, index: int) -> None:
    cells = [cell(f"f{number}", cpus=(0.5, 1, 2)[number % 3]) for number in range(count)]
    for block in scheduler().round(cells, index):
        assert 0 < len(block) <= BLOCK_TRIALS
        assert len({(trial.requested.cpuset, trial.requested.quota_cpus) for trial in block}) == 1


def test_every_kind_of_limit_comes_first_in_some_round() -> None:
    cells = [cell("a", cpus=1), cell("a", cpus=2)]
    assert {trials(scheduler(), cells, index)[0].cell.cpus for index in range(2)} == {1, 2}


def test_the_seed_alone_decides_the_order() -> None:
    cells = [cell(f"f{number}") for number in range(20)]
    first, again, other = (scheduler(seed=seed).round(cells, 1) for seed in (1, 1, 2))
    assert first == again
    assert first != other

"""Proofs that the numbers hold: in any order, against themselves, and against a known difference. `make prove`."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harness.compare import Verdict, compare_runs
from harness.report.stored import read_cells
from harness.results import CellResult
from harness.stats.cell import CellStats, cell_stats
from harness.stats.differences import holm, independent_difference
from harness.stats.noise import Aim, group_floors, rank_cells
from harness.store import RunStore
from tests.docker.conftest import run

pytestmark = [pytest.mark.docker, pytest.mark.prove]

ORDERED = """\
frameworks: {frameworks}
models: [spam-fnn]
cpus: [1]
memory: [1GiB]
batch: [1000]
protocol: {{trials: 8, warmup: 100ms, budget: 300ms}}
"""
NAMES = ["openvino", "onnxruntime", "jax", "pytorch"]


def stats(store: RunStore) -> dict[str, CellStats]:
    """The figures of a run's ranked cells."""
    results = (each.result for each in read_cells(store.folder, store.read_run()))
    return {
        result.cell_id: cell_stats(result)
        for result in results
        if not (result.cell.is_floor or result.cell.twin)
    }


def test_the_order_of_the_matrix_does_not_matter(tmp_path: Path) -> None:
    forth = stats(run(tmp_path, ORDERED.format(frameworks=NAMES)))
    back = stats(run(tmp_path, ORDERED.format(frameworks=NAMES[::-1])))

    assert forth.keys() == back.keys()
    differences = [
        independent_difference(list(forth[name].medians_ms.values()), list(back[name].medians_ms.values()))
        for name in forth
    ]
    p_values = [difference.p_value for difference in differences if difference is not None]
    for name in forth:
        print(name, forth[name].p50_ms, back[name].p50_ms)
    assert len(p_values) == len(NAMES)
    assert min(holm(p_values)) > 0.05
    for name in forth:
        assert memory(forth[name]) == pytest.approx(memory(back[name]), rel=0.03)


def memory(found: CellStats) -> float:
    return float(np.median(list(found.rss_peaks.values())))


def test_first_middle_and_last_in_the_matrix_are_the_same_cell(tmp_path: Path) -> None:
    """One round after the other, so that a cell's place is its place in time; the twin is the cell once more."""
    text = ORDERED.format(frameworks=["jax", "onnxruntime", "pytorch"]) + "baseline: pytorch\n"
    store = run(tmp_path, text.replace("trials: 8", "trials: 12"))
    results = {each.result.cell_id: each.result for each in read_cells(store.folder, store.read_run())}
    whole, twin = (
        next(
            result
            for result in results.values()
            if result.cell.framework == "pytorch" and result.cell.twin is is_twin
        )
        for is_twin in (False, True)
    )
    thirds = [by_place(result, results) for result in (whole, twin)]
    for places in thirds:
        groups = [places[place] for place in sorted(places)]
        pairs = [
            independent_difference(groups[one], groups[other])
            for one in range(len(groups))
            for other in range(one)
            if min(len(groups[one]), len(groups[other])) > 1
        ]
        p_values = [pair.p_value for pair in pairs if pair is not None]
        assert p_values
        assert min(holm(p_values)) > 0.05


def by_place(result: CellResult, others: dict[str, CellResult]) -> dict[int, list[float]]:
    """A cell's medians by whether it came first, in the middle or last in its round."""
    found: dict[int, list[float]] = {}
    medians = cell_stats(result).medians_ms
    for trial in result.counted:
        orders = sorted(
            other.order for each in others.values() for other in each.counted if other.index == trial.index
        )
        place = orders.index(trial.order) * 3 // len(orders)
        found.setdefault(place, []).append(medians[trial.session_round])
    return found


AA = """\
frameworks: [onnxruntime]
models: [spam-fnn]
cpus: [1, 2]
memory: [128MiB, 256MiB, 512MiB, 1GiB, 2GiB]
batch: [1000]
protocol: {trials: 3, warmup: 50ms, budget: 100ms}
"""


def test_two_runs_of_one_matrix_are_hardly_ever_told_apart(tmp_path: Path) -> None:
    """Eleven runs, each compared with the one before: 100 verdicts on cells that are identical."""
    folders = [run(tmp_path, AA).folder for _ in range(11)]
    verdicts = []
    for base, new in pairwise(folders):
        rows = compare_runs(base, new).rows
        verdicts += [row.verdict for row in rows]
        print(" ".join(row.verdict for row in rows))

    assert len(verdicts) == 100
    assert sum(verdict in {Verdict.BETTER, Verdict.WORSE} for verdict in verdicts) <= 1


KNOWN = """\
frameworks: [steady, slowed]
models: [spam-fnn]
cpus: [1]
memory: [512MiB]
protocol: {trials: 8, warmup: 50ms, budget: 150ms}
"""


@pytest.mark.usefixtures("own_frameworks")
def test_a_known_difference_of_5_percent_is_told_in_9_of_10_runs(tmp_path: Path) -> None:
    told = 0
    for _ in range(10):
        store = run(tmp_path, KNOWN)
        measured = list(read_cells(store.folder, store.read_run()))
        ranked = [each for each in measured if not (each.result.cell.is_floor or each.result.cell.twin)]
        steady, slowed = sorted(ranked, key=lambda each: each.result.cell.framework, reverse=True)
        assert steady.stats.p50_ms is not None
        assert slowed.stats.p50_ms is not None
        assert steady.stats.p50_ms.value > 5
        floor = group_floors(measured, Aim.LATENCY, by_rounds=True)[steady.result.cell_id]
        proved = rank_cells([steady, slowed], Aim.LATENCY, floor).proved_less(0, 1)
        ratio = slowed.stats.p50_ms.value / steady.stats.p50_ms.value
        print(f"ratio {ratio:.4f}, floor {floor.ratio if floor else None}, proved {proved}")
        told += proved
    assert told >= 9

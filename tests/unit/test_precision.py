"""The stopping rule, and what it does to the intervals."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats as distributions

from harness.results import StoppedBy
from harness.runs import Protocol
from harness.stats.differences import ALPHA, independent_difference
from harness.stats.intervals import geometric_interval
from harness.stats.precision import choose_cells, half_width, stopped_by
from tests.checkout import ROOT
from tests.factories import cell

PRECISE = Protocol(
    trials=5, max_trials=20, precision=0.02, max_time_s=600, warmup_s=0.1, budget_s=0.1, min_iterations=1,
    max_iterations=10, timeout_s=10, page_cache="cold", seed=0,
)  # fmt: skip
PLAIN = PRECISE.model_copy(update={"precision": None, "max_trials": 5, "max_time_s": None})
QUIET, NOISY, NOISIER = ([1.0, 1.001, 0.999, 1.0, 1.0], [1.0, 1.1, 0.9, 1.05, 1.0], [1.0, 2.0, 0.5, 1.5, 1.0])
CELLS = [cell(name) for name in ("jax", "pytorch", "onnxruntime", "openvino")]


def test_without_a_precision_no_trial_is_added() -> None:
    assert choose_cells({CELLS[0]: NOISY}, PLAIN, spent_s=0) == ()
    assert stopped_by(NOISY, PLAIN) is StoppedBy.TRIALS


def test_cells_that_are_precise_enough_get_no_more() -> None:
    assert choose_cells({CELLS[0]: QUIET}, PRECISE, spent_s=0) == ()
    assert stopped_by(QUIET, PRECISE) is StoppedBy.PRECISION


def test_trials_go_to_the_half_that_they_narrow_most() -> None:
    medians = {CELLS[0]: NOISY, CELLS[1]: NOISIER, CELLS[2]: QUIET, CELLS[3]: [1.0]}
    assert set(choose_cells(medians, PRECISE, spent_s=0)) == {CELLS[1], CELLS[3]}


def test_the_budget_of_trials_and_that_of_time_end_it() -> None:
    assert choose_cells({CELLS[0]: NOISY * 4}, PRECISE, spent_s=0) == ()
    assert stopped_by(NOISY * 4, PRECISE) is StoppedBy.TRIALS
    assert choose_cells({CELLS[0]: NOISY}, PRECISE, spent_s=600) == ()
    assert stopped_by(NOISY, PRECISE) is StoppedBy.TIME


@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=25), st.floats(0, 1200))
def test_a_cell_gets_a_trial_exactly_until_it_says_why_it_stopped(
    medians: list[float], spent_s: float
) -> None:
    chosen = choose_cells({CELLS[0]: medians}, PRECISE, spent_s)
    assert PRECISE.max_time_s is not None
    stopped = stopped_by(medians, PRECISE)
    assert bool(chosen) == (stopped is StoppedBy.TIME and spent_s < PRECISE.max_time_s)


@given(st.lists(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=25), max_size=4))
def test_at_most_half_of_the_cells_rounded_up_get_a_trial(figures: list[list[float]]) -> None:
    medians = dict(zip(CELLS, figures, strict=False))
    chosen = choose_cells(medians, PRECISE, spent_s=0)
    still_open = [each for each, found in medians.items() if stopped_by(found, PRECISE) is StoppedBy.TIME]
    assert set(chosen) <= set(still_open)
    assert len(chosen) == math.ceil(len(still_open) / 2)


def test_the_interval_is_wider_from_the_first_further_trial_on() -> None:
    planned, further = geometric_interval(NOISY, planned=5), geometric_interval(NOISY, planned=4)
    plain = geometric_interval(NOISY)
    assert planned == plain
    assert planned is not None
    assert further is not None
    assert planned.high is not None
    assert further.high is not None
    assert further.value == planned.value
    quantiles = (distributions.t.ppf(0.9875, 4), distributions.t.ppf(0.975, 4))
    ratio = math.log(further.high / further.value) / math.log(planned.high / planned.value)
    assert ratio == pytest.approx(quantiles[0] / quantiles[1])


def test_one_trial_has_no_width() -> None:
    assert half_width([1.0], 5) is None


def test_precision_means_the_wider_side_wherever_it_is_explained() -> None:
    for place in (
        "harness/schemas/matrix.schema.json",
        "harness/schemas/run.schema.json",
        "harness/report/aspects/latency.py",
        "docs/reading-the-report.md",
        "docs/contracts/results.md",
        "docs/reference/columns.md",
    ):
        words = " ".join((ROOT / place).read_text(encoding="utf-8").replace("\\n", " ").split())
        assert "on its wider side, over the" in words, place


@dataclass
class Simulated:
    """What became of one simulated cell."""

    covered: bool
    trials: int


def simulate(draws: NDArray[np.float64], protocol: Protocol = PRECISE) -> Simulated:
    """Measure one cell by the real rule; `draws` are the logarithms of its trials, around 0."""
    medians = until_stopped(draws, protocol)
    found = geometric_interval(medians, planned=protocol.trials)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return Simulated(covered=found.low <= 1 <= found.high, trials=len(medians))


def until_stopped(draws: NDArray[np.float64], protocol: Protocol = PRECISE) -> list[float]:
    """The medians, one a trial, that the real rule takes of these logarithms."""
    medians: list[float] = np.exp(draws).tolist()
    count = protocol.trials
    while choose_cells({CELLS[0]: medians[:count]}, protocol, spent_s=0):
        count += 1
    return medians[:count]


@pytest.mark.parametrize("drift", [0.0, 0.02], ids=["quiet", "drifting"])
def test_an_interval_covers_the_truth_under_the_real_stopping_rule(drift: float) -> None:
    """2,000 cells with spreads from half to three times the precision; the drift is the host's, up and down again."""
    rng = np.random.default_rng(11)
    wave = drift * np.sin(np.linspace(0, 6 * math.pi, PRECISE.max_trials))
    cells = [
        simulate(rng.normal(0, spread, PRECISE.max_trials) + wave * rng.choice([-1, 1]))
        for spread in (0.01, 0.02, 0.03, 0.06)
        for _ in range(500)
    ]
    assert np.mean([each.covered for each in cells]) >= 0.93
    assert {each.trials for each in cells} > {5, 20}


@pytest.mark.parametrize("planned", [1, 2, 3])
def test_with_fewer_planned_trials_an_interval_covers_less_as_the_guide_says(planned: int) -> None:
    """Where the spread is as large as the precision, or half as large again, which is where least is covered."""
    rng = np.random.default_rng(13)
    protocol = PRECISE.model_copy(update={"trials": planned})
    cells = [
        simulate(rng.normal(0, spread, PRECISE.max_trials), protocol)
        for spread in (0.02, 0.03)
        for _ in range(500)
    ]
    assert 0.9 <= np.mean([each.covered for each in cells]) <= 0.95


def test_two_runs_under_the_real_stopping_rule_are_told_apart_in_a_twentieth_of_cases() -> None:
    """2,000 pairs of identical cells, with spreads as above; without the price of stopping it is a fourteenth."""
    rng = np.random.default_rng(12)
    told_apart = []
    for spread in (0.01, 0.02, 0.03, 0.06):
        for draws in rng.normal(0, spread, (500, 2, PRECISE.max_trials)):
            base, new = map(until_stopped, draws)
            further = max(len(base), len(new)) > PRECISE.trials
            found = independent_difference(base, new, sequential=further)
            assert found is not None
            told_apart.append(found.p_value < ALPHA)
    assert 0.03 <= np.mean(told_apart) <= 0.055

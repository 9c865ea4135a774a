"""Figures with bounds over trials."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.intervals import geometric_interval

FIGURES = st.floats(min_value=1e-6, max_value=1e9)


def test_an_interval_of_three_trials_is_students_t_on_the_logarithms() -> None:
    found = geometric_interval([1.0, 2.0, 4.0])

    assert found is not None
    assert found.value == pytest.approx(2.0)
    half = 4.302653 * math.log(2) / math.sqrt(3)
    assert found.low == pytest.approx(2.0 * math.exp(-half), rel=1e-6)
    assert found.high == pytest.approx(2.0 * math.exp(half), rel=1e-6)


def test_one_trial_has_a_figure_and_no_bounds() -> None:
    found = geometric_interval([5.0])

    assert found is not None
    assert found.value == pytest.approx(5.0)
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("values", [[], [0.0, 1.0], [-1.0]])
def test_without_positive_figures_there_is_nothing(values: list[float]) -> None:
    assert geometric_interval(values) is None


@given(st.lists(FIGURES, min_size=2, max_size=12))
def test_bounds_hold_the_figure_and_the_figure_lies_among_the_trials(values: list[float]) -> None:
    found = geometric_interval(values)

    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert min(values) * (1 - 1e-9) <= found.value <= max(values) * (1 + 1e-9)


@given(st.lists(FIGURES, min_size=2, max_size=8), st.floats(min_value=1e-3, max_value=1e3))
def test_an_interval_scales_with_its_unit(values: list[float], factor: float) -> None:
    one, other = geometric_interval(values), geometric_interval([value * factor for value in values])

    assert one is not None
    assert other is not None
    assert other.low == pytest.approx((one.low or 0) * factor, rel=1e-6)
    assert other.high == pytest.approx((one.high or 0) * factor, rel=1e-6)


@pytest.mark.parametrize("trials", [3, 5])
def test_an_interval_covers_the_truth_as_often_as_it_says(trials: int) -> None:
    rng = np.random.default_rng(7)
    runs = np.exp(rng.normal(math.log(13.5), 0.08, size=(2000, trials)))

    intervals = [geometric_interval(run.tolist()) for run in runs]

    covered = [found.low <= 13.5 <= found.high for found in intervals if found and found.low and found.high]
    assert len(covered) == 2000
    assert 0.935 <= np.mean(covered) <= 0.965

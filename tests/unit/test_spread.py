"""Quantile curves: as far as the samples bear, and agreeing with the figures of the tables."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.cell import cell_stats
from harness.stats.samples import SAMPLES_NEEDED
from harness.stats.spread import LEVELS, bears, spread
from tests.factories import cell, result, trial

CALLS = st.lists(st.floats(min_value=1e-3, max_value=1e6), min_size=64, max_size=200)


@pytest.mark.parametrize("percent", [90, 95, 99])
def test_the_rule_is_that_of_the_printed_percentiles(percent: int) -> None:
    needed = SAMPLES_NEEDED[percent]

    assert bears(needed, percent / 100)
    assert not bears(needed - 1, percent / 100)


def test_one_call_in_ten_thousand_needs_tens_of_thousands() -> None:
    assert not bears(66_000, LEVELS[-1])
    assert bears(66_500, LEVELS[-1])


def test_what_is_rare_on_either_side_needs_as_many() -> None:
    assert [bears(63, 0.1), bears(64, 0.1)] == [bears(63, 0.9), bears(64, 0.9)] == [False, True]


@given(st.lists(CALLS, min_size=1, max_size=4))
def test_a_curve_rises_within_its_band_and_ends_where_the_shortest_trial_does(
    trials: list[list[float]],
) -> None:
    found = spread([np.sort(calls) for calls in trials])

    assert found is not None
    fewest = min(map(len, trials))
    assert found.levels == tuple(level for level in LEVELS if bears(fewest, level))
    for line in (found.low, found.middle, found.high):
        assert all(later >= earlier * (1 - 1e-12) for earlier, later in pairwise(line))
    for low, middle, high in zip(found.low, found.middle, found.high, strict=True):
        assert low * (1 - 1e-9) <= middle <= high * (1 + 1e-9)


def test_a_curve_passes_through_the_figures_of_the_tables() -> None:
    stats = cell_stats(result(cell()))

    assert stats.spread is not None
    for level, estimate in (
        (0.5, stats.p50_ms),
        (0.9, stats.p90_ms),
        (0.95, stats.p95_ms),
        (0.99, stats.p99_ms),
    ):
        found = stats.spread.at(level)
        assert found is not None
        assert estimate is not None
        assert found[0] == pytest.approx(estimate.value)
    assert stats.spread.at(0.999) is None, "1,500 calls do not bear it"


def test_too_few_calls_have_no_curve() -> None:
    assert spread([]) is None
    assert spread([np.ones(10)]) is None
    assert spread([np.ones(1000), np.ones(10)]) is None


def test_calls_that_took_no_time_have_no_curve() -> None:
    assert spread([np.zeros(100)]) is None


def test_a_cell_without_a_steady_phase_has_no_curve() -> None:
    silent = trial(cell()).model_copy(update={"records": ()})

    assert cell_stats(result(cell(), [silent])).spread is None

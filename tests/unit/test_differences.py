"""What may be said of two cells, and of many."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as distributions

from harness.results import SessionRound
from harness.stats.cell import measure
from harness.stats.differences import Difference, counts, holm, independent_difference, paired_difference
from harness.stats.floor import aa_floor
from harness.stats.noise import Aim, floors, group_floors
from harness.stats.ranking import rank
from tests.factories import by_round, cell, result

FIGURES = st.lists(st.floats(0.5, 2.0), min_size=2, max_size=8)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_a_paired_difference_is_students_t_on_the_logarithms() -> None:
    first, second = [1.0, 1.1, 0.9, 1.05], [1.2, 1.25, 1.1, 1.3]
    found = paired_difference(by_round(first), by_round(second))
    expected = distributions.ttest_rel(np.log(second), np.log(first))
    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.95)
    assert found.interval() == pytest.approx((math.exp(low), math.exp(high)))


def test_an_independent_difference_is_welchs_t_on_the_logarithms() -> None:
    first, second = [1.0, 1.1, 0.9], [1.2, 1.25, 1.1, 1.3, 2.0]
    found = independent_difference(first, second)
    expected = distributions.ttest_ind(np.log(second), np.log(first), equal_var=False)
    assert found is not None
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.degrees == pytest.approx(expected.df)


def test_trials_whose_number_was_decided_by_looking_at_them_cost_half_of_the_level() -> None:
    first, second = [1.0, 1.1, 0.9], [1.2, 1.25, 1.1, 1.3, 2.0]
    found = independent_difference(first, second, sequential=True)
    expected = distributions.ttest_ind(np.log(second), np.log(first), equal_var=False)
    assert found is not None
    assert found.p_value == pytest.approx(2 * expected.pvalue)
    low, high = expected.confidence_interval(0.975)
    assert found.interval() == pytest.approx((math.exp(low), math.exp(high)))
    alike = independent_difference([1.0, 1.1], [1.0, 1.11], sequential=True)
    assert alike is not None
    assert alike.p_value == 1.0


def test_only_common_rounds_are_compared() -> None:
    found = paired_difference(by_round([1.0, 1.0, 9.0]), by_round([2.0, 2.0]) | {SessionRound(0, 3): 0.1})
    assert found is not None
    assert found.ratio == pytest.approx(2.0)
    assert paired_difference(by_round([1.0]), by_round([2.0])) is None
    assert paired_difference(by_round([1.0, 1.0]), {SessionRound(0, 2): 2.0, SessionRound(0, 3): 1.0}) is None


def test_what_two_sessions_measured_of_one_round_is_not_compared() -> None:
    """A trial that a resume made up for, or `--retry` repeated, saw another machine than its round's others."""
    earlier, later = by_round([1.0, 1.01, 0.99]), by_round([1.3, 1.31, 1.29], session=1)
    assert paired_difference(earlier, later) is None
    both = paired_difference(earlier | later, by_round([1.0, 1.0, 1.0], session=1))
    assert both is not None
    assert both.degrees == 2
    assert both.ratio == pytest.approx(1 / 1.3, rel=0.01)


def test_identical_cells_of_which_one_was_tried_again_later_are_not_ranked() -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        one, other = (np.exp(rng.normal(0, 0.02, 5)).tolist() for _ in range(2))
        again = by_round([0.77 * each for each in other], session=1)
        floor = aa_floor([by_round(one), again])
        assert floor is not None
        assert not rank([by_round(one), again], floor.log_ratio).less


@given(FIGURES, st.floats(1e-3, 1e3))
def test_a_common_drift_of_any_size_cancels(values: list[float], drift: float) -> None:
    speeds = [drift**index for index in range(len(values))]
    one, other = by_round(values), by_round([1.5 * each for each in values])
    drifted = [
        {each: figure * speeds[each.round] for each, figure in figures.items()} for figures in (one, other)
    ]
    found = paired_difference(*drifted)
    assert found is not None
    assert found.ratio == pytest.approx(1.5, rel=1e-6)


@pytest.mark.parametrize("drift", [0.0, 0.5], ids=["quiet", "drifting"])
def test_a_paired_difference_covers_the_truth_though_the_drift_is_ten_times_the_spread(drift: float) -> None:
    """2,000 pairs, five rounds each, 20 % apart: what the host does to a round hits both."""
    rng = np.random.default_rng(8)
    host = rng.normal(0, drift, (2000, 1, 5)) + drift * np.linspace(-1, 1, 5)
    figures = np.exp(rng.normal(0, 0.05, (2000, 2, 5)) + host + [[0.0], [math.log(1.2)]])
    covered, widths = [], []
    for one, other in figures:
        found = paired_difference(by_round(one.tolist()), by_round(other.tolist()))
        assert found is not None
        low, high = found.interval()
        covered.append(low <= 1.2 <= high)
        widths.append(high / low)
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.median(widths) < 1.25  # as narrow as without the drift


def test_without_pairs_the_same_drift_drowns_the_difference() -> None:
    drift = [1.0, 1.6, 0.7, 2.0, 1.2]
    noise = [1.01, 0.99, 1.0, 1.02, 0.98]
    one = [each * factor for each, factor in zip(drift, noise, strict=True)]
    other = [1.2 * each for each in drift]
    paired, independent = (
        paired_difference(by_round(one), by_round(other)),
        independent_difference(one, other),
    )
    assert paired is not None
    assert independent is not None
    assert paired.p_value < 0.001
    assert independent.p_value > 0.2


@given(FIGURES, FIGURES, st.floats(1e-3, 1e3))
def test_the_unit_of_both_does_not_matter(first: list[float], second: list[float], unit: float) -> None:
    for compare in (
        lambda one, other: paired_difference(by_round(one), by_round(other)),
        independent_difference,
    ):
        plain = compare(first, second)
        scaled = compare([unit * each for each in first], [unit * each for each in second])
        assert (plain is None) == (scaled is None)
        if plain is not None and scaled is not None:
            assert scaled.log_ratio == pytest.approx(plain.log_ratio, abs=1e-9)
            assert scaled.standard_error == pytest.approx(plain.standard_error, abs=1e-9)


@given(FIGURES, FIGURES, st.booleans())
def test_an_interval_shuts_out_equality_exactly_where_the_p_value_is_below_a_twentieth(
    first: list[float], second: list[float], sequential: bool
) -> None:
    found = independent_difference(first, second, sequential=sequential)
    assert found is not None
    if found.standard_error > 1e-9 and abs(found.p_value - 0.05) > 1e-6:
        low, high = found.interval()
        assert (found.p_value < 0.05) == (not low <= 1 <= high)


@given(FIGURES, FIGURES)
def test_exchanging_the_two_inverts_the_ratio(first: list[float], second: list[float]) -> None:
    forth, back = independent_difference(first, second), independent_difference(second, first)
    assert forth is not None
    assert back is not None
    assert forth.ratio * back.ratio == pytest.approx(1.0)
    assert forth.p_value == pytest.approx(back.p_value)


@given(P_VALUES)
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    assert [adjusted[index] for index in order] == sorted(adjusted)


def test_holm_on_a_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_a_difference_counts_only_if_it_is_significant_and_above_the_floor() -> None:
    clear = Difference(log_ratio=0.10, standard_error=0.01, degrees=4)
    assert counts(clear, clear.p_value, floor=0.05)
    assert not counts(clear, clear.p_value, floor=0.12)
    assert not counts(clear, 0.2, floor=0.05)


def test_identical_figures_differ_in_nothing() -> None:
    same = Difference(log_ratio=0.0, standard_error=0.0, degrees=4)
    assert same.p_value == 1.0


def test_the_floor_is_the_95_percent_quantile_of_identical_cells() -> None:
    """Simulated: two identical cells with five trials each are within the floor of a large run in 95 % of cases."""
    rng = np.random.default_rng(5)
    cells = [by_round(np.exp(rng.normal(0, 0.05, 5)).tolist()) for _ in range(400)]
    floor = aa_floor(cells)
    assert floor is not None
    pairs = np.exp(rng.normal(0, 0.05, (2000, 2, 5)))
    apart = np.abs(np.log(pairs[:, 0]).mean(1) - np.log(pairs[:, 1]).mean(1))
    assert 0.93 <= np.mean(apart < floor.log_ratio) <= 0.97


def test_what_changes_between_two_sessions_is_not_in_the_floor() -> None:
    """As with cells that are compared, whatever number of trials each session has."""
    rng = np.random.default_rng(5)
    drawn = np.exp(rng.normal(0, 0.05, (400, 8)))
    cells = [by_round(each[:5].tolist()) | by_round((3 * each[5:]).tolist(), session=1) for each in drawn]
    floor = aa_floor(cells)
    assert floor is not None
    pairs = rng.normal(0, 0.05, (2000, 2, 8)).mean(2)
    assert 0.93 <= np.mean(np.abs(pairs[:, 0] - pairs[:, 1]) < floor.log_ratio) <= 0.97


def test_what_the_host_did_to_a_round_is_not_in_the_floor_of_ranks() -> None:
    """Five cells in five rounds that swing by five times their own spread.

    Within the floor are 95 % of the differences of identical cells; one that is ahead by five spreads is told from all
    others in most groups, and with a floor that holds the swings in few.
    """
    rng = np.random.default_rng(7)
    spread, ahead = 0.01, math.log(1.05)
    below: dict[bool, list[bool]] = {True: [], False: []}
    proved = {True: 0, False: 0}
    for _ in range(400):
        logs = rng.normal(0, spread, (6, 5)) + rng.normal(0, 5 * spread, 5)
        logs[0] -= ahead
        first, *others, twin = (by_round(np.exp(each).tolist()) for each in logs)
        cells = [first, *others]
        for by_rounds in proved:
            floor = aa_floor(cells, (others[0], twin), by_rounds=by_rounds)
            assert floor is not None
            ranking = rank(cells, floor.log_ratio)
            proved[by_rounds] += all(ranking.proved_less(0, other) for other in range(1, 5))
            below[by_rounds].append(abs(rng.normal(0, spread * math.sqrt(2 / 5))) < floor.log_ratio)
    assert 0.93 <= np.mean(below[True]) <= 0.97
    assert np.mean(below[False]) == pytest.approx(0.99, abs=0.01)
    assert proved[True] > 0.65 * 400
    assert proved[False] < 0.45 * 400


def test_two_cells_alone_do_not_tell_what_a_round_did() -> None:
    cells = [by_round([1.0, 1.1, 1.2, 1.1]), by_round([2.0, 2.1, 2.5, 2.2])]
    assert aa_floor(cells, by_rounds=True) == aa_floor(cells)
    assert aa_floor([*cells, by_round([1.0])], by_rounds=True) == aa_floor(cells)


def test_sessions_of_one_trial_each_have_no_halves() -> None:
    assert aa_floor([by_round([1.0]) | by_round([1.1], session=1)]) is None


def test_the_twin_s_difference_is_kept_with_its_name() -> None:
    steady = by_round([1.0, 1.01, 0.99, 1.0])
    shifted = {index: 1.3 * figure for index, figure in steady.items()}
    floor = aa_floor([steady], (steady, shifted), "a")
    assert floor is not None
    assert floor.twin is not None
    assert floor.twin.ratio == pytest.approx(1.3)
    assert floor.twin_of == "a"


def test_without_trials_there_is_no_floor_and_nothing_is_proved() -> None:
    assert aa_floor([by_round([1.0])]) is None
    assert rank([by_round([1.0]), by_round([9.0])], None).bands() == ((1, 2), (1, 2))


def test_a_rank_is_proved_by_paired_differences_above_the_floor() -> None:
    drift = [1.0, 1.4, 0.8, 1.2, 1.1]
    fast, slow, slower = (by_round([factor * each for each in drift]) for factor in (1.0, 1.5, 1.501))
    ranking = rank([slow, fast, slower], floor=0.02)
    assert ranking.bands() == ((2, 3), (1, 1), (2, 3))
    assert ranking.proved_less(1, 0)
    assert not ranking.proved_less(0, 2)


@given(st.lists(FIGURES, min_size=1, max_size=5), st.floats(0, 0.5))
def test_bands_are_places(cells: list[list[float]], floor: float) -> None:
    for best, worst in rank([by_round(values) for values in cells], floor).bands():
        assert 1 <= best <= worst <= len(cells)


@given(st.lists(FIGURES, min_size=2, max_size=5), st.floats(0, 0.5), st.floats(1e-3, 1e3))
def test_ranks_agree_with_each_other_and_with_any_unit(
    cells: list[list[float]], floor: float, unit: float
) -> None:
    figures = [by_round(values) for values in cells]
    ranking = rank(figures, floor)
    bands = ranking.bands()
    for one, other in ranking.less:
        assert not ranking.proved_less(other, one)
        assert one != other
    assert rank(figures, floor + 0.1).less <= ranking.less
    for own, (best, worst) in enumerate(bands):
        assert worst - best == len(cells) - 1 - sum(own in pair for pair in ranking.less)
    if not any(at_the_edge(one, other, floor) for one, other in combinations(figures, 2)):
        scaled = [{index: unit * figure for index, figure in each.items()} for each in figures]
        assert rank(scaled, floor) == ranking


def at_the_edge(one: dict[SessionRound, float], other: dict[SessionRound, float], floor: float) -> bool:
    """Whether rounding decides: such a pair may fall on either side in another unit."""
    found = paired_difference(one, other)
    return found is not None and (
        found.standard_error < 1e-9 or abs(abs(found.log_ratio) - floor) < 1e-9 or abs(found.log_ratio) < 1e-9
    )


def test_identical_cells_are_seldom_ranked() -> None:
    """Of 200 simulated groups of five identical cells at most a twentieth has any rank."""
    rng = np.random.default_rng(6)
    ranked = 0
    for _ in range(200):
        cells = [by_round(values.tolist()) for values in np.exp(rng.normal(0, 0.05, (5, 5)))]
        floor = aa_floor(cells, by_rounds=True)
        assert floor is not None
        ranked += bool(rank(cells, floor.log_ratio).less)
    assert ranked <= 10


def test_a_cells_floor_is_that_of_the_cells_it_is_ranked_against() -> None:
    cells = [cell("jax", batch=batch) for batch in (1, 1000)] + [cell("pytorch", batch=1)]
    twin = cells[0].model_copy(update={"twin": True})
    measured = measure([result(each) for each in (*cells, twin, cell("null"))])
    by_cell = group_floors(measured, Aim.LATENCY)
    assert by_cell[cells[0].id] == by_cell[cells[2].id]
    assert by_cell[cells[0].id] != by_cell[cells[1].id]
    assert by_cell[cells[0].id].twin_of == cells[0].id  # type: ignore[union-attr]
    assert cell("null").id not in by_cell
    assert floors(measured)[Aim.LATENCY].pairs == 4  # type: ignore[union-attr]


def test_a_figure_of_zero_has_no_logarithm_and_breaks_nothing() -> None:
    assert paired_difference(by_round([0.0, 1.0]), by_round([1.0, 1.0])) is None
    assert aa_floor([by_round([0.0, 1.0])]) is None
    assert rank([by_round([0.0, 0.0]), by_round([1.0, 2.0])], 0.1).bands() == ((1, 2), (1, 2))


def test_the_floor_is_that_of_the_group_too_small_for_noisy_cells_and_too_large_for_quiet_ones() -> None:
    """What `docs/measuring.md` says of it: two of ten cells spread ten times as much as the rest."""
    rng = np.random.default_rng(5)
    spreads = np.array([0.01] * 8 + [0.1] * 2)
    below = []
    for _ in range(400):
        logs = rng.normal(0, spreads, (5, 10))
        floor = aa_floor([by_round(np.exp(cell).tolist()) for cell in logs.T], by_rounds=True)
        assert floor is not None
        below.append(np.abs(rng.normal(0, spreads * math.sqrt(2 / 5))) < floor.log_ratio)
    quiet, noisy = np.mean(below, axis=0)[:8].mean(), np.mean(below, axis=0)[8:].mean()
    assert noisy == pytest.approx(0.59, abs=0.05)
    assert quiet > 0.98

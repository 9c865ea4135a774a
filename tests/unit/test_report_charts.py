"""Scales, ticks and geometry."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.aspects.common import axis_values, cap_mark
from harness.report.charts import (
    MAX_TICKS,
    Bar,
    linear_scale,
    log_scale,
    log_ticks,
    nice_at_least,
    nice_at_most,
    stacked,
)
from harness.stats.intervals import Estimate

POSITIVE = st.floats(min_value=1e-6, max_value=1e9)


@pytest.mark.parametrize(
    ("value", "below", "above"), [(1, 1, 1), (1.2, 1, 2), (3, 2, 5), (6, 5, 10), (99, 50, 100)]
)
def test_round_numbers_are_one_two_five(value: float, below: float, above: float) -> None:
    assert nice_at_most(value) == pytest.approx(below)
    assert nice_at_least(value) == pytest.approx(above)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([100, 131, 200], (0, 50, 100, 150, 200)),
        ([498, 512], (0, 200, 400, 600)),
        ([0.4], (0, 0.1, 0.2, 0.3, 0.4)),
        ([], (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        ([0.0], (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    ],
)
def test_a_linear_axis_begins_at_zero_and_ends_at_a_round_number(
    values: list[float], ticks: tuple[float, ...]
) -> None:
    assert linear_scale(values).ticks == pytest.approx(ticks)


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_every_value_lies_on_a_linear_axis(values: list[float]) -> None:
    scale = linear_scale(values)

    assert len(scale.ticks) <= MAX_TICKS
    assert scale.high >= max(values) * (1 - 1e-9)
    assert all(0 <= scale.at(value) <= 100 for value in values)


def test_a_logarithmic_axis_has_round_ends_and_steps() -> None:
    scale = log_scale([Estimate(value=13.7, low=12, high=15), Estimate(value=389, low=359, high=420)])

    assert scale.ticks == pytest.approx((10, 20, 50, 100, 200, 500))
    assert scale.at(10) == 0
    assert scale.at(500) == 100


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_every_figure_lies_on_a_logarithmic_axis_in_order(values: list[float]) -> None:
    scale = log_scale([Estimate(value=value) for value in values])

    places = [scale.at(value) for value in sorted(values)]
    assert scale.low <= min(values) * (1 + 1e-9)
    assert scale.high >= max(values) * (1 - 1e-9)
    assert places == sorted(places)
    assert all(left < right for left, right in pairwise(scale.ticks))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (10, 500, (10, 20, 50, 100, 200, 500)),
        (5, 1000, (5, 10, 100, 1000)),
        (1, 10_000, (1, 10, 100, 1000, 10_000)),
        (2, 10_000_000, (10, 100, 1000, 10_000, 100_000, 1_000_000)),
        (5, 2000, (10, 100, 1000)),
        (1, 2, (1, 2)),
    ],
)
def test_a_logarithmic_axis_labels_each_decade_and_its_ends_where_they_fit(
    low: float, high: float, ticks: tuple[float, ...]
) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


@given(st.integers(-6, 3), st.integers(0, 9))
def test_a_logarithmic_axis_never_has_more_ticks_than_fit(exponent: int, decades: int) -> None:
    low = 10.0**exponent

    ticks = log_ticks(low, 2 * low * 10.0**decades)

    assert 2 <= len(ticks) <= MAX_TICKS


def test_an_endless_interval_does_not_squeeze_the_figures() -> None:
    wild = Estimate(value=20, low=1e-9, high=1e12)

    scale = log_scale([wild, Estimate(value=50)])

    assert scale.low >= 1
    assert scale.high <= 1000
    assert (scale.at(1e-9), scale.at(1e12)) == (0, 100)


def test_an_axis_without_figures_can_still_be_drawn() -> None:
    assert log_scale([]).axis("nothing").ticks[-1].x == 100


def test_labels_at_the_ends_stay_inside() -> None:
    ticks = linear_scale([1000.0]).axis("MiB").ticks

    assert (ticks[0].label, ticks[0].anchor) == ("0", "start")
    assert (ticks[-1].label, ticks[-1].anchor) == ("1,000", "end")


def test_labels_near_the_ends_do_not_cross_them() -> None:
    ticks = log_scale([Estimate(value=2), Estimate(value=150_000)]).axis("ms").ticks

    assert (ticks[-1].label, ticks[-1].anchor) == ("100,000", "end")
    assert {tick.anchor for tick in ticks[1:-1]} == {"middle"}


def test_parts_are_stacked_end_to_end() -> None:
    scale = linear_scale([10.0])

    assert stacked([("p0", 2), ("p1", 0), ("p2", 3)], scale) == (Bar(0, 20, "p0"), Bar(20, 30, "p2"))


def test_a_cap_is_drawn_where_it_is_near_and_named_where_it_is_far() -> None:
    values = axis_values([498.0], [512.0, 8192.0])
    scale = linear_scale(values)

    near, far = cap_mark("cap 512 MiB", 512, scale), cap_mark("cap 8 GiB", 8192, scale)

    assert values == [498.0, 512.0]
    assert near.x == pytest.approx(85.3)
    assert near.anchor == "end"
    assert far.x is None
    assert "beyond" in far.text

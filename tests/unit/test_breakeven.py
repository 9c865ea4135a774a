"""Where a slow starter overtakes a fast one, and where nobody can say that it does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.breakeven import Course, crossing
from tests.factories import by_round

START = st.floats(min_value=1, max_value=1e5)
CALL = st.floats(min_value=1e-3, max_value=1e3)
JITTER = st.lists(st.floats(min_value=-1e-3, max_value=1e-3), min_size=3, max_size=6)


def course(starts: list[float], calls: list[float]) -> Course:
    return Course(
        start_ms=float(np.median(starts)),
        call_ms=math.exp(float(np.mean(np.log(calls)))),
        starts_ms=by_round(starts),
        calls_ms=by_round(calls),
    )


@given(START, st.floats(min_value=1.5, max_value=50), CALL, st.floats(min_value=1.5, max_value=50), JITTER)
def test_a_crossing_lies_where_the_two_lines_meet(
    start: float, later: float, call: float, slower: float, jitter: list[float]
) -> None:
    slow = course([start * later * (1 + each) for each in jitter], [call * (1 - each) for each in jitter])
    fast = course([start * (1 - each) for each in jitter], [call * slower * (1 + each) for each in jitter])

    found = crossing(slow, fast)

    assert found is not None
    assert slow.after(found.calls) == pytest.approx(fast.after(found.calls))
    assert 1 < found.low <= found.calls <= found.high
    assert slow.after((1 + found.low) / 2) > fast.after((1 + found.low) / 2)
    assert slow.after(found.high * 2) < fast.after(found.high * 2)


def test_the_first_answer_is_the_start_s() -> None:
    """Starts of 9.3 and 9 s, calls of 0.3 and 0.9 s: both have given one answer and a half at 9.45 s."""
    slow, fast = course([9300, 9301, 9299], [300, 300, 300]), course([9000, 9001, 8999], [900, 900, 900])

    found = crossing(slow, fast)

    assert found is not None
    assert found.calls == pytest.approx(1.5)
    assert slow.after(1) == slow.start_ms
    assert slow.after(found.calls) == pytest.approx(9450)


def test_who_starts_first_and_stays_ahead_is_never_overtaken() -> None:
    ahead = course([100, 101, 102], [1.0, 1.01, 1.02])
    behind = course([200, 202, 201], [2.0, 2.01, 2.02])

    assert crossing(behind, ahead) is None
    assert crossing(ahead, behind) is None


@pytest.mark.parametrize(
    ("starts", "calls"),
    [([150, 90, 100], [1.0, 1.0, 1.01]), ([200, 201, 202], [1.0, 2.9, 1.6])],
    ids=["the starts tie", "the calls tie"],
)
def test_what_ties_has_no_crossing(starts: list[float], calls: list[float]) -> None:
    fast = course([100, 101, 99], [2.0, 2.01, 2.02])

    assert crossing(course(starts, calls), fast) is None


def test_one_round_proves_nothing() -> None:
    assert crossing(course([200], [1.0]), course([100], [2.0])) is None


def test_only_rounds_that_both_took_part_in_are_compared() -> None:
    fast = course([100, 101, 102, 99], [2.0, 2.01, 2.02, 2.0])
    slow = course([200, 201, 203], [1.0, 1.01, 1.0])

    found, same = crossing(slow, fast), crossing(slow, course([100, 101, 102], [2.0, 2.01, 2.02]))

    assert found is not None
    assert same is not None
    assert found.high == pytest.approx(same.high, rel=0.02)


def test_rounds_that_differ_together_do_not_widen_the_interval() -> None:
    """A moment in which all are slower moves start and calls alike: where they meet stays where it is."""
    moments = [1.0, 1.3, 0.8, 1.1]
    slow = course([200 * each for each in moments], [1.0 * each for each in moments])
    fast = course([100 * each for each in moments], [2.0 * each for each in moments])

    found = crossing(slow, fast)

    assert found is not None
    assert found.low == pytest.approx(101, rel=0.08)
    assert found.high == pytest.approx(101, rel=0.08)


def test_the_interval_holds_the_true_point_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = []
    for _ in range(2000):
        starts = rng.normal((200, 100), (4, 4), (5, 2))
        calls = rng.normal((1.0, 2.0), (0.03, 0.03), (5, 2))
        slow = course(starts[:, 0].tolist(), calls[:, 0].tolist())
        found = crossing(slow, course(starts[:, 1].tolist(), calls[:, 1].tolist()))
        held.append(found is not None and found.low <= 101 <= found.high)

    assert 0.94 <= np.mean(held) <= 0.98, "95 %, and a little more where the bounds are widened to the figure"

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from runner.measure import compare, measure

Arrays = Sequence[NDArray[Any]]
INPUTS = [{"x": np.full(2, value, dtype=np.float32)} for value in (1.0, 2.0, 3.0)]


def double(inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    return [np.asarray(inputs["x"]) * 2]


def test_it_stops_at_the_least_number_once_the_time_is_spent() -> None:
    assert len(measure(double, INPUTS, seconds=0, min_iterations=7, max_iterations=100)) == 7


def test_it_never_goes_past_the_largest_number() -> None:
    assert len(measure(double, INPUTS, seconds=60, min_iterations=1, max_iterations=20)) == 20


def test_inputs_rotate() -> None:
    seen: list[float] = []

    def note(inputs: dict[str, NDArray[Any]]) -> Arrays:
        seen.append(float(inputs["x"][0]))
        return []

    measure(note, INPUTS, seconds=0, min_iterations=5, max_iterations=5)

    assert seen == [1.0, 2.0, 3.0, 1.0, 2.0]


def test_only_the_call_is_in_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 10))
    monkeypatch.setattr("runner.measure.time.perf_counter_ns", lambda: next(now))
    latencies = measure(double, INPUTS, seconds=0, min_iterations=4, max_iterations=4)
    assert latencies.tolist() == [10, 10, 10, 10]


def test_the_worst_error_over_all_inputs_is_told() -> None:
    expected = [double(inputs) for inputs in INPUTS]
    expected[1] = [np.asarray(expected[1][0], dtype=np.float64) + 0.25]

    record = compare(double, INPUTS, expected, exact=[False], tolerance=1e-5, classifies=False)

    assert record["max_abs_error"] == 0.25
    assert record["inputs"] == 3


@pytest.mark.parametrize("bad", [np.full(3, 2.0), np.array([np.nan, 2.0]), np.array([np.inf, 2.0])])
def test_a_wrong_shape_or_no_number_has_no_error_figure(bad: NDArray[np.float64]) -> None:
    record = compare(
        lambda _: [bad], INPUTS[:1], [[np.full(2, 2.0)]], exact=[False], tolerance=1e-5, classifies=False
    )
    assert record["max_abs_error"] is None


@pytest.mark.parametrize("bad", range(3))
def test_no_number_in_any_call_is_not_made_good_by_another(bad: int) -> None:
    def run(inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return [np.full(2, np.nan)] if inputs is INPUTS[bad] else double(inputs)

    expected = [double(inputs) for inputs in INPUTS]
    record = compare(run, INPUTS, expected, exact=[False], tolerance=1e-5, classifies=False)
    assert (record["finite"], record["max_abs_error"], record["max_rel_error"]) == (False, None, None)


def test_a_missing_output_is_a_wrong_one() -> None:
    record = compare(
        lambda _: [], INPUTS[:1], [[np.full(2, 2.0)]], exact=[False], tolerance=1e-5, classifies=False
    )
    assert (record["max_abs_error"], record["shapes"], record["expected_shapes"]) == (None, [], [(2,)])


def test_an_output_is_freed_outside_every_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = False
    freed: list[bool] = []

    def clock() -> int:
        nonlocal inside
        inside = not inside
        return 0

    class Output:
        def __del__(self) -> None:
            freed.append(inside)

    monkeypatch.setattr("runner.measure.time.perf_counter_ns", clock)
    measure(lambda _: Output(), INPUTS, seconds=0, min_iterations=3, max_iterations=3)

    # The clock is read once before the loop, so that between start and end `inside` is False.
    assert freed == [True, True, True]


@pytest.mark.parametrize(("exact", "error"), [(True, 2.0), (False, 2 / 30_002)])
def test_a_label_is_right_or_wrong_and_no_small_difference(exact: bool, error: float) -> None:
    labels = np.array([30_002])
    record = compare(
        lambda _: [labels - 2], INPUTS[:1], [[labels]], exact=[exact], tolerance=1e-4, classifies=False
    )
    assert record["max_rel_error"] == pytest.approx(error)


def test_the_best_class_of_every_row_is_counted() -> None:
    scores = np.array([[0.1, 0.9], [0.6, 0.4]])
    told: dict[str, Any] = {"exact": [False], "tolerance": 1.0, "classifies": True}
    record = compare(lambda _: [scores[:, ::-1]], INPUTS[:1], [[scores]], **told)
    assert (record["classified"], record["classified_same"]) == (2, 0)
    record = compare(lambda _: [scores], INPUTS[:1], [[scores]], **told)
    assert (record["classified"], record["classified_same"]) == (2, 2)

"""One trial's latencies, and its memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import Growth
from harness.stats.growth import memory_slope
from harness.stats.samples import class_outliers
from harness.stats.slope import slope_bytes_per_call
from harness.units import MIB
from tests.factories import cell, trial


def growth(calls: list[int], anon: list[int]) -> Growth:
    return Growth(type="growth", calls=tuple(calls), anon_bytes=tuple(anon))


def test_outliers_are_classed_by_tukeys_fences() -> None:
    latencies = np.array([10.0, 11, 12, 13, 14, 12, 11, 13, 18, 40])
    found = class_outliers(np.sort(latencies))
    assert (found.mild, found.severe, found.total) == (1, 1, 10)


@pytest.mark.parametrize(
    ("value", "classes"),
    [
        (14.0, (0, 0)),
        (14.1, (1, 0)),
        (17.0, (1, 0)),
        (17.1, (0, 1)),
        (6.0, (0, 0)),
        (5.9, (1, 0)),
        (2.9, (0, 1)),
    ],
)
def test_a_fence_belongs_to_what_it_keeps_in(value: float, classes: tuple[int, int]) -> None:
    """Quartiles 9 and 11: the fences stand 1.5 and 3 times 2 beyond them."""
    found = class_outliers(np.sort([9.0] * 100 + [11.0] * 99 + [10.0] * 99 + [value]))
    assert (found.mild, found.severe) == classes


@given(st.lists(st.floats(1, 1e6), max_size=50), st.floats(1e-3, 1e3))
def test_classes_do_not_depend_on_the_unit(latencies: list[float], factor: float) -> None:
    one = class_outliers(np.sort(latencies))
    assert one.mild + one.severe <= one.total == len(latencies)
    scaled = class_outliers(np.sort(latencies) * 2.0 ** round(np.log2(factor)))
    assert scaled == one


def test_a_leak_of_200_bytes_a_call_is_seen() -> None:
    calls = list(range(1000, 21_000, 1000))
    slope = memory_slope(growth(calls, [50 * MIB + 200 * count for count in calls]))
    assert slope is not None
    assert slope.grows
    assert slope.bytes_per_call == pytest.approx(200)


def test_a_leak_is_seen_through_the_noise_of_counting() -> None:
    rng = np.random.default_rng(3)
    calls = list(range(1000, 21_000, 1000))
    for _ in range(100):
        noise = rng.normal(0, 64 * 1024, 20)
        anon = [round(50 * MIB + 200 * count + wobble) for count, wobble in zip(calls, noise, strict=True)]
        slope = memory_slope(growth(calls, anon))
        assert slope is not None
        assert slope.grows
        assert slope.bytes_per_call == pytest.approx(200, rel=0.2)


def test_noise_alone_is_hardly_ever_a_leak() -> None:
    rng = np.random.default_rng(4)
    calls = list(range(1000, 21_000, 1000))
    found = [
        memory_slope(growth(calls, (50 * MIB + rng.normal(0, MIB, 20)).astype(int).tolist()))
        for _ in range(200)
    ]
    assert sum(slope is not None and slope.grows for slope in found) <= 10


def test_memory_that_is_given_back_is_no_leak() -> None:
    calls = list(range(1000, 21_000, 1000))
    slope = memory_slope(growth(calls, [50 * MIB - 200 * count for count in calls]))
    assert slope is not None
    assert not slope.grows
    assert slope.bytes_per_call == pytest.approx(-200)


def test_an_arena_that_fills_at_the_start_is_no_leak() -> None:
    calls = list(range(1000, 21_000, 1000))
    slope = memory_slope(growth(calls, [10 * MIB, 20 * MIB, 40 * MIB, *[50 * MIB] * 17]))
    assert slope is not None
    assert not slope.grows


def test_one_step_and_noise_are_no_leak() -> None:
    rng = np.random.default_rng(2)
    calls = list(range(1000, 21_000, 1000))
    step = [50 * MIB] * 12 + [52 * MIB] * 8
    noise = (50 * MIB + rng.normal(0, 64 * 1024, 20)).astype(int).tolist()
    assert not memory_slope(growth(calls, step)).grows  # type: ignore[union-attr]
    assert not memory_slope(growth(calls, noise)).grows  # type: ignore[union-attr]


@pytest.mark.parametrize("step", range(6, 20))
def test_one_page_more_among_few_calls_is_no_slope(step: int) -> None:
    calls = [round(646 * (mark + 1) / 20) for mark in range(20)]
    noted = growth(calls, [100 * MIB] * step + [100 * MIB + 4096] * (20 - step))
    assert slope_bytes_per_call(trial(cell(), records=(noted,))) == 0


def test_a_slope_is_told_once_it_adds_up_to_a_mebibyte() -> None:
    calls = list(range(1000, 21_000, 1000))
    fast, slow, back = (
        growth(calls, [50 * MIB + size * count for count in calls]) for size in (200, 20, -200)
    )
    slopes = [slope_bytes_per_call(trial(cell(), records=(noted,))) for noted in (fast, slow, back)]
    assert slopes == pytest.approx([200, 0, -200])


def test_too_few_notes_tell_nothing() -> None:
    assert memory_slope(growth([10, 20, 30], [1, 2, 3])) is None
    assert memory_slope(growth([10] * 20, [1] * 20)) is None


def test_notes_of_two_lengths_are_no_record() -> None:
    with pytest.raises(ValueError, match="one length"):
        growth([1, 2], [1])

"""Numbers and texts for people."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report import formats
from harness.report.formats import EN_DASH, TIMES, UNKNOWN
from harness.report.grouping import Limit
from harness.results import CpuMode
from harness.stats.intervals import Estimate
from harness.units import GIB, MIB, counted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, UNKNOWN),
        (math.nan, UNKNOWN),
        (math.inf, UNKNOWN),
        (0, "0"),
        (13.66, "13.7"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (389.4, "389"),
        (1708.2, "1,708"),
        (0.1704, "0.170"),
        (0.000330, "0.000330"),
        (2.4e-7, "2.4e-07"),
        (-12.34, "-12.3"),
    ],
)
def test_numbers_have_three_significant_digits(value: float | None, text: str) -> None:
    assert formats.number(value) == text


@given(st.floats(min_value=1e-4, max_value=1e12))
def test_a_printed_number_is_within_half_a_percent(value: float) -> None:
    assert float(formats.number(value).replace(",", "")) == pytest.approx(value, rel=0.005)


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0.0137, "13.7 µs"), (1.26, "1.26 ms"), (471.9, "472 ms"), (5430, "5.43 s")]
)
def test_a_duration_takes_the_unit_that_suits_it(milliseconds: float, text: str) -> None:
    assert formats.duration(milliseconds) == text


def test_a_table_takes_the_unit_of_its_middle_value() -> None:
    assert formats.time_unit([0.0137, 0.024, 0.074, 0.110, 145]).name == "µs"
    assert formats.time_unit([0.5, 51, 90]).name == "ms"
    assert formats.time_unit([]).name == "ms"


def test_bounds_are_printed_in_the_tables_unit() -> None:
    unit = formats.time_unit([0.0137])

    assert unit.bounds(Estimate(value=0.0137, low=0.012, high=0.0152)) == "[12.0, 15.2]"
    assert unit.bounds(Estimate(value=0.0137)) == UNKNOWN
    assert unit.bounds(None) == UNKNOWN
    assert unit.bounds(Estimate(value=1.0, low=0.01, high=1.0)) == "[10.0, 1,000]"
    assert unit.bounds(Estimate(value=1.0, low=1e-9, high=1e9)).startswith("over 100")


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit(1, 512 * MIB), "1 core, 512 MiB"),
        (Limit(2.0, 8 * GIB), "2 cores, 8 GiB"),
        (Limit(0.5, GIB, CpuMode.QUOTA), "0.5 CPU quota, 1 GiB"),
        (Limit(1, GIB, CpuMode.QUOTA, "default"), "1 CPU quota, 1 GiB, threads default"),
        (Limit(2, GIB, CpuMode.CPUSET, 4), "2 cores, 1 GiB, threads 4"),
    ],
)
def test_limits_are_named_as_people_say_them(limit: Limit, text: str) -> None:
    assert limit.title == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, UNKNOWN),
        (0, "0 %"),
        (0.00004, "< 0.1 %"),
        (0.0041, "0.41 %"),
        (0.041, "4.1 %"),
        (0.87, "87 %"),
        (0.9998, "100 %"),
        (1.4667, "147 %"),
    ],
)
def test_a_share_has_two_digits_and_is_never_made_zero(fraction: float | None, text: str) -> None:
    assert formats.share(fraction) == text


def test_bounds_stand_in_a_second_line() -> None:
    unit = formats.time_unit([0.0137])

    assert unit.with_bounds(Estimate(value=0.0137, low=0.012, high=0.0152)) == "13.7\n[12.0, 15.2]"
    assert unit.with_bounds(Estimate(value=0.0137)) == "13.7"
    assert unit.with_bounds(None) == UNKNOWN


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        (None, UNKNOWN),
        ((), ""),
        ((1,), "1"),
        ((0, 1, 2, 3, 6), f"0{EN_DASH}3, 6"),
        ((5, 2, 4), f"2, 4{EN_DASH}5"),
    ],
)
def test_runs_of_cores_are_folded(indices: tuple[int, ...] | None, text: str) -> None:
    assert formats.core_list(indices) == text


def test_a_ratio_needs_both_sides() -> None:
    assert formats.ratio(2.36, 1.0) == f"2.36{TIMES}"
    assert formats.ratio(None, 1.0) == UNKNOWN
    assert formats.ratio(1.0, None) == UNKNOWN
    assert formats.ratio(1.0, 0.0) == UNKNOWN


def test_text_that_hides_or_reorders_is_shown() -> None:
    assert formats.visible("a\x00b\x1b[31mc\td\n") == "a␀b␛[31mc\td\n"
    assert formats.visible("user\u202etxt.exe\u2066") == "user\ufffdtxt.exe\ufffd"


@given(st.text(), st.integers(2, 50))
def test_clipped_text_is_one_line_and_short(text: str, limit: int) -> None:
    clipped = formats.clip(text, limit)

    assert len(clipped) <= limit
    assert "\n" not in clipped


def test_words_are_listed() -> None:
    assert formats.listed([]) == ""
    assert formats.listed(["a"]) == "a"
    assert formats.listed(["a", "b", "c"]) == "a, b and c"
    assert counted(1, "cell") == "1 cell"
    assert counted(1200, "cell") == "1,200 cells"
    assert formats.distinct(["a", "b", "a"]) == "a | b"
    assert formats.distinct([]) == UNKNOWN


def test_a_moment_carries_its_zone() -> None:
    assert formats.moment(datetime(2026, 3, 14, 9, 26, 53, 99, tzinfo=UTC)) == "2026-03-14 09:26:53 UTC"
    assert formats.moment(None) == UNKNOWN

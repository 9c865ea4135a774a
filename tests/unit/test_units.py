import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.units import (
    cpus_id,
    format_duration,
    format_memory,
    memory_id,
    parse_duration,
    parse_memory,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 * 1024**2),
        ("8GiB", 8 * 1024**3),
        ("8g", 8 * 1024**3),
        ("8GB", 8 * 10**9),
        ("1.5 GiB", 3 * 1024**3 // 2),
        (" 64m ", 64 * 1024**2),
    ],
)
def test_memory_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "8",
        "8gb",
        "8 G",
        "-8GiB",
        "0GiB",
        "1e3MiB",
        "0.3k",
        "GiB",
        "",
        "nanGiB",
        "٨GiB",
        "\uff18GiB",
        "8\u00a0GiB",
        "8GiB\n",
    ],
)
def test_a_size_that_is_none_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="512MiB, 8GiB"):
        parse_memory(text)


@given(st.integers(min_value=1, max_value=2**50))
def test_the_id_of_a_size_is_exact(size: int) -> None:
    text = memory_id(size)
    factor = {"g": 1024**3, "m": 1024**2, "k": 1024, "b": 1}[text[-1]]
    assert int(text[:-1]) * factor == size


@given(st.integers(min_value=1, max_value=1_000_000))
def test_the_id_of_cpus_is_exact_to_a_millicore(millis: int) -> None:
    text = cpus_id(millis / 1000)
    assert (int(text[:-1]) if text.endswith("m") else int(text) * 1000) == millis


@given(st.text(max_size=20))
def test_any_text_is_a_positive_size_or_a_clear_refusal(text: str) -> None:
    for parse in (parse_memory, parse_duration):
        value, message = 0.0, ""
        try:
            value = parse(text)
        except ValueError as error:
            message = str(error)
        assert value > 0 or "write" in message


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5m", 90), ("500ms", 0.5), ("2h", 7200)])
def test_a_duration_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["90", "٩s", "9\u00a0s", "\t9s", "0s", "-1s"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.23e-6, "1.23 µs"),
        (999.7e-6, "1 ms"),
        (0.9997, "1 s"),
        (59.97, "1 min 00 s"),
        (0.85, "850 ms"),
        (12.34, "12.3 s"),
        (59.7, "59.7 s"),
        (245, "4 min 05 s"),
        (7380, "2 h 03 min"),
    ],
)
def test_a_duration_is_printed_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_memory_is_printed_in_the_unit_that_reads_best() -> None:
    assert [format_memory(size) for size in (12, 2048, 512 * 1024**2, 1717986918)] == [
        "12 B",
        "2 KiB",
        "512 MiB",
        "1.6 GiB",
    ]

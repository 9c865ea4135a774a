"""What would change the answer: only between limits that were measured, and only where it is proved."""

from harness.report.what_changes import MOST, what_changes
from harness.results import CellResult
from harness.units import GIB, MIB
from tests.unit.books import only
from tests.unit.test_tradeoffs import measured


def pair(first: float, second: float, **limits: float) -> tuple[CellResult, CellResult]:
    """JAX and ONNX Runtime under one limit, with their medians in microseconds."""
    return measured("jax", p50_us=first, **limits), measured("onnxruntime", p50_us=second, **limits)


def test_the_nearest_cap_and_core_count_are_named() -> None:
    cells = (
        *pair(10, 20, cpus=1, memory_bytes=GIB),
        *pair(20, 10, cpus=2, memory_bytes=GIB),
        *pair(20, 10, cpus=2, memory_bytes=8 * GIB),
        *pair(10, 20, cpus=2, memory_bytes=256 * MIB),
    )

    assert what_changes(*only(*cells)) == (
        "What would change the answer: with 2 cores, jax at 256 MiB but onnxruntime at 1 GiB; "
        "with 1 GiB, jax on 1 core but onnxruntime on 2 cores."
    )


def test_a_tie_between_two_answers_is_no_limit_of_either() -> None:
    cells = (
        *pair(10, 20, memory_bytes=256 * MIB),
        *pair(10, 10.001, memory_bytes=512 * MIB),
        *pair(20, 10, memory_bytes=GIB),
    )

    assert "jax at 256 MiB but onnxruntime at 1 GiB" in what_changes(*only(*cells))


def test_what_stays_the_same_is_said() -> None:
    cells = (
        *pair(10, 20, cpus=1),
        *pair(10, 20, cpus=2),
        *pair(10, 10.001, cpus=4),
    )

    assert what_changes(*only(*cells)) == (
        "No measured limit changes who is fastest: it is jax at 2 of 3 limits, not decided at 1."
    )


def test_a_tie_of_some_is_told_apart_from_what_is_not_decided() -> None:
    cells = (
        *pair(10, 20, cpus=1),
        *pair(10, 10.001, cpus=2),
        measured("pytorch", p50_us=40, cpus=2),
        *pair(10, 10.001, cpus=4),
    )

    assert what_changes(*only(*cells)).endswith("it is jax at 1 of 3 limits, tied at 1, not decided at 1.")


def test_who_is_measured_alone_is_no_answer_that_could_change() -> None:
    cells = [pair(10, 20, cpus=cpus)[0] for cpus in (1, 2)]

    assert what_changes(*only(*cells)) == ""


def test_one_limit_cannot_change_anything() -> None:
    assert what_changes(*only(*pair(10, 20))) == ""


def test_where_nothing_is_decided_nothing_is_said() -> None:
    assert what_changes(*only(*pair(10, 10.001, cpus=1), *pair(10, 10.001, cpus=2))) == ""


def test_many_changes_are_counted() -> None:
    cells = [
        each
        for index in range(MOST + 3)
        for each in pair(*((10, 20) if index % 2 else (20, 10)), memory_bytes=2**index * 64 * MIB)
    ]

    told = what_changes(*only(*cells))

    assert told.count(" but ") == MOST
    assert told.endswith(" And 2 changes more.")

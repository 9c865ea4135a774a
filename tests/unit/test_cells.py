"""A cell: what it is called, what it refuses, and what its framework is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.results import MAX_THREADS, Cell, CpuMode, last_attempts
from harness.units import GIB, MIB
from tests.factories import cell, trial

CPUS = st.integers(10, 64_000).map(lambda millis: millis / 1000)
CELLS = st.builds(
    lambda cpus, quota, memory, batch, threads, twin: cell(
        cpus=cpus,
        cpu_mode=CpuMode.QUOTA if quota or cpus != int(cpus) else CpuMode.CPUSET,
        memory_bytes=memory,
        batch=batch,
        threads=threads,
        twin=twin,
    ),
    CPUS, st.booleans(), st.integers(6 * MIB, 64 * GIB), st.integers(1, 1000),
    st.sampled_from(["match", "default"]) | st.integers(1, MAX_THREADS), st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "suffix"),
    [
        ({}, ""),
        ({"cpu_mode": "quota"}, ".quota"),
        ({"threads": 4}, ".t4"),
        ({"threads": "default"}, ".tdefault"),
        ({"twin": True}, ".twin"),
        ({"twin": True, "threads": "default", "cpu_mode": "quota"}, ".quota.tdefault.twin"),
    ],
)
def test_options_off_their_default_stand_in_the_id(options: dict[str, object], suffix: str) -> None:
    assert cell(**options).id == f"onnxruntime.spam-fnn.c2.m8g.b1{suffix}"  # type: ignore[arg-type]


def test_a_fraction_is_a_quota_and_its_id_need_not_say_so() -> None:
    half = cell(cpus=0.5)
    assert half.cpu_mode is CpuMode.QUOTA
    assert half.id == "onnxruntime.spam-fnn.c500m.m8g.b1"
    assert half == cell(cpus=0.5, cpu_mode=CpuMode.QUOTA)


def test_a_part_of_a_cpu_cannot_be_a_cpuset() -> None:
    with pytest.raises(ValidationError, match="a part of a CPU can only be a quota"):
        cell(cpus=1.5, cpu_mode=CpuMode.CPUSET)


@pytest.mark.parametrize("threads", [0, -1, MAX_THREADS + 1, "all", "", 1.5, None])
def test_what_is_no_thread_option_is_refused(threads: object) -> None:
    with pytest.raises(ValidationError):
        cell(threads=threads)


@pytest.mark.parametrize(
    ("cpus", "threads", "told"),
    [
        (2, "match", 2),
        (0.5, "match", 1),
        (1.5, "match", 2),
        (0.01, "match", 1),
        (1, 8, 8),
        (0.5, 3, 3),
        (4, "default", None),
    ],
)
def test_a_framework_is_told_as_many_threads_as_cpus_a_number_or_nothing(
    cpus: float, threads: object, told: int | None
) -> None:
    assert cell(cpus=cpus, threads=threads).thread_count == told


def test_only_the_null_framework_is_the_floor() -> None:
    assert cell("null").is_floor
    assert not cell("onnxruntime", twin=True).is_floor


@given(CELLS, CELLS)
def test_two_cells_share_an_id_only_if_they_are_one(one: Cell, other: Cell) -> None:
    assert (one.id == other.id) == (one == other)


@given(CELLS)
def test_a_cell_is_read_back_as_it_was_stored(made: Cell) -> None:
    assert Cell.model_validate_json(made.model_dump_json()) == made


def test_of_each_round_the_last_attempt_counts() -> None:
    of = cell()
    first, again, next_round = trial(of, 0), trial(of, 0, attempt=1), trial(of, 1)
    assert last_attempts([first, again, next_round]) == (again, next_round)
    assert [each.key for each in (first, again)] == [(of.id, 0, 0), (of.id, 0, 1)]

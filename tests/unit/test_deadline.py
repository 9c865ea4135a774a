"""The time that a container has: whichever runs out first, its own or its phase's."""

import time

import pytest

from harness.deadline import Deadline
from harness.records import Phase


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, settable by the test."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_nothing_runs_out_before_the_start(clock: list[float]) -> None:
    limit = Deadline(10)
    clock[0] += 1000
    assert limit.left_s() > 0
    limit.start()
    assert limit.left_s() == 10


def test_a_phase_has_its_own_time_and_the_next_one_the_rest_of_the_whole(clock: list[float]) -> None:
    limit = Deadline(10, {Phase.LOAD: 3})
    limit.start()
    limit.enter(Phase.IMPORT)
    clock[0] += 4
    limit.enter(Phase.LOAD)
    assert (limit.left_s(), limit.allowed_s) == (3, 3)
    clock[0] += 2
    limit.enter(Phase.COMPILE)
    assert (limit.left_s(), limit.allowed_s) == (4, 10)


def test_a_phase_never_has_more_than_what_is_left(clock: list[float]) -> None:
    limit = Deadline(10, {Phase.STEADY: 5})
    limit.start()
    clock[0] += 8
    limit.enter(Phase.STEADY)
    assert (limit.left_s(), limit.allowed_s) == (2, 10)

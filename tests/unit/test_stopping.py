"""When no further trial begins."""

import os
import signal
import time

import pytest

from harness.events import Event, Stopping
from harness.stopping import Stop


def test_the_first_interrupt_is_noted_and_the_second_is_one() -> None:
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell ignores it in what it starts in the background
    stop, told = Stop(), list[Event]()
    with stop.at_first_interrupt(told.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.now
        assert told == [Stopping()]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_budget_is_spent_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stop = Stop(budget_s=60)
    now[0] += 59
    assert not stop.now
    assert stop.left_s == 1
    now[0] += 1
    assert stop.spent
    now[0] += 1
    assert stop.left_s == 0
    assert not stop.interrupted
    assert not Stop().spent
    assert Stop().left_s is None

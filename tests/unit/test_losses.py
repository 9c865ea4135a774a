"""An engine that goes away in the middle of a run, and the session that waits for it."""

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from harness import session
from harness.engine import Engine
from harness.errors import EngineError
from harness.events import EngineLost, Event
from harness.session import MOST_LOSSES, through_losses
from harness.stopping import Stop
from harness.supplies import Supplies


class Flaky:
    """An engine that answers again at once, and work on it that fails some times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = self.holds = self.sweeps = 0
        self.answers = True

    def work(self) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise EngineError("gone")

    def await_answer(self, patience_s: float, *, stop: Callable[[], bool]) -> bool:
        assert patience_s > 60
        if not self.answers:
            raise EngineError("still gone")
        return not stop()

    def sweep(self) -> None:
        self.sweeps += 1


def run(flaky: Flaky, stop: Stop, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    @contextlib.contextmanager
    def hold(*_: object) -> Iterator[object]:
        flaky.holds += 1
        yield lambda: SimpleNamespace(volumes={})

    monkeypatch.setattr(session, "hold_engine", hold)
    told: list[Event] = []
    through_losses(
        flaky.work,
        cast(Engine, flaky),
        cast(Supplies, SimpleNamespace(images={"probe": None}, volumes=())),
        stop,
        told.append,
    )
    return told


def test_the_engine_is_held_anew_and_swept_and_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    flaky = Flaky(failures=2)
    told = run(flaky, Stop(), monkeypatch)
    assert (flaky.calls, flaky.holds, flaky.sweeps) == (3, 2, 2)
    assert told == [EngineLost(reason="gone")] * 2


def test_an_engine_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    flaky = Flaky(failures=1)
    flaky.answers = False
    with pytest.raises(EngineError, match="still gone"):
        run(flaky, Stop(), monkeypatch)


def test_one_that_goes_away_again_and_again_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    flaky = Flaky(failures=1000)
    with pytest.raises(EngineError, match="gone"):
        run(flaky, Stop(), monkeypatch)
    assert flaky.calls == MOST_LOSSES


def test_who_wants_to_stop_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    flaky = Flaky(failures=1)
    run(flaky, Stop(budget_s=0), monkeypatch)
    assert (flaky.calls, flaky.holds) == (1, 0)

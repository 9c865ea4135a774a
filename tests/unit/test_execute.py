"""The loop over trials: each once, kept, gone on with, and stopped."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import cast

import pytest

from harness.engine import Engine
from harness.events import PhaseReached, RunStarted, TrialEnded, TrialStarted
from harness.execute import Measuring
from harness.records import Phase
from harness.results import Status
from harness.schedule import Scheduler
from harness.stopping import Stop
from harness.store import RunStore
from harness.trial import Bench
from tests.factories import samples
from tests.unit.stand_in import CELLS, HOST, FakeEngine, Imprecise, play, scheduled
from tests.unit.test_derive import derived
from tests.unit.trials import CAP, OUTCOME, until, whole


def test_every_trial_is_run_once_and_kept(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)

    events = play(engine, store, bench)

    assert [spec.labels["edgematrix.cell"] for spec in engine.specs] == [
        trial.cell.id for trial in scheduled()
    ]
    for cell in CELLS:
        assert [trial.status for trial in store.read_trials(cell.id)] == [Status.OK] * 3
    assert [event.number for event in events if isinstance(event, TrialEnded)] == [1, 2, 3, 4, 5, 6]
    assert sum(isinstance(event, PhaseReached) for event in events) == 6 * len(Phase)


def test_containers_of_others_are_counted_and_a_doubt(tmp_path: Path, bench: Bench) -> None:
    class Shared(FakeEngine):
        def neighbours(self) -> int:
            return 2

    store = RunStore(tmp_path)
    play(Shared(whole()), store, bench)
    (trial, *_) = store.read_trials(CELLS[0].id)
    assert trial.neighbours == 2
    assert [doubt.kind for doubt in trial.warnings] == ["neighbours"]
    assert trial.spoiled == ()


def test_names_of_containers_are_unique(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(whole())
    play(engine, RunStore(tmp_path), bench)
    assert len({spec.name for spec in engine.specs}) == 6


def test_a_failed_trial_is_kept_and_the_matrix_goes_on(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    store = RunStore(tmp_path)
    play(engine, store, bench)
    assert [trial.status for trial in store.read_trials(CELLS[0].id)] == [Status.OOM] * 3


def test_after_an_interrupt_only_the_missing_trials_are_run(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    engine.interrupt_at = 4
    with pytest.raises(KeyboardInterrupt):
        play(engine, store, bench)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "trials").iterdir()}
    assert len(kept) == 4

    again = FakeEngine(whole())
    events = play(again, store, bench)

    assert len(again.specs) == 2
    assert next(event for event in events if isinstance(event, RunStarted)).done == 4
    assert [event.number for event in events if isinstance(event, TrialStarted)] == [5, 6]
    for name, content in kept.items():
        assert (tmp_path / "trials" / name).read_bytes() == content


class Counted(Stop):
    """Says stop after so many trials."""

    def __init__(self, engine: FakeEngine, trials: int, budget_s: float | None = None) -> None:
        super().__init__(budget_s)
        self.engine, self.trials = engine, trials

    @property
    def spent(self) -> bool:
        return len(self.engine.specs) >= self.trials


def test_when_told_to_stop_the_running_trial_is_the_last(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    play(engine, store, bench, stop=Counted(engine, 3))
    assert (len(engine.specs), store.count_trials()) == (3, 3)
    assert not store.has_all(CELLS, 3)
    again = FakeEngine(whole())
    play(again, store, bench)
    assert len(again.specs) == 3
    assert store.has_all(CELLS, 3)


def test_what_is_left_of_a_budget_is_told_at_the_beginning(tmp_path: Path, bench: Bench) -> None:
    told = {
        budget_s: next(
            event
            for event in play(
                FakeEngine(whole()), RunStore(tmp_path / str(budget_s)), bench, stop=Stop(budget_s)
            )
            if isinstance(event, RunStarted)
        ).budget_left_s
        for budget_s in (None, 3600)
    }
    assert told[None] is None
    assert 0 < (told[3600] or 0) <= 3600


def test_a_budget_is_not_spent_on_a_cell_that_fails_always_alike(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    store = RunStore(tmp_path)
    play(engine, store, bench, stop=Stop(budget_s=3600))
    assert [len(store.read_trials(cell.id)) for cell in CELLS] == [2, 2]


def test_with_a_precision_trials_are_spent_until_it_is_reached_or_the_budget_is_spent(
    tmp_path: Path, bench: Bench
) -> None:
    protocol = bench.run.protocol.model_copy(update={"precision": 0.01, "max_trials": 6})
    bench = replace(bench, run=bench.run.model_copy(update={"protocol": protocol}))
    records = [*whole()[:-3], samples([1000] * 20, Phase.STEADY), *whole()[-3:]]
    engine, store = FakeEngine(records), RunStore(tmp_path)
    play(engine, store, bench)
    assert len(engine.specs) == 6  # all medians are equal: as precise as can be

    store = RunStore(tmp_path / "other")
    play(Imprecise(), store, bench)
    assert [len(store.read_trials(cell.id)) for cell in CELLS] == [6, 6]


def test_a_clock_that_jumps_back_changes_nothing(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Jumping(datetime):
        days = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            cls.days += 1
            return datetime(2026, 1, 28, tzinfo=tz) - timedelta(days=cls.days)

    monkeypatch.setattr("harness.trial.datetime", Jumping)
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    play(engine, store, bench)
    trials = store.read_trials(CELLS[0].id)
    assert [trial.index for trial in trials] == [0, 1, 2]
    assert trials[0].started_at > trials[2].started_at
    assert derived(list(trials)).status is Status.OK


def test_a_thousand_cells_are_measured_once_each(tmp_path: Path, bench: Bench) -> None:
    cells = [
        CELLS[0].model_copy(update={"memory_bytes": CAP + number * 2**20, "framework": "jax"})
        for number in range(1000)
    ]
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    scheduler = Scheduler(seed=0, rounds=1, topology=HOST, memory_bytes=2**50)
    run = bench.run.model_copy(update={"protocol": bench.run.protocol.model_copy(update={"trials": 1})})
    measuring = Measuring(
        engine=cast("Engine", engine),
        store=store,
        bench=replace(bench, run=run),
        listener=lambda _: None,
        stop=Stop(),
    )
    measuring.run(cells, scheduler)
    assert len(engine.specs) == len({cell.id for cell in cells}) == 1000
    assert store.has_all(cells, 1)

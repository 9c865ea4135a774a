"""Trials that are run again: what the host, the probe or the engine spoiled, and what was asked for."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from harness.container import ContainerSpec, Outcome
from harness.derive import derive_cell
from harness.engine import Engine
from harness.errors import EngineError
from harness.events import TrialEnded, TrialSpoiled
from harness.execute import Measuring
from harness.records import Moment, Phase
from harness.results import SessionRound, Status
from harness.stopping import Stop
from harness.store import RunStore
from harness.trial import Bench
from tests.factories import conditions, samples
from tests.unit.stand_in import CELLS, SCHEDULER, FakeEngine, play
from tests.unit.test_derive import derived
from tests.unit.trials import OUTCOME, until, whole


def test_what_the_host_did_during_a_trial_is_kept_with_it_and_repeated_once(
    tmp_path: Path, bench: Bench
) -> None:
    start, after = (
        conditions(moment, at_ns, swapped_pages=pages)
        for moment, at_ns, pages in ((Moment.STEADY_START, 0, 0), (Moment.STEADY_END, 10**9, 5))
    )
    engine, store = FakeEngine([*whole()[:-3], start, after, *whole()[-3:]]), RunStore(tmp_path)
    play(engine, store, bench)
    trials = store.read_trials(CELLS[0].id)
    assert [trial.key[1:] for trial in trials] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert {doubt.kind for trial in trials for doubt in trial.spoiled} == {"swapping"}
    assert {trial.status for trial in trials} == {Status.OK}


def test_what_the_engine_spoils_is_run_again_at_once(tmp_path: Path, bench: Bench) -> None:
    class Failing(FakeEngine):
        def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
            found = super().run(spec, **words)
            first = len(self.specs) == 1 and spec.module is None
            return replace(found, error="connection reset") if first else found

    engine, store = Failing(whole()), RunStore(tmp_path)
    events = play(engine, store, bench)
    assert len(engine.specs) == 7
    assert store.has_all(CELLS, 3)
    assert [event.reason for event in events if isinstance(event, TrialSpoiled)] == [
        "the engine failed after its last word: connection reset"
    ]


def test_whoever_lost_the_engine_to_another_measures_no_more_until_it_is_held_again(
    tmp_path: Path, bench: Bench
) -> None:
    class Lost(FakeEngine):
        held = True

        def check_held(self) -> None:
            if not self.held:
                raise EngineError("this harness does not hold the engine any more")

        def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
            found = super().run(spec, **words)
            if spec.module is not None or len(self.specs) != 2:
                return found
            self.held = False
            return replace(found, exit_code=137, error="killed by another")

    engine, store = Lost(whole()), RunStore(tmp_path)
    with pytest.raises(EngineError, match="does not hold"):
        play(engine, store, bench)
    assert (len(engine.specs), store.count_trials()) == (2, 1)
    engine.held = True
    play(engine, store, bench)
    assert store.has_all(CELLS, 3)


def test_an_engine_that_fails_every_time_leaves_a_harness_error(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole(), replace(OUTCOME, error="no such image")), RunStore(tmp_path)
    play(engine, store, bench)
    assert len(engine.specs) == 3 * 6
    assert {trial.status for trial in store.read_trials(CELLS[0].id)} == {Status.HARNESS_ERROR}
    assert not store.has_all(CELLS, 3)


def test_trials_that_ended_as_asked_are_tried_once_more_and_the_old_ones_kept(
    tmp_path: Path, bench: Bench
) -> None:
    failing = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    store = RunStore(tmp_path)
    play(failing, store, bench)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "trials").iterdir()}

    again = FakeEngine(whole())
    play(again, store, bench, retry=[Status.TIMEOUT])
    assert again.specs == []
    events = play(again, store, bench, retry=[Status.OOM, Status.TIMEOUT])

    assert len(again.specs) == 6
    assert [event.number for event in events if isinstance(event, TrialEnded)] == [7, 8, 9, 10, 11, 12]
    assert {event.total for event in events if isinstance(event, TrialEnded)} == {12}
    trials = store.read_trials(CELLS[0].id)
    assert [trial.status for trial in trials] == [Status.OOM, Status.OK] * 3
    assert [trial.attempt for trial in derived(list(trials)).counted] == [1, 1, 1]
    assert derived(list(trials)).status is Status.OK
    for name, content in kept.items():
        assert (tmp_path / "trials" / name).read_bytes() == content


def test_what_a_later_session_measures_tells_so(tmp_path: Path, bench: Bench) -> None:
    store = RunStore(tmp_path)
    play(FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True)), store, bench)
    later = replace(bench, run=bench.run.model_copy(update={"session": 1}))
    play(FakeEngine(whole()), store, later, retry=[Status.OOM])
    assert [trial.session for trial in store.read_trials(CELLS[0].id)] == [0, 1] * 3
    assert [probe.session for probe in store.read_probes().values()] == [0, 0, 0, 0, 1, 1, 1, 1]
    counted = derived(list(store.read_trials(CELLS[0].id))).counted
    assert [trial.session_round for trial in counted] == [SessionRound(1, index) for index in range(3)]


def test_a_trial_beyond_the_planned_ones_is_tried_once_more_as_well(tmp_path: Path, bench: Bench) -> None:
    protocol = bench.run.protocol.model_copy(update={"precision": 0.5, "max_trials": 9})
    bench = replace(bench, run=bench.run.model_copy(update={"protocol": protocol}))
    records = [*whole()[:-3], samples([1000] * 20, Phase.STEADY), *whole()[-3:]]
    store = RunStore(tmp_path)
    play(FakeEngine(records), store, bench)
    planned = store.read_trials(CELLS[0].id)
    last = planned[-1].model_copy(update={"index": 7, "status": Status.CRASH, "phase": Phase.LOAD})
    store.write_trial(last)

    play(FakeEngine(records), store, bench, retry=[Status.CRASH])

    assert [trial.key[1:] for trial in store.read_trials(CELLS[0].id)][-2:] == [(7, 0), (7, 1)]


def test_what_is_tried_again_and_spoiled_by_the_host_is_repeated_once(tmp_path: Path, bench: Bench) -> None:
    store = RunStore(tmp_path)
    play(FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True)), store, bench)
    start, after = (
        conditions(moment, at_ns, swapped_pages=pages)
        for moment, at_ns, pages in ((Moment.STEADY_START, 0, 0), (Moment.STEADY_END, 10**9, 5))
    )
    engine = FakeEngine([*whole()[:-3], start, after, *whole()[-3:]])
    play(engine, store, bench, retry=[Status.OOM])
    play(engine, store, bench)
    attempts = store.read_attempts(CELLS[0].id, 0)
    assert [bool(trial.spoiled) for trial in attempts] == [False, True, True]


def test_a_probe_stands_on_either_side_of_a_block_and_between_two(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    play(engine, store, bench)
    assert engine.probes == 4  # before the first of three rounds of one block each, and after each
    assert list(store.read_probes()) == [0, 1, 2, 3]
    assert [trial.probe for trial in store.read_trials(CELLS[0].id)] == [0, 1, 2]


def test_a_probe_from_before_the_engine_went_away_is_not_that_before_a_trial(
    tmp_path: Path, bench: Bench
) -> None:
    class Flaky(FakeEngine):
        def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
            if self.probes == 1 and spec.module is None:
                self.probes += 1
                raise EngineError("it is gone")
            return super().run(spec, **words)

    store = RunStore(tmp_path)
    measuring = Measuring(
        engine=cast("Engine", Flaky(whole())),
        store=store,
        bench=bench,
        listener=lambda _: None,
        stop=Stop(),
    )
    with pytest.raises(EngineError):
        measuring.run(CELLS, SCHEDULER)
    measuring.run(CELLS, SCHEDULER)
    assert [trial.probe for trial in store.read_trials(CELLS[0].id)] == [1, 2, 3]


def test_a_probe_from_before_what_stands_beside_a_round_is_not_that_before_a_trial(
    tmp_path: Path, bench: Bench
) -> None:
    store = RunStore(tmp_path)
    Measuring(
        engine=cast("Engine", FakeEngine(whole())),
        store=store,
        bench=bench,
        listener=lambda _: None,
        stop=Stop(),
        beside=lambda *_: contextlib.nullcontext(),
    ).run(CELLS, SCHEDULER)
    assert [trial.probe for trial in store.read_trials(CELLS[0].id)] == [0, 2, 4]


def test_a_trial_whose_probe_moved_is_repeated_once_and_both_are_kept(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    engine.speeds = [1.0, 1.0, 0.5, 0.5, 0.5]  # it moves during the second round

    events = play(engine, store, bench)

    spoiled = [event for event in events if isinstance(event, TrialSpoiled)]
    assert [event.index for event in spoiled] == [1, 1]
    assert "0.50 times" in spoiled[0].reason
    keys = [trial.key[1:] for trial in store.read_trials(CELLS[0].id)]
    assert keys == [(0, 0), (1, 0), (1, 1), (2, 0)]
    cell = derive_cell(
        CELLS[0],
        store.read_trials(CELLS[0].id),
        protocol=bench.run.protocol,
        probes=store.read_probes(),
        multiply_adds=7,
    )
    assert [bool(trial.spoiled) for trial in cell.trials] == [False, True, False, False]
    assert [trial.attempt for trial in cell.counted] == [0, 1, 0]


def test_a_probe_that_fails_does_not_end_a_run(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    engine.speeds = [1e9] * 10  # no time at all: such an answer is refused
    play(engine, store, bench)
    assert store.read_probes() == {}
    assert [trial.probe for trial in store.read_trials(CELLS[0].id)] == [None] * 3

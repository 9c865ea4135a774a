"""Which cells get further trials where a precision is asked for, and what cells on different CPUs do not share."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.container import ContainerSpec, Outcome
from harness.records import AnyRecord, Moment, Output
from harness.results import NULL_FRAMEWORK, Status, last_attempts
from harness.stopping import Stop
from harness.store import RunStore
from harness.trial import Bench
from tests.factories import conditions
from tests.unit.stand_in import CELLS, FakeEngine, Imprecise, play, scheduled
from tests.unit.trials import OUTCOME, whole

FLOOR = CELLS[0].model_copy(update={"framework": NULL_FRAMEWORK})
TWO_CPUS = CELLS[0].model_copy(update={"cpus": 2})


@pytest.fixture
def precise(bench: Bench) -> Bench:
    """One that spends up to six trials on a cell, and ten minutes on all."""
    changes = {"precision": 0.01, "max_trials": 6, "max_time_s": 600.0}
    protocol = bench.run.protocol.model_copy(update=changes)
    return replace(bench, run=bench.run.model_copy(update={"protocol": protocol}))


def test_the_floor_gets_no_further_trials(tmp_path: Path, precise: Bench) -> None:
    store = RunStore(tmp_path)
    play(Imprecise(), store, precise, cells=[*CELLS, FLOOR])
    assert [len(store.read_trials(cell.id)) for cell in (*CELLS, FLOOR)] == [6, 6, 3]


def test_a_cell_with_a_failed_trial_gets_no_further_ones(tmp_path: Path, precise: Bench) -> None:
    class WrongOnce(Imprecise):
        def records(self, number: int) -> list[AnyRecord]:
            return [
                record.model_copy(update={"max_rel_error": 1.0})
                if isinstance(record, Output) and number == 0
                else record
                for record in super().records(number)
            ]

    store = RunStore(tmp_path)
    play(WrongOnce(), store, precise)
    failed = scheduled()[0].cell
    assert store.read_trials(failed.id)[0].status is Status.INVALID_OUTPUT
    assert {cell: len(store.read_trials(cell.id)) for cell in CELLS} == {
        cell: 3 if cell == failed else 6 for cell in CELLS
    }


def test_what_was_repeated_counts_once_in_the_stopping_rule(tmp_path: Path, precise: Bench) -> None:
    class Swapping(Imprecise):
        def records(self, number: int) -> list[AnyRecord]:
            *before, output, process, end = super().records(number)
            start = conditions(Moment.STEADY_START, 0, swapped_pages=0)
            after = conditions(Moment.STEADY_END, 10**9, swapped_pages=5)
            return [*before, start, after, output, process, end]

    store = RunStore(tmp_path)
    play(Swapping(), store, precise)
    for cell in CELLS:
        trials = store.read_trials(cell.id)
        assert (len(trials), len(last_attempts(trials))) == (12, 6)


@pytest.mark.parametrize(("run_s", "trials"), [(0, 6), (600, 3)])
def test_the_time_of_earlier_sessions_is_spent(
    tmp_path: Path, precise: Bench, run_s: float, trials: int
) -> None:
    store = RunStore(tmp_path)
    play(Imprecise(), store, replace(precise, run=precise.run.model_copy(update={"run_s": run_s})))
    assert [len(store.read_trials(cell.id)) for cell in CELLS] == [trials] * 2


def test_the_probe_before_a_trial_ran_on_its_cpus(tmp_path: Path, bench: Bench) -> None:
    store = RunStore(tmp_path)
    play(FakeEngine(whole()), store, bench, cells=[*CELLS, TWO_CPUS])
    probes = store.read_probes()
    found = [
        (trial.requested.cpuset, probes[trial.probe].requested.cpuset)
        for cell in (*CELLS, TWO_CPUS)
        for trial in store.read_trials(cell.id)
        if trial.probe is not None
    ]
    assert found == [((1,), (1,))] * 6 + [((0, 1), (0, 1))] * 3


def test_what_the_engine_spoils_is_not_run_again_after_an_interrupt(tmp_path: Path, bench: Bench) -> None:
    stop = Stop()

    class Interrupted(FakeEngine):
        def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
            stop.interrupted = stop.interrupted or spec.module is None
            return super().run(spec, **words)

    engine = Interrupted(whole(), replace(OUTCOME, error="connection reset"))
    play(engine, RunStore(tmp_path), bench, stop=stop)
    assert len(engine.specs) == 1

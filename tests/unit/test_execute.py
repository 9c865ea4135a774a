import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from harness.container import ContainerSpec, Outcome
from harness.engine import Engine
from harness.events import Event, PhaseReached, RunStarted, TrialEnded, TrialStarted
from harness.execute import Bench, Transcript, derive_cell, execute
from harness.host import LogicalCpu
from harness.records import MAX_RECORDS, AnyRecord, Phase
from harness.results import Cell, Image, Model, Status
from harness.schedule import ScheduledTrial, make_schedule
from harness.store import RunStore
from harness.supplies import Supplies
from tests.unit.test_store import a_run, a_trial
from tests.unit.trials import CAP, OUTCOME, REQUESTED, until, whole

CELLS = [
    Cell(framework=name, model="spam-fnn", cpus=1, memory_bytes=CAP, batch=1) for name in ("jax", "pytorch")
]
HOST = [LogicalCpu(cpu=cpu, core=cpu, socket=0, node=0) for cpu in (0, 1)]


class FakeEngine:
    """Replays recorded lines instead of running containers."""

    def __init__(self, records: list[AnyRecord], outcome: Outcome = OUTCOME) -> None:
        self.lines = [record.model_dump_json().encode() for record in records]
        self.outcome = outcome
        self.specs: list[ContainerSpec] = []
        self.jobs: list[dict[str, object]] = []
        self.interrupt_at: int | None = None

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes,
        on_line: Callable[[bytes], None],
        timeout_s: float,
        on_tick: Callable[[], None],
    ) -> Outcome:
        assert timeout_s > 0
        if len(self.specs) == self.interrupt_at:
            raise KeyboardInterrupt
        self.specs.append(spec)
        self.jobs.append(json.loads(stdin))
        on_tick()
        for line in self.lines:
            on_line(line)
        return self.outcome


class Framework:
    def __init__(self) -> None:
        self.env = {"OMP_NUM_THREADS": "{threads}"}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    image = Image(tag="t", id="sha256:1", fingerprint="f", size_bytes=1, base="b", packages={})
    run = a_run("r1").model_copy(
        update={"models": {"spam-fnn": Model(hash="h", title="t", parameters=1, tolerance=1e-5)}}
    )
    supplies = Supplies(
        frameworks=dict.fromkeys(("jax", "pytorch"), Framework()),  # type: ignore[arg-type]
        models={},
        images=dict.fromkeys(("jax", "pytorch"), image),
        volumes=(),
        failures={},
    )
    monkeypatch.setattr(Supplies, "mounts", lambda *_: ())
    return Bench(run=run, supplies=supplies)


def scheduled(trials: int = 3) -> tuple[ScheduledTrial, ...]:
    return make_schedule(CELLS, trials=trials, seed=0, topology=HOST, memory_bytes=8 * CAP)


def play(engine: FakeEngine, store: RunStore, bench: Bench) -> list[Event]:
    events: list[Event] = []
    execute(
        scheduled(),
        engine=cast("Engine", engine),
        store=store,
        bench=bench,
        listener=events.append,
    )
    return events


def test_every_trial_is_run_once_and_kept(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)

    events = play(engine, store, bench)

    assert [spec.labels["edgematrix.cell"] for spec in engine.specs] == [
        trial.cell.id for trial in scheduled()
    ]
    for cell in CELLS:
        assert [trial.status for trial in store.read_trials(cell.id, 3)] == [Status.OK] * 3
    assert [event.number for event in events if isinstance(event, TrialEnded)] == [1, 2, 3, 4, 5, 6]
    assert sum(isinstance(event, PhaseReached) for event in events) == 6 * len(Phase)


def test_a_container_gets_its_limits_and_its_job(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(whole())
    play(engine, RunStore(tmp_path), bench)
    assert engine.specs[0].limits == REQUESTED
    assert engine.specs[0].image == "sha256:1"
    assert engine.jobs[0]["env"] == {"OMP_NUM_THREADS": "1"}
    assert engine.jobs[0]["threads"] == 1


def test_names_of_containers_are_unique(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(whole())
    play(engine, RunStore(tmp_path), bench)
    assert len({spec.name for spec in engine.specs}) == 6


def test_a_failed_trial_is_kept_and_the_matrix_goes_on(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    store = RunStore(tmp_path)
    play(engine, store, bench)
    assert [trial.status for trial in store.read_trials(CELLS[0].id, 3)] == [Status.OOM] * 3


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


def test_after_garbage_nothing_is_believed() -> None:
    transcript = Transcript("c", lambda _: None)
    for line in (
        b'{"type":"phase_start","name":"load"}',
        b"garbage",
        b'{"type":"phase_start","name":"first"}',
    ):
        transcript.feed(line)
    assert len(transcript.records) == 1
    assert transcript.bad_line is not None


def test_records_without_end_are_bounded() -> None:
    transcript = Transcript("c", lambda _: None)
    for _ in range(MAX_RECORDS + 5):
        transcript.feed(b'{"type":"phase_start","name":"load"}')
    assert len(transcript.records) == MAX_RECORDS
    assert transcript.bad_line == f"more than {MAX_RECORDS} records"


def test_a_cell_is_ok_only_if_all_its_trials_are() -> None:
    good = [a_trial(index) for index in range(3)]
    assert derive_cell(CELLS[0], good, expected=3).status is Status.OK


def test_a_cell_takes_the_worst_status_and_tells_how_many() -> None:
    trials = [a_trial(index) for index in range(3)]
    trials[1] = trials[1].model_copy(
        update={"status": Status.OOM, "phase": Phase.LOAD, "reason": "out of memory in load"}
    )
    trials[2] = trials[2].model_copy(update={"status": Status.TIMEOUT})

    result = derive_cell(CELLS[0], trials, expected=3)

    assert (result.status, result.phase) == (Status.OOM, Phase.LOAD)
    assert result.reason == "1 of 3 trials: out of memory in load"


@pytest.mark.parametrize("count", [0, 2])
def test_a_cell_with_trials_missing_was_interrupted(count: int) -> None:
    result = derive_cell(CELLS[0], [a_trial(index) for index in range(count)], expected=3)
    assert (result.status, result.reason) == (Status.INTERRUPTED, f"{count} of 3 trials were run")

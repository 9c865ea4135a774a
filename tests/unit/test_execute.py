import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, cast

import pytest

from harness.container import ContainerSpec, Outcome
from harness.deadline import Deadline
from harness.derive import derive_cell
from harness.engine import Engine
from harness.events import Event, PhaseReached, RunStarted, TrialEnded, TrialSpoiled, TrialStarted
from harness.execute import Measuring
from harness.host import LogicalCpu
from harness.records import MAX_RECORDS, AnyRecord, Moment, Phase
from harness.results import Cell, CellResult, Status, StoppedBy, Trial
from harness.runs import Framework, Image, Model, ParamValue
from harness.schedule import ScheduledTrial, Scheduler
from harness.stopping import Stop
from harness.store import RunStore
from harness.supplies import Supplies
from harness.trial import Bench, Transcript, job_line, worker_env
from tests.factories import conditions, samples
from tests.unit.test_contract_pages import explained
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
        self.probes = 0
        self.speeds: list[float] = []
        """Of the next reference probes."""

    def neighbours(self) -> int:
        return 0

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes,
        on_line: Callable[[bytes], None],
        deadline: Deadline,
        on_tick: Callable[[], None],
    ) -> Outcome:
        deadline.start()
        assert deadline.left_s() > 0
        if spec.module == "runner.reference":
            self.probes += 1
            speed = self.speeds.pop(0) if self.speeds else 1.0
            on_line(json.dumps(REFERENCE | {"matmul_ns": [round(100 / speed)]}).encode())
            return OUTCOME
        if len(self.specs) == self.interrupt_at:
            raise KeyboardInterrupt
        self.specs.append(spec)
        self.jobs.append(json.loads(stdin))
        on_tick()
        for line in self.lines:
            on_line(line)
        return self.outcome


class Spec:
    def __init__(self) -> None:
        self.env = {"OMP_NUM_THREADS": "{threads}"}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    image = Image(tag="t", id="sha256:1", fingerprint="f", size_bytes=1, base="b", packages={})
    run = a_run("r1").model_copy(
        update={
            "models": {
                "spam-fnn": Model(
                    hash="h",
                    data={},
                    title="t",
                    parameters=1,
                    multiply_adds=7,
                    sequence=None,
                    task="other",
                    tolerance=1e-5,
                    reference="",
                    size_bytes=1,
                )
            }
        }
    )
    supplies = Supplies(
        frameworks={
            name: Framework(extends=name, version="", params={}) for name in ("jax", "pytorch", "null")
        },
        specs=dict.fromkeys(("jax", "pytorch", "null"), Spec()),  # type: ignore[arg-type]
        images=dict.fromkeys(("jax", "pytorch", "null"), image),
        needs={},
        failures={},
    )
    monkeypatch.setattr(Supplies, "mounts", lambda *_: ())
    return Bench(run=run, supplies=supplies)


SCHEDULER = Scheduler(seed=0, rounds=3, topology=HOST, memory_bytes=8 * CAP)
REFERENCE = {
    "multiply_adds": 1000, "matmul_ns": [100], "copy_bytes": 1000, "copy_ns": [50], "loop_ns": [10],
}  # fmt: skip


def scheduled(trials: int = 3) -> list[ScheduledTrial]:
    rounds = (SCHEDULER.round(CELLS, index) for index in range(trials))
    return [trial for blocks in rounds for block in blocks for trial in block]


def play(
    engine: FakeEngine,
    store: RunStore,
    bench: Bench,
    *,
    stop: Stop | None = None,
    retry: Collection[Status] = (),
) -> list[Event]:
    events: list[Event] = []
    Measuring(
        engine=cast("Engine", engine),
        store=store,
        bench=bench,
        listener=events.append,
        stop=stop or Stop(),
        retry=retry,
    ).run(CELLS, SCHEDULER)
    return events


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


def test_a_container_gets_its_limits_and_its_job(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(whole())
    play(engine, RunStore(tmp_path), bench)
    assert engine.specs[0].limits == REQUESTED
    assert engine.specs[0].image == "sha256:1"
    assert engine.jobs[0]["env"] == {"OMP_NUM_THREADS": "1"}
    assert engine.jobs[0]["threads"] == 1
    assert engine.jobs[0]["version"] == 3
    assert set(engine.jobs[0]) == explained("job.md", "Contract 1: the job, harness -> container")


@pytest.mark.parametrize(
    ("threads", "told", "env"),
    [
        ("match", 1, {"OMP_NUM_THREADS": "1", "POOL": "1-1", "TF_CPP_MIN_LOG_LEVEL": "3"}),
        (4, 4, {"OMP_NUM_THREADS": "4", "POOL": "4-4", "TF_CPP_MIN_LOG_LEVEL": "3"}),
        ("default", None, {"TF_CPP_MIN_LOG_LEVEL": "3"}),
    ],
)
def test_variables_about_threads_are_left_out_where_nothing_is_told(
    bench: Bench, threads: object, told: int | None, env: dict[str, str]
) -> None:
    variables = {"OMP_NUM_THREADS": "{threads}", "POOL": "{threads}-{threads}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    bench.supplies.specs["jax"].env.update(variables)
    job = json.loads(job_line(CELLS[0].model_copy(update={"threads": threads}), bench))
    assert (job["threads"], job["env"]) == (told, env)


def test_a_variable_may_hold_a_parameter() -> None:
    variables = {"ONEDNN": "{onednn}", "POOL": "{threads}", "FORM": "a-{form}"}
    params: dict[str, ParamValue] = {"onednn": False, "form": "eager"}
    assert worker_env(variables, 2, params) == {"ONEDNN": "false", "POOL": "2", "FORM": "a-eager"}
    assert worker_env(variables, None, params) == {"ONEDNN": "false", "FORM": "a-eager"}


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


def test_a_budget_is_not_spent_on_a_cell_that_fails_always_alike(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    store = RunStore(tmp_path)
    play(engine, store, bench, stop=Stop(budget_s=3600))
    assert [len(store.read_trials(cell.id)) for cell in CELLS] == [2, 2]


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
        "the engine failed in steady: connection reset"
    ]


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


def test_a_cell_cut_short_by_a_budget_counts_what_it_has() -> None:
    protocol = a_run("r").protocol
    short = derive_cell(CELLS[0], [a_trial(0)], protocol=protocol, probes={}, multiply_adds=7, cut_short=True)
    assert (short.status, short.stopped_by) == (Status.OK, StoppedBy.TIME)
    failed = [a_trial(index).model_copy(update={"status": Status.OOM, "reason": "r"}) for index in (0, 1)]
    told = derive_cell(CELLS[0], failed, protocol=protocol, probes={}, multiply_adds=7, cut_short=True)
    assert told.reason == "2 of 2 trials: r"


def test_after_garbage_nothing_is_believed() -> None:
    transcript = Transcript("c", lambda _: None, Deadline(1))
    for line in (
        b'{"type":"phase_start","name":"load"}',
        b"garbage",
        b'{"type":"phase_start","name":"first"}',
    ):
        transcript.feed(line)
    assert len(transcript.records) == 1
    assert transcript.bad_line is not None


def test_records_without_end_are_bounded() -> None:
    transcript = Transcript("c", lambda _: None, Deadline(1))
    for _ in range(MAX_RECORDS + 5):
        transcript.feed(b'{"type":"phase_start","name":"load"}')
    assert len(transcript.records) == MAX_RECORDS
    assert transcript.bad_line == f"more than {MAX_RECORDS} records"


def derived(trials: list[Trial]) -> CellResult:
    return derive_cell(CELLS[0], trials, protocol=a_run("r").protocol, probes={}, multiply_adds=7)


def test_a_cell_is_ok_only_if_all_its_trials_are() -> None:
    good = [a_trial(index) for index in range(3)]
    assert derived(good).status is Status.OK


def test_a_cell_takes_the_worst_status_and_tells_how_many() -> None:
    trials = [a_trial(index) for index in range(3)]
    trials[1] = trials[1].model_copy(
        update={"status": Status.OOM, "phase": Phase.LOAD, "reason": "out of memory in load"}
    )
    trials[2] = trials[2].model_copy(update={"status": Status.TIMEOUT})

    result = derived(trials)

    assert (result.status, result.phase) == (Status.OOM, Phase.LOAD)
    assert result.reason == "1 of 3 trials: out of memory in load"


@pytest.mark.parametrize("count", [0, 2])
def test_a_cell_with_trials_missing_was_interrupted(count: int) -> None:
    result = derived([a_trial(index) for index in range(count)])
    assert (result.status, result.reason) == (Status.INTERRUPTED, f"{count} of 3 trials were run")


def test_a_probe_stands_on_either_side_of_a_block_and_between_two(tmp_path: Path, bench: Bench) -> None:
    engine, store = FakeEngine(whole()), RunStore(tmp_path)
    play(engine, store, bench)
    assert engine.probes == 4  # before the first of three rounds of one block each, and after each
    assert list(store.read_probes()) == [0, 1, 2, 3]
    assert [trial.probe for trial in store.read_trials(CELLS[0].id)] == [0, 1, 2]


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


def test_a_cell_says_that_its_budget_of_trials_was_spent() -> None:
    assert derived([a_trial(index) for index in range(3)]).stopped_by is StoppedBy.TRIALS
    assert derived([a_trial(0)]).stopped_by is None


@pytest.mark.parametrize(
    ("name", "status", "stop"),
    [
        ("jax", Status.OOM, StoppedBy.TRIALS),
        ("null", Status.OK, StoppedBy.TRIALS),
        ("jax", Status.OK, StoppedBy.TIME),
    ],
)
def test_only_a_cell_that_could_have_had_more_trials_ran_out_of_time(
    name: str, status: Status, stop: StoppedBy
) -> None:
    protocol = a_run("r").protocol.model_copy(update={"precision": 0.01, "max_trials": 9})
    trials = [a_trial(index).model_copy(update={"status": status}) for index in range(3)]
    cell = CELLS[0].model_copy(update={"framework": name})
    made = derive_cell(cell, trials, protocol=protocol, probes={}, multiply_adds=7)
    assert made.stopped_by is stop


def test_with_a_precision_trials_are_spent_until_it_is_reached_or_the_budget_is_spent(
    tmp_path: Path, bench: Bench
) -> None:
    protocol = bench.run.protocol.model_copy(update={"precision": 0.01, "max_trials": 6})
    bench = replace(bench, run=bench.run.model_copy(update={"protocol": protocol}))
    records = [*whole()[:-3], samples([1000] * 20, Phase.STEADY), *whole()[-3:]]
    engine, store = FakeEngine(records), RunStore(tmp_path)
    play(engine, store, bench)
    assert len(engine.specs) == 6  # all medians are equal: as precise as can be

    class Wandering(FakeEngine):
        def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
            ns = 1000 * (1 + len(self.specs) % 3)
            self.lines = [
                record.model_dump_json().encode()
                for record in [*whole()[:-3], samples([ns] * 20, Phase.STEADY), *whole()[-3:]]
            ]
            return super().run(spec, **words)

    wandering, store = Wandering(whole()), RunStore(tmp_path / "other")
    play(wandering, store, bench)
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

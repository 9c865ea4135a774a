"""A session of a run: which stored run it goes on with, and what it says of the run in the end."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import session
from harness.container import ContainerSpec, Outcome
from harness.engine import Engine
from harness.errors import BuildError, EngineError, StoreError
from harness.host import ProbeFacts
from harness.intake import Options
from harness.plan import Plan, PlannedCell
from harness.records import Phase
from harness.results import Status, StoppedBy
from harness.runs import RunState
from harness.session import measure, open_store
from harness.stopping import Stop
from harness.store import RunStore, fitting_run
from harness.supplies import Supplies
from harness.trial import Bench
from tests.factories import image
from tests.unit.stand_in import CELLS, HOST, FakeEngine, Imprecise, play
from tests.unit.test_store import MODEL, a_run, a_trial, stored
from tests.unit.trials import CAP, OUTCOME, until, whole


class Wandering(Imprecise):
    """No cell is ever precise, and something happens in one of the trials."""

    def __init__(self, at: int, event: Callable[[], None]) -> None:
        super().__init__()
        self.at, self.event = at, event

    def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
        if spec.module is None and len(self.specs) == self.at:
            self.event()
        return super().run(spec, **words)

    def await_answer(self, patience_s: float, *, stop: Callable[[], bool]) -> bool:  # noqa: ARG002
        raise EngineError("it stays away")


class Ending:
    """A run that its session ends somehow."""

    def __init__(self, reports: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stop = Stop()
        self.reports = reports
        self.bench = bench
        self.store = stored(reports, bench.run)
        monkeypatch.setattr(session, "Stop", lambda _: self.stop)
        monkeypatch.setattr(session, "write_results", self._write)
        monkeypatch.setattr(Supplies, "failure", lambda *_: None)
        monkeypatch.setattr(Supplies, "volumes", ())

    def measure(self, engine: FakeEngine, **options: Any) -> None:
        measure(
            Plan(cells=tuple(PlannedCell(cell=cell) for cell in CELLS), protocol=self.bench.run.protocol),
            cast("ProbeFacts", SimpleNamespace(topology=HOST, memory_bytes=8 * CAP)),
            engine=cast("Engine", engine),
            store=self.store,
            bench=self.bench,
            listener=lambda _: None,
            options=Options(matrix=Path("matrix.yaml"), reports=self.reports, **options),
            expectation=lambda _: None,
            replay=None,
        )

    def _write(self, store: RunStore, run: Any, cells: Any, listener: Any) -> Path:  # noqa: ARG002
        store.write_run(run)
        for cell in cells:
            store.write_cell(cell)
        return store.folder

    def interrupt(self) -> None:
        self.stop.interrupted = True

    def interrupt_twice(self) -> None:
        raise KeyboardInterrupt

    def lose_engine(self) -> None:
        raise EngineError("it is gone")

    def spend_budget(self) -> None:
        self.stop.budget_s = 0

    @property
    def stopped_by(self) -> set[StoppedBy | None]:
        return {self.store.read_cell(cell.id).stopped_by for cell in CELLS}


@pytest.fixture
def ending(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Ending:
    return Ending(tmp_path, bench, monkeypatch)


@pytest.fixture
def precise(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Ending:
    """One with further rounds, which end with twelve trials."""
    protocol = bench.run.protocol.model_copy(update={"precision": 0.01, "max_trials": 6})
    run = bench.run.model_copy(update={"protocol": protocol})
    return Ending(tmp_path, replace(bench, run=run), monkeypatch)


def options(reports: Path, *retry: Status) -> Options:
    return Options(matrix=Path("matrix.yaml"), reports=reports, retry=frozenset(retry))


def test_each_time_that_a_run_is_gone_on_with_is_a_session_of_its_own(tmp_path: Path) -> None:
    stored(tmp_path, a_run("r1"))
    sessions = []
    for _ in range(2):
        store, run = open_store(options(tmp_path), a_run("r2"))
        sessions.append((run.run_id, run.session, store.read_run().session))
    assert sessions == [("r1", 1, 1), ("r1", 2, 2)]


def test_a_further_session_records_the_images_and_models_that_any_could_make(tmp_path: Path) -> None:
    early, late = {"jax": image("jax")}, {"pytorch": image("pytorch")}
    again = MODEL.model_copy(update={"data": {"batch 2": "e"}, "reference": ""})
    models = {"spam-fnn": again, "other": MODEL}
    stored(tmp_path, a_run("r1").model_copy(update={"images": early, "models": {"spam-fnn": MODEL}}))

    _, run = open_store(options(tmp_path), a_run("r2").model_copy(update={"images": late, "models": models}))

    assert (run.run_id, run.images) == ("r1", early | late)
    assert run.models.keys() == {"spam-fnn", "other"}
    both = run.models["spam-fnn"]
    assert (both.data, both.reference) == ({"batch 1": "d", "batch 2": "e"}, "ONNX")


def fail_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jax have no image in the next session."""
    gone = BuildError("its wheels cannot be had")
    monkeypatch.setattr(Supplies, "failure", lambda _, cell: gone if cell.framework == "jax" else None)


def test_a_framework_whose_image_could_not_be_built_is_measured_once_it_can(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_jax(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        ending.measure(Wandering(1, ending.interrupt))
    assert ending.store.read_cell(CELLS[0].id).status is Status.BUILD_FAILED
    monkeypatch.setattr(Supplies, "failure", lambda *_: None)
    ending.stop = Stop()
    ending.measure(Wandering(99, ending.interrupt))

    assert ending.store.read_run().state is RunState.COMPLETE
    assert [ending.store.read_cell(cell.id).status for cell in CELLS] == [Status.OK, Status.OK]
    assert ending.store.count_trials() == 6


def test_trials_of_a_framework_whose_image_cannot_be_built_any_more_stay_and_the_run_is_not_complete(
    ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        ending.measure(Wandering(2, ending.interrupt))
    begun = ending.store.read_trials(CELLS[0].id)
    assert 0 < len(begun) < 3
    fail_jax(monkeypatch)
    ending.stop = Stop()
    ending.measure(Wandering(99, ending.interrupt))

    cell = ending.store.read_cell(CELLS[0].id)
    assert [trial.key for trial in cell.trials] == [trial.key for trial in begun]
    assert cell.status is Status.INTERRUPTED
    assert cell.reason == f"{len(begun)} of 3 trials were run; its wheels cannot be had"
    assert ending.store.read_cell(CELLS[1].id).status is Status.OK
    assert ending.store.read_run().state is RunState.INTERRUPTED


@pytest.mark.parametrize(("retry", "state"), [([], RunState.COMPLETE), ([Status.OOM], RunState.INTERRUPTED)])
def test_a_cell_with_all_its_trials_needs_its_image_only_to_be_tried_again(
    ending: Ending, monkeypatch: pytest.MonkeyPatch, retry: list[Status], state: RunState
) -> None:
    oom = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    play(oom, ending.store, ending.bench)
    fail_jax(monkeypatch)
    ending.measure(FakeEngine(whole()), retry=frozenset(retry))

    assert ending.store.read_run().state is state
    assert ending.store.read_cell(CELLS[0].id).status is Status.OOM


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (Ending.interrupt, KeyboardInterrupt),
        (Ending.interrupt_twice, KeyboardInterrupt),
        (Ending.lose_engine, EngineError),
    ],
)
def test_a_run_that_is_stopped_in_its_further_rounds_goes_on(
    precise: Ending, event: Callable[[Ending], None], error: type[BaseException]
) -> None:
    with pytest.raises(error):
        precise.measure(Wandering(7, lambda: event(precise)))
    run = precise.store.read_run()
    assert run.state is RunState.INTERRUPTED
    assert precise.stopped_by == {None}, "nobody decided that these trials are enough"
    assert fitting_run(precise.reports, run) is not None

    precise.stop = Stop()
    precise.measure(Wandering(99, precise.interrupt))
    assert precise.store.read_run().state is RunState.COMPLETE
    assert precise.stopped_by == {StoppedBy.TRIALS}
    assert precise.store.count_trials() == 12


def test_a_spent_budget_ends_a_session_well_and_the_run_can_go_on(precise: Ending) -> None:
    precise.measure(Wandering(7, precise.spend_budget))
    assert precise.store.read_run().state is RunState.INTERRUPTED
    assert precise.stopped_by == {StoppedBy.TIME}


def test_an_interrupt_after_which_nothing_is_left_changes_nothing(precise: Ending) -> None:
    precise.measure(Wandering(11, precise.interrupt))
    assert precise.store.read_run().state is RunState.COMPLETE


def test_a_run_whose_own_time_is_spent_is_complete(precise: Ending) -> None:
    protocol = precise.bench.run.protocol.model_copy(update={"max_time_s": 0.0})
    precise.bench = replace(precise.bench, run=precise.bench.run.model_copy(update={"protocol": protocol}))
    precise.measure(Wandering(99, precise.interrupt))
    assert precise.store.read_run().state is RunState.COMPLETE
    assert precise.stopped_by == {StoppedBy.TIME}


def test_a_retry_that_the_engine_cut_off_can_be_repeated(ending: Ending) -> None:
    for engine, retry in (
        (FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True)), []),
        (FakeEngine(whole(), replace(OUTCOME, error="it is gone")), [Status.OOM]),
    ):
        play(engine, ending.store, ending.bench, retry=retry)
    assert {path.name.count(".1.json") for path in ending.store.faulty_trials()} == {1}

    store, run = open_store(options(ending.reports, Status.OOM), ending.bench.run)

    assert run.run_id == ending.bench.run.run_id
    assert store.faulty_trials() == ()
    assert len(store.ended_as([Status.OOM])) == 6


def test_a_named_run_that_does_not_fit_is_refused_with_what_differs(tmp_path: Path) -> None:
    jax = image("jax")
    changed = {"jax": jax.model_copy(update={"fingerprint": "else"})}
    stored(tmp_path, a_run("r1", plan="another").model_copy(update={"images": {"jax": jax}}))

    with pytest.raises(StoreError) as caught:
        open_store(
            replace(options(tmp_path), run_id="r1"), a_run("r2").model_copy(update={"images": changed})
        )

    assert caught.value.why == "it differs from today's in the cells that are skipped, the image of jax"


def test_a_retry_takes_the_newest_run_that_has_such_a_trial(tmp_path: Path) -> None:
    for name, status in (("r1", Status.OOM), ("r2", Status.OOM), ("r3", Status.OK)):
        store = stored(tmp_path, a_run(name, state=RunState.COMPLETE))
        store.write_trial(a_trial().model_copy(update={"status": status}))

    _, run = open_store(options(tmp_path, Status.OOM), a_run("r4"))

    assert run.run_id == "r2"
    with pytest.raises(StoreError, match="no run that could go on has a trial that ended as timeout"):
        open_store(options(tmp_path, Status.TIMEOUT), a_run("r4"))


def test_an_interrupt_leaves_what_was_to_be_tried_again(ending: Ending) -> None:
    oom = FakeEngine(until(Phase.LOAD), replace(OUTCOME, exit_code=137, oom_flag=True))
    play(oom, ending.store, ending.bench)
    with pytest.raises(KeyboardInterrupt):
        ending.measure(Wandering(2, ending.interrupt), retry=frozenset({Status.OOM}))
    assert ending.store.read_run().state is RunState.INTERRUPTED


def test_an_interrupt_leaves_the_repetition_of_what_the_host_spoiled(ending: Ending) -> None:
    engine = Wandering(5, ending.interrupt)
    engine.speeds = [1.0, 1.0, 1.0, 0.5]  # the machine changes in the last round
    with pytest.raises(KeyboardInterrupt):
        ending.measure(engine)
    assert ending.store.read_run().state is RunState.INTERRUPTED

"""One session of `edgematrix run`: the data's whole way through the house, in one place.

matrix.yaml -> config -> plan -> supplies -> host -> schedule -> execute -> cells -> report
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import harness
from harness.article.replay import make_replay
from harness.beforehand import check_options, not_the_same, nothing_to_retry, refuse_complete
from harness.build import remove_stages
from harness.catalog import load_catalog
from harness.container import ContainerSpec, Mount
from harness.engine import LOCK_NAME, Engine, refuse_if_held
from harness.engine_connection import connect
from harness.errors import BuildError, EngineError
from harness.events import EngineLost, Step
from harness.execute import Measuring, alone
from harness.finish import sum_up, write_results
from harness.host import ProbeFacts, describe_host
from harness.intake import on_any_host, on_host, path_below, plan_matrix
from harness.places import PLACES
from harness.plan import with_controls
from harness.runs import Run, RunState, shared_commit, unite_models
from harness.schedule import Scheduler
from harness.stopping import Stop
from harness.store import RunStore, departures, fitting_run, open_run
from harness.supplies import build_supplies, create_volumes, describe_models, fill_volumes, remove_outdated
from harness.trial import Bench
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.article.replay import Replay
    from harness.config import Matrix
    from harness.events import Event, Listener
    from harness.intake import Options
    from harness.plan import Plan
    from harness.prepare import Volume
    from harness.results import Cell, CellResult, Expectation
    from harness.runs import Image
    from harness.supplies import Supplies


PATIENCE_S: Final = 300.0
"""For an engine that went away while it measured: a restart takes seconds, a machine some minutes."""
MOST_LOSSES: Final = 20
"""Of the engine in one session: one that goes away that often does not come to an end."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a session leaves."""

    run: Run
    cells: tuple[CellResult, ...]
    report: Path
    setup_s: float = 0.0
    """Wall time of this session before its first trial: images, artefacts, the host."""


def run_matrix(options: Options, listener: Listener) -> Finished:
    """Measure a matrix: make what is missing, run what has no result yet, write the report.

    Args:
        options: which matrix, which cells, which run.
        listener: gets every event.

    Raises:
        EdgematrixError: before the first trial, with its own exit code.
        KeyboardInterrupt: interrupted; what is finished is on disk and in the report.
    """
    begin = time.monotonic()
    matrix, plan = plan_matrix(options)
    check_options(options, plan)
    client = connect()
    engine = Engine(client, purpose="edgematrix run")
    refuse_if_held(client)  # a build takes all cores, and may replace an image that somebody measures
    catalog = load_catalog(options.matrix.parent)
    wanted = on_any_host(options, matrix, plan)
    supplies = build_supplies(client, wanted, matrix=matrix, catalog=catalog, listener=listener)
    with hold_engine(engine, supplies.images["probe"], supplies.volumes) as survey:
        engine.sweep()
        remove_stages(client)
        facts = survey()
        plan = with_controls(on_host(options, matrix, plan, facts), matrix.baseline)
        needed = supplies.needed_by(planned.cell for planned in plan.cells)
        supplies = fill_volumes(engine, needed, facts, listener)
        run = describe_run(options, matrix, plan, supplies, survey(), engine)
        store, run = open_store(options, run)
        bench = Bench(run=run, supplies=supplies)
        replay = make_replay(
            plan, facts, images=PLACES.images, engine=engine, store=store, bench=bench, listener=listener
        )
        setup_s = time.monotonic() - begin
        finished = measure(
            plan,
            facts,
            engine=engine,
            store=store,
            bench=bench,
            listener=listener,
            options=options,
            expectation=matrix.expectation,
            replay=replay,
        )
        return replace(finished, setup_s=setup_s)


@contextlib.contextmanager
def hold_engine(
    engine: Engine, probe: Image, volumes: Sequence[Volume] = ()
) -> Iterator[Callable[[], ProbeFacts]]:
    """Keep other harnesses off the engine for as long as this one measures.

    Yields:
        A function that reads the host, and the state of the volumes, anew.
    """
    create_volumes(engine, volumes)
    spec = ContainerSpec(
        image=probe.id,
        name=LOCK_NAME,
        labels={},
        module="runner.probe",
        mounts=tuple(Mount(volume=volume.name, path=f"/volumes/{volume.name}") for volume in volumes),
    )
    with engine.hold(spec) as ask:
        remove_outdated(engine, volumes)
        yield lambda: ProbeFacts.model_validate_json(ask())


def describe_run(
    options: Options, matrix: Matrix, plan: Plan, supplies: Supplies, facts: ProbeFacts, engine: Engine
) -> Run:
    """The record of a run that is about to begin."""
    now = datetime.now(UTC)
    commit, dirty = git_state(PLACES.checkout)
    return Run(
        run_id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        state=RunState.RUNNING,
        started_at=now,
        finished_at=None,
        run_s=0.0,
        sessions=1,
        plan_hash=plan.plan_hash,
        cells=tuple(planned.cell.id for planned in plan.cells),
        matrix_name=options.matrix.name,
        matrix_path=path_below(Path.cwd(), options.matrix),
        matrix=matrix.resolved(),
        baseline=matrix.baseline,
        devices=dict(matrix.devices),
        protocol=matrix.protocol,
        quick=options.quick,
        harness_version=harness.__version__,
        git_commit=commit,
        git_dirty=dirty,
        host=describe_host(facts, engine.info()),
        frameworks=dict(supplies.frameworks),
        images=dict(supplies.images),
        models=describe_models(supplies, facts),
    )


def open_store(options: Options, run: Run) -> tuple[RunStore, Run]:
    """Go on with the unfinished run that fits, or begin this one.

    Raises:
        StoreError: `--run-id` names a run that is finished or does not fit, or nothing ended as what is to be retried.
    """
    store = None
    if options.run_id is not None:
        store = open_run(options.reports, options.run_id)
        refuse_complete(store.read_run(), options)
        if differing := list(departures(store.read_run(), run)):
            raise not_the_same(options.run_id, differing)
    elif not options.force:
        store = fitting_run(options.reports, run, retry=options.retry)
    if options.retry and (store is None or not store.ended_as(options.retry)):
        raise nothing_to_retry(options)
    if store is None:
        store = RunStore(options.reports / run.run_id)
    else:
        run = gone_on_with(store.read_run(), run)
        store.clear_parts()
        for path in store.faulty_trials():
            path.unlink()
    store.write_run(run)
    return store, run


def gone_on_with(run: Run, today: Run) -> Run:
    """The record of a run when a further session of it begins: today's, with the run's own history.

    What does not change a trial may have changed since, such as names and expectations in the matrix.
    """
    return today.model_copy(
        update={
            "run_id": run.run_id,
            "started_at": run.started_at,
            "run_s": run.run_s,
            "trials": run.trials,
            "session": run.session + 1,
            "sessions": None if run.sessions is None else run.sessions + 1,
            "images": run.images | today.images,
            "models": unite_models((run, today)),
            **shared_commit((run, today)),
        }
    )


def measure(
    plan: Plan,
    facts: ProbeFacts,
    *,
    engine: Engine,
    store: RunStore,
    bench: Bench,
    listener: Listener,
    options: Options,
    expectation: Callable[[Cell], Expectation | None],
    replay: Replay | None,
) -> Finished:
    """Run the schedule, and leave a report whether it ends or is interrupted."""
    asked = [planned.cell for planned in plan.cells if planned.skip_reason is None]
    runnable = [cell for cell in asked if bench.supplies.failure(cell) is None]
    cut_off = [cell for cell in asked if bench.supplies.failure(cell) and store.read_trials(cell.id)]
    scheduler = Scheduler(
        seed=bench.run.protocol.seed,
        rounds=bench.run.protocol.trials,
        topology=facts.topology,
        memory_bytes=facts.memory_bytes,
    )
    stop = Stop(options.budget_s)
    measuring = Measuring(
        engine=engine,
        store=store,
        bench=bench,
        listener=listener,
        stop=stop,
        retry=options.retry,
        beside=replay.beside if replay else alone,
    )
    try:
        with stop.at_first_interrupt(listener):
            through_losses(lambda: measuring.run(runnable, scheduler), engine, bench.supplies, stop, listener)
    finally:
        complete = measuring.is_complete(runnable, cut_off) and (not replay or replay.is_complete)
        run = bench.run.model_copy(
            update={
                "state": RunState.COMPLETE if complete else RunState.INTERRUPTED,
                "finished_at": datetime.now(UTC),
                "run_s": measuring.spent_s,
                "trials": store.count_trials(),
            }
        )
        cells = sum_up(plan, store, replace(bench, run=run), stop, expectation)
        tell = undisturbed(listener)
        tell(Step(subject="report", text=f"writing the pages of {counted(len(cells), 'cell')}"))
        report = write_results(store, run, cells, tell)
    if stop.interrupted and not complete:
        raise KeyboardInterrupt
    return Finished(run=run, cells=cells, report=report)


def undisturbed(listener: Listener) -> Listener:
    """The same listener, for work that goes on when its terminal or pipe is closed."""

    def tell(event: Event) -> None:
        with contextlib.suppress(OSError):
            listener(event)

    return tell


def through_losses(
    work: Callable[[], None], engine: Engine, supplies: Supplies, stop: Stop, listener: Listener
) -> None:
    """Measure, and go on where the engine went away and comes back: it is held anew, and what it left is swept.

    Raises:
        EngineError: it stays away, or goes away again and again.
    """
    with contextlib.ExitStack() as held:
        for losses in range(MOST_LOSSES):
            try:
                if losses:
                    probe = supplies.images["probe"]
                    survey = held.enter_context(hold_engine(engine, probe, supplies.volumes))
                    refuse_if_gone(supplies, survey())
                    engine.sweep()
                work()
            except EngineError as error:
                if losses == MOST_LOSSES - 1:
                    raise
                listener(EngineLost(reason=error.what))
                if not engine.await_answer(PATIENCE_S, stop=lambda: stop.now):
                    return
            else:
                return


def refuse_if_gone(supplies: Supplies, facts: ProbeFacts) -> None:
    """See that an engine that came back has still what was prepared on it.

    Raises:
        BuildError: it has not; trials would start without their model.
    """
    gone = [
        volume.subject
        for volume in supplies.volumes
        if volume.name not in supplies.failures and facts.volumes.get(volume.name) is None
    ]
    if gone:
        raise BuildError(
            f"{gone[0]} is gone from the engine",
            why="it was removed while the engine was away",
            fix="run the same command again: it is prepared anew, and the run goes on",
        )


def git_state(checkout: Path | None) -> tuple[str | None, bool | None]:
    """The checkout's commit and whether it has changes; unknown without one."""
    if checkout is None:
        return None, None

    def git(*words: str) -> str | None:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            done = subprocess.run(  # noqa: S603 - a fixed command
                ["git", "-C", str(checkout), *words],  # noqa: S607
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout.strip()
        return None

    changes = git("status", "--porcelain")
    return git("rev-parse", "HEAD") or None, None if changes is None else bool(changes)

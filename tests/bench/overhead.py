"""What the harness costs: over a bare `docker run` of the same image and worker, and while a cell is measured.

    make bench

Both are measured in one interleaved run, harness and bare container in turn, and told as the median over pairs. The
bare container drops the page cache as well, since the worker's imports would not be comparable otherwise; what that
takes stands on its own line.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from harness.engine import Engine
from harness.engine_connection import connect
from harness.events import PhaseReached, RunStarted, Step, TrialStarted
from harness.execute import Bench, job_line, run_trial
from harness.intake import ROOT, Options, plan_matrix
from harness.progress import LiveStatus
from harness.records import MAX_SAMPLES, Limits, PageCache, Phase
from harness.results import Cell, Trial
from harness.schedule import ScheduledTrial, make_schedule
from harness.session import describe_run, hold_engine
from harness.store import RunStore
from harness.supplies import build_supplies, fill_volumes

SHORT_S = 0.2
LONG_S = 12.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """A prepared engine and the one cell to measure."""

    engine: Engine
    bench: Bench
    scheduled: ScheduledTrial


def with_budget(bench: Bench, seconds: float) -> Bench:
    """The same bench with another length of the steady phase."""
    changes = {"warmup_s": 0.1, "budget_s": seconds, "max_iterations": MAX_SAMPLES}
    protocol = bench.run.protocol.model_copy(update=changes)
    return replace(bench, run=bench.run.model_copy(update={"protocol": protocol}))


def harness_trial(place: Place, store: RunStore) -> tuple[float, Trial]:
    """One trial as the harness does it, its result written to disk.

    Returns:
        Wall time in seconds, and the trial.
    """
    start = time.perf_counter()
    trial = run_trial(place.scheduled, engine=place.engine, bench=place.bench, listener=lambda _: None)
    store.write_trial(trial)
    return time.perf_counter() - start, trial


def bare_trial(place: Place, mounts: list[str]) -> float:
    """The same image, worker and job by the plain command.

    Returns:
        Wall time in seconds.
    """
    cell, requested = place.scheduled.cell, place.scheduled.requested
    image = place.bench.supplies.images[cell.framework].id
    cpus = ",".join(str(cpu) for cpu in requested.cpuset or ())
    limits = [f"--memory={cell.memory_bytes}", f"--memory-swap={cell.memory_bytes}", f"--cpuset-cpus={cpus}"]
    command = ["docker", "run", "--rm", "-i", "--network=none", *limits, *mounts, image]
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(job_line(cell, place.bench))
        process.stdin.flush()
        output = process.stdout.read()
    if process.returncode != 0 or b'"type":"end"' not in output:
        raise SystemExit(f"the bare container failed: {output[-500:]!r}")
    return time.perf_counter() - start


def own_cpu_share(place: Place) -> float:
    """The harness's CPU time over the wall time of one long steady phase, its live display included."""
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        marks.append((time.perf_counter(), time.process_time()))

    with (
        Path("/dev/null").open("w") as nowhere,
        LiveStatus(Console(file=nowhere, force_terminal=True)) as show,
    ):
        cell = place.scheduled.cell
        show(RunStarted(run_id="bench", trials=60, done=0))
        show(TrialStarted(cell_id=cell.id, framework=cell.framework, index=0, trials=1, number=1, total=60))

        def listen(event: object) -> None:
            show(event)  # type: ignore[arg-type]
            if (isinstance(event, PhaseReached) and event.phase is Phase.STEADY) or (
                len(marks) == 1 and time.perf_counter() - marks[0][0] > LONG_S - 2
            ):
                mark()

        run_trial(
            place.scheduled, engine=place.engine, bench=with_budget(place.bench, LONG_S), listener=listen
        )
    (start, before), (end, after) = marks
    return (after - before) / (end - start)


def measure(pairs: int) -> None:
    """Run the pairs in turn and print the figures."""
    options = Options(
        matrix=ROOT / "matrix.yaml",
        reports=Path(tempfile.mkdtemp()),
        only=("onnxruntime.spam-fnn.c1.m512m.b1",),
    )
    matrix, plan = plan_matrix(options)
    cells: list[Cell] = [planned.cell for planned in plan.cells]
    supplies = build_supplies(connect(), cells, root=ROOT, listener=say)
    engine = Engine(connect(), owner="make bench")
    with hold_engine(engine, supplies) as survey:
        facts = survey()
        supplies = fill_volumes(engine, supplies, facts, say)
        run = describe_run(options, matrix, plan, supplies, survey(), engine)
        schedule = make_schedule(
            cells, trials=1, seed=0, topology=facts.topology, memory_bytes=facts.memory_bytes
        )
        bench = with_budget(Bench(run=run, supplies=supplies), SHORT_S)
        place = Place(engine=engine, bench=bench, scheduled=schedule[0])
        mounts = [f"--volume={mount}" for mount in supplies.mounts(cells[0])]
        store = RunStore(options.reports / "bench")
        costs, drops, bare = [], [], []
        for number in range(pairs + 1):
            place = replace(place, scheduled=replace(place.scheduled, index=number))
            wall, trial = harness_trial(place, store)
            plain = bare_trial(place, mounts)
            if trial.find(Limits) is None or trial.reason:
                raise SystemExit(f"the trial failed: {trial.reason}")
            if number:  # the first pair warms both ways up
                dropped = trial.find(PageCache)
                costs.append(wall - plain)
                bare.append(plain)
                drops.append((dropped.wall_ns if dropped else 0) / 1e9)
        print(f"cell {cells[0].id}, {pairs} interleaved pairs")
        print(f"bare docker run             {statistics.median(bare):7.3f} s  (median)")
        print(f"harness over bare           {statistics.median(costs):+7.3f} s  (median of differences)")
        print(f"  as a ratio                {statistics.median(costs) / statistics.median(bare) + 1:7.3f}")
        print(f"dropping the page cache     {statistics.median(drops):7.3f} s  (in both)")
        print(f"harness CPU, steady phase   {own_cpu_share(place):7.2%} of a core, over {LONG_S - 2:.0f} s")


def say(event: object) -> None:
    """Tell of longer work before the first pair."""
    if isinstance(event, Step) and event.done == 1.0:
        print(f"{event.subject}: {event.text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10)
    measure(parser.parse_args().pairs)

"""A prepared engine and one cell, for benchmarks: trials as the harness runs them, or by the plain command."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.cores import request_limits
from harness.engine import Engine
from harness.engine_connection import connect
from harness.events import Step
from harness.intake import ROOT, Options, plan_matrix
from harness.records import AnyRecord, RecordError, parse_record
from harness.results import Cell, Protocol, Trial
from harness.schedule import ScheduledTrial
from harness.session import describe_run, hold_engine
from harness.supplies import build_supplies, fill_volumes
from harness.trial import Bench, job_line, run_trial


@dataclass(frozen=True, kw_only=True)
class Place:
    """A prepared engine and the one cell to measure."""

    engine: Engine
    bench: Bench
    scheduled: ScheduledTrial

    def with_protocol(self, **changes: object) -> Place:
        """The same with other times, validated."""
        protocol = Protocol.model_validate(self.bench.run.protocol.model_dump() | changes)
        run = self.bench.run.model_copy(update={"protocol": protocol})
        return replace(self, bench=replace(self.bench, run=run))

    def harness_trial(self) -> Trial:
        """One trial as the harness does it."""
        trial = run_trial(self.scheduled, engine=self.engine, bench=self.bench, listener=lambda _: None)
        if trial.reason:
            raise SystemExit(f"the trial failed: {trial.reason}")
        return trial

    def bare_trial(self) -> list[AnyRecord]:
        """The same image, worker, limits and job by the plain command.

        Returns:
            What the container said.
        """
        cell, requested = self.scheduled.cell, self.scheduled.requested
        supplies = self.bench.supplies
        cpus = ",".join(str(cpu) for cpu in requested.cpuset or ())
        command = [
            "docker", "run", "--rm", "-i", "--network=none", f"--memory={cell.memory_bytes}",
            f"--memory-swap={cell.memory_bytes}", f"--cpuset-cpus={cpus}",
            *(f"--volume={mount}" for mount in supplies.mounts(cell)), supplies.images[cell.framework].id,
        ]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(job_line(cell, self.bench))
            process.stdin.flush()
            output = process.stdout.read()
        try:
            return [parse_record(line) for line in output.splitlines()]
        except RecordError as error:
            raise SystemExit(f"the bare container failed: {error}") from error


@contextlib.contextmanager
def prepare(cell: Cell, owner: str) -> Iterator[Place]:
    """Build, prepare and hold the engine for one cell."""
    options = Options(matrix=ROOT / "matrix.yaml", reports=Path(tempfile.gettempdir()))
    matrix, plan = plan_matrix(options)
    engine = Engine(connect(), owner=owner)
    supplies = build_supplies(connect(), [cell], root=ROOT, listener=say)
    with hold_engine(engine, supplies) as survey:
        facts = survey()
        supplies = fill_volumes(engine, supplies, facts, say)
        run = describe_run(options, matrix, plan, supplies, survey(), engine)
        limits = request_limits(cell, topology=facts.topology, memory_bytes=facts.memory_bytes)
        yield Place(
            engine=engine,
            bench=Bench(run=run, supplies=supplies),
            scheduled=ScheduledTrial(cell=cell, index=0, requested=limits),
        )


def say(event: object) -> None:
    """Tell of longer work before the first figure."""
    if isinstance(event, Step) and event.done == 1.0:
        print(f"{event.subject}: {event.text}")

"""A prepared engine and one cell, for benchmarks: trials as the harness runs them, or by the plain command."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.catalog import load_catalog
from harness.cores import request_limits
from harness.engine import Engine
from harness.engine_connection import connect
from harness.events import Step
from harness.intake import Options, plan_matrix
from harness.records import AnyRecord, RecordError, parse_record
from harness.results import Cell, Trial
from harness.runs import Protocol
from harness.schedule import ScheduledTrial
from harness.session import describe_run, hold_engine
from harness.supplies import build_supplies, fill_volumes
from harness.trial import Bench, job_line, run_trial, worker_env
from tests.checkout import ROOT


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
        command = [*self._docker_run("--interactive"), self._image]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(job_line(self.scheduled.cell, self.bench))
            process.stdin.flush()
            output = process.stdout.read()
        try:
            return [parse_record(line) for line in output.splitlines()]
        except RecordError as error:
            raise SystemExit(f"the bare container failed: {error}") from error

    def inside(self, program: str, *arguments: object, env: Mapping[str, str] | None = None) -> Any:
        """Run a Python program in the image, under a trial's limits and variables.

        Args:
            program: its text. Its command line begins with what an adapter and its model are made from: the thread
                count, the sizes of the dimensions and the parameters, each as JSON.
            arguments: the rest of its command line.
            env: variables beside the framework's own, or other values for those.

        Returns:
            What it printed last, read as JSON.
        """
        cell = self.scheduled.cell
        supplies = self.bench.supplies
        variables = {**supplies.specs[cell.framework].env, **(env or {})}
        params = supplies.frameworks[cell.framework].params
        made_from = (cell.thread_count, cell.dims, params)
        command = [
            *self._docker_run("--read-only", "--tmpfs=/tmp", "--env=HOME=/tmp"),
            *(
                f"--env={name}={text}"
                for name, text in worker_env(variables, cell.thread_count, params).items()
            ),
            "--entrypoint=python3", self._image, "-c", program,
            *map(json.dumps, made_from), *map(str, arguments),
        ]  # fmt: skip
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(output.splitlines()[-1])

    @property
    def _image(self) -> str:
        return self.bench.supplies.images[self.scheduled.cell.framework].id

    def _docker_run(self, *options: str) -> list[str]:
        cell, cpuset = self.scheduled.cell, self.scheduled.requested.cpuset or ()
        return [
            "docker", "run", "--rm", "--network=none", f"--memory={cell.memory_bytes}",
            f"--memory-swap={cell.memory_bytes}", f"--cpuset-cpus={','.join(map(str, cpuset))}",
            *(f"--volume={mount}" for mount in self.bench.supplies.mounts(cell)), *options,
        ]  # fmt: skip


def usual_cell(framework: str, model: str, *, cpus: int, memory_bytes: int, batch: int) -> Cell:
    """A cell of a model of the project's, at its usual sequence length."""
    sequence = load_catalog(ROOT).models[model].sequence
    return Cell(
        framework=framework, model=model, cpus=cpus, memory_bytes=memory_bytes, batch=batch, sequence=sequence
    )


@contextlib.contextmanager
def prepare(cell: Cell, purpose: str) -> Iterator[Place]:
    """Build, prepare and hold the engine for one cell."""
    options = Options(matrix=ROOT / "matrix.yaml", reports=Path(tempfile.gettempdir()))
    matrix, plan = plan_matrix(options)
    engine = Engine(connect(), purpose=purpose)
    supplies = build_supplies(connect(), [cell], matrix=matrix, catalog=load_catalog(ROOT), listener=say)
    with hold_engine(engine, supplies.images["probe"], supplies.volumes) as survey:
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

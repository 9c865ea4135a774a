"""One trial: its container, what that says, and the verdict on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from harness.container import LABEL_CELL, LABEL_RUN, ContainerSpec
from harness.deadline import Deadline
from harness.events import PhaseReached, Tick
from harness.fitness import spoilers
from harness.records import MAX_RECORDS, PhaseStart, RecordError, Samples, parse_record
from harness.results import Trial, TypedWarning
from harness.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.engine import Engine
    from harness.events import Listener
    from harness.records import AnyRecord
    from harness.results import Cell
    from harness.runs import ParamValue, Run
    from harness.schedule import ScheduledTrial
    from harness.supplies import Supplies

THREADS: Final = "{threads}"
"""Stands for the thread count in a framework's variables."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all trials of a run share.

    Attributes:
        run: the run's record.
        supplies: images and volumes.
    """

    run: Run
    supplies: Supplies


class Transcript:
    """Collects what one container says, bounded, and tells the listener and the deadline of each phase."""

    def __init__(self, cell_id: str, listener: Listener, deadline: Deadline) -> None:
        self.records: list[AnyRecord] = []
        self.bad_line: str | None = None
        self._cell_id = cell_id
        self._listener = listener
        self._deadline = deadline

    def feed(self, line: bytes) -> None:
        """Take one line of standard output; after the first that is no record, nothing is believed any more."""
        if self.bad_line is not None:
            return
        try:
            if len(self.records) >= MAX_RECORDS:
                raise RecordError(f"more than {MAX_RECORDS} records")
            record = parse_record(line)
            if isinstance(record, Samples):
                record.latencies_ns()
        except ValueError as error:
            self.bad_line = str(error)
            return
        self.records.append(record)
        if isinstance(record, PhaseStart):
            self._deadline.enter(record.name)
            self._listener(PhaseReached(cell_id=self._cell_id, phase=record.name))


def run_trial(
    scheduled: ScheduledTrial,
    *,
    engine: Engine,
    bench: Bench,
    listener: Listener,
    order: int = 0,
    attempt: int = 0,
    probe: int | None = None,
) -> Trial:
    """Measure one cell once, in a container of its own.

    Args:
        scheduled: what to measure.
        engine: where.
        bench: what all trials share.
        listener: told of every phase.
        order: how many trials the run had before.
        attempt: 1 for the repetition of a spoiled trial.
        probe: the reference probe before it.
    """
    cell, requested = scheduled.cell, scheduled.requested
    image = bench.supplies.images[cell.framework]
    started_at = datetime.now(UTC)
    neighbours = engine.neighbours()
    protocol = bench.run.protocol
    deadline = Deadline(protocol.timeout_s, protocol.phase_timeouts_s)
    transcript = Transcript(cell.id, listener, deadline)
    spec = ContainerSpec(
        image=image.id,
        name=f"edgematrix-{bench.run.run_id}-{order}",
        labels={LABEL_RUN: bench.run.run_id, LABEL_CELL: cell.id},
        mounts=bench.supplies.mounts(cell),
        limits=requested,
    )
    outcome = engine.run(
        spec,
        stdin=job_line(cell, bench),
        on_line=transcript.feed,
        deadline=deadline,
        on_tick=lambda: listener(Tick()),
    )
    verdict = judge(transcript.records, outcome, requested, bad_line=transcript.bad_line)
    return Trial(
        cell_id=cell.id,
        index=scheduled.index,
        attempt=attempt,
        session=bench.run.session,
        order=order,
        probe=probe,
        neighbours=neighbours,
        started_at=started_at,
        status=verdict.status,
        phase=verdict.phase,
        reason=verdict.reason,
        evidence=verdict.evidence,
        warnings=(*verdict.warnings, *neighbourhood(neighbours)),
        spoiled=tuple(spoilers(transcript.records, requested)),
        requested=requested,
        limits_enforced=verdict.limits_enforced,
        image_id=image.id,
        image_fingerprint=image.fingerprint,
        model_hash=bench.run.models[cell.model].hash,
        engine_s=outcome.engine_s,
        records=tuple(transcript.records),
    )


def neighbourhood(neighbours: int) -> tuple[TypedWarning, ...]:
    """The doubt about a trial beside which other containers ran."""
    if not neighbours:
        return ()
    return (TypedWarning(kind="neighbours", text=f"{neighbours} other container(s) ran on the engine"),)


def job_line(cell: Cell, bench: Bench) -> bytes:
    """Contract 1: everything the runner is told, as one line (`docs/contracts/job.md`)."""
    protocol = bench.run.protocol
    variables = bench.supplies.specs[cell.framework].env
    params = bench.supplies.frameworks[cell.framework].params
    job = {
        "version": 3,
        "cell": cell.id,
        "dims": cell.dims,
        "threads": cell.thread_count,
        "params": params,
        "memory_bytes": cell.memory_bytes,
        "page_cache": protocol.page_cache,
        "warmup_s": protocol.warmup_s,
        "budget_s": protocol.budget_s,
        "min_iterations": protocol.min_iterations,
        "max_iterations": protocol.max_iterations,
        "env": worker_env(variables, cell.thread_count, params),
    }
    return json.dumps(job).encode() + b"\n"


def worker_env(
    variables: Mapping[str, str], threads: int | None, params: Mapping[str, ParamValue]
) -> dict[str, str]:
    """A framework's variables with the thread count and its parameters filled in.

    Without a thread count, those about threads are left out. A parameter is written as in YAML: `true`.
    """
    words = {"threads": threads, **params}
    return {
        name: _filled(text, words)
        for name, text in variables.items()
        if threads is not None or THREADS not in text
    }


def _filled(text: str, words: Mapping[str, ParamValue | None]) -> str:
    """A variable's text, each `{name}` in it replaced."""
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", str(value).lower() if isinstance(value, bool) else str(value))
    return text

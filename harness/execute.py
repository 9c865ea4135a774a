"""The loop: take the next trial, run its container, judge it, keep the result."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from harness.container import LABEL_CELL, LABEL_RUN, ContainerSpec
from harness.events import PhaseReached, RunStarted, Tick, TrialEnded, TrialStarted
from harness.records import MAX_RECORDS, Phase, PhaseStart, RecordError, Samples, parse_record
from harness.results import CellResult, Status, Trial
from harness.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.engine import Engine
    from harness.events import Listener
    from harness.records import AnyRecord
    from harness.results import Cell, Run
    from harness.schedule import ScheduledTrial
    from harness.store import RunStore
    from harness.supplies import Supplies


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
    """Collects what one container says, bounded, and tells the listener of each phase."""

    def __init__(self, cell_id: str, listener: Listener) -> None:
        self.records: list[AnyRecord] = []
        self.bad_line: str | None = None
        self._cell_id = cell_id
        self._listener = listener

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
            self._listener(PhaseReached(cell_id=self._cell_id, phase=record.name))


def execute(
    schedule: Sequence[ScheduledTrial], *, engine: Engine, store: RunStore, bench: Bench, listener: Listener
) -> None:
    """Run every trial of the schedule that has no result yet, in order.

    Each result is on disk before the next trial starts. An interrupt leaves at once: the running trial's container
    is removed by its owner, and its result, which would be of no use, is not kept.
    """
    done = sum(store.has_trial(trial.cell.id, trial.index) for trial in schedule)
    listener(RunStarted(run_id=bench.run.run_id, trials=len(schedule), done=done))
    for scheduled in schedule:
        cell = scheduled.cell
        if store.has_trial(cell.id, scheduled.index):
            continue
        done += 1
        listener(
            TrialStarted(
                cell_id=cell.id,
                framework=cell.framework,
                index=scheduled.index,
                trials=bench.run.protocol.trials,
                number=done,
                total=len(schedule),
            )
        )
        trial = run_trial(scheduled, engine=engine, bench=bench, listener=listener)
        store.write_trial(trial)
        listener(
            TrialEnded(
                cell_id=cell.id,
                framework=cell.framework,
                index=scheduled.index,
                status=trial.status,
                reason=trial.reason,
                p50_us=median_us(trial),
                engine_s=trial.engine_s,
                number=done,
                total=len(schedule),
            )
        )


def run_trial(scheduled: ScheduledTrial, *, engine: Engine, bench: Bench, listener: Listener) -> Trial:
    """Measure one cell once, in a container of its own."""
    cell, requested = scheduled.cell, scheduled.requested
    image = bench.supplies.images[cell.framework]
    started_at = datetime.now(UTC)
    transcript = Transcript(cell.id, listener)
    spec = ContainerSpec(
        image=image.id,
        name=f"edgematrix-{bench.run.run_id}-{scheduled.order}",
        labels={LABEL_RUN: bench.run.run_id, LABEL_CELL: cell.id},
        mounts=bench.supplies.mounts(cell),
        limits=requested,
    )
    outcome = engine.run(
        spec,
        stdin=job_line(cell, bench),
        on_line=transcript.feed,
        timeout_s=bench.run.protocol.timeout_s,
        on_tick=lambda: listener(Tick()),
    )
    verdict = judge(transcript.records, outcome, requested, bad_line=transcript.bad_line)
    return Trial(
        cell_id=cell.id,
        index=scheduled.index,
        order=scheduled.order,
        started_at=started_at,
        status=verdict.status,
        phase=verdict.phase,
        reason=verdict.reason,
        evidence=verdict.evidence,
        warnings=verdict.warnings,
        requested=requested,
        limits_enforced=verdict.limits_enforced,
        image_id=image.id,
        image_fingerprint=image.fingerprint,
        model_hash=bench.run.models[cell.model].hash,
        engine_s=outcome.engine_s,
        records=tuple(transcript.records),
    )


def job_line(cell: Cell, bench: Bench) -> bytes:
    """Contract 1: everything the runner is told, as one line (`docs/contracts/job.md`)."""
    protocol = bench.run.protocol
    variables = bench.supplies.frameworks[cell.framework].env
    job = {
        "version": 1,
        "cell": cell.id,
        "batch": cell.batch,
        "threads": cell.threads,
        "memory_bytes": cell.memory_bytes,
        "page_cache": protocol.page_cache,
        "warmup_s": protocol.warmup_s,
        "budget_s": protocol.budget_s,
        "min_iterations": protocol.min_iterations,
        "max_iterations": protocol.max_iterations,
        "env": {name: text.replace("{threads}", str(cell.threads)) for name, text in variables.items()},
    }
    return json.dumps(job).encode() + b"\n"


def median_us(trial: Trial) -> float | None:
    """Median latency of the steady phase in microseconds, for the progress display."""
    for samples in trial.all(Samples):
        if samples.phase is Phase.STEADY and samples.count:
            return float(np.median(samples.latencies_ns())) / 1000
    return None


def derive_cell(cell: Cell, trials: Sequence[Trial], *, expected: int) -> CellResult:
    """Sum a cell's trials up: `ok` only if all are, else the worst of theirs, with how many of them.

    Args:
        cell: the cell.
        trials: its finished trials.
        expected: how many there should be; fewer means that the run was interrupted.
    """
    by_status: dict[Status, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_status[trial.status].append(trial)
    severity = list(Status)
    worst = max(by_status, key=severity.index, default=Status.INTERRUPTED)
    if worst is Status.OK and len(trials) < expected:
        worst = Status.INTERRUPTED
    told = by_status[worst]
    if told and worst is not Status.OK:
        phase, reason = told[0].phase, f"{len(told)} of {expected} trials: {told[0].reason}"
    elif worst is Status.INTERRUPTED:
        phase, reason = None, f"{len(trials)} of {expected} trials were run"
    else:
        phase, reason = None, ""
    return CellResult(
        cell=cell, cell_id=cell.id, status=worst, phase=phase, reason=reason, trials=tuple(trials)
    )

"""From a cell's trials and the reference probes around them to the cell's result: pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.fitness import judged, machine_speed, same_cpus
from harness.results import CellResult, Status, StoppedBy, last_attempts
from harness.stats.precision import stopped_by
from harness.stats.samples import median_us

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.results import Cell, ReferenceProbe, Trial
    from harness.runs import Protocol

CERTAIN: Final = 2
"""Trials that fail alike, after which a budget is better spent on other cells."""


def derive_cell(
    cell: Cell,
    trials: Sequence[Trial],
    *,
    protocol: Protocol,
    probes: Mapping[int, ReferenceProbe],
    multiply_adds: int | None,
    cut_short: bool = False,
    time_left: bool = False,
) -> CellResult:
    """Sum a cell's trials up: `ok` only if all that count are, else the worst of theirs, with how many of them.

    Args:
        cell: the cell.
        trials: its finished trials, by round and attempt.
        protocol: of the run; fewer trials than it plans mean that the run was interrupted.
        probes: all reference probes of the run, by number.
        multiply_adds: of one call; `None` where nobody counted them.
        cut_short: a budget left it at these trials, and what was measured by then counts.
        time_left: the run's time is not spent: a cell that would get further trials was interrupted.
    """
    counted = last_attempts(trials)
    expected = min(protocol.trials, len(counted)) if cut_short else protocol.trials
    by_status: dict[Status, list[Trial]] = defaultdict(list)
    for trial in counted:
        by_status[trial.status].append(trial)
    severity = list(Status)
    worst = max(by_status, key=severity.index, default=Status.INTERRUPTED)
    if worst is Status.OK and len(counted) < expected:
        worst = Status.INTERRUPTED
    told = by_status[worst]
    if told and worst is not Status.OK:
        phase, reason = (
            told[0].phase,
            f"{len(told)} of {max(expected, len(counted))} trials: {told[0].reason}",
        )
    elif worst is Status.INTERRUPTED:
        phase, reason = None, f"{len(counted)} of {expected} trials were run"
    else:
        phase, reason = None, ""
    medians = [median for trial in by_status[Status.OK] if (median := median_us(trial)) is not None]
    stop = StoppedBy.TIME if expected < protocol.trials else stopped_by(medians, protocol)
    if stop is StoppedBy.TIME and (worst is not Status.OK or cell.is_floor):
        stop = StoppedBy.TRIALS  # neither a failed cell nor the floor gets further ones
    return CellResult(
        cell=cell,
        cell_id=cell.id,
        status=worst,
        phase=phase,
        reason=reason,
        stopped_by=None if worst is Status.INTERRUPTED or (stop is StoppedBy.TIME and time_left) else stop,
        planned_trials=protocol.trials,
        multiply_adds=multiply_adds,
        machine_peak=peak_of(trials, probes),
        trials=judged(trials, probes),
    )


def peak_of(trials: Sequence[Trial], probes: Mapping[int, ReferenceProbe]) -> float | None:
    """Multiply-adds a second of the reference probes on the same CPUs, median over the run."""
    if not trials:
        return None
    there = [
        machine_speed(probe) for probe in probes.values() if same_cpus(probe.requested, trials[0].requested)
    ]
    return float(np.median(there)) if there else None


def is_settled(trials: Sequence[Trial]) -> bool:
    """Whether a cell has failed so often in the same way that further trials say nothing new."""
    endings = [(trial.status, trial.phase) for trial in last_attempts(trials)]
    return len(endings) >= CERTAIN and len(set(endings)) == 1 and endings[0][0] is not Status.OK

"""The figures of a cell, pure: from its stored trials to what `results.csv` and the report print.

The trial is the statistical unit. Latencies inside one container share its memory layout, its place in the
run and the host's mood, so pooling them would only pretend to many samples. Each trial gives one percentile, and
the cell's figure is their geometric mean.

Percentiles are numpy's `linear` (type 7 of Hyndman and Fan): what pandas, R and spreadsheets answer by
default, so that anybody can check a figure from the raw latencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.intervals import Estimate, geometric_interval
from harness.records import COLD_START_PHASES, Framework, Output, Phase, PhaseEnd, Samples
from harness.results import CellResult, Status, Trial
from harness.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

CAP_SLACK: Final = MIB
"""The kernel charges pages in batches, so a peak may stop a little short of the cap that it met."""
NS_PER_MS: Final = 1e6
MS_PER_S: Final = 1e3

SAMPLES_NEEDED: Final = {50: 1, 90: 64, 95: 130, 99: 662}
"""Samples that a trial needs before a percentile is printed: an order-statistic bound at 99 % confidence."""


@dataclass(frozen=True, kw_only=True)
class CellStats:
    """Every figure of one cell; `None` where it is unknown, never a made-up 0.

    Speed and CPU come from the steady phases of the trials that ended `ok`; memory and phase times from
    whatever any trial reached, so that a failed cell still shows how far it came.
    """

    trials: int
    ok_trials: int
    """Those that the speed rests on."""
    iterations: int | None
    """Timed calls, over all ok trials."""
    p50_ms: Estimate | None
    """Geometric mean of the trials' medians, 95 % interval."""
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    throughput_per_s: float | None
    """Items a second: batch over mean latency, geometric mean over trials."""
    cpu_percent: float | None
    """CPU time over wall time of the steady phases; 100 is one core."""
    cpu_ms_per_inference: float | None
    """CPU time of the steady phases over their calls."""
    throttled_fraction: float | None
    """Share of the scheduler's periods that ended in throttling; `None` without a quota."""
    rss_peak_bytes: Estimate | None
    """Largest VmHWM of any phase and trial; the bounds are the smallest and the largest trial."""
    anon_peak_bytes: int | None
    """Largest anonymous memory of the worker at any phase's end."""
    cgroup_peak_bytes: int | None
    """Largest peak of the whole cgroup, page cache and supervisor included."""
    phase_ms: dict[Phase, float]
    """Wall time of each cold-start phase that any trial ended, median over trials."""
    cold_start_ms: Estimate | None
    """From process start to first answer: median over trials of the phases' sum, 95 % interval."""
    max_abs_error: float | None
    """Largest over trials; `None` also where any trial's error is not a number."""
    at_cap: bool
    """A cgroup peaked at the cap: the kernel took pages back, so the resident peak is what it left."""
    limits_enforced: bool | None
    """In every trial that started; `None` where none did."""
    image_digest: str | None
    """The id of the image that ran; several, separated by blanks, where trials ran different ones."""
    framework_version: str | None
    """As the framework says it."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A cell beside its figures: what the table and the page are made of."""

    result: CellResult
    stats: CellStats

    @property
    def ok(self) -> bool:
        """Whether the figures count."""
        return self.result.status is Status.OK


def measure(results: Iterable[CellResult]) -> tuple[Measured, ...]:
    """Compute the figures of many cells, in their order.

    Raises:
        ValueError: stored figures cannot be: samples that do not decode, a peak of 0 bytes.
        ArithmeticError: they are too far apart to be computed with.
    """
    return tuple(Measured(result=result, stats=cell_stats(result)) for result in results)


def cell_stats(result: CellResult) -> CellStats:
    """Compute all figures of one cell.

    Raises:
        ValueError: stored figures cannot be: samples that do not decode, a peak of 0 bytes.
        ArithmeticError: they are too far apart to be computed with.
    """
    ok = [trial for trial in result.trials if trial.status is Status.OK]
    cgroup_peak = _largest(end.cgroup_peak_bytes for end in _phase_ends(result.trials))
    latencies = [found for trial in ok if (found := steady_latencies_ms(trial)).size]
    return CellStats(
        trials=len(result.trials),
        ok_trials=len(ok),
        iterations=sum(found.size for found in latencies) or None,
        p50_ms=geometric_interval([float(np.percentile(found, 50)) for found in latencies]),
        p90_ms=_percentile(latencies, 90),
        p95_ms=_percentile(latencies, 95),
        p99_ms=_percentile(latencies, 99),
        throughput_per_s=_throughput(latencies, result.cell.batch),
        cpu_percent=_cpu_percent(ok),
        cpu_ms_per_inference=_cpu_ms_per_inference(ok),
        throttled_fraction=_throttled_fraction(ok),
        rss_peak_bytes=_rss_peak(result.trials),
        anon_peak_bytes=_largest(end.rss_anon_bytes for end in _phase_ends(result.trials)),
        cgroup_peak_bytes=cgroup_peak,
        phase_ms=_phase_ms(result.trials),
        cold_start_ms=_cold_start_ms(result.trials),
        max_abs_error=_max_abs_error(result.trials),
        at_cap=cgroup_peak is not None and cgroup_peak >= result.cell.memory_bytes - CAP_SLACK,
        limits_enforced=_limits_enforced(result.trials),
        image_digest=_joined(trial.image_id for trial in result.trials),
        framework_version=_joined(found.version for trial in result.trials for found in trial.all(Framework)),
    )


def steady_latencies_ms(trial: Trial) -> NDArray[np.float64]:
    """The latencies of a trial's steady phase, shape `(iterations,)`, milliseconds; empty where it has none.

    Raises:
        ValueError: stored samples do not decode.
    """
    found = _steady_samples(trial)
    return np.empty(0) if found is None else found.latencies_ns().astype(np.float64) / NS_PER_MS


def started(trial: Trial) -> bool:
    """Whether a trial's container got as far as to say anything: its limits, before all else."""
    return bool(trial.records)


def _limits_enforced(trials: Sequence[Trial]) -> bool | None:
    proofs = [trial.limits_enforced for trial in trials if started(trial)]
    return all(proofs) if proofs else None


def _percentile(latencies: Sequence[NDArray[np.float64]], percent: int) -> float | None:
    if any(found.size < SAMPLES_NEEDED[percent] for found in latencies):
        return None
    pooled = geometric_interval([float(np.percentile(found, percent)) for found in latencies])
    return pooled.value if pooled else None


def _throughput(latencies: Sequence[NDArray[np.float64]], batch: int) -> float | None:
    mean = geometric_interval([float(np.mean(found)) for found in latencies])
    return batch / mean.value * MS_PER_S if mean else None


def _steady_samples(trial: Trial) -> Samples | None:
    return next((samples for samples in trial.all(Samples) if samples.phase is Phase.STEADY), None)


def _steady_ends(trials: Iterable[Trial]) -> list[PhaseEnd]:
    return [end for end in _phase_ends(trials) if end.name is Phase.STEADY]


def _cpu_percent(trials: Sequence[Trial]) -> float | None:
    counted = [(end.cpu_ns, end.wall_ns) for end in _steady_ends(trials) if end.cpu_ns is not None]
    wall = sum(wall for _, wall in counted)
    return 100 * sum(cpu for cpu, _ in counted) / wall if wall else None


def _cpu_ms_per_inference(trials: Sequence[Trial]) -> float | None:
    counted = [
        (end.cpu_ns, samples.count)
        for trial in trials
        if (samples := _steady_samples(trial)) is not None
        for end in _steady_ends([trial])
        if end.cpu_ns is not None
    ]
    calls = sum(count for _, count in counted)
    return sum(cpu for cpu, _ in counted) / NS_PER_MS / calls if calls else None


def _throttled_fraction(trials: Sequence[Trial]) -> float | None:
    counted = [
        (end.throttled_periods, end.periods)
        for end in _steady_ends(trials)
        if end.throttled_periods is not None and end.periods is not None
    ]
    periods = sum(all_periods for _, all_periods in counted)
    return sum(throttled for throttled, _ in counted) / periods if periods else None


def _phase_ends(trials: Iterable[Trial]) -> list[PhaseEnd]:
    return [end for trial in trials for end in trial.all(PhaseEnd)]


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _rss_peak(trials: Sequence[Trial]) -> Estimate | None:
    peaks = [
        peak
        for trial in trials
        if (peak := _largest(end.rss_peak_bytes for end in trial.all(PhaseEnd))) is not None
    ]
    if not peaks:
        return None
    if min(peaks) == 0:
        raise ValueError("a process has a resident peak of 0 bytes")
    low, high = (min(peaks), max(peaks)) if len(peaks) > 1 else (None, None)
    return Estimate(value=max(peaks), low=low, high=high)


def _phase_ms(trials: Sequence[Trial]) -> dict[Phase, float]:
    walls = {
        phase: [end.wall_ns for end in _phase_ends(trials) if end.name is phase]
        for phase in COLD_START_PHASES
    }
    return {phase: float(np.median(found)) / NS_PER_MS for phase, found in walls.items() if found}


def _cold_start_ms(trials: Sequence[Trial]) -> Estimate | None:
    sums = []
    for trial in trials:
        walls = {end.name: end.wall_ns for end in trial.all(PhaseEnd)}
        if all(phase in walls for phase in COLD_START_PHASES):
            sums.append(sum(walls[phase] for phase in COLD_START_PHASES) / NS_PER_MS)
    interval = geometric_interval(sums)
    if interval is None or interval.low is None or interval.high is None:
        return interval
    # The median resists the one trial that met a busy disk; the interval is that of the geometric mean, and
    # must not shut out the figure that it stands beside.
    median = float(np.median(sums))
    return Estimate(value=median, low=min(interval.low, median), high=max(interval.high, median))


def _max_abs_error(trials: Sequence[Trial]) -> float | None:
    errors = [found.max_abs_error for trial in trials for found in trial.all(Output)]
    known = [error for error in errors if error is not None]
    return max(known) if known and len(known) == len(errors) else None


def _joined(texts: Iterable[str]) -> str | None:
    return " ".join(dict.fromkeys(texts)) or None

"""The figures of a cell: from its stored trials to what `results.csv` and the report print.

Each trial gives one figure, and the cell's is their geometric mean with an interval over trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.records import COLD_START_PHASES, Clock, Framework, Output, Phase, PhaseEnd
from harness.results import CellResult, CpuMode, Status, Trial
from harness.stats.intervals import Estimate, geometric_interval
from harness.stats.samples import (
    NO_OUTLIERS,
    NS_PER_MS,
    SAMPLES_NEEDED,
    Outliers,
    busy_threads,
    class_outliers,
    quantiles,
    steady_latencies_ms,
)
from harness.stats.slope import slope_bytes_per_call
from harness.stats.spread import Spread, spread
from harness.units import MIB, MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.results import SessionRound

PERCENTS: Final = (50, 90, 95, 99)
CAP_SLACK: Final = MIB
"""The kernel charges pages in batches, so a peak may stop a little short of the cap that it met."""
S_PER_MS: Final = 1e-3


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
    p90_ms: Estimate | None
    p95_ms: Estimate | None
    p99_ms: Estimate | None
    spread: Spread | None
    """All percentiles that the calls of each trial bear."""
    core_p50_ms: Estimate | None
    """The median of the same call on the framework's own tensors."""
    outliers: Outliers | None
    """Latencies far from their trial's others, over all ok trials."""
    throughput_per_s: float | None
    """Items a second: batch over mean latency, geometric mean over trials."""
    items_per_call: int
    """The batch."""
    cpu_percent: float | None
    """CPU time over wall time of the steady phases; 100 is one core."""
    cpu_ms_per_inference: float | None
    """CPU time of the steady phases over their calls."""
    system_share: float | None
    """Part of the worker's CPU time that the kernel spent for it."""
    busy_threads: int | None
    """Threads that computed in the steady phase: the most of any trial."""
    throttled_fraction: float | None
    """Share of the scheduler's periods that ended in throttling; `None` without a quota."""
    throttled_ms_per_s: float | None
    """Time that the quota held threads back, summed over CPUs, for each second of the steady phase."""
    growth_bytes_per_call: float | None
    """Slope of the anonymous memory over the steady phase: median over trials."""
    peak_share: float | None
    """Multiply-adds a second as a part of what the reference probe reached on the same CPUs."""
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
    max_rel_error: float | None
    """Likewise, each error as a part of the largest reference value of its output."""
    at_cap: bool
    """A cgroup peaked at the cap: the kernel took pages back, so the resident peak is what it left."""
    limits_enforced: bool | None
    """In every trial that started; `None` where none did."""
    image_digest: str | None
    """The id of the image that ran; several, separated by blanks, where trials ran different ones."""
    framework_version: str | None
    """As the framework says it."""
    medians_ms: Mapping[SessionRound, float]
    """The p50 of each ok trial, by session and round: what ranks rest on."""
    rss_peaks: Mapping[SessionRound, float]
    """Bytes, by session and round."""
    cold_starts_ms: Mapping[SessionRound, float]
    """By session and round."""

    @property
    def precision(self) -> float | None:
        """Half the width of the p50's interval, on its wider side, over the p50."""
        return None if self.p50_ms is None else self.p50_ms.half_width

    @property
    def throughput_per_cpu_s(self) -> float | None:
        """Items for each second of CPU time: what a machine that is always busy would get out of it."""
        if not self.cpu_ms_per_inference:
            return None
        return self.items_per_call * MS_PER_S / self.cpu_ms_per_inference

    @property
    def cores_used(self) -> float | None:
        """CPU time over wall time."""
        return None if self.cpu_percent is None else self.cpu_percent / 100


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
    counted = result.counted
    ok = [trial for trial in counted if trial.status is Status.OK]
    ends = {trial.session_round: tuple(trial.all(PhaseEnd)) for trial in counted}
    all_ends = [end for found in ends.values() for end in found]
    steady = {
        trial.session_round: end
        for trial in ok
        for end in ends[trial.session_round]
        if end.name is Phase.STEADY
    }
    cgroup_peak = _largest(end.cgroup_peak_bytes for end in all_ends)
    # Sorted once for all that is asked of them.
    by_round = {
        trial.session_round: np.sort(found) for trial in ok if (found := steady_latencies_ms(trial)).size
    }
    latencies = list(by_round.values())
    percentiles = {index: _percentiles(found) for index, found in by_round.items()}
    medians = {index: found[50] for index, found in percentiles.items()}
    # The stopping rule looks at the medians, and all that is made of the same latencies goes with them.
    planned = result.planned_trials
    p50 = geometric_interval(list(medians.values()), planned=planned)
    starts = {index: start for index, found in ends.items() if (start := _start_ms(found)) is not None}
    return CellStats(
        trials=len(counted),
        ok_trials=len(ok),
        iterations=sum(found.size for found in latencies) or None,
        p50_ms=p50,
        **{
            f"p{percent}_ms": _percentile(latencies, list(percentiles.values()), percent, planned)
            for percent in (90, 95, 99)
        },
        spread=spread(latencies),
        core_p50_ms=geometric_interval(
            [_median_ms(found) for trial in ok if (found := steady_latencies_ms(trial, Clock.CORE)).size],
            planned=planned,
        ),
        outliers=sum(map(class_outliers, latencies), NO_OUTLIERS) if latencies else None,
        items_per_call=result.cell.batch,
        throughput_per_s=_throughput(latencies, result.cell.batch),
        cpu_percent=_cpu_percent(steady.values()),
        cpu_ms_per_inference=_cpu_ms_per_inference(steady, by_round),
        system_share=_system_share(steady.values()),
        busy_threads=_largest(busy_threads(trial.records) for trial in ok),
        throttled_fraction=_throttled_fraction(steady.values(), result.cell.cpu_mode),
        throttled_ms_per_s=_throttled_ms_per_s(steady.values(), result.cell.cpu_mode),
        growth_bytes_per_call=_median(slope_bytes_per_call(trial) for trial in ok),
        peak_share=_peak_share(result, p50),
        rss_peak_bytes=_rss_peak(ends),
        anon_peak_bytes=_largest(end.rss_anon_bytes for end in all_ends),
        cgroup_peak_bytes=cgroup_peak,
        phase_ms=_phase_ms(all_ends),
        cold_start_ms=_cold_start_ms(list(starts.values())),
        max_abs_error=_largest_error(counted, lambda output: output.max_abs_error),
        max_rel_error=_largest_error(counted, lambda output: output.max_rel_error),
        at_cap=cgroup_peak is not None and cgroup_peak >= result.cell.memory_bytes - CAP_SLACK,
        limits_enforced=_limits_enforced(counted),
        image_digest=_joined(trial.image_id for trial in counted),
        framework_version=_joined(found.version for trial in counted for found in trial.all(Framework)),
        medians_ms=medians,
        rss_peaks={
            trial.session_round: float(peak)
            for trial in ok
            if (peak := _peak(ends[trial.session_round])) is not None
        },
        cold_starts_ms=starts,
    )


def started(trial: Trial) -> bool:
    """Whether a trial's container got as far as to say anything: its limits, before all else."""
    return bool(trial.records)


def _limits_enforced(trials: Sequence[Trial]) -> bool | None:
    proofs = [trial.limits_enforced for trial in trials if started(trial)]
    return all(proofs) if proofs else None


def _percentiles(ordered: NDArray[np.float64]) -> dict[int, float]:
    found = quantiles(ordered, [percent / 100 for percent in PERCENTS])
    return dict(zip(PERCENTS, found.tolist(), strict=True))


def _median_ms(latencies: NDArray[np.float64]) -> float:
    return float(quantiles(np.sort(latencies), (0.5,))[0])


def _percentile(
    latencies: Sequence[NDArray[np.float64]],
    percentiles: Sequence[Mapping[int, float]],
    percent: int,
    planned: int,
) -> Estimate | None:
    if any(found.size < SAMPLES_NEEDED[percent] for found in latencies):
        return None
    return geometric_interval([found[percent] for found in percentiles], planned=planned)


def _throughput(latencies: Sequence[NDArray[np.float64]], batch: int) -> float | None:
    mean = geometric_interval([float(np.mean(found)) for found in latencies])
    return batch / mean.value * MS_PER_S if mean else None


def _cpu_percent(steady: Iterable[PhaseEnd]) -> float | None:
    counted = [(end.cpu_ns, end.wall_ns) for end in steady if end.cpu_ns is not None]
    wall = sum(wall for _, wall in counted)
    return 100 * sum(cpu for cpu, _ in counted) / wall if wall else None


def _cpu_ms_per_inference(
    steady: Mapping[SessionRound, PhaseEnd], by_round: Mapping[SessionRound, NDArray[np.float64]]
) -> float | None:
    counted = [
        (end.cpu_ns, by_round[index].size)
        for index, end in steady.items()
        if index in by_round and end.cpu_ns is not None
    ]
    calls = sum(count for _, count in counted)
    return sum(cpu for cpu, _ in counted) / NS_PER_MS / calls if calls else None


def _system_share(steady: Iterable[PhaseEnd]) -> float | None:
    spent = [
        (end.user_ns, end.system_ns)
        for end in steady
        if end.user_ns is not None and end.system_ns is not None
    ]
    whole = sum(user + system for user, system in spent)
    return sum(system for _, system in spent) / whole if whole else None


def _throttled_ms_per_s(steady: Iterable[PhaseEnd], mode: CpuMode) -> float | None:
    ends = [end for end in steady if end.throttled_ns is not None]
    wall = sum(end.wall_ns for end in ends)
    if mode is not CpuMode.QUOTA or not wall:
        return None
    return MS_PER_S * sum(end.throttled_ns or 0 for end in ends) / wall


def _throttled_fraction(steady: Iterable[PhaseEnd], mode: CpuMode) -> float | None:
    if mode is not CpuMode.QUOTA:  # some kernels count periods, and say 0, without a quota
        return None
    counted = [
        (end.throttled_periods, end.periods)
        for end in steady
        if end.throttled_periods is not None and end.periods is not None
    ]
    periods = sum(all_periods for _, all_periods in counted)
    return sum(throttled for throttled, _ in counted) / periods if periods else None


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _peak_share(result: CellResult, p50: Estimate | None) -> float | None:
    if p50 is None or result.cell.is_floor or not result.machine_peak or not result.multiply_adds:
        return None
    return result.multiply_adds / (p50.value * S_PER_MS) / result.machine_peak


def trial_peak(trial: Trial) -> int | None:
    """The largest resident size of any phase of a trial, bytes."""
    return _peak(trial.all(PhaseEnd))


def _peak(ends: Iterable[PhaseEnd]) -> int | None:
    return _largest(end.rss_peak_bytes for end in ends)


def _rss_peak(by_round: Mapping[SessionRound, Sequence[PhaseEnd]]) -> Estimate | None:
    peaks = [peak for ends in by_round.values() if (peak := _peak(ends)) is not None]
    if not peaks:
        return None
    if min(peaks) == 0:
        raise ValueError("a process has a resident peak of 0 bytes")
    low, high = (min(peaks), max(peaks)) if len(peaks) > 1 else (None, None)
    return Estimate(value=max(peaks), low=low, high=high)


def _phase_ms(ends: Sequence[PhaseEnd]) -> dict[Phase, float]:
    walls = {phase: [end.wall_ns for end in ends if end.name is phase] for phase in COLD_START_PHASES}
    return {phase: float(median(found)) / NS_PER_MS for phase, found in walls.items() if found}


def trial_start_ms(trial: Trial) -> float | None:
    """From process start to first answer; `None` where the trial did not get as far."""
    return _start_ms(trial.all(PhaseEnd))


def _start_ms(ends: Iterable[PhaseEnd]) -> float | None:
    walls = {end.name: end.wall_ns for end in ends}
    if any(phase not in walls for phase in COLD_START_PHASES):
        return None
    return sum(walls[phase] for phase in COLD_START_PHASES) / NS_PER_MS


def _cold_start_ms(sums: Sequence[float]) -> Estimate | None:
    interval = geometric_interval(sums)
    if interval is None or interval.low is None or interval.high is None:
        return interval
    # The median resists the one trial that met a busy disk; the interval is that of the geometric mean, and
    # must not shut out the figure that it stands beside.
    middle = median(sums)
    return Estimate(value=middle, low=min(interval.low, middle), high=max(interval.high, middle))


def _largest_error(trials: Sequence[Trial], figure: Callable[[Output], float | None]) -> float | None:
    errors = [figure(found) for trial in trials for found in trial.all(Output)]
    known = [error for error in errors if error is not None]
    return max(known) if known and len(known) == len(errors) else None


def _joined(texts: Iterable[str]) -> str | None:
    return " ".join(dict.fromkeys(texts)) or None

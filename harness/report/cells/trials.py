"""The trials of one cell, each with all that it left: limits, phases, outputs, doubts, errors and log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.records import Framework, Limits, Output, Phase, PhaseEnd, PhaseStart, Samples
from harness.report.endings import WORDS
from harness.report.failures import ERROR_LIMIT, LOG_LIMIT, evidence_facts, tail
from harness.report.formats import UNKNOWN, clip, duration, mebibytes, moment, number, visible
from harness.report.proof import cpus_asked, cpus_found, labels_of, memory_found, swap_found, threads_of
from harness.results import Status
from harness.stats.cell import started, trial_peak, trial_start_ms
from harness.stats.samples import NS_PER_MS, steady_latencies_ms
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.provenance import Facts
    from harness.results import Trial
    from harness.stats.cell import Measured


@dataclass(frozen=True)
class PhaseRow:
    """One phase of one trial; without values where it did not end."""

    phase: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Doubt:
    """A typed warning of one trial."""

    kind: str
    text: str


@dataclass(frozen=True)
class TrialView:
    """One trial."""

    name: str
    ending: str
    ok: bool
    reason: str
    """How it failed, or that another attempt counts in its place."""
    figures: tuple[str, ...]
    limits: tuple[str, ...]
    proved: str
    kind: str
    """CSS class of the proof."""
    phases: tuple[PhaseRow, ...]
    facts: Facts
    """Where and when it ran and, of one that failed, what the verdict rests on."""
    doubts: tuple[Doubt, ...]
    error: str
    log_tail: str


FIGURES: Final = ("p50", "calls", "to first answer", "resident peak", "largest error", "tolerance")
LIMITS: Final = ("CPUs asked", "in effect", "memory asked", "in effect", "swap", "threads", "remarks")
PHASES: Final = (
    "wall",
    "CPU time",
    "resident peak",
    "anonymous",
    "file",
    "cgroup peak",
    "read",
    "major faults",
    "throttled",
    "threads",
)


def trial_views(measured: Measured) -> tuple[TrialView, ...]:
    """All trials of a cell, those that do not count included."""
    counted = {trial.key for trial in measured.result.counted}
    return tuple(_view(measured, trial, counts=trial.key in counted) for trial in measured.result.trials)


def _view(measured: Measured, trial: Trial, *, counts: bool) -> TrialView:
    proved, kind = ("proved", "proved") if trial.limits_enforced else ("not proved", "broken")
    if not started(trial):
        proved, kind = "not started", "idle"
    return TrialView(
        name=f"round {trial.index}" + (f", attempt {trial.attempt}" if trial.attempt else ""),
        ending=WORDS[trial.status],
        ok=trial.status is Status.OK,
        reason=_reason(trial, counts=counts),
        figures=_figures(measured, trial, counts=counts),
        limits=_limits(trial),
        proved=proved,
        kind=kind,
        phases=tuple(_phases(trial)),
        facts=tuple(_facts(trial)),
        doubts=tuple(
            Doubt(clip(each.kind.replace("_", " ")), clip(each.text))
            for each in (*trial.spoiled, *trial.warnings)
        ),
        error=tail(trial.evidence.error or "", ERROR_LIMIT),
        log_tail=tail(trial.evidence.log_tail, LOG_LIMIT),
    )


def _reason(trial: Trial, *, counts: bool) -> str:
    told = clip(trial.reason.removeprefix(WORDS[trial.status]))
    return "; ".join(filter(None, (told, "" if counts else "does not count: the next attempt does")))


def _figures(measured: Measured, trial: Trial, *, counts: bool) -> tuple[str, ...]:
    """What the cell's figures are made of; the median also of a trial whose repetition counts, and marked as such."""
    start, peak, output = trial_start_ms(trial), trial_peak(trial), trial.find(Output)
    calls = next((each.count for each in trial.all(Samples) if each.is_steady), None)
    return (
        _median(measured, trial, counts=counts),
        UNKNOWN if calls is None else f"{calls:,}",
        UNKNOWN if start is None else duration(start),
        UNKNOWN if peak is None else f"{mebibytes(peak)} MiB",
        UNKNOWN if output is None or output.max_rel_error is None else f"{output.max_rel_error:.3g}",
        UNKNOWN if output is None else f"{output.tolerance:.3g}",
    )


def _median(measured: Measured, trial: Trial, *, counts: bool) -> str:
    if counts:
        p50 = measured.stats.medians_ms.get(trial.session_round)
        return UNKNOWN if p50 is None else duration(p50)
    latencies = steady_latencies_ms(trial)
    if trial.status is not Status.OK or not latencies.size:
        return UNKNOWN
    return f"{duration(float(np.median(latencies)))}, not counted"


def _limits(trial: Trial) -> tuple[str, ...]:
    asked, found = trial.requested, trial.find(Limits)
    return (
        cpus_asked(asked),
        cpus_found(found) if found else UNKNOWN,
        format_memory(asked.memory_bytes),
        memory_found(found) if found else UNKNOWN,
        swap_found(found) if found else UNKNOWN,
        threads_of((trial,)),
        ", ".join(labels_of(asked)),
    )


def _phases(trial: Trial) -> Iterator[PhaseRow]:
    ends = {end.name: end for end in trial.all(PhaseEnd)}
    begun = {start.name for start in trial.all(PhaseStart)}
    for phase in Phase:
        if phase in ends:
            yield PhaseRow(phase.value, _counters(ends[phase]))
        elif phase in begun:
            yield PhaseRow(phase.value, ())


def _counters(end: PhaseEnd) -> tuple[str, ...]:
    sizes = (
        end.rss_peak_bytes,
        end.rss_anon_bytes,
        end.rss_file_bytes,
        end.cgroup_peak_bytes,
        end.read_bytes,
    )
    counts = (end.major_faults, end.throttled_periods, end.threads)
    return (
        duration(end.wall_ns / NS_PER_MS),
        UNKNOWN if end.cpu_ns is None else duration(end.cpu_ns / NS_PER_MS),
        *(mebibytes(size) for size in sizes),
        *(UNKNOWN if count is None else f"{count:,}" for count in counts),
    )


def _facts(trial: Trial) -> Iterator[tuple[str, str]]:
    yield "started", moment(trial.started_at)
    yield "place in the run", f"{trial.order + 1:,}"
    yield "container", f"{number(trial.engine_s)} s from create to removal"
    yield "other containers", str(trial.neighbours)
    said = trial.find(Framework)
    if said is not None:
        yield "framework", f"{clip(said.version)}, Python {clip(said.python)}"
        yield from ((clip(name), clip(value)) for name, value in said.settings.items())
    if trial.status is not Status.OK:
        yield from ((name, visible(value)) for name, value in evidence_facts(trial))

"""The figures of a replay, pure: of every rung its estimates, and of every step what it was worth.

The sitting is the statistical unit, as the trial is elsewhere. Two rungs are compared over the rounds in which both
were measured, in one session; a step counts when it is significant after Holm's correction for all steps of its
edition, and larger than identical rungs differ by.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from harness.stats.differences import counts, holm, paired_difference
from harness.stats.floor import aa_floor
from harness.stats.intervals import geometric_interval
from harness.stats.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.article.ladder import Ladder
    from harness.article.readings import Edition, Reading, Sitting
    from harness.results import SessionRound
    from harness.stats.differences import Difference
    from harness.stats.floor import Floor
    from harness.stats.intervals import Estimate

MEASURES: Final = ("latency_ms", "cpu_percent", "memory_mb")


@dataclass(frozen=True)
class Step:
    """What taking one flaw away did to one framework's latency."""

    difference: Difference | None
    """`None` where a side was not measured twice."""
    counts: bool
    """It is proved, and larger than the floor."""


@dataclass(frozen=True)
class Standing:
    """One framework on one rung of one edition."""

    latency: Estimate | None
    cpu_percent: float | None
    memory_mb: float | None
    """Geometric means over sittings."""
    latencies: Mapping[SessionRound, float]
    """By round, milliseconds."""
    band: tuple[int, int] | None
    """The best and the worst place that it may have; `None` where it was not measured."""
    step: Step | None
    """From the rung below; `None` on the first."""
    max_rel_error: float | None
    error: str | None
    """Why it failed, where it did in any sitting."""
    version: str | None


@dataclass(frozen=True)
class Climb:
    """One edition's ladder."""

    edition: Edition
    rungs: Mapping[str, Mapping[str, Standing]]
    """By rung and framework."""
    floor: Floor | None


def climb(ladder: Ladder, edition: Edition, sittings: Sequence[Sitting]) -> Climb:
    """All figures of one edition."""
    found: dict[tuple[str, str], dict[SessionRound, Reading]] = {}
    for sitting in sittings:
        for reading in sitting.readings if sitting.edition is edition else ():
            found.setdefault((sitting.rung, reading.framework), {})[sitting.session_round] = reading
    names = [rung.name for rung in ladder.rungs]
    latencies = {key: by_round(readings, "latency_ms") for key, readings in found.items()}
    floor = aa_floor([figures for figures in latencies.values() if figures])
    steps = _steps(ladder, latencies, floor)
    bands = {name: _bands(ladder, name, latencies, floor) for name in names}
    return Climb(
        edition=edition,
        floor=floor,
        rungs={
            name: {
                framework: _standing(
                    found.get((name, framework), {}), bands[name].get(framework), steps.get((name, framework))
                )
                for framework in ladder.frameworks
            }
            for name in names
        },
    )


def by_round(readings: Mapping[SessionRound, Reading], measure: str) -> dict[SessionRound, float]:
    """One of the measures of a framework on a rung, of each round in which it has one."""
    return {index: value for index, each in readings.items() if (value := getattr(each, measure)) is not None}


def _standing(
    readings: Mapping[SessionRound, Reading], band: tuple[int, int] | None, step: Step | None
) -> Standing:
    latencies, cpu, memory = (by_round(readings, measure) for measure in MEASURES)
    errors = [each.max_rel_error for each in readings.values() if each.max_rel_error is not None]
    return Standing(
        latency=geometric_interval(list(latencies.values())),
        cpu_percent=_mean(cpu),
        memory_mb=_mean(memory),
        latencies=latencies,
        band=band,
        step=step,
        max_rel_error=max(errors, default=None),
        error=next((each.error for each in readings.values() if each.error), None),
        version=next((each.version for each in readings.values() if each.version), None),
    )


def _mean(figures: Mapping[SessionRound, float]) -> float | None:
    estimate = geometric_interval(list(figures.values()))
    return estimate.value if estimate else None


def _steps(
    ladder: Ladder, latencies: Mapping[tuple[str, str], Mapping[SessionRound, float]], floor: Floor | None
) -> dict[tuple[str, str], Step]:
    """What each rung did to each framework, corrected for all of them together."""
    differences = {
        (upper.name, framework): paired_difference(
            latencies.get((lower.name, framework), {}), latencies.get((upper.name, framework), {})
        )
        for lower, upper in pairwise(ladder.rungs)
        for framework in ladder.frameworks
    }
    known = {key: difference for key, difference in differences.items() if difference is not None}
    adjusted = dict(zip(known, holm([difference.p_value for difference in known.values()]), strict=True))
    return {
        key: Step(
            difference,
            counts=difference is not None
            and floor is not None
            and counts(difference, adjusted[key], floor.log_ratio),
        )
        for key, difference in differences.items()
    }


def _bands(
    ladder: Ladder,
    rung: str,
    latencies: Mapping[tuple[str, str], Mapping[SessionRound, float]],
    floor: Floor | None,
) -> dict[str, tuple[int, int]]:
    """The places that each framework may have on one rung."""
    measured = [name for name in ladder.frameworks if latencies.get((rung, name))]
    ranking = rank([latencies[rung, name] for name in measured], floor.log_ratio if floor else None)
    return dict(zip(measured, ranking.bands(), strict=True))


@dataclass(frozen=True)
class Agreement:
    """The ladder's last rung at the current versions against the matrix's own trials of the same framework."""

    difference: Difference | None
    """Above one: the ladder's figure is larger."""
    agrees: bool | None
    """The interval holds equality, or the two differ by less than identical cells do; `None` where it is unknown."""


def agreement(
    own: Mapping[SessionRound, float], ordinary: Mapping[SessionRound, float], floor: Floor | None
) -> Agreement:
    """Hold two measurements of the same call against each other, by session and round.

    Args:
        own: latencies of the ladder's last rung.
        ordinary: medians of the matrix's trials.
        floor: how far apart identical cells are found.
    """
    difference = paired_difference(ordinary, own)
    if difference is None:
        return Agreement(None, None)
    low, high = difference.interval()
    within = floor is not None and abs(difference.log_ratio) <= floor.log_ratio
    return Agreement(difference, low <= 1 <= high or within)

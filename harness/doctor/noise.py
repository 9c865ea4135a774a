"""How noisy the machine is, from a series of reference probes: pure statistics and what they mean.

Each probe is a container of its own, as each trial is, so that what moves from probe to probe moves trials too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats as distributions

from harness.doctor.checks import Check, Verdict, graded
from harness.stats.intervals import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.results import ReferenceProbe

PROBES: Final = 5
TRIALS: Final = 5
"""Of either cell in the comparison that the noise is told for."""
FINE: Final = 0.05
COARSE: Final = 0.15
"""Differences that can, or cannot, be told apart on a host that is good, or poor."""
FEWEST: Final = 3
"""Probes, below which a spread says nothing."""
SPEEDS_APART: Final = 1.2
SPEED_SHARE: Final = 0.03
SPEED_SPREAD: Final = 0.2
"""Two speeds: at least so far apart, either of at least so many repetitions, and either spreading by at most so much of
what lies between them, as logarithms. Cut in two, a normal distribution comes to 0.38 and an even one to 0.29."""
CLIPPED: Final = 0.01
"""Of the repetitions at either end: one preempted among hundreds is no speed of its own."""
CURE: Final = (
    "a dedicated host or fewer neighbours; else more `trials` or a `precision` in the matrix's `protocol`"
)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """One piece of the probe's work on one set of CPUs, over all probes.

    Attributes:
        cell: whose CPUs they are: `1 core`, `all 8 cores`.
        cpus: the logical CPUs.
        work: `matrix product`, `copy` or `interpreter loop`.
        probes: how many ended well.
        speed: median over the probes' medians.
        unit: of the speed.
        between: coefficient of variation of the probes' medians.
        within: slow repetitions over quick ones (p90 over p10) in the worst probe.
        move: largest ratio of neighbouring probes' medians, at least 1.
        resolution: the smallest relative difference of two cells that five paired trials tell apart.
        speeds: where all repetitions keep to two speeds, the slow and the fast one; else `None`.
    """

    cell: str
    cpus: tuple[int, ...]
    work: str
    probes: int
    speed: float
    unit: str
    between: float
    within: float
    move: float
    resolution: float
    speeds: tuple[float, float] | None


def describe_noise(cell: str, probes: Sequence[ReferenceProbe]) -> tuple[Noise, ...]:
    """Sum a series of probes up, a figure for each piece of work; none for too short a series.

    Args:
        cell: whose CPUs they ran on.
        probes: in the order in which they ran.
    """
    if len(probes) < FEWEST:
        return ()
    first = probes[0]
    works = (
        ("matrix product", "GFLOP/s", 2.0 * first.multiply_adds, [probe.matmul_ns for probe in probes]),
        ("copy", "GB/s", 1.0 * first.copy_bytes, [probe.copy_ns for probe in probes]),
        ("interpreter loop", "loops/s", 1e9, [probe.loop_ns for probe in probes]),
    )
    return tuple(
        _describe(
            cell,
            first.requested.cpuset or (),
            work,
            unit,
            [amount / np.asarray(times, float) for times in series],
        )
        for work, unit, amount, series in works
    )


def _describe(
    cell: str, cpus: tuple[int, ...], work: str, unit: str, series: Sequence[NDArray[np.float64]]
) -> Noise:
    medians = np.array([np.median(speeds) for speeds in series])
    between = float(medians.std(ddof=1) / medians.mean())
    moves = np.abs(np.diff(np.log(medians)))
    return Noise(
        cell=cell,
        cpus=cpus,
        work=work,
        probes=len(series),
        speed=float(np.median(medians)),
        unit=unit,
        between=between,
        within=max(float(np.percentile(speeds, 90) / np.percentile(speeds, 10)) for speeds in series),
        move=math.exp(float(moves.max())),
        resolution=resolution(between),
        speeds=two_speeds(np.concatenate(series)),
    )


def resolution(between: float, trials: int = TRIALS) -> float:
    """The smallest relative difference of two cells that paired trials tell apart.

    Half the width of Student's interval on the mean of the pairs' differences, whose both sides wander as probes do.

    Args:
        between: coefficient of variation from trial to trial.
        trials: of either cell.
    """
    quantile = float(distributions.t.ppf((1 + CONFIDENCE) / 2, trials - 1))
    return quantile * math.sqrt(2) * between / math.sqrt(trials)


def two_speeds(speeds: NDArray[np.float64]) -> tuple[float, float] | None:
    """Whether all repetitions keep to two speeds, as beside a neighbour on a sibling who comes and goes.

    Returns:
        The slow and the fast speed, medians of the two groups; `None` where there are no such groups.
    """
    logs = np.sort(np.log(speeds))
    logs = np.clip(logs, *np.quantile(logs, (CLIPPED, 1 - CLIPPED)))
    count = logs.size
    lower = np.arange(1, count)
    sums = np.cumsum(logs)[:-1]
    gap = sums / lower - (logs.sum() - sums) / (count - lower)
    explained = lower * (count - lower) * gap**2
    cut = int(explained.argmax()) + 1 if explained.size else 0
    if min(cut, count - cut) < max(1, SPEED_SHARE * count):
        return None
    slow, fast = float(np.median(logs[:cut])), float(np.median(logs[cut:]))
    spread = max(float(logs[:cut].std()), float(logs[cut:].std()))
    split = fast - slow >= math.log(SPEEDS_APART) and spread <= SPEED_SPREAD * (fast - slow)
    return (math.exp(slow), math.exp(fast)) if split else None


def check_noise(cell: str, figures: Sequence[Noise]) -> Check:
    """What the noise on one cell's CPUs means.

    Args:
        cell: whose CPUs they are.
        figures: of its works; none where too few probes ended well.
    """
    name = f"noise, {cell}"
    if not figures:
        return Check(
            name=name,
            verdict=Verdict.POOR,
            found="too few of the reference probes ended well",
            cure="end what else runs on the engine, and try again",
        )
    worst = max(figures, key=lambda noise: noise.resolution)
    others = "; ".join(f"{noise.work} {percent(noise.resolution)}" for noise in figures if noise is not worst)
    found = (
        f"differences below about {percent(worst.resolution)} between two cells will not be told apart "
        f"with {TRIALS} trials ({worst.work}; {others})"
    )
    flipping = [noise for noise in figures if noise.speeds is not None]
    for noise in flipping:
        slow, fast = noise.speeds or (1.0, 1.0)
        found += f"; the {noise.work} runs at two speeds, {fast / slow:.1f} times apart"
    verdict = Verdict.POOR if flipping else graded(worst.resolution, good=FINE, poor=COARSE)
    return Check(name=name, verdict=verdict, found=found, cure="" if verdict is Verdict.GOOD else CURE)


def percent(share: float) -> str:
    """A share with two digits: `0.84 %`, `5.3 %`, `53 %`."""
    digits = 0 if share >= 0.0995 else 1 if share >= 0.00995 else 2
    return f"{share * 100:.{digits}f} %"

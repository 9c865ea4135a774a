"""One cell of two runs, side by side, and the verdict on it: pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.results import Status
from harness.stats.differences import ALPHA, LEAST_TRIALS, Difference, counts, holm, independent_difference
from harness.stats.noise import Aim, by_round
from harness.units import in_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.compare.machine import Shift
    from harness.stats.cell import Measured


class Verdict(StrEnum):
    """What became of a cell, the worst first."""

    FAILED = "failed"
    """It was ok, and is not any more, which says something of the cell."""
    WORSE = "worse"
    UNDECIDED = "undecided"
    """Trials, noise and machine can neither show a difference nor rule one out, or a side says nothing of the cell."""
    ONLY_IN_BASE = "only_in_base"
    ONLY_IN_NEW = "only_in_new"
    FAILED_IN_BOTH = "failed_in_both"
    FIXED = "fixed"
    """It was not ok, which said something of the cell, and is now."""
    BETTER = "better"
    SAME = "same"
    """A difference as large as the user's threshold is ruled out, and neither noise nor the machine could hide one."""
    SKIPPED = "skipped"
    """Not run in both, for a stated reason."""


REGRESSIONS: Final = frozenset({Verdict.FAILED, Verdict.WORSE})
_NOT_RUN: Final = frozenset({Status.SKIPPED, Status.UNSUPPORTED})
_SAYS_NOTHING: Final = frozenset({Status.SKIPPED, Status.HARNESS_ERROR})
"""Ends that lie with the matrix, the time that was left, the harness, the engine or the host, and not with the cell."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a difference of one figure of a cell needs to count, and what could hide one: logarithms.

    Attributes:
        threshold: the user's.
        aa_floor: by how much identical cells differ in either run; 0 where no run tells.
        shift: what the machine itself changed; `None` where that is unknown, or does not matter to the figure.
    """

    threshold: float
    aa_floor: float = 0.0
    shift: Shift | None = None

    @property
    def floor(self) -> float:
        """The smallest difference that counts."""
        return max(self.threshold, self.aa_floor) + (self.shift.size if self.shift else 0.0)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What the trials say of one figure of a cell that both runs measured."""

    verdict: Verdict
    difference: Difference | None = None
    """New over base; `None` where one of the two has no interval."""
    adjusted_p: float | None = None
    """Corrected for the number of compared cells."""
    floor: float | None = None
    """The smallest difference that counts, a logarithm; what the machine itself changed is in it."""
    reason: str = ""
    """Why it is undecided."""
    hidden: bool = False
    """Whether the trials agree, and it is undecided as noise or the machine could hide a difference."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of two runs."""

    cell_id: str
    verdict: Verdict
    """Of the judged figure, or what the ends of the two say."""
    base: Measured | None
    new: Measured | None
    reason: str = ""
    """Why it is undecided, or why a side has no figure."""
    figures: Mapping[Aim, Figure] = field(default_factory=dict)
    """All figures, the judged one among them; empty where a side did not measure any."""
    shift: Shift | None = None
    """What the machine itself changed on its CPUs; `None` where that is unknown."""

    @property
    def is_regression(self) -> bool:
        """Whether it makes the command fail."""
        return self.verdict in REGRESSIONS

    @property
    def warnings(self) -> tuple[str, ...]:
        """Kinds of the doubts on either side, and of what spoiled a trial that counts."""
        sides = (side for side in (self.base, self.new) if side is not None)
        return tuple(
            dict.fromkeys(
                doubt.kind
                for side in sides
                for trial in side.result.counted
                for doubt in (*trial.warnings, *trial.spoiled)
            )
        )


def pair_up(base: Iterable[Measured], new: Iterable[Measured]) -> list[Row]:
    """Put the cells of two runs beside each other, in the order of the base, those only in the new run last.

    Control cells are left out: they are there to judge a run by. What both runs measured is undecided for now.
    """
    first, second = _by_id(base), _by_id(new)
    return [_row(cell_id, first.get(cell_id), second.get(cell_id)) for cell_id in first | second]


def decide(rows: Iterable[Row], aim: Aim, needs: Mapping[str, Needs]) -> dict[str, Figure]:
    """Judge one figure of every cell that both runs measured.

    Args:
        rows: all cells.
        aim: the figure.
        needs: by cell id what a difference needs to count.

    Returns:
        By cell id.
    """
    pairs = {
        row.cell_id: (row.base, row.new)
        for row in rows
        if row.base is not None and row.new is not None and has_figures(row.base) and has_figures(row.new)
    }
    figures = {cell_id: _figures(pair, aim) for cell_id, pair in pairs.items()}
    differences = {
        cell_id: difference
        for cell_id, (base, new) in figures.items()
        if min((*base, *new), default=0) > 0  # what took no time has no ratio
        and (difference := independent_difference(base, new, sequential=_sequential(pairs[cell_id], aim)))
    }
    p_values = holm([difference.p_value for difference in differences.values()])
    judged = {
        cell_id: _unless_cut(_judge(difference, adjusted_p, needs[cell_id]), pairs[cell_id], aim)
        for (cell_id, difference), adjusted_p in zip(differences.items(), p_values, strict=True)
    }
    return {
        cell_id: _as_itself(judged.get(cell_id)) if base.result == new.result
        else judged.get(cell_id, Figure(verdict=Verdict.UNDECIDED, reason=_no_ratio(*figures[cell_id])))
        for cell_id, (base, new) in pairs.items()
    }  # fmt: skip


def _figures(pair: tuple[Measured, Measured], aim: Aim) -> tuple[list[float], list[float]]:
    base, new = (list(by_round(side.stats, aim).values()) for side in pair)
    return base, new


def _sequential(pair: tuple[Measured, Measured], aim: Aim) -> bool:
    """Whether a side has more trials than planned, which the latencies alone decide (as in `cell_stats`)."""
    return aim is Aim.LATENCY and any(
        len(by_round(side.stats, aim)) > side.result.planned_trials for side in pair
    )


def _as_itself(figure: Figure | None) -> Figure:
    """The figure of a cell that is compared with itself: chance has nothing to decide."""
    return replace(figure or Figure(verdict=Verdict.SAME), verdict=Verdict.SAME, reason="", hidden=False)


def _judge(difference: Difference, adjusted_p: float, needs: Needs) -> Figure:
    low, high = (math.log(bound) for bound in difference.interval())
    agrees = -needs.threshold < low and high < needs.threshold
    hiding = _hiding(low, high, needs) if agrees else ""
    reason = ""
    if counts(difference, adjusted_p, needs.floor):
        verdict = Verdict.WORSE if difference.log_ratio > 0 else Verdict.BETTER
    elif agrees and not hiding:
        verdict = Verdict.SAME
    else:
        verdict = Verdict.UNDECIDED
        significant = "significant, but not larger than it needs" if adjusted_p < ALPHA else "not significant"
        reason = hiding or significant
    return Figure(
        verdict=verdict,
        difference=difference,
        adjusted_p=adjusted_p,
        floor=needs.floor,
        reason=reason,
        hidden=bool(hiding),
    )


def _unless_cut(figure: Figure, pair: tuple[Measured, Measured], aim: Aim) -> Figure:
    """The figure as judged, unless a cap cut a peak: it may then be larger than told, and so not the smaller one."""
    cut = [name for name, side in zip(("base", "new"), pair, strict=True) if side.stats.at_cap]
    stands = {Verdict.WORSE: ["new"], Verdict.BETTER: ["base"]}
    if aim is not Aim.MEMORY or not cut or cut == stands.get(figure.verdict):
        return figure
    return replace(
        figure,
        verdict=Verdict.UNDECIDED,
        reason=f"{' and '.join(cut)} at the cap, and more with room perhaps",
        hidden=False,
    )


def _hiding(low: float, high: float, needs: Needs) -> str:
    """What could hide a difference as large as the threshold, though the interval (logarithms) holds none; or nothing.

    A cell may have followed the machine or not, so what it changed by itself lies anywhere from the one to the other.
    """
    least, most = needs.shift.span if needs.shift else (0.0, 0.0)
    found = []
    if needs.shift and not (-needs.threshold < low - most and high - least < needs.threshold):
        found.append(f"the machine changed by {in_percent(math.expm1(needs.shift.size), 1)}")
    if needs.aa_floor > needs.threshold:
        found.append(f"identical cells differ by {in_percent(math.expm1(needs.aa_floor), 1)}")
    return ", ".join(found)


def _no_ratio(base: Sequence[float], new: Sequence[float]) -> str:
    if min(len(base), len(new)) < LEAST_TRIALS:
        return f"{len(base)} and {len(new)} trials with that figure: it takes {LEAST_TRIALS} on either side"
    return "a figure of 0 has no ratio"


def _by_id(measured: Iterable[Measured]) -> dict[str, Measured]:
    return {
        each.result.cell_id: each
        for each in measured
        if not (each.result.cell.is_floor or each.result.cell.twin)
    }


def _row(cell_id: str, base: Measured | None, new: Measured | None) -> Row:
    if base is not None and new is not None:
        verdict, reason = _by_status(base, new)
    else:
        verdict = Verdict.ONLY_IN_NEW if base is None else Verdict.ONLY_IN_BASE
        reason = "".join(side.result.reason for side in (base, new) if side is not None)
    return Row(cell_id=cell_id, verdict=verdict, reason=reason, base=base, new=new)


def _by_status(base: Measured, new: Measured) -> tuple[Verdict, str]:
    """The verdict as far as how the two ended decides it, and why; `undecided` for no reason where both are ok."""
    if unknown := [name for name, side in (("base", base), ("new", new)) if _is_unknown(side)]:
        return Verdict.UNDECIDED, f"{' and '.join(unknown)} interrupted before a trial ended"
    match has_figures(base), has_figures(new):
        case True, True:
            return Verdict.UNDECIDED, ""
        case True, False:
            return _unless_silent(Verdict.FAILED, new)
        case False, True:
            return _unless_silent(Verdict.FIXED, base)
    return _without_figures(base, new)


def _without_figures(base: Measured, new: Measured) -> tuple[Verdict, str]:
    """The verdict on a cell that ended well on neither side, and why."""
    if base.result.status in _NOT_RUN and new.result.status in _NOT_RUN:
        return Verdict.SKIPPED, new.result.reason
    if _is_silent(base) != _is_silent(new):
        return Verdict.UNDECIDED, (base if _is_silent(base) else new).result.reason
    if Status.SKIPPED in {base.result.status, new.result.status}:
        return Verdict.UNDECIDED, new.result.reason
    return Verdict.FAILED_IN_BOTH, new.result.reason


def _unless_silent(verdict: Verdict, lacking: Measured) -> tuple[Verdict, str]:
    """A verdict where one side alone has no figures, unless how it ended says nothing of the cell; and why."""
    return Verdict.UNDECIDED if _is_silent(lacking) else verdict, lacking.result.reason


def _is_silent(side: Measured) -> bool:
    """Whether how a cell ended says nothing of it."""
    return side.result.status in _SAYS_NOTHING


def has_figures(side: Measured) -> bool:
    """Whether all trials that a cell had ended well; where the run was interrupted, they may be fewer than planned."""
    return side.ok or (side.result.status is Status.INTERRUPTED and side.stats.ok_trials > 0)


def _is_unknown(side: Measured) -> bool:
    """Whether an interrupted run says nothing of a cell: it neither ended well nor failed."""
    return side.result.status is Status.INTERRUPTED and not side.stats.ok_trials

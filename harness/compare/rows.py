"""One cell of two runs, side by side, and the verdict on it: pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.results import Status
from harness.stats.differences import Difference, counts, holm, independent_difference
from harness.stats.noise import by_round

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.stats.cell import Measured
    from harness.stats.noise import Aim


class Verdict(StrEnum):
    """What became of a cell, the worst first."""

    FAILED = "failed"
    """It was ok, and is not any more."""
    WORSE = "worse"
    UNDECIDED = "undecided"
    """The trials can neither show a difference nor rule one out."""
    ONLY_IN_BASE = "only_in_base"
    ONLY_IN_NEW = "only_in_new"
    FAILED_IN_BOTH = "failed_in_both"
    FIXED = "fixed"
    """It was not ok, and is now."""
    BETTER = "better"
    SAME = "same"
    """A difference as large as the user's threshold is ruled out."""
    SKIPPED = "skipped"
    """Not run in both, for a stated reason."""


REGRESSIONS: Final = frozenset({Verdict.FAILED, Verdict.WORSE})
_NOT_RUN: Final = frozenset({Status.SKIPPED, Status.UNSUPPORTED})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of two runs."""

    cell_id: str
    verdict: Verdict
    base: Measured | None
    new: Measured | None
    difference: Difference | None = None
    """New over base; `None` where one of the two has no interval."""
    adjusted_p: float | None = None
    """Corrected for the number of compared cells."""
    floor: float | None = None
    """The smallest difference that counts for this cell, a logarithm: the machine's own shift on its CPUs is in it."""

    @property
    def is_regression(self) -> bool:
        """Whether it makes the command fail."""
        return self.verdict in REGRESSIONS

    @property
    def warnings(self) -> tuple[str, ...]:
        """Kinds of the doubts on either side."""
        sides = (side for side in (self.base, self.new) if side is not None)
        return tuple(
            dict.fromkeys(
                doubt.kind for side in sides for trial in side.result.counted for doubt in trial.warnings
            )
        )


def pair_up(base: Iterable[Measured], new: Iterable[Measured], aim: Aim) -> list[Row]:
    """Put the cells of two runs beside each other, in the order of the base, those only in the new run last.

    Control cells are left out: they are there to judge a run by.
    """
    first, second = _by_id(base), _by_id(new)
    return [_row(cell_id, first.get(cell_id), second.get(cell_id), aim) for cell_id in first | second]


def decide(rows: Sequence[Row], floors: Mapping[str, float], threshold: float) -> tuple[Row, ...]:
    """Give every compared cell its verdict.

    Args:
        rows: all cells.
        floors: by cell id the smallest difference that counts, a logarithm.
        threshold: the difference that has to be ruled out for two cells to be the same, a logarithm.
    """
    compared = [row for row in rows if row.difference is not None]
    p_values = holm([row.difference.p_value for row in compared if row.difference is not None])
    adjusted = dict(zip((row.cell_id for row in compared), p_values, strict=True))
    return tuple(
        row
        if row.difference is None
        else replace(
            row,
            verdict=_verdict(row.difference, adjusted[row.cell_id], floors[row.cell_id], threshold),
            adjusted_p=adjusted[row.cell_id],
            floor=floors[row.cell_id],
        )
        for row in rows
    )


def _verdict(difference: Difference, adjusted_p: float, floor: float, threshold: float) -> Verdict:
    if counts(difference, adjusted_p, floor):
        return Verdict.WORSE if difference.log_ratio > 0 else Verdict.BETTER
    low, high = (math.log(bound) for bound in difference.interval())
    return Verdict.SAME if -threshold < low and high < threshold else Verdict.UNDECIDED


def _by_id(measured: Iterable[Measured]) -> dict[str, Measured]:
    return {
        each.result.cell_id: each
        for each in measured
        if not (each.result.cell.is_floor or each.result.cell.twin)
    }


def _row(cell_id: str, base: Measured | None, new: Measured | None, aim: Aim) -> Row:
    row = Row(cell_id=cell_id, verdict=_by_status(base, new), base=base, new=new)
    if base is None or new is None or row.verdict is not Verdict.UNDECIDED:
        return row
    figures = [list(by_round(side.stats, aim).values()) for side in (base, new)]
    return replace(row, difference=independent_difference(*figures))


def _by_status(base: Measured | None, new: Measured | None) -> Verdict:
    """The verdict as far as how the two ended decides it; `undecided` where both are ok."""
    if base is None:
        return Verdict.ONLY_IN_NEW
    if new is None:
        return Verdict.ONLY_IN_BASE
    if base.ok and new.ok:
        return Verdict.UNDECIDED
    if base.result.status in _NOT_RUN and new.result.status in _NOT_RUN:
        return Verdict.SKIPPED
    if not (base.ok or new.ok):
        return Verdict.FAILED_IN_BOTH
    return Verdict.FAILED if base.ok else Verdict.FIXED

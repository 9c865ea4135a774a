"""Short tags beside a cell's name wherever it is ranked: what its trials' typed warnings say of its figures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.report.formats import share
from harness.stats.noise import Aim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.stats.cell import Measured

FLAGS: Final = {
    "throttled": "throttled",
    "oversubscribed": "oversubscribed",
    "memory_grows": "memory grows",
    "not_settled": "not settled",
    "disturbed": "disturbed",
}
"""Kind of warning to tag, in the order of the page."""
OF_SPEED: Final = frozenset({"not_settled", "disturbed"})
"""Kinds that say nothing of memory or of the start."""
SPOILED: Final = "spoiled"


def flags(measured: Measured, aim: Aim = Aim.LATENCY) -> tuple[str, ...]:
    """The tags of a cell, such as `throttled 87 %` or, where only some trials carry it, `not settled 1/3`.

    Args:
        measured: the cell.
        aim: what it is ranked by beside them.
    """
    return tuple(_flags(measured, aim))


def _flags(measured: Measured, aim: Aim) -> Iterator[str]:
    trials = measured.result.counted
    carried = Counter(kind for trial in trials for kind in {doubt.kind for doubt in trial.warnings})
    for kind, word in FLAGS.items():
        if kind in OF_SPEED and aim is not Aim.LATENCY:
            continue
        carriers = carried[kind]
        if carriers and kind == "throttled" and measured.stats.throttled_fraction is not None:
            yield f"{word} {share(measured.stats.throttled_fraction)}"
        elif carriers:
            yield word + _part(carriers, len(trials))
    if spoiled := sum(bool(trial.spoiled) for trial in trials):
        yield SPOILED + _part(spoiled, len(trials))


def _part(count: int, whole: int) -> str:
    return "" if count == whole else f" {count}/{whole}"

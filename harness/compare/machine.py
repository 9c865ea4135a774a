"""By how much the machine itself changed between two runs, as their reference probes say. Pure.

Two runs are not interleaved: what the machine explains is no change of a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.fitness import same_cpus
from harness.report.formats import core_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.compare.rows import Row
    from harness.results import ReferenceProbe, Requested


@dataclass(frozen=True, kw_only=True)
class Shift:
    """The machine's change on some CPUs: logarithms of the times in the new run over those in the base.

    Attributes:
        product: of the matrix product.
        loop: of the interpreter's loop.
    """

    product: float
    loop: float

    @property
    def size(self) -> float:
        """The larger of the two, without its direction."""
        return max(abs(self.product), abs(self.loop))

    @property
    def span(self) -> tuple[float, float]:
        """By how much it may have changed a cell's time: from the least to the most, not at all among it."""
        return min(0.0, self.product, self.loop), max(0.0, self.product, self.loop)


def machine_shift(
    cpus: tuple[Requested, Requested],
    base: Mapping[int, ReferenceProbe],
    new: Mapping[int, ReferenceProbe],
) -> Shift | None:
    """The change between two runs.

    Args:
        cpus: those of a cell in the base and in the new run.
        base: the probes of the base, by number.
        new: those of the new run.

    Returns:
        `None` where one of the runs has no probe on these CPUs.
    """
    sides = [
        [probe for probe in probes.values() if same_cpus(probe.requested, own)]
        for probes, own in zip((base, new), cpus, strict=True)
    ]
    if not all(sides):
        return None
    product = _change([[_time(probe.matmul_ns, probe.multiply_adds) for probe in side] for side in sides])
    loop = _change([[_time(probe.loop_ns, 1) for probe in side] for side in sides])
    return Shift(product=product, loop=loop)


def shifts(
    rows: Iterable[Row], base: Mapping[int, ReferenceProbe], new: Mapping[int, ReferenceProbe]
) -> dict[str, Shift | None]:
    """The change on the CPUs of each cell that both runs started.

    Returns:
        By cell id.
    """
    return {row.cell_id: machine_shift(found, base, new) for row in rows if (found := _cpus(row)) is not None}


def by_cpus(rows: Iterable[Row]) -> list[tuple[Requested, Shift | None]]:
    """The changes that rows carry, once for the CPUs of the new run."""
    found = {
        (cpus[1].cpuset or (), cpus[1].quota_cpus or 0.0): (cpus[1], row.shift)
        for row in rows
        if (cpus := _cpus(row)) is not None
    }
    return [found[key] for key in sorted(found)]


def cpus_text(requested: Requested) -> str:
    """`CPU 1`, or the quota."""
    if requested.cpuset is None:
        return f"quota of {requested.quota_cpus:g}"
    return f"CPU {core_list(requested.cpuset)}"


def _cpus(row: Row) -> tuple[Requested, Requested] | None:
    if row.base is None or row.new is None or not (row.base.result.trials and row.new.result.trials):
        return None
    return row.base.result.trials[0].requested, row.new.result.trials[0].requested


def _time(times: Sequence[int], work: int) -> float:
    """Time for a unit of work, by the median repetition."""
    return float(np.median(times)) / work


def _change(sides: Sequence[Sequence[float]]) -> float:
    before, after = (float(np.median(side)) for side in sides)
    return math.log(after / before)

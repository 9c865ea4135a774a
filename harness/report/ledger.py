"""The memory of every cell, phase by phase: what the kernel counted, beside the figure that is the headline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.records import Phase, PhaseEnd
from harness.report.formats import mebibytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.stats.cell import Measured


@dataclass(frozen=True)
class LedgerRow:
    """One phase of one cell, medians over the trials that count, MiB."""

    phase: str
    peak: str
    """VmHWM."""
    anonymous: str
    file: str
    cgroup: str


@dataclass(frozen=True)
class LedgerEntry:
    """One cell."""

    cell_id: str
    rows: tuple[LedgerRow, ...]


def ledger(measured: Iterable[Measured]) -> tuple[LedgerEntry, ...]:
    """The memory of all cells of which some trial ended a phase."""
    entries = ((each.result.cell_id, _rows(each)) for each in measured)
    return tuple(LedgerEntry(cell_id, rows) for cell_id, rows in entries if rows)


def _rows(measured: Measured) -> tuple[LedgerRow, ...]:
    ends = [end for trial in measured.result.counted for end in trial.all(PhaseEnd)]
    by_phase = {phase: [end for end in ends if end.name is phase] for phase in Phase}
    return tuple(
        LedgerRow(
            phase=phase.value,
            peak=_median(end.rss_peak_bytes for end in found),
            anonymous=_median(end.rss_anon_bytes for end in found),
            file=_median(end.rss_file_bytes for end in found),
            cgroup=_median(end.cgroup_peak_bytes for end in found),
        )
        for phase, found in by_phase.items()
        if found
    )


def _median(sizes: Iterable[int | None]) -> str:
    known = [size for size in sizes if size is not None]
    return mebibytes(float(np.median(known)) if known else None)

"""The memory of a cell, phase by phase: what the kernel counted, beside the figure that is the headline."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from harness.records import Phase, PhaseEnd
from harness.report.formats import mebibytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.stats.cell import Measured


FLOAT32_BYTES: Final = 4


@dataclass(frozen=True)
class LedgerRow:
    """One phase of one cell, medians over the trials that count, MiB."""

    phase: str
    peak: str
    """VmHWM."""
    without_file: str
    """The peak without the file-backed memory at the phase's end: about the most anonymous memory in it."""
    anonymous: str
    file: str
    cgroup: str


@dataclass(frozen=True)
class LedgerEntry:
    """One cell."""

    weights: str
    """What the model's parameters take in float32, MiB; a dash where nobody counted them."""
    rows: tuple[LedgerRow, ...]


def ledger(measured: Measured, parameters: int | None) -> LedgerEntry | None:
    """The memory of a cell; `None` where no trial ended a phase.

    Args:
        measured: the cell.
        parameters: how many its model has; `None` where it was not prepared.
    """
    rows = _rows(measured)
    return LedgerEntry(_weights(parameters), rows) if rows else None


def _weights(parameters: int | None) -> str:
    return mebibytes(float(parameters * FLOAT32_BYTES) if parameters else None)


def _rows(measured: Measured) -> tuple[LedgerRow, ...]:
    ends = [end for trial in measured.result.counted for end in trial.all(PhaseEnd)]
    by_phase = {phase: [end for end in ends if end.name is phase] for phase in Phase}
    return tuple(
        LedgerRow(
            phase=phase.value,
            peak=_median(end.rss_peak_bytes for end in found),
            without_file=_median(map(_without_file, found)),
            anonymous=_median(end.rss_anon_bytes for end in found),
            file=_median(end.rss_file_bytes for end in found),
            cgroup=_median(end.cgroup_peak_bytes for end in found),
        )
        for phase, found in by_phase.items()
        if found
    )


def _without_file(end: PhaseEnd) -> int | None:
    if end.rss_peak_bytes is None or end.rss_file_bytes is None:
        return None
    return max(0, end.rss_peak_bytes - end.rss_file_bytes)


def _median(sizes: Iterable[int | None]) -> str:
    known = [size for size in sizes if size is not None]
    return mebibytes(float(median(known)) if known else None)

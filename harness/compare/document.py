"""A comparison as one JSON document with every number; what is unknown is null. `docs/comparing.md` has its form."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from harness import __version__
from harness.compare.machine import by_cpus
from harness.compare.words import as_part
from harness.stats.intervals import value_of
from harness.stats.noise import Aim, by_round, estimate

if TYPE_CHECKING:
    from harness.compare.judge import Compared
    from harness.compare.machine import Shift
    from harness.compare.rows import Figure, Row
    from harness.runs import Run
    from harness.stats.cell import Measured

DOCUMENT_VERSION: Final = 1


def as_document(compared: Compared) -> dict[str, Any]:
    """Everything, for programs."""
    base, new = (None if found is None else as_part(found) for found in compared.aa_floors)
    return {
        "version": DOCUMENT_VERSION,
        "harness_version": __version__,
        "base": run_document(compared.base),
        "new": run_document(compared.new),
        "figure": compared.aim.value,
        "threshold": compared.threshold,
        "aa_floors": {"base": base, "new": new},
        "machine_shifts": [
            {"cpuset": cpus.cpuset, "quota_cpus": cpus.quota_cpus, "shift": shift_document(shift)}
            for cpus, shift in by_cpus(compared.rows)
        ],
        "notes": list(compared.notes),
        "regressed": compared.regressed,
        "counts": dict(Counter(row.verdict.value for row in compared.rows)),
        "cells": [row_document(row) for row in compared.rows],
    }


def run_document(run: Run) -> dict[str, Any]:
    """Which run it is, and what made it."""
    return {
        "run_id": run.run_id,
        "state": run.state.value,
        "started_at": run.started_at.isoformat(),
        "harness_version": run.harness_version,
        "git_commit": run.git_commit,
    }


def shift_document(shift: Shift | None) -> dict[str, float] | None:
    """The machine's times in the new run over those in the base, and the part that is added to the floor."""
    if shift is None:
        return None
    return {
        "matrix_product": math.exp(shift.product),
        "interpreter": math.exp(shift.loop),
        "added": as_part(shift.size),
    }


def row_document(row: Row) -> dict[str, Any]:
    """A cell."""
    return {
        "cell_id": row.cell_id,
        "verdict": row.verdict.value,
        "reason": row.reason,
        "warnings": list(row.warnings),
        "machine_shift": shift_document(row.shift),
        "figures": {aim.value: figure_document(row.figures.get(aim)) for aim in Aim},
        "base": side_document(row.base),
        "new": side_document(row.new),
    }


def figure_document(figure: Figure | None) -> dict[str, Any] | None:
    """What is said of one figure; null where a side did not measure it."""
    if figure is None:
        return None
    difference = figure.difference
    low, high = difference.interval() if difference is not None else (None, None)
    return {
        "verdict": figure.verdict.value,
        "reason": figure.reason,
        "ratio": None if difference is None else difference.ratio,
        "ratio_low": low,
        "ratio_high": high,
        "p_value": None if difference is None else difference.p_value,
        "adjusted_p": figure.adjusted_p,
        "floor": None if figure.floor is None else as_part(figure.floor),
    }


def side_document(side: Measured | None) -> dict[str, Any] | None:
    """One run's part of a cell."""
    if side is None:
        return None
    return {
        "status": side.result.status.value,
        "phase": side.result.phase.value if side.result.phase else None,
        "reason": side.result.reason,
        "figures": {aim.value: side_figure(side, aim) for aim in Aim},
    }


def side_figure(side: Measured, aim: Aim) -> dict[str, Any]:
    """A figure with its bounds and that of each trial: milliseconds, or bytes of memory."""
    found = estimate(side.stats, aim)
    return {
        "value": value_of(found),
        "low": found.low if found else None,
        "high": found.high if found else None,
        "trials": list(by_round(side.stats, aim).values()),
    }

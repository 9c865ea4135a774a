"""Runs for tests of `edgematrix compare`: stored ones, and cells with given figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.compare.judge import CompareOptions, Side, judge
from harness.compare.rows import Row, pair_up
from harness.results import Cell, CellResult, ReferenceProbe, Status
from harness.stats.cell import Measured, cell_stats
from tests.factories import by_round, cell, result, run, trial

CELLS = [cell(framework, cpus=1) for framework in ("pytorch", "jax", "onnxruntime")]
FRAMEWORKS = [cell(f"f{number}", cpus=1) for number in range(10)]
"""Cells of one kind."""
MODELS = [cell("jax", model=f"m{number}", cpus=1) for number in range(10)]
"""Cells each of its own kind."""


def write(
    folder: Path,
    results: Sequence[CellResult],
    probes: Mapping[int, ReferenceProbe] | None = None,
    **changes: object,
) -> Path:
    """Store a run."""
    of = run(results, **{"run_id": folder.name} | changes)
    (folder / "cells").mkdir(parents=True)
    (folder / "run.json").write_text(of.model_dump_json())
    for each in results:
        (folder / "cells" / f"{each.cell_id}.json").write_text(each.model_dump_json())
    for number, made in (probes or {}).items():
        (folder / "probes").mkdir(exist_ok=True)
        (folder / "probes" / f"{number}.json").write_text(made.model_dump_json())
    return folder


def again(of: Cell, count: int = 3, **changes: Any) -> CellResult:
    """The same cell measured again: other trials than those of `result`."""
    return result(of, [trial(of, index + 10, **changes) for index in range(count)])


def other(tmp_path: Path, results: Sequence[CellResult] | None = None, **changes: Any) -> Path:
    """A second run beside the base."""
    return write(tmp_path / "20260102-000000-bbbb", results or [again(of) for of in CELLS], **changes)


def failed(of: Cell, status: Status = Status.OOM) -> CellResult:
    died = [trial(of, index).model_copy(update={"status": status, "reason": "it died"}) for index in range(3)]
    return result(of, died)


@cache
def _measured(of: Cell, order: int) -> Measured:
    made = result(of, [trial(of, 0, iterations=10, order=order)])
    return Measured(result=made, stats=cell_stats(made))


def side(
    cells: Sequence[Cell],
    figures: Sequence[Sequence[float]],
    order: int,
    *,
    planned: int | None = None,
    probes: Mapping[int, ReferenceProbe] | None = None,
) -> Side:
    """A run whose cells have these figures, one a trial as all were planned: milliseconds, or bytes."""
    found = []
    for of, values in zip(cells, figures, strict=True):
        made, rounds = _measured(of, order), by_round(values)
        stats = replace(made.stats, medians_ms=rounds, rss_peaks=rounds, cold_starts_ms=rounds)
        planned_trials = planned or max(1, len(values))
        own = made.result.model_copy(update={"planned_trials": planned_trials})
        found.append(replace(made, result=own, stats=stats))
    return Side(run=run([each.result for each in found]), cells=tuple(found), probes=probes or {})


def judged(
    cells: Sequence[Cell],
    base: Sequence[Sequence[float]],
    new: Sequence[Sequence[float]],
    options: CompareOptions | None = None,
) -> tuple[Row, ...]:
    """The verdicts on cells with these figures."""
    sides = side(cells, base, 0), side(cells, new, 1)
    return judge(pair_up(sides[0].cells, sides[1].cells), sides, options or CompareOptions())

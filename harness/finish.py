"""What a session leaves beside the trials: the cells' results, the run's record, the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.derive import derive_cell, is_settled
from harness.errors import UnsupportedError
from harness.events import unheard
from harness.report import write_report
from harness.results import CellResult, Status
from harness.store import point_latest
from harness.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.errors import EdgematrixError
    from harness.events import Listener
    from harness.plan import Plan
    from harness.results import Cell, Expectation
    from harness.runs import Protocol, Run
    from harness.stopping import Stop
    from harness.store import RunStore
    from harness.trial import Bench


def write_results(
    store: RunStore, run: Run, cells: Sequence[CellResult], listener: Listener = unheard
) -> Path:
    """Write what is derived from the trials, and let `latest` lead to it.

    Returns:
        The report's page.
    """
    report = write_derived(store, run, cells, listener)
    point_latest(store.folder.parent, run.run_id)
    return report


def write_derived(store: RunStore, run: Run, cells: Sequence[CellResult], listener: Listener) -> Path:
    """Write the cells' files, the run's and the report.

    Returns:
        The report's page.
    """
    for cell in cells:
        store.write_cell(cell)
    store.write_run(run)
    return write_report(store.folder, listener=listener)


def sum_up(
    plan: Plan,
    store: RunStore,
    bench: Bench,
    stop: Stop,
    expectation: Callable[[Cell], Expectation | None],
) -> tuple[CellResult, ...]:
    """The result of every planned cell: measured, skipped, or never possible, with what was expected of it."""
    return tuple(
        result.model_copy(update={"expected": expectation(result.cell)})
        for result in _results(plan, store, bench, stop)
    )


def _results(plan: Plan, store: RunStore, bench: Bench, stop: Stop) -> Iterator[CellResult]:
    protocol, probes = bench.run.protocol, store.read_probes()
    over = protocol.max_time_s is not None and bench.run.run_s >= protocol.max_time_s
    for planned in plan.cells:
        cell = planned.cell
        trials = store.read_trials(cell.id)
        if planned.skip_reason is not None:
            yield _never_run(cell, Status.SKIPPED, planned.skip_reason, protocol)
        elif (failure := bench.supplies.failure(cell)) is not None and not trials:
            unsupported = isinstance(failure, UnsupportedError)
            status = Status.UNSUPPORTED if unsupported else Status.BUILD_FAILED
            yield _never_run(cell, status, str(failure), protocol)
        elif stop.spent and not trials:
            reason = f"the budget of {format_duration(stop.budget_s or 0)} was spent before its first trial"
            yield _never_run(cell, Status.SKIPPED, reason, protocol)
        else:
            result = derive_cell(
                cell,
                trials,
                protocol=protocol,
                probes=probes,
                multiply_adds=bench.run.models[cell.model].count(cell),
                cut_short=stop.spent or (stop.budget_s is not None and is_settled(trials)),
                time_left=not (over or stop.spent),
            )
            yield result if failure is None else _cut_off(result, failure)


def _cut_off(result: CellResult, failure: EdgematrixError) -> CellResult:
    """The result of a cell that has trials and whose image or model cannot be made today: what is missing, and why."""
    if result.status is not Status.INTERRUPTED:
        return result
    return result.model_copy(update={"reason": f"{result.reason}; {failure}"})


def _never_run(cell: Cell, status: Status, reason: str, protocol: Protocol) -> CellResult:
    """The result of a cell without trials."""
    return CellResult(
        cell=cell, cell_id=cell.id, status=status, reason=reason, planned_trials=protocol.trials
    )

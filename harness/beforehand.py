"""What can be wrong with a command's options, found before the engine is asked for anything: a build takes minutes."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import harness
from harness.errors import StoreError
from harness.runs import RunState
from harness.store import RunStore, open_run, readable_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.intake import Options
    from harness.plan import Plan
    from harness.runs import Run


def check_options(options: Options, plan: Plan) -> None:
    """See that a run could be stored, and that there is one to go on with where the options ask for that.

    Args:
        options: of the command line.
        plan: the cells that are asked for.

    Raises:
        StoreError: it could not, or there is none.
    """
    if options.run_id is not None:
        run = open_run(options.reports, options.run_id).read_run()
        refuse_complete(run, options)
        if differing := list(_departures(run, plan)):
            raise not_the_same(options.run_id, differing)
    if options.retry and not any(
        RunStore(options.reports / run_id).ended_as(options.retry) for run_id in _candidates(options, plan)
    ):
        raise nothing_to_retry(options)
    reports = options.reports
    require_writable(next(folder for folder in (reports, *reports.parents) if folder.exists()))


def _candidates(options: Options, plan: Plan) -> Iterator[str]:
    """The runs in which a trial could be tried once more."""
    if options.run_id is not None:
        yield open_run(options.reports, options.run_id).folder.name
    else:
        yield from (run.run_id for run in readable_runs(options.reports) if not any(_departures(run, plan)))


def _departures(run: Run, plan: Plan) -> Iterator[str]:
    """What is known already to keep a run from going on, in words; of controls, images and the host nothing is yet."""
    if not {each.cell.id for each in plan.cells} <= set(run.cells):
        yield "the cells"
    if run.protocol != plan.protocol:
        yield "the protocol"
    if run.harness_version != harness.__version__:
        yield "the version of edgematrix"


def require_writable(folder: Path) -> None:
    """See that files can be written to a folder.

    Raises:
        StoreError: they cannot.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(
            f"nothing can be written to {folder}: {error.strerror}",
            fix="name a folder that exists and is yours",
        ) from error


def refuse_complete(run: Run, options: Options) -> None:
    """Refuse to go on with a run that has nothing left to do.

    Raises:
        StoreError: it is complete, and nothing of it is to be tried again.
    """
    if run.state is RunState.COMPLETE and not options.retry:
        raise StoreError(
            f"run {options.run_id} is complete",
            fix="leave --run-id away to start a new run, or name what to try again: --retry oom",
        )


def not_the_same(run_id: str, differing: Sequence[str]) -> StoreError:
    """The refusal of a run that trials of today would not belong to, with what differs."""
    return StoreError(
        f"run {run_id} cannot go on: it is not the same measurement any more",
        why=f"it differs from today's in {', '.join(differing)}",
        fix="leave --run-id away to start a new run",
    )


def nothing_to_retry(options: Options) -> StoreError:
    """The refusal to try again what never ended so."""
    words = " or ".join(sorted(options.retry))
    if options.run_id is not None:
        return StoreError(
            f"run {options.run_id} has no trial that ended as {words}",
            fix="name another run, or leave --run-id away: the newest that has one is taken",
        )
    return StoreError(
        f"no run that could go on has a trial that ended as {words}",
        why="only one of the same cells, protocol, images, models and version of edgematrix on the same host goes on",
        fix="leave --retry away, or name a run with --run-id to be told what differs",
    )

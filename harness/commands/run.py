"""`edgematrix run`: measuring, and the last lines about it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from harness.commands.options import (
    complete_run_ids,
    matrix_options,
    read_statuses,
    read_time,
    reports_option,
    talk_options,
)
from harness.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results import Status
    from harness.session import Finished


EXAMPLES = """\b
Examples:
  edgematrix run --quick                  an answer in about two minutes
  edgematrix run night.yaml --budget 8h   as much as a night bears
  edgematrix run --only 'jax.*.c2.*'      some cells: `edgematrix plan --ids`
  edgematrix run --retry oom,timeout      once more what failed so
"""


@click.command(epilog=EXAMPLES)
@matrix_options
@reports_option
@click.option(
    "--run-id",
    metavar="ID",
    shell_complete=complete_run_ids,
    help="Go on with this unfinished run, or with `latest`.",
)
@click.option("--force", is_flag=True, help="Measure everything anew, even if an unfinished run fits.")
@click.option(
    "--retry",
    callback=read_statuses,
    metavar="STATUS,...",
    help="Run trials that ended so once more, in the newest fitting run that has one, or in --run-id.",
)
@click.option(
    "--budget",
    callback=read_time,
    metavar="TIME",
    help="Begin no trial after this time of measuring, such as 2h.",
)
@talk_options
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines, the summary last.")
def run(
    matrix: Path,
    quick: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    shard: tuple[int, int],
    reports: Path,
    run_id: str | None,
    force: bool,
    retry: frozenset[Status],
    budget: float | None,
    talk: str | None,
    as_json: bool,
) -> None:
    """Measure MATRIX and write the report; goes on with the newest unfinished run of the same plan."""
    from harness.intake import Options
    from harness.progress import choose_display
    from harness.quick import QUICK_S
    from harness.session import run_matrix

    if force and (retry or run_id):
        raise click.UsageError("--force starts a new run: leave out --retry and --run-id, or leave it out")
    options = Options(
        matrix=matrix,
        reports=reports,
        only=only,
        skip=skip,
        run_id=run_id,
        force=force,
        retry=retry,
        budget_s=QUICK_S if quick and budget is None else budget,
        shard=shard,
        quick=quick,
    )
    try:
        with choose_display(talk, as_json=as_json) as display:
            finished = run_matrix(options, display)
    except KeyboardInterrupt:
        click.echo("interrupted; what is finished is kept, and the same command goes on from there", err=True)
        raise
    summarize(finished, as_json=as_json)
    if any(not cell.as_expected for cell in finished.cells):
        sys.exit(ExitCode.CELLS_FAILED)


def summarize(finished: Finished, *, as_json: bool) -> None:
    """The last lines of a run: what came out, and what to open."""
    from harness.runs import RunState
    from harness.units import format_duration

    counts: dict[str, int] = {}
    for cell in finished.cells:
        counts[cell.status] = counts.get(cell.status, 0) + 1
    if as_json:
        document: dict[str, Any] = {
            "kind": "run_ended",
            "run_id": finished.run.run_id,
            "state": finished.run.state,
            "cells": counts,
            "setup_s": finished.setup_s,
            "run_s": finished.run.run_s,
            "report": str(finished.report),
        }
        click.echo(json.dumps(document))
        return
    for cell in finished.cells:
        if not cell.as_expected:
            hoped = f"expected {cell.expected.status} ({cell.expected.reason})" if cell.expected else ""
            words = "; ".join(filter(None, (cell.reason, hoped)))
            click.echo(f"{cell.status:<20} {cell.cell_id}: {words}", err=True)
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    noun = "cell" if len(finished.cells) == 1 else "cells"
    click.echo(
        f"{len(finished.cells)} {noun}: {words}; set-up {format_duration(finished.setup_s)}, "
        f"run {format_duration(finished.run.run_s)}",
        err=True,
    )
    if finished.run.state is not RunState.COMPLETE:
        click.echo("not everything is measured: the same command goes on from there", err=True)
    click.echo(f"open {finished.report}", err=True)

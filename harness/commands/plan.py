"""`edgematrix plan`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import click

from harness.commands.options import matrix_options, reports_option

if TYPE_CHECKING:
    from pathlib import Path


EXAMPLES = """\b
Examples:
  edgematrix plan                        matrix.yaml in this folder
  edgematrix plan --only 'jax.*' --ids   what a selector takes
  edgematrix plan night.yaml --json      for programs
"""


@click.command(epilog=EXAMPLES)
@matrix_options
@reports_option
@click.option("--ids", is_flag=True, help="Print the ids of the cells, one a line, for --only and --skip.")
@click.option("--json", "as_json", is_flag=True, help="Print the cells as JSON.")
def plan(
    matrix: Path,
    quick: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    shard: tuple[int, int],
    reports: Path,
    ids: bool,
    as_json: bool,
) -> None:
    """Show the cells of MATRIX as a grid, and how long they will take; starts nothing and needs no engine.

    The name of a column follows framework and model in the ids of its cells.
    """
    from harness.article.replay import count_sittings
    from harness.grid import estimate, grid_lines
    from harness.intake import Options, plan_matrix
    from harness.places import PLACES
    from harness.plan import describe, with_controls
    from harness.quick import QUICK_S
    from harness.store import readable_runs

    options = Options(matrix=matrix, reports=reports, only=only, skip=skip, shard=shard, quick=quick)
    read, planned = plan_matrix(options)
    whole = with_controls(planned, read.baseline)
    if as_json:
        click.echo(json.dumps(describe(whole), indent=1))
    elif ids:
        for row in describe(planned):
            click.echo(row["id"] + (f"  skipped: {row['skip_reason']}" if row["skip_reason"] else ""))
    else:
        for line in grid_lines(whole, shutil.get_terminal_size().columns):
            click.echo(line)
    expected = estimate(
        whole,
        readable_runs(reports),
        budget_s=QUICK_S if quick else None,
        sittings=count_sittings(whole.protocol, PLACES.images),
    )
    click.echo(str(expected), err=True)

"""`edgematrix publish`: the runs as a static site."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from harness.commands.options import complete_run_ids, reports_option

if TYPE_CHECKING:
    from pathlib import Path

    from harness.errors import StoreError


EXAMPLES = """\b
Examples:
  edgematrix publish                        all runs
  edgematrix publish 20260314-092653-7f3a   one run, beside those that are published already
"""


@click.command(epilog=EXAMPLES)
@click.argument("run_ids", nargs=-1, metavar="[RUN_ID]...", shell_complete=complete_run_ids)
@reports_option
def publish(run_ids: tuple[str, ...], reports: Path) -> None:
    """Make REPORTS/site, a static site of all runs, or of RUN_ID beside those that are published already.

    The site works under any address and opens from disk: an index, the page of each run, comparisons, the history of
    every cell, badges and data for programs. What is published stays, until its folder in site/runs is removed. RUN_ID
    may be `latest`.
    """
    from harness.site import publish as make_site
    from harness.units import counted, format_memory

    published = make_site(reports, run_ids, Teller())
    click.echo(
        f"{counted(published.runs, 'run')} on {counted(published.hosts, 'host')}, "
        f"{counted(published.comparisons, 'comparison')}, {format_memory(published.size_bytes)}",
        err=True,
    )
    click.echo(published.page)


class Teller:
    """Says on a terminal how far it is, and everywhere what is left out."""

    def read(self, done: int, total: int) -> None:
        """Draw over the line before."""
        if sys.stderr.isatty():
            click.echo(f"\rreading run {done + 1} of {total}", err=True, nl=done + 1 == total)

    def left_out(self, run_id: str, error: StoreError, *, stays: bool) -> None:
        """Name the run and its reason, on a line of its own."""
        from harness.report.formats import visible

        start = "\r\033[K" if sys.stderr.isatty() else ""
        how = "not published anew, and kept as it was" if stays else "not published"
        click.echo(f"{start}{how}: {visible(run_id)}: {visible(error.what)}", err=True)

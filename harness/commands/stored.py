"""Work on runs that are there: `edgematrix report`, `merge` and `compare`."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from harness.commands.options import ANY_PATH, complete_run_ids, complete_runs, reports_option
from harness.errors import ExitCode, StoreError

if TYPE_CHECKING:
    from pathlib import Path

REPORT_EXAMPLES = """\b
Examples:
  edgematrix report                                        of the newest run
  edgematrix report 20260314-092653-7f3a --parquet         of one run, with a table for pandas
  edgematrix report --markdown >> "$GITHUB_STEP_SUMMARY"   in a workflow
"""

MERGE_EXAMPLES = """\b
Examples:
  edgematrix merge 20260314-092653-7f3a latest      two runs that are here
  edgematrix merge latest ../other/reports/latest   one that another machine has left
"""

COMPARE_EXAMPLES = """\b
Examples:
  edgematrix compare 20260314-092653-7f3a latest                    before and now
  edgematrix compare main/reports/latest latest --allow images      what a new version does
  edgematrix compare 20260314-092653-7f3a latest --html page.html   as a page too
"""


@click.command(epilog=REPORT_EXAMPLES)
@click.argument("run_id", required=False, shell_complete=complete_run_ids)
@reports_option
@click.option("--parquet", is_flag=True, help="Write results.parquet as well; needs pyarrow.")
@click.option(
    "--cell-pages",
    is_flag=True,
    help="Make a page of each cell in a run of more than 500 as well; takes longer.",
)
@click.option(
    "--markdown", "as_text", is_flag=True, help="Print the run as Markdown instead, for a step summary."
)
def report(run_id: str | None, reports: Path, *, parquet: bool, cell_pages: bool, as_text: bool) -> None:
    """Write the report of run RUN_ID, of `latest`, or of the newest, anew from its files."""
    from harness.progress import choose_display
    from harness.report import read_view, write_report
    from harness.report.digest import as_markdown
    from harness.store import open_run, stored_runs

    store = open_run(reports, run_id) if run_id else next(stored_runs(reports), None)
    if store is None:
        raise StoreError(f"there is no run in {reports}", fix="make one: edgematrix run matrix.yaml")
    with choose_display() as display:
        made = (
            as_markdown(read_view(store.folder, display))
            if as_text
            else write_report(store.folder, parquet=parquet, cell_pages=cell_pages, listener=display)
        )
    click.echo(made)


@click.command(epilog=MERGE_EXAMPLES)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_runs)
@reports_option
def merge(runs: tuple[str, ...], reports: Path) -> None:
    """Put RUNs of several shards of one matrix together to a new run; exits with 7 where they do not belong together.

    RUNs are run ids, or folders of runs that other machines have left.
    """
    from harness.merge import merge_runs
    from harness.progress import choose_display
    from harness.store import find_run

    with choose_display() as display:
        page = merge_runs([find_run(reports, name).folder for name in runs], reports, display)
    click.echo(page)


@click.command(epilog=COMPARE_EXAMPLES)
@click.argument("base", shell_complete=complete_runs)
@click.argument("new", shell_complete=complete_runs)
@reports_option
@click.option(
    "--figure",
    type=click.Choice(["latency", "memory", "start"]),
    default="latency",
    show_default=True,
    help="What is judged: the median latency, the resident peak, or the time to the first answer.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1000),
    default=5,
    show_default=True,
    metavar="PERCENT",
    help="The smallest difference that counts; the A/A floor where that is larger.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["host", "limits", "images", "models", "protocol"]),
    help="Compare although this differs, because it is what you mean to see; repeatable.",
)
@click.option(
    "--html",
    "page",
    type=ANY_PATH,
    metavar="FILE",
    help="Write it as a page too; takes the place of no file but such a page.",
)
@click.option("--markdown", "as_text", is_flag=True, help="Print Markdown, for a comment on a change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare(
    base: str,
    new: str,
    reports: Path,
    figure: str,
    threshold: float,
    allow: tuple[str, ...],
    page: Path | None,
    as_text: bool,
    as_json: bool,
) -> None:
    """Compare run NEW with run BASE, cell by cell; exits with 6 where one became worse or failed.

    BASE and NEW are run ids, `latest`, or folders of runs.
    """
    from harness.compare import CompareOptions, compare_runs
    from harness.compare.document import as_document
    from harness.compare.page import refuse_foreign, render
    from harness.compare.refuse import Kind
    from harness.compare.render import as_lines, as_markdown
    from harness.progress import choose_display
    from harness.stats.noise import Aim
    from harness.store import find_run, write_atomically

    if as_text and as_json:
        raise click.UsageError("--markdown and --json exclude each other: ask for one form")
    if page is not None:
        refuse_foreign(page)
    options = CompareOptions(
        aim=Aim(figure), threshold=threshold / 100, allowed=frozenset(Kind(name) for name in allow)
    )
    folders = find_run(reports, base).folder, find_run(reports, new).folder
    with choose_display() as display:
        compared = compare_runs(*folders, options, display)
    if page is not None:
        write_atomically(page, render(compared))
    if as_json:
        click.echo(json.dumps(as_document(compared), indent=1))
    elif as_text:
        click.echo(as_markdown(compared))
    else:
        for line in as_lines(compared, shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
            click.echo(line)
    if compared.regressed:
        sys.exit(ExitCode.REGRESSION)

"""The command line: the only place that prints results and turns errors into exit codes."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from harness import __version__
from harness.errors import ConfigError, EdgematrixError, ExitCode, StoreError
from harness.option_words import read_shard, read_statuses, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.results import Status
    from harness.session import Finished

# The engine's client, pandas and the report are imported where they are used: help and mistakes answer at once.

EPILOG = (
    "Exit codes: 0 every cell ended as expected; 3 some cell did not; 4 the matrix or an option is wrong; "
    "5 the environment cannot do it; 6 compare found a regression; 7 compare refuses; 130 interrupted."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="edgematrix")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Measure inference runtimes in fresh containers under real CPU and memory limits."""
    del debug  # read in main(), which has to know it whatever fails


def matrix_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that reads a matrix."""
    for option in (
        click.option(
            "--shard",
            callback=read_shard,
            default="1/1",
            metavar="I/N",
            help="Take part I of N of the cells; `edgematrix merge` puts the runs together.",
        ),
        click.option("--skip", multiple=True, metavar="GLOB", help="Leave out cells by id; repeatable."),
        click.option(
            "--only", multiple=True, metavar="GLOB", help="Take only these cells, by id; repeatable."
        ),
        click.argument("matrix", type=click.Path(path_type=Path), default="matrix.yaml"),
    ):
        command = option(command)
    return command


reports_option = click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default="reports",
    show_default=True,
    help="Folder of all runs.",
)


@cli.command()
@click.option("--quick", is_flag=True, help="Leave out the noise figure, which takes 20 s.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(quick: bool, as_json: bool) -> None:
    """Show whether the engine's host is fit to measure on, and how noisy it is; changes nothing on it."""
    from harness.doctor import as_document, as_lines, examine  # noqa: PLC0415
    from harness.progress import choose_display  # noqa: PLC0415

    with choose_display(as_json=False) as display:
        diagnosis = examine(quick=quick, listener=display)
    if as_json:
        click.echo(json.dumps(as_document(diagnosis), indent=1))
    else:
        for line in as_lines(diagnosis):
            click.echo(line)
    if not diagnosis.possible:
        sys.exit(ExitCode.ENVIRONMENT)


@cli.command()
@matrix_options
@reports_option
@click.option("--ids", is_flag=True, help="Print the ids of the cells, one a line, for --only and --skip.")
@click.option("--json", "as_json", is_flag=True, help="Print the cells as JSON.")
def plan(
    matrix: Path,
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
    from harness.grid import estimate, grid_lines  # noqa: PLC0415
    from harness.intake import Options, plan_matrix  # noqa: PLC0415
    from harness.plan import describe, with_controls  # noqa: PLC0415
    from harness.store import readable_runs  # noqa: PLC0415

    read, planned = plan_matrix(Options(matrix=matrix, reports=reports, only=only, skip=skip, shard=shard))
    whole = with_controls(planned, read.baseline)
    if as_json:
        click.echo(json.dumps(describe(whole), indent=1))
    elif ids:
        for row in describe(whole):
            click.echo(row["id"] + (f"  skipped: {row['skip_reason']}" if row["skip_reason"] else ""))
    else:
        for line in grid_lines(whole, shutil.get_terminal_size().columns):
            click.echo(line)
    click.echo(str(estimate(whole, readable_runs(reports))), err=True)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def build(names: tuple[str, ...]) -> None:
    """Build the images of the frameworks NAME, or of all; what is up to date is skipped."""
    from harness.build import build_images  # noqa: PLC0415
    from harness.catalog import ARTICLE_IMAGES, SUPPORT_IMAGES, load_frameworks  # noqa: PLC0415
    from harness.engine import Engine  # noqa: PLC0415
    from harness.engine_connection import connect  # noqa: PLC0415
    from harness.errors import BuildError  # noqa: PLC0415
    from harness.intake import ROOT  # noqa: PLC0415
    from harness.progress import choose_display  # noqa: PLC0415
    from harness.supplies import step_listener  # noqa: PLC0415
    from harness.units import format_memory  # noqa: PLC0415

    known = load_frameworks(ROOT / "images")
    if unknown := [name for name in names if name not in {*known, *SUPPORT_IMAGES, *ARTICLE_IMAGES}]:
        raise ConfigError(
            f"no framework is called {unknown[0]!r}", fix=f"write one of {', '.join(sorted(known))}"
        )
    client = connect()
    Engine(client, purpose="edgematrix build").refuse_if_held()
    with choose_display(as_json=False) as display:
        built = build_images(
            client, names or [*SUPPORT_IMAGES, *known], root=ROOT, on_event=step_listener(display)
        )
    failed = [result for result in built.values() if isinstance(result, BuildError)]
    for name, result in built.items():
        if not isinstance(result, BuildError):
            click.echo(f"{result.tag:<36} {format_memory(result.size_bytes):>10}  {name}")
    if failed:
        raise failed[0]


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def models(as_json: bool) -> None:
    """List the prepared models on the engine with size and hash; `clean` removes them."""
    from harness.artefacts import list_artefacts  # noqa: PLC0415
    from harness.engine_connection import connect  # noqa: PLC0415
    from harness.intake import ROOT  # noqa: PLC0415
    from harness.progress import choose_display  # noqa: PLC0415
    from harness.units import format_memory  # noqa: PLC0415

    with choose_display(as_json=False) as display:
        found = list_artefacts(connect(), root=ROOT, listener=display)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for each in found:
        size = "unfinished" if each["size_bytes"] is None else format_memory(each["size_bytes"])
        click.echo(f"{each['holds']:<44} {size:>10}  {(each['hash'] or '')[:16]:<16}  {each['volume']}")
    total = sum(each["size_bytes"] or 0 for each in found)
    click.echo(f"{len(found)} volumes, {format_memory(total)}; `edgematrix clean` removes them", err=True)


@cli.command()
@matrix_options
@reports_option
@click.option("--run-id", metavar="ID", help="Go on with this unfinished run.")
@click.option("--force", is_flag=True, help="Measure everything anew, even if an unfinished run fits.")
@click.option(
    "--retry",
    callback=read_statuses,
    default="",
    metavar="STATUS,...",
    help="Run trials that ended so once more, in the newest run that fits or in --run-id.",
)
@click.option(
    "--budget",
    callback=read_time,
    metavar="TIME",
    help="Begin no trial after this time of measuring, such as 2h.",
)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines, the summary last.")
def run(
    matrix: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    shard: tuple[int, int],
    reports: Path,
    run_id: str | None,
    force: bool,
    retry: frozenset[Status],
    budget: float | None,
    as_json: bool,
) -> None:
    """Measure MATRIX and write the report; goes on with the newest unfinished run of the same plan."""
    from harness.intake import Options  # noqa: PLC0415
    from harness.progress import choose_display  # noqa: PLC0415
    from harness.session import run_matrix  # noqa: PLC0415

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
        budget_s=budget,
        shard=shard,
    )
    try:
        with choose_display(as_json=as_json) as display:
            finished = run_matrix(options, display)
    except KeyboardInterrupt:
        click.echo("interrupted; what is finished is kept, and the same command goes on from there", err=True)
        raise
    summarize(finished, as_json=as_json)
    if any(not cell.as_expected for cell in finished.cells):
        sys.exit(ExitCode.CELLS_FAILED)


@cli.command()
@click.argument("run_id", required=False)
@reports_option
def report(run_id: str | None, reports: Path) -> None:
    """Write the report of run RUN_ID, or of the newest, anew from its files."""
    from harness.report import write_report  # noqa: PLC0415
    from harness.store import open_run, stored_runs  # noqa: PLC0415

    store = open_run(reports, run_id) if run_id else next(stored_runs(reports), None)
    if store is None:
        raise StoreError(f"there is no run in {reports}", fix="make one: edgematrix run matrix.yaml")
    click.echo(write_report(store.folder))


@cli.command()
@click.argument("base")
@click.argument("new")
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
@click.option("--markdown", "as_text", is_flag=True, help="Print Markdown, for a comment on a change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare(
    base: str,
    new: str,
    reports: Path,
    figure: str,
    threshold: float,
    allow: tuple[str, ...],
    as_text: bool,
    as_json: bool,
) -> None:
    """Compare run NEW with run BASE, cell by cell; exits with 6 where one became worse or failed.

    BASE and NEW are run ids, `latest`, or folders of runs.
    """
    from harness.compare import CompareOptions, compare_runs  # noqa: PLC0415
    from harness.compare.document import as_document  # noqa: PLC0415
    from harness.compare.refuse import Kind  # noqa: PLC0415
    from harness.compare.render import as_lines, as_markdown  # noqa: PLC0415
    from harness.stats.noise import Aim  # noqa: PLC0415
    from harness.store import find_run  # noqa: PLC0415

    if as_text and as_json:
        raise click.UsageError("--markdown and --json exclude each other: ask for one form")
    options = CompareOptions(
        aim=Aim(figure), threshold=threshold / 100, allowed=frozenset(Kind(name) for name in allow)
    )
    compared = compare_runs(find_run(reports, base).folder, find_run(reports, new).folder, options)
    if as_json:
        click.echo(json.dumps(as_document(compared), indent=1))
    elif as_text:
        click.echo(as_markdown(compared))
    else:
        for line in as_lines(compared, shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
            click.echo(line)
    if compared.regressed:
        sys.exit(ExitCode.REGRESSION)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    For bash, in ~/.bashrc: eval "$(edgematrix completion bash)"
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "edgematrix", "_EDGEMATRIX_COMPLETE").source())


@cli.group()
def new() -> None:
    """Write a commented start to go on from."""


@new.command("matrix")
@click.argument("file", type=click.Path(path_type=Path), default="matrix.yaml")
def new_matrix(file: Path) -> None:
    """Write a matrix to FILE that runs as it is and explains every key; never over a file that is there."""
    from harness.starts import write_matrix  # noqa: PLC0415

    write_matrix(file)
    click.echo(f"wrote {file}; try: edgematrix plan {file}", err=True)


@cli.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@reports_option
def merge(runs: tuple[str, ...], reports: Path) -> None:
    """Put RUNs of several shards of one matrix together to a new run; exits with 7 where they do not belong together.

    RUNs are run ids, or folders of runs that other machines have left.
    """
    from harness.merge import merge_runs  # noqa: PLC0415
    from harness.store import find_run  # noqa: PLC0415

    click.echo(merge_runs([find_run(reports, name).folder for name in runs], reports))


@cli.command()
def clean() -> None:
    """Remove this project's containers, volumes and images from the engine; reports stay."""
    from harness.cleaning import clean_engine  # noqa: PLC0415
    from harness.engine import Engine, translated  # noqa: PLC0415
    from harness.engine_connection import connect  # noqa: PLC0415

    client = connect()
    Engine(client, purpose="edgematrix clean").refuse_if_held()
    with translated("not everything could be removed"):
        for line in clean_engine(client):
            click.echo(f"removed {line}", err=True)


def summarize(finished: Finished, *, as_json: bool) -> None:
    """The last lines of a run: what came out, and what to open."""
    from harness.runs import RunState  # noqa: PLC0415
    from harness.units import format_duration  # noqa: PLC0415

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


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code; the only place that catches the project's errors."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # A closed terminal and a polite kill end a run as Ctrl-C does: results kept, no container left.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asked for it
            signal.signal(number, signal.default_int_handler)
    try:
        cli(words, prog_name="edgematrix", standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.CONFIG)
    except (KeyboardInterrupt, click.Abort, BrokenPipeError):
        sys.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        fail(StoreError(f"a file or a stream cannot be used: {error}"), words)
    except EdgematrixError as error:
        fail(error, words)
    sys.exit(ExitCode.OK)


def fail(error: EdgematrixError, words: Sequence[str]) -> NoReturn:
    """Print an error, with its traceback on request, and exit with its code."""
    if "--debug" in words:
        traceback.print_exc()
    click.echo(f"edgematrix: {error}", err=True)
    sys.exit(error.exit_code)

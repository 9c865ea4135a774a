"""The command line: the only place that prints results and turns errors into exit codes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click

from harness import __version__
from harness.commands.doctor import doctor
from harness.commands.images import images
from harness.commands.plan import plan
from harness.commands.publish import publish
from harness.commands.run import run
from harness.commands.start import completion, new
from harness.commands.stored import compare, merge, report
from harness.commands.supplies import build, clean, models
from harness.errors import EdgematrixError, ExitCode, FaultError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EPILOG = "Exit codes: " + "; ".join(f"{code:d} {code.meaning}" for code in ExitCode) + "."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(__version__, prog_name="edgematrix")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Measure inference runtimes in fresh containers under real CPU and memory limits."""
    del debug  # read in main(), which has to know it whatever fails


ON_ENGINES = (doctor, build, images, models, run, clean)
ON_FILES = (new, plan, report, compare, merge, publish, completion)
for command in (*ON_ENGINES, *ON_FILES):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code; the only place that catches the project's errors."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_closed_streams()
    # A closed terminal and a polite kill end a run as Ctrl-C does: results kept, no container left.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asked for it
            signal.signal(number, signal.default_int_handler)
    try:
        cli(words, prog_name="edgematrix", standalone_mode=False)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        with telling():
            error.show()
        sys.exit(ExitCode.CONFIG)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(ExitCode.INTERRUPTED)
    except SystemExit as leave:
        # A closed pipe comes from click as code 1, which no command of ours ends with.
        sys.exit(ExitCode.INTERRUPTED if leave.code == 1 else leave.code)
    except OSError as error:
        fail(
            StoreError(
                f"a file or a stream cannot be used: {error}",
                why="it cannot be read or written, or what it is written to is full or closed",
                fix="check free space, permissions and where the output goes, then type the command again",
            ),
            words,
        )
    except EdgematrixError as error:
        fail(error, words)
    except Exception as error:  # noqa: BLE001 - whatever nobody foresaw is told as a fault of ours
        fail(FaultError(error), words)
    sys.exit(ExitCode.OK)


def open_closed_streams() -> None:
    """Let what is told on a stream that was closed before the start go nowhere, as a job of cron may ask."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Opened by its number, which is the one that was closed, and which belongs to the process till its end.
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8", closefd=False))


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Tell an error, and keep its exit code where a stream cannot be written: Python's own would take its place."""
    with contextlib.suppress(OSError):
        yield
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except OSError:
            setattr(sys, name, io.StringIO())


def fail(error: EdgematrixError, words: Sequence[str]) -> NoReturn:
    """Print an error, with its traceback on request, and exit with its code."""
    with telling():
        if "--debug" in words:
            traceback.print_exc()
        click.echo(f"edgematrix: {error}", err=True)
    sys.exit(error.exit_code)

"""Options that several commands have, and how their words are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from harness.units import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.catalog import FrameworkSpec
    from harness.results import Status

ANY_PATH: Final = click.Path(readable=False, path_type=Path)
"""Readable or not: whoever reads it says what is wrong and what to do, as click does not."""


def known_frameworks(names: Iterable[str]) -> Mapping[str, FrameworkSpec]:
    """All frameworks, also those beside the matrix of this folder.

    Raises:
        ConfigError: one of `names` is no image.
    """
    from harness.catalog import load_catalog
    from harness.errors import ConfigError
    from harness.names import ARTICLE_IMAGES, SUPPORT_IMAGES

    known = load_catalog(Path()).frameworks
    if unknown := [name for name in names if name not in {*known, *SUPPORT_IMAGES, *ARTICLE_IMAGES}]:
        raise ConfigError(
            f"no framework is called {unknown[0]!r}", fix=f"write one of {', '.join(sorted(known))}"
        )
    return known


def read_statuses(_: click.Context, __: click.Parameter, text: str | None) -> frozenset[Status]:
    """Endings of trials, with commas between them; an empty text is a mistake, such as a variable without a value."""
    from harness.results import EXPECTABLE, Status

    # What could not be built is built by every run.
    known = {status.value: status for status in EXPECTABLE if status is not Status.BUILD_FAILED}
    words = [] if text is None else text.split(",")
    for word in words:
        if word not in known:
            raise click.BadParameter(f"{word!r} is none of {', '.join(known)}")
    return frozenset(known[word] for word in words)


def read_time(_: click.Context, __: click.Parameter, text: str | None) -> float | None:
    """A time with its unit, as in a matrix, in seconds."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_shard(_: click.Context, __: click.Parameter, text: str) -> tuple[int, int]:
    """A part of a whole, such as `1/3`."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise click.BadParameter(f"{text!r} is no part of a whole; write 1/3, 2/3 or 3/3")
    return int(found[1]), int(found[2])


def complete_run_ids(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """The runs that a shell offers, the newest first, and `latest`; none where the folder of runs cannot be read."""
    from harness.errors import StoreError
    from harness.store import LATEST, stored_runs

    try:
        names = [store.folder.name for store in stored_runs(Path(context.params.get("reports") or "reports"))]
    except (OSError, StoreError):
        return []
    return [CompletionItem(name) for name in (LATEST, *names) if names and name.startswith(begun)]


def complete_runs(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """The same for a command that takes folders as well: those, where no run begins like this."""
    return complete_run_ids(context, parameter, begun) or [CompletionItem(begun, type="dir")]


def matrix_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that reads a matrix."""
    for option in (
        click.option(
            "--quick",
            is_flag=True,
            help="A quick look, about two minutes: three short trials under the smallest and the largest limit.",
        ),
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
        click.argument("matrix", type=ANY_PATH, default="matrix.yaml"),
    ):
        command = option(command)
    return command


reports_option = click.option(
    "--reports",
    type=ANY_PATH,
    default="reports",
    show_default=True,
    help="Folder of all runs.",
)


def talk_options(command: Callable[..., None]) -> Callable[..., None]:
    """How much a command that takes long says meanwhile."""
    quiet = click.option("-q", "--quiet", "talk", flag_value="quiet", help="Say only what goes wrong.")
    verbose = click.option("-v", "--verbose", "talk", flag_value="verbose", help="Tell each phase, in lines.")
    return quiet(verbose(command))

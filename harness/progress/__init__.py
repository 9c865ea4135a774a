"""Progress for a terminal, a log file and a program. All of it goes to standard error but what a program reads."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console

from harness.progress.lines import JsonLines, PlainLines, TroubleLines
from harness.progress.live import LiveStatus

if TYPE_CHECKING:
    from harness.events import Event


class Display(Protocol):
    """Shows events; a context manager, so that a terminal is left as it was found."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def __call__(self, event: Event) -> None:
        """Show one event."""
        ...


class Talk(StrEnum):
    """How much is said while something takes long, where it is not the usual."""

    QUIET = "quiet"
    VERBOSE = "verbose"


def choose_display(talk: str | None = None, *, as_json: bool = False) -> Display:
    """JSON where asked, a live line on a terminal, plain lines elsewhere and where everything is to be told.

    Colours follow `NO_COLOR`, `FORCE_COLOR` and `TERM`, as rich reads them.

    Args:
        talk: a `Talk`, where the command line asked for one.
        as_json: events as JSON lines, whatever else was asked.
    """
    if as_json:
        return JsonLines()
    if talk == Talk.QUIET:
        return TroubleLines()
    console = Console(stderr=True)
    live = console.is_terminal and not console.is_dumb_terminal and talk != Talk.VERBOSE
    return LiveStatus(console) if live else PlainLines(every=talk == Talk.VERBOSE)

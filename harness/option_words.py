"""How the words of some command line options are read: callbacks for click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from harness.units import parse_duration

if TYPE_CHECKING:
    from harness.results import Status


def read_statuses(_: click.Context, __: click.Parameter, text: str) -> frozenset[Status]:
    """Endings of trials, with commas between them."""
    from harness.results import EXPECTABLE, Status  # noqa: PLC0415 - help and mistakes answer at once

    # What could not be built is built by every run.
    known = {status.value: status for status in EXPECTABLE if status is not Status.BUILD_FAILED}
    words = text.split(",") if text else []
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

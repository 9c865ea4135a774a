"""The first page of the site: all runs, host by host, the newest first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.formats import NAME_LIMIT, clip
from harness.runs import RunState
from harness.site.entry import by_host
from harness.site.trends import day
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report.proof import Badge
    from harness.site.changes import Change
    from harness.site.entry import Entry

UNFOLDED: Final = 15
"""Runs of a host that are in sight; older ones are folded."""
UNFOLDED_HOSTS: Final = 8
"""Hosts that are in sight: hosted runners, or kernels that are updated, make many."""


@dataclass(frozen=True)
class RunRow:
    """A run."""

    run_id: str
    when: str
    matrix: str
    state: str
    """Empty where it is complete."""
    fastest: tuple[str, ...]
    total: str
    limits: Badge
    change: str
    kind: str
    link: str
    """Of the comparison; empty without one."""


@dataclass(frozen=True)
class HostPart:
    """The runs of one host."""

    slug: str
    title: str
    detail: str
    total: str
    newest: tuple[RunRow, ...]
    older: tuple[RunRow, ...]


@dataclass(frozen=True)
class Index:
    """The whole page."""

    title: str
    lede: str
    hosts: tuple[HostPart, ...]
    older_hosts: tuple[HostPart, ...]
    unread: tuple[str, ...]
    """Runs that stay published, and that this version cannot read."""


def index(entries: Sequence[Entry], changes: Mapping[str, Change], unread: Sequence[str]) -> Index:
    """The page of all runs.

    Args:
        entries: the newest first; at least one.
        changes: each against the run before, by run id.
        unread: runs of which only the folder is known.
    """
    groups = by_host(entries)
    hosts = tuple(_host(slug, members, changes) for slug, members in groups.items())
    runs = counted(len(entries) + len(unread), "run")
    return Index(
        title="Published runs",
        lede=f"{runs} on {counted(len(groups), 'host')}, the newest of {day(entries[0])}.",
        hosts=hosts[:UNFOLDED_HOSTS],
        older_hosts=hosts[UNFOLDED_HOSTS:],
        unread=tuple(unread),
    )


def _host(slug: str, entries: Sequence[Entry], changes: Mapping[str, Change]) -> HostPart:
    rows = tuple(_row(entry, changes.get(entry.run_id)) for entry in entries)
    title, detail = entries[0].machine
    return HostPart(
        slug=slug,
        title=title,
        detail=detail,
        total=counted(len(entries), "run"),
        newest=rows[:UNFOLDED],
        older=rows[UNFOLDED:],
    )


def _row(entry: Entry, change: Change | None) -> RunRow:
    state = entry.run.state
    return RunRow(
        run_id=entry.run_id,
        when=day(entry),
        matrix=clip(entry.run.matrix_name, NAME_LIMIT),
        state="" if state is RunState.COMPLETE else state.value,
        fastest=entry.fastest,
        total=entry.total,
        limits=entry.limits,
        change="the first of its kind" if change is None else change.text,
        kind=change.kind if change else "",
        link=change.folder if change else "",
    )

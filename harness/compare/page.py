"""A comparison as a page: what differs beside the cells first, then every cell with its ratio drawn. Pure.

The words and the judgements are those of the table and the Markdown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from harness.compare.rows import REGRESSIONS, Verdict
from harness.compare.words import UNKNOWN as NOTHING
from harness.compare.words import floor_line, machine_line, row_texts, run_line, summary, words, worst_first
from harness.errors import ConfigError
from harness.report.formats import NAME_LIMIT, TIMES, UNKNOWN, clip
from harness.report.html import fill_page, is_page
from harness.report.provenance import host_line
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.compare.judge import Compared
    from harness.compare.rows import Figure, Row
    from harness.runs import Run

SHEET: Final = "site.css"
SPANS: Final = (1.1, 1.25, 1.5, 2.0, 4.0, 10.0, 100.0)
"""How many times smaller and larger than 1 the axis of the ratios reaches; what is off it lies at its end."""
WORSE: Final = "worse"
BETTER: Final = "better"
KINDS: Final = dict.fromkeys(REGRESSIONS, WORSE) | {Verdict.BETTER: BETTER, Verdict.FIXED: BETTER}
"""How a verdict is drawn, where it says that something changed."""
NOT_WORSE: Final = frozenset(
    {Verdict.FAILED_IN_BOTH, Verdict.FIXED, Verdict.BETTER, Verdict.SAME, Verdict.SKIPPED}
)
"""Verdicts that rule out that a cell became worse: the others leave it open, or say that it did."""


@dataclass(frozen=True)
class Links:
    """Addresses that the page may lead to, relative to itself."""

    base: str
    new: str
    index: str
    """Of all runs."""
    cells: Mapping[str, str]
    """The evidence of a cell, by its id, in the newer of the two runs that has it."""


@dataclass(frozen=True)
class Fact:
    """Something of both runs that is no figure of a cell."""

    name: str
    base: str
    new: str

    @property
    def differs(self) -> bool:
        """Whether it is not the same in both."""
        return self.base != self.new


@dataclass(frozen=True)
class Plot:
    """A ratio with its interval, and the band in which a difference does not count: percent of the width."""

    x: float
    low: float
    high: float
    band: tuple[float, float]


@dataclass(frozen=True)
class CellRow:
    """A cell: its texts by column, and its ratio where it has one."""

    texts: dict[str, str]
    plot: Plot | None


@dataclass(frozen=True)
class Group:
    """The cells of one verdict."""

    title: str
    kind: str
    rows: tuple[CellRow, ...]


@dataclass(frozen=True)
class Claim:
    """What is said of all cells at once."""

    title: str
    badge: str
    kind: str
    """`bad`, `proved` or `idle`."""


@dataclass(frozen=True)
class View:
    """The whole page."""

    claim: Claim
    summary: str
    base: str
    new: str
    links: Links | None
    hosts: tuple[str, ...]
    """One where both runs have the same line, else both, each named."""
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    machine: str
    needs: str
    axis: tuple[str, str, str]
    columns: tuple[str, ...]
    groups: tuple[Group, ...]


def render(compared: Compared, links: Links | None = None) -> str:
    """The page: one self-contained HTML document, without any script.

    Args:
        compared: two runs.
        links: where the runs' own pages are; `None` where this one stands alone.
    """
    return fill_page("compare.html.j2", sheets=(SHEET,), view=build_view(compared, links))


def refuse_foreign(file: Path) -> None:
    """Refuse to put a page in the place of anything but a page.

    Raises:
        ConfigError: something else is there.
    """
    if file.exists() and not is_page(file):
        raise ConfigError(
            f"{file} is no page that edgematrix wrote",
            why="the page would replace it as a whole",
            fix="name a new file, or move that one out of the way",
        )


def build_view(compared: Compared, links: Links | None = None) -> View:
    """Compute the page."""
    rows = worst_first(compared)
    span = _span(rows, compared)
    groups = tuple(
        Group(
            title=f"{words(verdict)}: {counted(len(members), 'cell')}",
            kind=KINDS.get(verdict, ""),
            rows=tuple(_cell_row(row, compared, span) for row in members),
        )
        for verdict, found in groupby(rows, key=lambda row: row.verdict)
        for members in (list(found),)
    )
    return View(
        claim=_claim(compared),
        summary=summary(compared),
        base=run_line(compared.base),
        new=run_line(compared.new),
        links=links,
        hosts=_hosts(compared.base, compared.new),
        notes=compared.notes,
        facts=tuple(sorted(_facts(compared.base, compared.new), key=lambda fact: not fact.differs)),
        machine=machine_line(compared),
        needs=floor_line(compared),
        axis=(f"{TIMES} 1/{span:g}", f"{TIMES} 1", f"{TIMES} {span:g}"),
        columns=_columns(groups),
        groups=groups,
    )


def _claim(compared: Compared) -> Claim:
    """No more than what was decided, and of which figure."""
    aim = compared.aim.value
    if compared.regressed:
        regressions = sum(row.is_regression for row in compared.rows)
        title = f"{regressions} of {counted(len(compared.rows), 'cell')} became worse or failed"
        return Claim(title, "a regression", "bad")
    if all(row.verdict in NOT_WORSE for row in compared.rows):
        return Claim(f"No cell became worse in {aim}", f"no regression in {aim}", "proved")
    return Claim(
        f"No cell is proved worse in {aim}; not all are decided", f"no regression in {aim} is proved", "idle"
    )


def _hosts(base: Run, new: Run) -> tuple[str, ...]:
    before, after = host_line(base), host_line(new)
    return (after,) if before == after else (f"base: {before}", f"new: {after}")


def _facts(base: Run, new: Run) -> Iterator[Fact]:
    """What stood around the cells: the run, the machine, and what each image is built from."""
    yield Fact("state", base.state.value, new.state.value)
    yield Fact("edgematrix", clip(base.harness_version), clip(new.harness_version))
    yield Fact("commit", clip(base.git_commit or UNKNOWN), clip(new.git_commit or UNKNOWN))
    yield Fact("host", host_line(base), host_line(new))
    yield Fact("kernel", clip(base.host.kernel), clip(new.host.kernel))
    yield Fact("governor", *(clip(run.host.governor or "not shown by this host") for run in (base, new)))
    for name in sorted(base.images.keys() | new.images.keys()):
        built = (run.images[name].fingerprint[:12] if name in run.images else UNKNOWN for run in (base, new))
        yield Fact(f"image {clip(name, NAME_LIMIT)}", *(clip(mark) for mark in built))


def _cell_row(row: Row, compared: Compared, span: float) -> CellRow:
    figure = row.figures.get(compared.aim)
    return CellRow(texts=row_texts(row, compared.aim), plot=_plot(figure, span) if figure else None)


def _plot(figure: Figure, span: float) -> Plot | None:
    if figure.difference is None:
        return None
    low, high = figure.difference.interval()
    floor = figure.floor or 0.0
    return Plot(
        x=_place(figure.difference.log_ratio, span),
        low=_place(math.log(low), span),
        high=_place(math.log(high), span),
        band=(_place(-floor, span), _place(floor, span)),
    )


def _columns(groups: tuple[Group, ...]) -> tuple[str, ...]:
    """The columns beside verdict and cell; that of the notes only where there is one."""
    texts = [row.texts for group in groups for row in group.rows]
    noted = any(each["notes"] != NOTHING for each in texts)
    return tuple(name for name in texts[0] if name not in {"verdict", "cell"} and (noted or name != "notes"))


def _place(log_ratio: float, span: float) -> float:
    """The place of a ratio on an axis with 1 in its middle."""
    share = log_ratio / math.log(span)
    return round(50 + 50 * min(1.0, max(-1.0, share)), 1)


def _span(rows: list[Row], compared: Compared) -> float:
    """The smallest span that holds every ratio; where none is large, an interval may be cut."""
    figures = (row.figures.get(compared.aim) for row in rows)
    largest = max((abs(each.difference.log_ratio) for each in figures if each and each.difference), default=0)
    return next((span for span in SPANS if 1.2 * largest <= math.log(span)), SPANS[-1])

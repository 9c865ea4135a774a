"""Which runs of the site are compared with which, and what came out: the judgement is `harness.compare`'s alone."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from harness.compare.judge import CompareOptions, compare_sides
from harness.compare.page import KINDS, WORSE, Links, render
from harness.compare.refuse import Kind, mismatches
from harness.compare.words import verdict_counts, words
from harness.errors import NotComparableError
from harness.report import PAGE
from harness.report.formats import clip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.compare.judge import Compared, Side
    from harness.compare.rows import Row
    from harness.site.entry import Entry

OPTIONS: Final = CompareOptions(allowed=frozenset({Kind.IMAGES}))
"""Runs of one host are compared although an image was built anew: what that changed is what a history is for, and the
comparison says so above its table."""

NO_EVIDENCE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class CellChange:
    """What became of one cell."""

    kind: str
    """`worse`, `better`, or empty where nothing is proved."""
    text: str
    """The verdict, with the ratio where there is one."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A run against the one before it."""

    base: str
    new: str
    text: str
    """The counts, or why the two are not compared."""
    cells: Mapping[str, CellChange]
    """By cell id; empty where they are not compared."""

    @property
    def folder(self) -> str:
        """Of its page, in `compare/`; empty where there is none."""
        return pair_name(self.base, self.new) if self.cells else ""

    @property
    def kind(self) -> str:
        """`worse` where any cell is, else `better` where any is."""
        kinds = {cell.kind for cell in self.cells.values()}
        return WORSE if WORSE in kinds else max(kinds, default="")


def pair_name(base: str, new: str) -> str:
    """The folder of a comparison."""
    return f"{base}..{new}"


def predecessor(earlier: Sequence[Entry], entry: Entry) -> Entry | None:
    """The newest of some runs on the same host, by the same protocol, that has a cell in common with a later one.

    Args:
        earlier: the runs before it, the oldest first.
        entry: the later run.
    """
    fatal = {Kind.HOST, Kind.PROTOCOL}
    return next(
        (
            each
            for each in reversed(earlier)
            if each.points.keys() & entry.points.keys()
            and not any(found.kind in fatal for found in mismatches(each.run, entry.run, ()))
        ),
        None,
    )


def judge_pair(
    names: tuple[str, str], sides: tuple[Side, Side], evidence: Mapping[str, str] = NO_EVIDENCE
) -> tuple[Change, str]:
    """Compare two runs.

    Args:
        names: the folders of the base and of the new run.
        sides: both runs.
        evidence: where that of each cell is, by cell id.

    Returns:
        What came out and the page of it, or why they are not compared and no page.
    """
    base, new = names
    try:
        compared = compare_sides(*sides, OPTIONS)
    except NotComparableError as error:
        text = f"not compared: {clip(f'{error.what}; {error.why}')}"
        return Change(base=base, new=new, text=text, cells={}), ""
    links = Links(base=_address(base), new=_address(new), index=f"../../{PAGE}", cells=evidence)
    cells = {row.cell_id: _cell(row, compared) for row in compared.rows}
    return Change(base=base, new=new, text=verdict_counts(compared), cells=cells), render(compared, links)


def _address(run_id: str) -> str:
    return f"../../runs/{run_id}/{PAGE}"


def _cell(row: Row, compared: Compared) -> CellChange:
    figure = row.figures.get(compared.aim)
    ratio = f" {figure.difference.ratio:.3f}" if figure is not None and figure.difference is not None else ""
    return CellChange(kind=KINDS.get(row.verdict, ""), text=words(row.verdict) + ratio)

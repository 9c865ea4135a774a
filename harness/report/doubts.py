"""Every typed warning: those that cast doubt on a figure, and apart from them the plain remarks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.endings import WORDS
from harness.report.flags import FLAGS, SPOILED
from harness.report.formats import clip, visible
from harness.results import Status
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from harness.results import TypedWarning
    from harness.stats.cell import Measured

REMARKS: Final = frozenset({"threads_idle", "figure_unknown"})
"""Kinds that say something of a cell, and nothing against its figures."""
MOST_NAMED: Final = 3
"""Cells named where many have the same warning; the others are counted."""


@dataclass(frozen=True)
class Warned:
    """One kind of warning with one text, and who carries it."""

    kind: str
    text: str
    cells: tuple[str, ...]
    """Ids, as many as are named."""
    more: str
    """How many others there are; empty where all are named."""
    trials: str
    """Those that carry it, of all of these cells that count."""


@dataclass(frozen=True)
class Warnings:
    """The warnings of a run."""

    doubts: tuple[Warned, ...]
    remarks: tuple[Warned, ...]
    count: int
    """Of doubts: one for each cell and kind."""


def warnings(measured: Iterable[Measured]) -> Warnings:
    """The warnings of all trials that figures rest on."""
    found = [(each, kind, text, carriers) for each in measured for kind, text, carriers in of_cell(each)]
    found.sort(key=lambda entry: (_rank(entry[1]), entry[1]))
    doubts = [entry for entry in found if entry[1] not in REMARKS]
    return Warnings(
        doubts=tuple(_grouped(doubts)),
        remarks=tuple(_grouped(entry for entry in found if entry[1] in REMARKS)),
        count=len(doubts),
    )


def count_doubts(measured: Measured, *, beside: Container[str]) -> int:
    """How many kinds of doubt a cell's figures carry beside those that are told elsewhere."""
    return sum(kind not in REMARKS and kind not in beside for kind, _, _ in of_cell(measured))


def of_cell(measured: Measured) -> Iterator[tuple[str, str, int]]:
    """Each kind of warning that a cell carries, its text, and the number of trials that carry it."""
    yield from _of_its_ending(measured)
    yield from _of_the_host(measured)
    by_kind: dict[str, list[TypedWarning]] = {}
    carriers: Counter[str] = Counter()
    for trial in measured.result.counted:
        carriers.update({doubt.kind for doubt in trial.warnings})
        for doubt in trial.warnings:
            by_kind.setdefault(doubt.kind, []).append(doubt)
    for kind, doubts in by_kind.items():
        yield kind, _joint(doubts), carriers[kind]


def _of_the_host(measured: Measured) -> Iterator[tuple[str, str, int]]:
    """What the host did to trials that count all the same."""
    spoiled = [trial.spoiled for trial in measured.result.counted if trial.spoiled]
    if spoiled:
        yield SPOILED, _joint(reason for reasons in spoiled for reason in reasons), len(spoiled)


def _joint(doubts: Iterable[TypedWarning]) -> str:
    """The first of several texts, and how many others there are."""
    first, *others = dict.fromkeys(doubt.text for doubt in doubts)
    return first + (f" (and {len(others)} more like it)" if others else "")


def _of_its_ending(measured: Measured) -> Iterator[tuple[str, str, int]]:
    """What a cell that ended well does not tell by its figures."""
    result = measured.result
    if result.expected is not None and measured.ok:
        text = f"it was expected to end otherwise ({WORDS[result.expected.status]}: {result.expected.reason})"
        yield "unexpected", text, len(result.counted)
    before = [
        trial
        for trial in result.trials
        if trial not in result.counted and trial.status not in {Status.OK, result.status}
    ]
    if before:
        endings = " and ".join(dict.fromkeys(WORDS[trial.status] for trial in before))
        rounds = {trial.index for trial in before}
        yield "tried_again", f"an earlier attempt ended otherwise: {endings}", len(rounds)


def named(cells: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The first ids of many, and how many others there are."""
    rest = len(cells) - MOST_NAMED
    if rest <= 1:
        return tuple(map(visible, cells)), ""
    return tuple(map(visible, cells[:MOST_NAMED])), f"and {counted(rest, 'cell')} more"


def _rank(kind: str) -> int:
    """A kind's place on the page: those that are tagged first, in their order."""
    tagged = [*FLAGS, SPOILED]
    return tagged.index(kind) if kind in tagged else len(tagged)


def _grouped(entries: Iterable[tuple[Measured, str, str, int]]) -> Iterator[Warned]:
    groups: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for each, kind, text, carriers in entries:
        counts = carriers, len(each.result.counted)
        groups.setdefault((kind, text), {})[each.result.cell_id] = counts
    for (kind, text), cells in groups.items():
        ids, more = named(list(cells))
        yield Warned(clip(kind.replace("_", " ")), clip(text), ids, more, _trials(cells))


def _trials(cells: Mapping[str, tuple[int, int]]) -> str:
    return (
        f"{sum(carriers for carriers, _ in cells.values())} of {sum(trials for _, trials in cells.values())}"
    )

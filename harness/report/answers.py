"""The answer first: under each limit the fastest framework, the leanest, and the quickest to start.

A first place is only claimed where the trials prove it; what they cannot tell apart from the first is named as
its tie.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.intervals import Estimate, proved_less
from harness.report.formats import TIMES, counted, duration, listed, mebibytes, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.report.aspects.common import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats import CellStats, Measured


@dataclass(frozen=True)
class Question:
    """What a reader wants to be smallest."""

    title: str
    figure: Callable[[CellStats], Estimate | None]
    text: Callable[[float], str]
    bounds: str
    """What the figure's bounds are."""


def _mib(size: float) -> str:
    return f"{mebibytes(size)} MiB"


QUESTIONS: Final = (
    Question("Fastest", lambda stats: stats.p50_ms, duration, "95 % interval"),
    Question("Leanest", lambda stats: stats.rss_peak_bytes, _mib, "over trials"),
    Question("Quickest to start", lambda stats: stats.cold_start_ms, duration, "95 % interval"),
)


@dataclass(frozen=True)
class Pick:
    """The answer to one question under one limit."""

    question: str
    framework: str
    """Empty where no cell has the figure."""
    slot: int
    figure: str
    interval: str
    note: str
    """The tie, or how far behind the next one is."""
    tied: bool


@dataclass(frozen=True)
class Answer:
    """All answers under one limit."""

    title: str
    devices: tuple[str, ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class Winner:
    """A framework that comes first under some limits."""

    framework: str
    slot: int
    count: str


@dataclass(frozen=True)
class Headline:
    """The answer to one question over all limits."""

    question: str
    winners: tuple[Winner, ...]


def answers(book: Book, workload: Workload) -> tuple[Answer, ...]:
    """The answers under each limit."""
    return tuple(
        Answer(group.title, group.devices, tuple(_pick(book, group, question) for question in QUESTIONS))
        for group in workload.groups
    )


def headlines(given: Sequence[Answer]) -> tuple[Headline, ...]:
    """The answers over all limits: who comes first how often."""
    found = []
    for index, question in enumerate(QUESTIONS):
        picks = [answer.picks[index] for answer in given if answer.picks[index].framework]
        firsts = Counter((pick.framework, pick.slot) for pick in picks)
        ties = Counter(pick.framework for pick in picks if pick.tied)
        winners = tuple(
            Winner(framework, slot, _of_limits(count, len(given), ties[framework]))
            for (framework, slot), count in firsts.most_common()
        )
        found.append(Headline(question.title, winners))
    return tuple(found)


def _of_limits(count: int, limits: int, ties: int) -> str:
    tied = f", tied at {ties}" if ties else ""
    return f"at {count} of {counted(limits, 'limit')}{tied}"


def _pick(book: Book, group: LimitGroup, question: Question) -> Pick:
    known = [(each, found) for each in group.ok if (found := question.figure(each.stats)) is not None]
    if not known:
        return Pick(question.title, "", 0, "", "", "no cell is ok", tied=False)
    known.sort(key=lambda pair: (pair[1].value, pair[0].result.cell.framework))
    (first, best), *others = known
    ties = [book.name(each) for each, found in others if not proved_less(best, found)]
    return Pick(
        question=question.title,
        framework=book.name(first),
        slot=book.slot(first),
        figure=question.text(best.value),
        interval=_interval(question, best),
        note=_note(book, best, others, ties),
        tied=bool(ties),
    )


def _interval(question: Question, best: Estimate) -> str:
    if best.low is None or best.high is None:
        return "one trial, no interval"
    return f"{question.text(best.low)} to {question.text(best.high)}"


def _note(
    book: Book, best: Estimate, others: Sequence[tuple[Measured, Estimate]], ties: Sequence[str]
) -> str:
    if not others:
        return "the only cell that is ok"
    if ties:
        return f"tied with {listed(ties)}"
    runner_up, behind = others[0]
    return f"next: {book.name(runner_up)}, {number(behind.value / best.value)}{TIMES}"

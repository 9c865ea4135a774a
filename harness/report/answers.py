"""The answer first: under each limit the fastest framework, the leanest, and the quickest to start.

A first place is only claimed where the trials prove it; what they cannot tell apart from the first is named as
its tie, and where they tell nothing apart the answer is that they do not decide.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.intervals import Estimate, proved_less
from harness.report.formats import counted, duration, listed, mebibytes, ratio

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
    capped: Callable[[CellStats], bool] = lambda _: False
    """Whether a cap has cut the figure."""


def _mib(size: float) -> str:
    return f"{mebibytes(size)} MiB"


QUESTIONS: Final = (
    Question("Fastest", lambda stats: stats.p50_ms, duration),
    Question("Leanest", lambda stats: stats.rss_peak_bytes, _mib, lambda stats: stats.at_cap),
    Question("Quickest to start", lambda stats: stats.cold_start_ms, duration),
)


@dataclass(frozen=True)
class Leader:
    """A framework that nothing else is proved to beat."""

    framework: str
    slot: int


@dataclass(frozen=True)
class Pick:
    """The answer to one question under one limit."""

    question: str
    verdict: str
    """What stands in place of a name where nobody leads: all tie, or no cell is ok."""
    leaders: tuple[Leader, ...]
    """The one with the smallest figure, then those that the trials cannot tell from it."""
    figure: str = ""
    interval: str = ""
    note: str = ""
    """The tie, or how far behind the next one is."""


@dataclass(frozen=True)
class Answer:
    """All answers under one limit."""

    title: str
    devices: tuple[str, ...]
    picks: tuple[Pick, ...]


@dataclass(frozen=True)
class Headline:
    """The answer to one question over all limits."""

    question: str
    winners: tuple[tuple[Leader, str], ...]
    """Who comes first, and at how many limits."""
    rest: str
    """Of the limits at which nobody does."""


def answers(book: Book, workload: Workload) -> tuple[Answer, ...]:
    """The answers under each limit."""
    return tuple(
        Answer(group.title, group.devices, tuple(_pick(book, group, question) for question in QUESTIONS))
        for group in workload.groups
    )


def headlines(given: Sequence[Answer]) -> tuple[Headline, ...]:
    """The answers over all limits: who is proved first how often, and who ties for it."""
    return tuple(
        _headline(question.title, [answer.picks[index] for answer in given])
        for index, question in enumerate(QUESTIONS)
    )


def _headline(title: str, picks: Sequence[Pick]) -> Headline:
    decided = [pick.leaders for pick in picks if not pick.verdict]
    proved = Counter(leaders[0] for leaders in decided if len(leaders) == 1)
    tied = Counter(leader for leaders in decided if len(leaders) > 1 for leader in leaders)
    order = sorted({**proved, **tied}, key=lambda each: (-proved[each], -tied[each], each.framework))
    verdicts = Counter(pick.verdict for pick in picks if pick.verdict)
    return Headline(
        question=title,
        winners=tuple((each, _places(proved[each], tied[each], len(picks))) for each in order),
        rest="; ".join(f"{verdict} at {_of(count, len(picks))}" for verdict, count in verdicts.items()),
    )


def _places(proved: int, tied: int, limits: int) -> str:
    if not proved:
        return f"tied at {_of(tied, limits)}"
    return f"at {_of(proved, limits)}" + (f"; tied at {tied}" if tied else "")


def _of(count: int, limits: int) -> str:
    return f"{count} of {counted(limits, 'limit')}"


def _pick(book: Book, group: LimitGroup, question: Question) -> Pick:
    known = [(each, found) for each in group.ok if (found := question.figure(each.stats)) is not None]
    if not known:
        return Pick(question.title, "no cell is ok", ())
    known.sort(key=lambda pair: (pair[1].value, pair[0].result.cell.framework))
    (first, best), *others = known
    ties = [each for each, found in others if not proved_less(best, found)]
    names = [book.name(each) for each in (first, *ties)]
    if others and len(ties) == len(others):
        return Pick(question.title, "not decided", (), note=f"{listed(names)} tie")
    return Pick(
        question=question.title,
        verdict="",
        leaders=tuple(Leader(book.name(each), book.slot(each)) for each in (first, *ties)),
        figure=question.text(best.value) + (", at the cap" if question.capped(first.stats) else ""),
        interval=_interval(question, best),
        note=_note(book, best, others, names[1:]),
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
    return f"next: {book.name(runner_up)}, {ratio(behind.value, best.value)}"

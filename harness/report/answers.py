"""The answer first: under each limit the fastest framework, the leanest, and the quickest to start.

A first place is only claimed where the trials prove it; what nothing is proved to be before is named as a tie with
the first, and where they tell nothing apart the answer is that they do not decide. Whatever casts doubt on a named
cell stands beside its name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.causes import throttling
from harness.report.flags import flags
from harness.report.formats import AT_CAP, figure_text, listed, ratio
from harness.report.noise import floor_note
from harness.stats.differences import paired_difference
from harness.stats.noise import Aim, by_round, estimate
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.book import Book
    from harness.report.grouping import LimitGroup, Workload
    from harness.stats.cell import Measured
    from harness.stats.intervals import Estimate


@dataclass(frozen=True)
class Question:
    """What a reader wants to be smallest."""

    title: str
    aim: Aim


QUESTIONS: Final = (
    Question("Fastest", Aim.LATENCY),
    Question("Leanest", Aim.MEMORY),
    Question("Quickest to start", Aim.START),
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
    """All that may have the first place, as the tables say it: the one with the best figure, then its ties."""
    figure: str = ""
    flags: tuple[str, ...] = ()
    """Doubts about the first one's figures."""
    interval: str = ""
    note: str = ""
    """The tie, or how far behind the next one is."""
    floor: str = ""
    """The smallest difference that counts here."""
    alone: bool = False
    """No other cell has the figure, so that nothing was beaten."""


@dataclass(frozen=True)
class Answer:
    """All answers under one limit."""

    title: str
    devices: tuple[str, ...]
    picks: tuple[Pick, ...]
    cause: str = ""
    """What made cells slow here, where the run itself shows it."""


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
        Answer(
            title=group.title,
            devices=group.devices,
            picks=tuple(_pick(book, group, question) for question in QUESTIONS),
            cause=throttling(book, workload, group),
        )
        for group in workload.groups
    )


def fastest(book: Book, group: LimitGroup) -> Pick:
    """The answer to the first question alone."""
    return _pick(book, group, QUESTIONS[0])


def headlines(given: Sequence[Answer]) -> tuple[Headline, ...]:
    """The answers over all limits: who is proved first how often, and who ties for it."""
    return tuple(
        _headline(question.title, [answer.picks[index] for answer in given])
        for index, question in enumerate(QUESTIONS)
    )


def _headline(title: str, picks: Sequence[Pick]) -> Headline:
    decided = [pick.leaders for pick in picks if not pick.verdict]
    proved = Counter(leaders[0] for leaders in decided if len(leaders) == 1)
    alone = Counter(pick.leaders[0] for pick in picks if pick.alone)
    tied = Counter(leader for leaders in decided if len(leaders) > 1 for leader in leaders)
    order = sorted({**proved, **tied}, key=lambda each: (-proved[each], -tied[each], each.framework))
    verdicts = Counter(pick.verdict for pick in picks if pick.verdict)
    return Headline(
        question=title,
        winners=tuple((each, _places(proved[each], tied[each], alone[each], len(picks))) for each in order),
        rest="; ".join(f"{verdict} at {_of(count, len(picks))}" for verdict, count in verdicts.items()),
    )


def _places(proved: int, tied: int, alone: int, limits: int) -> str:
    if not proved:
        return f"tied at {_of(tied, limits)}"
    only = (f" (alone at {alone})" if alone < proved else " (alone)") if alone else ""
    return f"at {_of(proved, limits)}{only}" + (f"; tied at {tied}" if tied else "")


def _of(count: int, limits: int) -> str:
    return f"{count} of {counted(limits, 'limit')}"


def _pick(book: Book, group: LimitGroup, question: Question) -> Pick:
    known = [
        (each, found)
        for each in group.ok
        if (found := estimate(each.stats, question.aim)) is not None and by_round(each.stats, question.aim)
    ]
    if not known:
        return Pick(question.title, "no figure" if group.ok else "no cell is ok", ())
    known.sort(key=lambda pair: (pair[1].value, pair[0].result.cell.framework))
    cells = [each for each, _ in known]
    ranking = book.ranking(cells, question.aim)
    # What is proved goes before the figures: those are over all rounds of a cell, and ranks over common ones.
    bands = ranking.bands()
    ahead, *behind = sorted(range(len(known)), key=lambda place: (bands[place], place))
    known = [known[place] for place in (ahead, *behind)]
    (first, best), *others = known
    ties = [cells[place] for place in behind if bands[place][0] == bands[ahead][0]]
    names = [_flagged(book, each, question) for each in ties]
    floor = floor_note(book.floor(cells, question.aim)) if others else ""
    if others and len(ties) == len(others):
        tied = listed([_flagged(book, first, question), *names])
        return Pick(question.title, "not decided", (), note=f"{tied} tie", floor=floor)
    return Pick(
        question=question.title,
        verdict="",
        leaders=tuple(Leader(book.name(each), book.slot(each)) for each in (first, *ties)),
        figure=figure_text(best.value, question.aim) + (f", {AT_CAP}" if _is_cut(first, question) else ""),
        flags=flags(first, question.aim),
        interval=_interval(question, best),
        note=_note(book, question, known, names),
        floor=floor,
        alone=not others,
    )


def _flagged(book: Book, measured: Measured, question: Question) -> str:
    """A name, with the doubts about its figures."""
    doubts = [*flags(measured, question.aim), *([AT_CAP] if _is_cut(measured, question) else [])]
    return f"{book.name(measured)} ({', '.join(doubts)})" if doubts else book.name(measured)


def _is_cut(measured: Measured, question: Question) -> bool:
    """Whether a figure is what a cap left, and not what the framework would take with room."""
    return question.aim is Aim.MEMORY and measured.stats.at_cap


def _interval(question: Question, best: Estimate) -> str:
    if best.low is None or best.high is None:
        return "one trial, no interval"
    return f"{figure_text(best.low, question.aim)} to {figure_text(best.high, question.aim)}"


def _note(
    book: Book, question: Question, known: Sequence[tuple[Measured, Estimate]], ties: Sequence[str]
) -> str:
    (first, best), *others = known
    if not others:
        return "the only cell that has a figure"
    if ties:
        return f"tied with {listed(ties)}"
    runner_up, behind = others[0]
    rounds = (by_round(each.stats, question.aim) for each in (first, runner_up))
    difference = paired_difference(*rounds)  # as the order, which figures over all rounds might contradict
    times = difference.ratio if difference is not None else behind.value / best.value
    return f"next: {_flagged(book, runner_up, question)}, {ratio(times, 1.0)}"

"""The cells that did not end well: how, in which phase, with the evidence."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.records import PhaseEnd
from harness.report.endings import WORDS, telling_trial
from harness.report.formats import visible
from harness.units import counted, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.report.book import Book
    from harness.report.endings import Ending
    from harness.report.grouping import Workload
    from harness.results import Trial
    from harness.stats.cell import Measured

LOG_LIMIT: Final = 4096
"""Bytes of a log's tail in the page; the whole bounded log is in the cell's file."""
ERROR_LIMIT: Final = 1500


@dataclass(frozen=True)
class Failure:
    """A cell that is not ok."""

    cell_id: str
    ending: Ending
    facts: tuple[tuple[str, str], ...]
    error: str
    log_tail: str


def failures(book: Book, workloads: Iterable[Workload]) -> tuple[Failure, ...]:
    """All cells that are not ok."""
    return tuple(_failure(book, each) for workload in workloads for each in workload.cells if not each.ok)


def _failure(book: Book, measured: Measured) -> Failure:
    trial = telling_trial(measured.result)
    return Failure(
        cell_id=measured.result.cell_id,
        ending=book.ending(measured),
        facts=(*_expectation(measured), *_facts(measured, trial)),
        error=tail((trial.evidence.error or "") if trial else "", ERROR_LIMIT),
        log_tail=tail(trial.evidence.log_tail if trial else "", LOG_LIMIT),
    )


def _expectation(measured: Measured) -> Iterator[tuple[str, str]]:
    expected = measured.result.expected
    if expected is not None:
        met = "as expected" if measured.result.as_expected else f"expected {WORDS[expected.status]}"
        yield met, visible(expected.reason)


def _facts(measured: Measured, trial: Trial | None) -> Iterator[tuple[str, str]]:
    states = [each.status for each in measured.result.counted]
    if states:
        yield (
            "trials",
            ", ".join(f"{states.count(status)} {WORDS[status]}" for status in dict.fromkeys(states)),
        )
    if trial is not None:
        yield from evidence_facts(trial)


def evidence_facts(trial: Trial) -> Iterator[tuple[str, str]]:
    """What the verdict on a trial rests on."""
    yield "phases ended", ", ".join(end.name for end in trial.all(PhaseEnd)) or "none"
    evidence = trial.evidence
    found = (
        ("exit code", evidence.exit_code, str),
        ("signal", evidence.signal, signal_name),
        ("kernel's count", evidence.oom_kills, lambda kills: counted(kills, "OOM kill")),
        ("engine's OOM flag", evidence.engine_oom_flag, lambda flag: "set" if flag else "not set"),
        ("peak seen", evidence.peak_bytes, format_memory),
        ("cap", evidence.cap_bytes, format_memory),
        ("read from disk", evidence.read_bytes, format_memory),
    )
    yield from ((name, text(figure)) for name, figure, text in found if figure is not None)


def signal_name(number: int) -> str:
    """`9 (SIGKILL)`."""
    return f"{number} ({signal.Signals(number).name})" if number in set(signal.Signals) else str(number)


def tail(text: str, limit: int) -> str:
    """The last `limit` bytes of a text at most, with what is cut said, and nothing in it that hides."""
    raw = text.encode()
    if len(raw) <= limit:
        return visible(text)
    return "[… cut …]\n" + visible(raw[-limit:].decode(errors="ignore"))

"""How a cell ended, in words: what the map, the tables and the charts say where there is no figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.records import End, Stop
from harness.report.formats import clip
from harness.results import Status
from harness.units import format_memory

if TYPE_CHECKING:
    from harness.results import CellResult, Trial

WORDS: Final = {
    Status.OK: "ok",
    Status.SKIPPED: "skipped",
    Status.UNSUPPORTED: "unsupported",
    Status.INTERRUPTED: "interrupted",
    Status.LIMITS_NOT_ENFORCED: "limits not enforced",
    Status.TIMEOUT: "out of time",
    Status.OOM: "out of memory",
    Status.INVALID_OUTPUT: "wrong output",
    Status.CRASH: "crashed",
    Status.BUILD_FAILED: "image not built",
    Status.HARNESS_ERROR: "harness error",
}

_SAYS_NOTHING: Final = (Status.SKIPPED, Status.UNSUPPORTED, Status.INTERRUPTED, Status.HARNESS_ERROR)
"""Nothing is learnt of the framework."""
_DOUBTED: Final = (Status.LIMITS_NOT_ENFORCED, Status.INVALID_OUTPUT)
_NEARLY: Final = 0.98
"""A peak this close to its cap has filled it: the kernel counts in pages and batches."""


@dataclass(frozen=True)
class Ending:
    """How a cell ended: a word, the rest of the sentence, and the class that gives pattern and colour."""

    word: str
    detail: str
    kind: str
    """`ok`, `failed`, `doubted` (it ran, and its figures do not count) or `idle` (nothing was measured)."""

    @property
    def sentence(self) -> str:
        """Word and detail together, such as `out of memory in load` or `crashed: no such file`."""
        joint = " " if self.detail.startswith("in ") else ": "
        return f"{self.word}{joint}{self.detail}" if self.detail else self.word


def ending(result: CellResult) -> Ending:
    """Say how a cell ended, such as `out of memory` `in load: 249 MiB under a 256 MiB cap`."""
    status = result.status
    if status is Status.OK:
        return Ending(WORDS[status], "", "ok")
    told = telling_trial(result)
    where = f"in {result.phase}" if result.phase else ""
    kind = "idle" if status in _SAYS_NOTHING else "doubted" if status in _DOUBTED else "failed"
    if status is Status.OOM and told is not None:
        return Ending(*_oom(told, where), kind)
    if status is Status.TIMEOUT and told is not None:
        return Ending(WORDS[status], told.reason.removeprefix(f"{WORDS[status]} "), kind)
    reason = clip(told.reason if told else result.reason)
    if status is Status.HARNESS_ERROR:
        reason = f"{reason} (the fault of the harness, the engine or the host: it says nothing about the framework)"
    return Ending(WORDS[status], reason, kind)


def telling_trial(result: CellResult) -> Trial | None:
    """The first trial that counts and ended as its cell did: the one whose evidence is shown."""
    return next((trial for trial in result.counted if trial.status is result.status), None)


def _oom(trial: Trial, where: str) -> tuple[str, str]:
    cap = format_memory(trial.evidence.cap_bytes or trial.requested.memory_bytes)
    end = trial.find(End)
    if end is not None and end.stop is Stop.THRASHING:
        return "thrashing", _told(where, f"read {format_memory(end.phase_read_bytes)} under a {cap} cap")
    peak = trial.evidence.peak_bytes
    if peak is None:
        return WORDS[Status.OOM], f"{where} under a {cap} cap".strip()
    if _NEARLY <= peak / trial.requested.memory_bytes <= 1:
        return WORDS[Status.OOM], _told(where, f"filled its {cap} cap")
    return WORDS[Status.OOM], _told(where, f"{format_memory(peak)} under a {cap} cap")


def _told(where: str, what: str) -> str:
    """What happened, after where it did; a container may die before its first phase."""
    return ": ".join(filter(None, (where, what)))

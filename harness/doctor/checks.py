"""What an examination comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """How good a finding is for measuring."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing, or not shown by the host."""
    POOR = "poor"
    """Measuring works, and figures suffer."""
    BAD = "bad"
    """Measuring does not work."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report."""

    name: str
    verdict: Verdict
    found: str
    cure: str = ""
    """What would improve it; empty where nothing needs to, or nothing can."""


NOT_SHOWN: Final = "the host does not show it"


def graded(value: float, *, good: float, poor: float) -> Verdict:
    """A figure that had better be small: good below the one limit, poor from the other on, a note in between."""
    if value < good:
        return Verdict.GOOD
    return Verdict.POOR if value >= poor else Verdict.NOTE

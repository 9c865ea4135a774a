"""The errors of the harness: one base class, one exit code per kind, a message in three parts.

Only the command line catches these, prints them and turns them into exits. Codes 1 and 2 are never used on
purpose: 1 is Python's own for an uncaught exception, 2 is what `make` and most option parsers return.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the command's exit status means."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """A number that knows what it means."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "every cell ended as expected"
    CELLS_FAILED = 3, "some cell did not end as expected"
    CONFIG = 4, "the matrix or an option is wrong, and nothing was started"
    ENVIRONMENT = (
        5,
        "it cannot be done here: no engine, permission, disk, registry or run, a damaged file, or a fault of ours",
    )
    REGRESSION = 6, "compare found a cell that became worse or failed"
    NOT_COMPARABLE = 7, "compare or merge refuses, because the runs are not the same measurement"
    INTERRUPTED = 130, "interrupted, and what was finished is kept"


class EdgematrixError(Exception):
    """Base of every error that a user is meant to see.

    Args:
        what: what happened, one sentence.
        why: the probable cause; empty when `what` says it all.
        fix: what to do now.
    """

    exit_code = ExitCode.ENVIRONMENT

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        """Join the three parts, a line each, leaving out what is empty."""
        parts = (("", self.what), ("why: ", self.why), ("fix: ", self.fix))
        return "\n".join(label + text for label, text in parts if text)


class FaultError(EdgematrixError):
    """What nobody foresaw.

    Args:
        cause: what came up.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(
            f"something came up that nobody foresaw: {type(cause).__name__}: {cause}",
            why="edgematrix itself has a fault, or a file it read is damaged in a way that it does not know",
            fix="report it where edgematrix comes from, with the traceback: edgematrix --debug and the same words",
        )


class ConfigError(EdgematrixError):
    """The matrix file, a framework's or model's description, or an option is wrong."""

    exit_code = ExitCode.CONFIG


class EngineError(EdgematrixError):
    """No Docker engine answers, or it refused what it was asked."""


class BuildError(EdgematrixError):
    """An image, a wheelhouse or a model's artefacts could not be made."""


class UnsupportedError(EdgematrixError):
    """A framework cannot do what a model asks for; no fault of anybody."""


class BusyError(EdgematrixError):
    """Another harness is measuring on the same engine."""


class StoreError(EdgematrixError):
    """A run's directory cannot be read or written."""


class NotComparableError(EdgematrixError):
    """Two runs differ in what would be taken for a change of their cells."""

    exit_code = ExitCode.NOT_COMPARABLE

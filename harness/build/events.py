"""What a build tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """Where the making of one image stands."""

    BASE = "base"
    RESOLVE = "resolve"
    """Another version than the project's own lock has."""
    DOWNLOAD = "download"
    BUILD = "build"
    SKIPPED = "skipped"
    """It is up to date."""
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class BuildEvent:
    """One sign of progress.

    Attributes:
        name: the image, such as `onnxruntime` or `onnxruntime 1.17.0`; `base` for what all share.
        step: where it stands.
        detail: one line for people.
        done: fraction of this step, 0 to 1; `None` where it cannot be told.
    """

    name: str
    step: Step
    detail: str
    done: float | None = None

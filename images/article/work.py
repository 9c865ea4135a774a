"""What each of the five is given: the model, the flaws that are gone, and the threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from runner.model import ModelFiles

    Call = Callable[[dict[str, NDArray[np.float32]]], Any]
    """From the inputs by name to the outputs, a list; as the article has it, to whatever its framework returns."""

INPUT = "features"
WIDTHS = (200, 128, 64, 32, 16, 8, 1)
"""Of the layers of the article's spam classifier."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "PJRT_NPROC", "NPROC")
"""PyTorch and JAX read theirs from the environment, when they are imported."""


@dataclass(frozen=True)
class Work:
    """One rung of the ladder, as a framework meets it."""

    model: ModelFiles
    gone: frozenset[str]
    """Names of the rungs whose flaw is taken away."""
    told_threads: int

    def is_gone(self, flaw: str) -> bool:
        """Whether a flaw is taken away."""
        return flaw in self.gone

    @property
    def threads(self) -> int | None:
        """What a framework is told; `None` leaves it to itself."""
        return self.told_threads if self.is_gone("threads") else None


def tell_threads(threads: int) -> None:
    """Set what is read at import."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))

"""What a whole examination comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.doctor.checks import Verdict

if TYPE_CHECKING:
    from harness.doctor.checks import Check
    from harness.doctor.noise import Noise


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Everything that was found.

    Attributes:
        checks: in the order of the report.
        noise: figures of the reference probe; empty where it was not run.
    """

    checks: tuple[Check, ...]
    noise: tuple[Noise, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether a matrix can be measured on this host, now."""
        return all(check.verdict is not Verdict.BAD for check in self.checks)

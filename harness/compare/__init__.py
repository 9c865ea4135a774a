"""`edgematrix compare BASE NEW`: which cells became better or worse between two runs, as far as the trials can tell."""

from harness.compare.judge import Compared, CompareOptions, compare_runs
from harness.compare.rows import Row, Verdict

__all__ = ["CompareOptions", "Compared", "Row", "Verdict", "compare_runs"]

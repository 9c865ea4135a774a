"""`edgematrix doctor`: whether the host is fit to measure on, and how noisy it is; nothing on it is changed.

`examine` gathers facts at the edge, the modules beside it judge them in pure functions, `render` prints.
"""

from harness.doctor.checks import Check, Verdict
from harness.doctor.diagnosis import Diagnosis
from harness.doctor.examine import examine
from harness.doctor.render import as_document, as_lines

__all__ = ["Check", "Diagnosis", "Verdict", "as_document", "as_lines", "examine"]

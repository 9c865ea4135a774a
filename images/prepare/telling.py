"""What the preparing programs say on standard output: their steps, and why they refuse, one line of JSON each."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = 3
LONGEST_REASON = 2000


class RefusedError(Exception):
    """A model cannot be prepared, and its owner can do something about it.

    Args:
        what: what is wrong with it.
        why: the probable cause; may be empty.
        fix: what to do.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.said = {"what": what, "why": why[:LONGEST_REASON], "fix": fix}


def progress(step: str, done: float) -> None:
    """Report a step as it begins; `done` is the part of the whole that lies behind."""
    print(json.dumps({"step": step, "done": done}), flush=True)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal, or what nobody can do, into one line and the exit code that goes with it."""
    try:
        yield
    except RefusedError as error:
        print(json.dumps(error.said), flush=True)
        sys.exit(REFUSED)
    except NotImplementedError as error:
        print(json.dumps({"unsupported": str(error)}), flush=True)
        sys.exit(REFUSED)

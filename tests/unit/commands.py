"""The command line in this process, as its entry point calls it."""

import pytest

from harness import cli


def exit_code(*words: str) -> int:
    """Run a command and return what it exits with."""
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    return int(left.value.code or 0)

"""What some tests need of the host beside an engine. Without it they fail, and say so; they are never skipped."""

import os
import shutil

import pytest


def need_root(what: str) -> None:
    """Fail where this is not root.

    Args:
        what: cannot be done by anybody else, in words.
    """
    if os.geteuid() != 0:
        pytest.fail(
            f"{what} takes root on the engine's own host\n"
            "fix: run `make test` as root, or leave this test out with pytest's --deselect",
            pytrace=False,
        )


def need_daemon() -> str:
    """Where `dockerd` is, for an engine of the tests' own; fail where none can be started."""
    need_root("starting a second engine")
    found = shutil.which("dockerd")
    if found is None:
        pytest.fail(
            "there is no `dockerd` here to start a second engine with\nfix: run `make test` on the engine's own host",
            pytrace=False,
        )
    return found

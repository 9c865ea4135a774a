"""Lock files: which packages an image is made of, by exact version and hash, for one architecture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURES: Final = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
"""Docker's word, or the kernel's, for the one that wheels use."""
OVERRIDES_FILE: Final = "overrides.txt"
"""Beside the requirements: packages that are asked for and left out nevertheless, by a marker that is never true."""
PIN: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>\S+)")
"""How a line of requirements names one exact version."""


def lock_path(folder: Path, architecture: str) -> Path:
    """The lock of an image for one architecture.

    Raises:
        BuildError: there is none.
    """
    path = folder / f"requirements.{architecture}.lock"
    if not path.is_file():
        raise BuildError(
            f"There is no lock file for {architecture}: {path} is missing.",
            why="The engine runs on an architecture for which nobody has resolved the packages.",
            fix=f"Run `make lock ARCHITECTURE={architecture}`, then build again.",
        )
    return path


def read_pins(lock: Path) -> dict[str, str]:
    """Version by distribution name, in the file's order."""
    pins = map(PIN.match, lock.read_text(encoding="utf-8").splitlines())
    return {pin["name"]: pin["version"] for pin in pins if pin}

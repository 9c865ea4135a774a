"""Lock files: which packages an image is made of, by exact version and hash, for one architecture."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ARCHITECTURES: Final = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
"""Docker's word, or the kernel's, for the one that wheels use."""
OVERRIDES_FILE: Final = "overrides.txt"
"""Beside the requirements: packages that are asked for and left out nevertheless, by a marker that is never true."""
PIN: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>\S+)")
"""How a line of requirements names one exact version."""
_HEADER: Final = "# Resolved by pip, from:"
_ASKED: Final = "#   "


def lock_file(folder: Path, architecture: str) -> Path:
    """Where the lock of an image for one architecture stands, or would."""
    return folder / f"requirements.{architecture}.lock"


def lock_path(folder: Path, architecture: str) -> Path:
    """The lock of an image for one architecture.

    Raises:
        BuildError: there is none.
    """
    path = lock_file(folder, architecture)
    if not path.is_file():
        raise BuildError(
            f"There is no lock file for {architecture}: {path} is missing.",
            why="The engine runs on an architecture for which nobody has resolved the packages.",
            fix=f"In a checkout run `make lock ARCHITECTURE={architecture}`, then build again.",
        )
    return path


def read_pins(lock: Path) -> dict[str, str]:
    """Version by distribution name, in the file's order."""
    pins = map(PIN.match, lock.read_text(encoding="utf-8").splitlines())
    return {pin["name"]: pin["version"] for pin in pins if pin}


def left_out(overrides: Path) -> set[str]:
    """Names of the packages that overrides leave out; none without such a file."""
    if not overrides.is_file():
        return set()
    lines = overrides.read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}


def write_lock(asked: Iterable[str], found: Iterable[dict[str, Any]]) -> str:
    """The text of a lock: a header that says what was asked for, then pins with hashes by name."""
    lines = [_HEADER, *(_ASKED + line for line in asked)]
    pins = {}
    for item in found:
        name = canonicalize_name(item["metadata"]["name"])
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        pins[name] = f"{name}=={item['metadata']['version']} \\\n    --hash=sha256:{digest}"
    return "\n".join([*lines, *(pins[name] for name in sorted(pins)), ""])


def read_asked(lock: Path) -> list[str] | None:
    """What pip was asked for when `write_lock` wrote this one; `None` for a lock that somebody else made."""
    first, *lines = lock.read_text(encoding="utf-8").splitlines() or [""]
    if first != _HEADER:
        return None
    return [line.removeprefix(_ASKED) for line in takewhile(lambda line: line.startswith(_ASKED), lines)]

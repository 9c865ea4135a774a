"""Debian packages: the one place that installs anything on this machine, and only as root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from harness.errors import EdgematrixError

LOCK_TIMEOUT_S: Final = 180
"""Another apt may be running, such as unattended upgrades on a machine that has just booted."""


def can_install() -> bool:
    """Whether this is root on a machine of the Debian family."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def install(*packages: str, error: type[EdgematrixError]) -> None:
    """Install packages without recommends, from whatever sources this machine is configured for.

    Raises:
        EdgematrixError: of the class `error`, with the end of what apt said.
    """
    apt = ["apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}"]
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # One source that is away fails the update but perhaps not the install: only the latter counts.
    _run([*apt, "update"], environ)
    ended = _run([*apt, "install", "--no-install-recommends", *packages], environ)
    if ended.returncode != 0:
        raise error(
            f"apt-get could not install {' '.join(packages)}.",
            why="\n".join(ended.stdout.splitlines()[-5:]),
            fix=f"Run `apt-get update && apt-get install {' '.join(packages)}` and read what it says.",
        )


def _run(argv: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed words and package names of our own
        argv,
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )

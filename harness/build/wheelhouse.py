"""The wheelhouse: an image's wheels on the host, so that nothing inside a build needs a network.

The host's own pip downloads them, with the host's own configuration: its certificate authority, its private
indexes, its local folders. Public indexes that a framework names are asked only when that has failed, since an index
that cannot be reached costs pip seconds a package. Every file is checked against the lock's hashes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.build.lockfile import read_pins
from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PYTHON: Final = "3.11"
GLIBC_MINORS: Final = range(28, 4, -1)
"""Of the tags `manylinux_2_N`: pip takes each platform literally, newest first."""
LEGACY_TAGS: Final = ("manylinux2014", "manylinux2010", "manylinux1")


def fill(
    folder: Path,
    lock: Path,
    *,
    name: str,
    architecture: str,
    indexes: Iterable[str],
    on_wheel: Callable[[str, float], None],
) -> list[Path]:
    """Have every wheel of a lock, downloading only where the lock has changed since.

    Args:
        folder: the wheelhouses' folder; this lock's is made inside, once per content.
        lock: pins with hashes.
        name: whose wheels these are: an older wheelhouse of this name and architecture goes.
        architecture: of the wheels, as in their names: `x86_64` or `aarch64`.
        indexes: public package indexes for what the host's configuration does not have.
        on_wheel: told each requirement as pip turns to it, and the fraction that is done.

    Returns:
        Exactly the lock's wheels, in alphabetical order.

    Raises:
        BuildError: some wheel can be had nowhere; pip's last words say which.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    wheels = folder / f"{name}-{architecture}-{digest}"
    count = len(read_pins(lock))
    if len(found := sorted(wheels.glob("*.whl"))) == count:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="partial-") as scratch:
        partial = Path(scratch) / "wheels"
        words = _download(partial, lock, architecture, (), count, on_wheel)
        if words and (public := tuple(indexes)):
            words = _download(partial, lock, architecture, public, count, on_wheel)
        if words:
            raise BuildError(
                f"The wheels of {name} could not be downloaded.",
                why="\n".join(words),
                fix=f"Make `{Path(sys.executable).name} -m pip download` work here: see `pip config list`.",
            )
        for stale in folder.glob(f"{name}-{architecture}-*"):
            shutil.rmtree(stale)
        partial.rename(wheels)
    return sorted(wheels.glob("*.whl"))


def target_options(architecture: str) -> list[str]:
    """What makes pip choose wheels for the images' Python and an architecture, whatever the host's.

    Wheels for any Linux come last: PyPI takes none, but PyTorch's own index has no others up to version 2.6.
    """
    tags = [*(f"manylinux_2_{minor}" for minor in GLIBC_MINORS), *LEGACY_TAGS, "linux"]
    platforms = [f"{tag}_{architecture}" for tag in tags]
    return [
        "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}",
        *(f"--abi={abi}" for abi in ("cp" + PYTHON.replace(".", ""), "abi3", "none")),
        *(f"--platform={platform}" for platform in platforms),
    ]  # fmt: skip


def download_argv(lock: Path, destination: Path, architecture: str, indexes: Iterable[str]) -> list[str]:
    """The command that downloads a lock's wheels."""
    return [
        sys.executable, "-m", "pip", "download",
        "--no-deps", "--require-hashes", *target_options(architecture),
        *(f"--extra-index-url={index}" for index in indexes),
        "--progress-bar=off", "--disable-pip-version-check",
        f"--requirement={lock}", f"--dest={destination}",
    ]  # fmt: skip


def _download(
    destination: Path,
    lock: Path,
    architecture: str,
    indexes: Iterable[str],
    count: int,
    on_wheel: Callable[[str, float], None],
) -> list[str]:
    """Run pip once.

    Returns:
        Nothing on success, else the end of what pip said.
    """
    argv = download_argv(lock, destination, architecture, indexes)
    words: list[str] = []
    begun = 0
    with subprocess.Popen(  # noqa: S603 - our own words and the repository's own paths
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            words = [*words[-7:], line.rstrip()]
            if line.startswith("Collecting"):
                on_wheel(line.split()[1], begun / count)
                begun += 1
    if pip.returncode == 0:
        return []
    return [line for line in words if line] or [f"pip ended with {pip.returncode}"]

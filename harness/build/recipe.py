"""What one image is made of: its files, its lock, and the fingerprints that say whether it is up to date.

An image is built in two steps. The *site* is the base with the framework's packages: slow, and the same for as long
as the lock is. The image proper adds the runner and the adapter to it, and takes seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.build.lockfile import read_pins
from harness.catalog import FRAMEWORK_FILE, FrameworkSpec
from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.build.builder import Context
    from harness.build.request import ImageRequest

LABEL_FINGERPRINT: Final = "edgematrix.fingerprint"
SITE_REPOSITORY: Final = "edgematrix/site"
_DIGITS: Final = 16


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What one image is made of.

    Attributes:
        request: what was asked for.
        title: for people.
        version: of the framework; empty for an image without one.
        packages: version by distribution.
        lock: `None` for an image of the runner alone.
        indexes: public package indexes that the lock may need.
        site: files of the build of the packages; the wheels come on top. Empty without a lock.
        runner: files of the build of the last layers.
        site_fingerprint: hash of what the packages' layers are built from.
        fingerprint: hash of all that the image is built from: its identity for resume and compare.
    """

    request: ImageRequest
    title: str
    version: str
    packages: dict[str, str]
    lock: Path | None
    indexes: tuple[str, ...]
    site: Context
    runner: Context
    site_fingerprint: str
    fingerprint: str

    @property
    def tag(self) -> str:
        """What the image is called on the engine."""
        return self.request.tag

    @property
    def site_tag(self) -> str:
        """What the image of the packages alone is called."""
        return f"{self.site_stem}-{self.site_fingerprint[:_DIGITS]}"

    @property
    def site_stem(self) -> str:
        """What all images of these packages are called, whatever they are made of."""
        return f"{SITE_REPOSITORY}:{self.request.stem}"


def read_recipe(
    images: Path,
    request: ImageRequest,
    *,
    framework: FrameworkSpec | None,
    indexes: tuple[str, ...],
    lock: Path | None,
    base_identity: str,
) -> Recipe:
    """Read what one image is made of.

    Args:
        images: the folder of the shipped images, which holds what all are made with.
        request: which one.
        framework: its specification; `None` for an image of no single one.
        indexes: public package indexes that the lock may need.
        lock: of its packages; `None` for an image of the runner alone.
        base_identity: what it stands on.

    Raises:
        BuildError: the image has packages, but no Dockerfile, or no pin of its framework.
    """
    folder = request.folder(images, framework)
    packages = read_pins(lock) if lock else {}
    if framework is not None and framework.package not in packages:
        raise BuildError(
            f"{lock or folder} pins no {framework.package}, the package that stands for {request.name}.",
            fix=f"Correct `package` in {folder / FRAMEWORK_FILE}, or run `make lock`.",
        )
    site = _site_files(images, folder, lock) if lock else ()
    runner = _runner_files(images, folder)
    site_fingerprint = fingerprint(site, base_identity)
    return Recipe(
        request=request,
        title=f"{framework.title}{' tools' if request.tools else ''}" if framework else request.name,
        version=packages[framework.package] if framework else "",
        packages=packages,
        lock=lock,
        indexes=indexes,
        site=site,
        runner=runner,
        site_fingerprint=site_fingerprint,
        fingerprint=fingerprint((*runner, *_settings(folder)), site_fingerprint),
    )


def fingerprint(files: Iterable[tuple[str, Path]], *others: str) -> str:
    """Hash of files, by their names within the build and their contents, and of whatever else counts."""
    digest = hashlib.sha256()
    for name, path in sorted(files):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    for other in others:
        digest.update(f"{other}\n".encode())
    return digest.hexdigest()


def _site_files(images: Path, folder: Path, lock: Path) -> Context:
    dockerfile = folder / "Dockerfile"
    if not dockerfile.is_file():
        raise BuildError(f"{dockerfile} is missing.", fix="Copy that of another framework, and adapt it.")
    return (
        ("Dockerfile", dockerfile),
        ("requirements.lock", lock),
        ("site.py", images / "base" / "site.py"),
    )


def _runner_files(images: Path, folder: Path) -> Context:
    modules = ((f"edgematrix/{path.name}", path) for path in sorted(folder.glob("*.py")))
    runner = ((f"edgematrix/runner/{path.name}", path) for path in sorted((images / "runner").glob("*.py")))
    return (("Dockerfile", images / "base" / "Dockerfile"), *runner, *modules)


def _settings(folder: Path) -> Context:
    """No layer holds the framework's settings, but they change what is measured."""
    file = folder / FRAMEWORK_FILE
    return ((FRAMEWORK_FILE, file),) if file.is_file() else ()

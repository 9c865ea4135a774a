"""Locks of versions that the project does not lock itself: resolved on the host when one is asked for, and kept.

The host's own pip resolves, as it also downloads: with the host's configuration, for the images' Python. Only
environment markers does pip read for the Python that it runs on, so they are read once more for the images'.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.build.lockfile import OVERRIDES_FILE, PIN, left_out, lock_file, read_asked, write_lock
from harness.build.wheelhouse import PYTHON, target_options
from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.catalog import FrameworkSpec

TIMEOUT_S: Final = 600
OFFERED: Final = 20
"""How many of the versions that exist an error names: the newest."""
_CHATTER: Final = ("WARNING", "Looking in")
_OFFER: Final = re.compile(r"requirement (?P<name>[\w.-]+)==\S+ \(from versions: (?P<versions>[^)]*)\)")


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """How versions are resolved for one engine.

    Attributes:
        folder: where locks are kept.
        architecture: of the engine: `x86_64` or `aarch64`.
    """

    folder: Path
    architecture: str

    def lock(self, source: Path, framework: FrameworkSpec, version: str, *, stem: str) -> Path:
        """The lock of one version, resolved only where requirements or version are new.

        Args:
            source: `requirements.in` of the current version.
            framework: whose version it is.
            version: wanted instead of the current one.
            stem: what the lock's file is called, before the hash of what was asked for.

        Raises:
            BuildError: there is no such version for the images' Python, or nothing that goes with it.
        """
        requirements = repin(source, framework, version)
        digest = hashlib.sha256("\n".join(asked_for(requirements, source)).encode()).hexdigest()[:16]
        lock = self.folder / f"{stem}-{self.architecture}-{digest}.lock"
        if not lock.is_file():
            text = self._lock_text(requirements, source, framework, version)
            self.folder.mkdir(parents=True, exist_ok=True)
            for stale in self.folder.glob(f"{stem}-{self.architecture}-*.lock"):
                stale.unlink()
            _write_whole(lock, text)
        return lock

    def lock_beside(self, source: Path, framework: FrameworkSpec) -> None:
        """Resolve requirements as they stand, and write their lock beside them.

        Raises:
            BuildError: something that they ask for cannot be had for the images' Python.
        """
        text = self._lock_text(read_requirements(source), source, framework, "")
        _write_whole(lock_file(source.parent, self.architecture), text)

    def _lock_text(
        self, requirements: Sequence[str], source: Path, framework: FrameworkSpec, version: str
    ) -> str:
        found = self._resolve(requirements, framework, version)
        dropped = left_out(source.with_name(OVERRIDES_FILE))
        return write_lock(asked_for(requirements, source), without(found, dropped))

    def _resolve(
        self, requirements: Sequence[str], framework: FrameworkSpec, version: str
    ) -> list[dict[str, Any]]:
        """What pip would install, as its report lists it."""
        indexes: tuple[str, ...] = ()
        wanted = list(requirements)
        while True:
            found, words = run_pip(wanted, self.architecture, indexes)
            if words and framework.indexes and not indexes:
                indexes = framework.indexes
            elif words:
                raise unavailable(words, framework, version, self.architecture)
            elif missing := unmet(found, self.architecture):
                wanted += missing
            else:
                return found


def _write_whole(lock: Path, text: str) -> None:
    partial = lock.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(lock)


def is_lock_wanted(source: Path, architecture: str) -> bool:
    """Whether requirements have no lock for an architecture, or one that pip made when they were others.

    A lock that did not come from here is its owner's business.
    """
    lock = lock_file(source.parent, architecture)
    if not lock.is_file():
        return True
    asked = read_asked(lock)
    return asked is not None and asked != asked_for(read_requirements(source), source)


def read_requirements(source: Path) -> list[str]:
    """The lines of a file of requirements, without comments."""
    lines = [line.partition("#")[0].strip() for line in source.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def asked_for(requirements: Iterable[str], source: Path) -> list[str]:
    """All that decides on a lock: the requirements, and what the overrides beside their file leave out."""
    dropped = left_out(source.with_name(OVERRIDES_FILE))
    return [*requirements, *(f"without {name}" for name in sorted(dropped))]


def repin(source: Path, framework: FrameworkSpec, version: str) -> list[str]:
    """The requirements of another version: its own pin moved, those that share the pin's version, old companions.

    A label of the build, as in `torch==2.13.0+cpu`, stays. Not every release has a new one of those that share its
    version, such as `jaxlib`: they may be older.

    Raises:
        BuildError: the requirements pin no such package.
    """
    lines = read_requirements(source)
    pins = {pin["name"]: pin["version"] for pin in map(PIN.match, lines) if pin}
    if framework.package not in pins:
        raise BuildError(
            f"{source} pins no {framework.package}, the package that stands for {framework.name}.",
            fix="Pin it there, then run `make lock`.",
        )
    current = pins[framework.package]
    wanted = version if "+" in version else "+".join(filter(None, (version, Version(current).local)))
    moved = {
        f"{name}=={current}": f"{name}{'==' if name == framework.package else '<='}{wanted}"
        for name, pinned in pins.items()
        if pinned == current
    }
    companions = [
        companion
        for specifier, those in framework.older.items()
        if SpecifierSet(specifier).contains(Version(version).public, prereleases=True)
        for companion in those
    ]
    return [*(moved.get(line, line) for line in lines), *companions]


def resolve_argv(
    requirements: Iterable[str], report: Path, architecture: str, indexes: Iterable[str]
) -> list[str]:
    """The command that resolves requirements and installs nothing."""
    return [
        sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed",
        f"--target={report.parent}", *target_options(architecture),
        *(f"--extra-index-url={index}" for index in indexes),
        "--progress-bar=off", "--disable-pip-version-check", f"--report={report}", *requirements,
    ]  # fmt: skip


def run_pip(
    requirements: Sequence[str], architecture: str, indexes: Iterable[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Let pip resolve once.

    Returns:
        What it would install, and nothing; or nothing, and the last of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="edgematrix-resolve-") as scratch:
        report = Path(scratch) / "report.json"
        try:
            ended = subprocess.run(  # noqa: S603 - our own words, and requirements that were parsed
                resolve_argv(requirements, report, architecture, indexes),
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return [], [f"pip did not answer within {TIMEOUT_S} s"]
        if ended.returncode == 0:
            return json.loads(report.read_text(encoding="utf-8"))["install"], []
    words = [line for line in ended.stdout.splitlines() if line and not line.startswith(_CHATTER)]
    return [], words[-8:] or [f"pip ended with {ended.returncode}"]


def unmet(found: Iterable[dict[str, Any]], architecture: str) -> list[str]:
    """What the images need beside what pip chose: it reads markers for the Python that it runs on itself."""
    machine = {
        "implementation_name": "cpython", "os_name": "posix", "platform_machine": architecture,
        "platform_python_implementation": "CPython", "platform_system": "Linux", "python_version": PYTHON,
        "python_full_version": f"{PYTHON}.0", "sys_platform": "linux", "extra": "",
    }  # fmt: skip
    metadata = [item["metadata"] for item in found]
    names = {canonicalize_name(each["name"]) for each in metadata}
    needed = [Requirement(text) for each in metadata for text in each.get("requires_dist", ())]
    return sorted(
        f"{each.name}{each.specifier}"
        for each in needed
        if each.marker and each.marker.evaluate(machine) and canonicalize_name(each.name) not in names
    )


def without(found: Iterable[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    """What pip chose, but for these packages: it has no way to be told of them."""
    return [item for item in found if canonicalize_name(item["metadata"]["name"]) not in names]


def unavailable(
    words: Sequence[str], framework: FrameworkSpec, version: str, architecture: str
) -> BuildError:
    """The error of a version that cannot be had, with those that can, where pip tells them."""
    offer = next((match for match in map(_OFFER.search, words) if match), None)
    offered = sorted_stable(offer["versions"]) if offer and offer["name"] == framework.package else []
    fix = f"Make `{Path(sys.executable).name} -m pip download` work here: see `pip config list`."
    if offered:
        earlier = ", or an earlier one" if len(offered) > OFFERED else ""
        fix = f"Choose one of these versions: {', '.join(offered[-OFFERED:])}{earlier}."
    wanted = f"{framework.title} {version}" if version else f"What {framework.title} requires"
    return BuildError(
        f"{wanted} cannot be had for Python {PYTHON} on {architecture}.",
        why="\n".join(re.sub(r" \(from versions: [^)]*\)", "", line) for line in words),
        fix=fix,
    )


def sorted_stable(text: str) -> list[str]:
    """The released versions of a list that commas separate, oldest first."""
    versions = []
    for word in text.split(", "):
        try:
            versions.append(Version(word))
        except InvalidVersion:  # "none"
            continue
    return [str(version) for version in sorted(versions) if not version.is_prerelease]

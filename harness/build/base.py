"""The image that all others stand on: pulled by digest where a registry answers, else built from Debian packages.

Both end as `edgematrix/base:<identity>` on the engine. What is there decides, so that no registry is asked twice and
one machine measures on one base.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml
from docker.errors import DockerException, ImageNotFound
from pydantic import BaseModel, ConfigDict
from requests.exceptions import RequestException

from harness import debian
from harness.build.events import BuildEvent, Step
from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import docker

REPOSITORY: Final = "edgematrix/base"
LABEL_BASE: Final = "edgematrix.base"
RECIPE_FILE: Final = "base.yaml"
OVERRIDE: Final = "EDGEMATRIX_BASE"
"""Environment variable: the reference of a mirrored base image, with its digest; nothing else is tried then."""
TOOLS_OVERRIDE: Final = "EDGEMATRIX_TOOLS_BASE"
"""The same for the base of tools that need more than Python, such as a compiler."""
REGISTRY_TIMEOUT_S: Final = 20
BOOTSTRAP_TIMEOUT_S: Final = 900
MERGED_USR_HOOK: Final = "/usr/share/mmdebstrap/hooks/merged-usr"
"""Merges /usr beforehand: left to itself, apt installs the program that does so, and 50 MB of Perl for it."""
DEBIAN_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


class DebianRecipe(BaseModel):
    """How a base is made of Debian's packages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    packages: tuple[str, ...]
    excluded: tuple[str, ...]
    """Paths that no package may leave: no run reads them."""


class Recipe(BaseModel):
    """`images/base/base.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str
    debian: DebianRecipe


@dataclass(frozen=True, kw_only=True)
class Base:
    """The base as it is on the engine.

    Attributes:
        tag: what Dockerfiles say after FROM.
        identity: the pulled image's digest, which every mirror shares, or the Debian recipe's hash. Not the image
            id, which changes at every rebuild.
        reference: where it is pulled from; empty where it is built.
    """

    tag: str
    identity: str
    reference: str = ""


def ensure_base(
    client: docker.DockerClient,
    recipe: Recipe,
    *,
    variable: str = OVERRIDE,
    architecture: str,
    on_event: Callable[[BuildEvent], None],
) -> Base:
    """Have a base image on the engine.

    Args:
        client: of the engine.
        recipe: where it comes from.
        variable: of the environment, in which a mirror of it can be named.
        architecture: of the engine: `x86_64` or `aarch64`.
        on_event: told what takes time.

    Raises:
        BuildError: it can neither be pulled nor built here.
    """
    override = os.environ.get(variable)
    pulled = pulled_base(override or recipe.image, variable)
    built = debian_base(recipe.debian, architecture)
    for base in (pulled,) if override else (pulled, built):
        if exists(client, base.tag):
            return base
    on_event(BuildEvent(name="base", step=Step.BASE, detail=f"asking a registry for {pulled.reference}"))
    refusal = _pull(client, pulled)
    if refusal is None:
        return pulled
    if override:
        raise BuildError(
            f"The base image {override} cannot be pulled.",
            why=refusal,
            fix=f"Correct or unset {variable}.",
        )
    on_event(
        BuildEvent(name="base", step=Step.BASE, detail=f"no registry answers: building {recipe.debian.suite}")
    )
    try:
        _build_from_debian(client, recipe.debian, built, architecture)
    except BuildError as error:
        fix = f"{error.fix} Or set {variable} to a mirror's image."
        raise BuildError(error.what, why=error.why, fix=fix) from error
    return built


def load_recipe(file: Path) -> Recipe:
    """Read `base.yaml`."""
    return Recipe.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def pulled_base(reference: str, variable: str = OVERRIDE) -> Base:
    """The base that a registry has under this reference.

    Raises:
        BuildError: the reference has no digest.
    """
    _, at, digest = reference.partition("@")
    if not at:
        raise BuildError(
            f"The base image {reference} is not named by digest.",
            why="What a tag points to changes, and results on two bases cannot be compared.",
            fix=f"Set {variable} to NAME@sha256:..., as `docker images --digests` prints it.",
        )
    return Base(tag=f"{REPOSITORY}:pulled-{_short_hash(digest)}", identity=digest, reference=reference)


def debian_base(recipe: DebianRecipe, architecture: str) -> Base:
    """The base that this recipe makes for an architecture."""
    digest = _short_hash("\n".join(bootstrap_argv(recipe, architecture, Path("base.tar"))))
    return Base(tag=f"{REPOSITORY}:debian-{digest}", identity=f"debian-{recipe.suite}-{digest}")


def exists(client: docker.DockerClient, tag: str) -> bool:
    """Whether the engine has an image of this name."""
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def bootstrap_argv(recipe: DebianRecipe, architecture: str, tarball: Path) -> list[str]:
    """The command that makes a Debian root file system: essential packages, Python, nothing else, not even apt."""
    return [
        "mmdebstrap", "--quiet", "--variant=essential", f"--hook-dir={MERGED_USR_HOOK}",
        f"--architectures={DEBIAN_ARCHITECTURES[architecture]}",
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={path}" for path in recipe.excluded),
        recipe.suite, str(tarball),
    ]  # fmt: skip


def _pull(client: docker.DockerClient, base: Base) -> str | None:
    """Pull the base and tag it.

    Returns:
        `None`, or why it cannot be had.
    """
    try:
        # A registry behind a closed door lets the engine retry for minutes: the first question is bounded.
        with _patience(client, REGISTRY_TIMEOUT_S):
            client.images.get_registry_data(base.reference)
        client.images.pull(base.reference)
        client.images.get(base.reference).tag(base.tag)
    except (DockerException, RequestException) as error:
        return str(error)
    return None


@contextmanager
def _patience(client: docker.DockerClient, seconds: int) -> Iterator[None]:
    before = client.api.timeout
    client.api.timeout = seconds
    try:
        yield
    finally:
        client.api.timeout = before


def _build_from_debian(
    client: docker.DockerClient, recipe: DebianRecipe, base: Base, architecture: str
) -> None:
    if shutil.which("mmdebstrap") is None:
        if not debian.can_install():
            raise BuildError(
                "There is no base image: no registry answers, and mmdebstrap is not installed.",
                why="Without a registry the base is built from Debian's packages, which mmdebstrap does.",
                fix="Run `sudo apt-get install mmdebstrap` and build as root.",
            )
        debian.install("mmdebstrap", "debian-archive-keyring", error=BuildError)
    with tempfile.TemporaryDirectory(prefix="edgematrix-base-") as scratch:
        tarball = Path(scratch) / "base.tar"
        try:
            ended = subprocess.run(  # noqa: S603 - the recipe's words
                bootstrap_argv(recipe, architecture, tarball),
                check=False,
                capture_output=True,
                text=True,
                timeout=BOOTSTRAP_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildError(
                f"The base image was not built from Debian's packages within {BOOTSTRAP_TIMEOUT_S} s.",
                fix="Look at how fast `apt-get update` is here, and build again.",
            ) from error
        if ended.returncode != 0:
            raise BuildError(
                "The base image could not be built from Debian's packages.",
                why="\n".join(ended.stderr.splitlines()[-5:]),
                fix="Make `apt-get update` work here.",
            )
        _import(client, tarball, base)


def _import(client: docker.DockerClient, tarball: Path, base: Base) -> None:
    repository, _, tag = base.tag.partition(":")
    try:
        answer = client.api.import_image_from_file(
            str(tarball), repository=repository, tag=tag, changes=[f"LABEL {LABEL_BASE}={base.identity}"]
        )
    except (DockerException, RequestException) as error:
        raise BuildError("The engine does not take the base image.", why=str(error)) from error
    if '"error"' in answer:
        raise BuildError("The engine does not take the base image.", why=answer.strip().splitlines()[-1])


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]

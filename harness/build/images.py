"""Build the images that a run needs, and none that is up to date."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from docker.errors import ImageNotFound

from harness.build import wheelhouse
from harness.build.base import LABEL_BASE, Base, ensure_base, exists, load_recipe
from harness.build.builder import build, remove_image
from harness.build.events import BuildEvent, Step
from harness.build.lockfile import ARCHITECTURES, lock_path
from harness.build.recipe import LABEL_FINGERPRINT, SITE_REPOSITORY, Recipe, read_recipe
from harness.catalog import SUPPORT_IMAGES, FrameworkSpec, load_frameworks
from harness.errors import BuildError, ConfigError
from harness.results import Image
from harness.units import GIB, MIB, format_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import docker

LABEL_FRAMEWORK: Final = "edgematrix.framework"
LABEL_PACKAGES: Final = "edgematrix.packages"
DISK_FACTOR: Final = 9
"""Disk that a build takes at its height, per byte of wheels: the context, the unpacked wheels, and these copied."""
DISK_RESERVE: Final = GIB // 2


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What every image of one call is built with."""

    client: docker.DockerClient
    root: Path
    architecture: str
    base: Base
    frameworks: dict[str, FrameworkSpec]
    on_event: Callable[[BuildEvent], None]


def build_images(
    client: docker.DockerClient, names: Iterable[str], *, root: Path, on_event: Callable[[BuildEvent], None]
) -> dict[str, Image | BuildError]:
    """Have images on the engine, building those that are missing or out of date.

    Args:
        client: of the engine.
        names: frameworks, `prepare` and `probe`.
        root: the checkout, with `images/` in it.
        on_event: told of all progress.

    Returns:
        By name, in the order asked for: the image, or why it could not be built. One framework's failure does not
        keep the others from being built.

    Raises:
        BuildError: there is no base image, so that none can be built.
        ConfigError: a name is unknown, or a framework's description is wrong.
    """
    frameworks = load_frameworks(root / "images")
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in frameworks and name not in SUPPORT_IMAGES]
    if unknown:
        known = ", ".join((*frameworks, *SUPPORT_IMAGES))
        raise ConfigError(f"There is no image {unknown[0]!r}.", fix=f"Choose from: {known}.")
    architecture = engine_architecture(client)
    recipe = load_recipe(root / "images" / "base" / "base.yaml")
    base = ensure_base(client, recipe, architecture=architecture, on_event=on_event)
    workshop = Workshop(
        client=client, root=root, architecture=architecture, base=base, frameworks=frameworks, on_event=on_event
    )
    return {name: _try_image(workshop, name) for name in wanted}


def engine_architecture(client: docker.DockerClient) -> str:
    """The engine's architecture in the word that wheels use.

    Raises:
        BuildError: none of the frameworks has wheels for it.
    """
    word = client.info()["Architecture"]
    if word not in ARCHITECTURES:
        raise BuildError(
            f"The engine runs on {word}, for which no framework has wheels.",
            fix=f"Use an engine on one of: {', '.join(sorted(set(ARCHITECTURES.values())))}.",
        )
    return ARCHITECTURES[word]


def _try_image(workshop: Workshop, name: str) -> Image | BuildError:
    try:
        return _have_image(workshop, name)
    except BuildError as error:
        workshop.on_event(BuildEvent(name=name, step=Step.FAILED, detail=error.what))
        return error


def _have_image(workshop: Workshop, name: str) -> Image:
    recipe = read_recipe(
        workshop.root / "images",
        name,
        framework=workshop.frameworks.get(name),
        architecture=workshop.architecture,
        base_identity=workshop.base.identity,
    )
    before = _find(workshop.client, recipe.tag)
    if before is not None and before.fingerprint == recipe.fingerprint:
        detail = f"up to date, {format_memory(before.size_bytes)}"
        workshop.on_event(BuildEvent(name=name, step=Step.SKIPPED, detail=detail))
        return before
    if recipe.lock is not None and not exists(workshop.client, recipe.site_tag):
        _build_site(workshop, recipe, recipe.lock)
    _build(workshop, recipe, recipe.tag, recipe.runner, {"SITE": _site(workshop, recipe)}, _labels(workshop, recipe))
    image = _find(workshop.client, recipe.tag)
    if image is None:
        raise BuildError(f"{recipe.tag} is gone right after its build.", fix="Build again; does a clean-up run?")
    _remove_outdated(workshop.client, recipe, before)
    workshop.on_event(BuildEvent(name=name, step=Step.FINISHED, detail=format_memory(image.size_bytes), done=1.0))
    return image


def _build_site(workshop: Workshop, recipe: Recipe, lock: Path) -> None:
    pip_lock = lock_path(workshop.root / "images" / "base", workshop.architecture)
    wheels = [
        path
        for source, indexes in ((pip_lock, ()), (lock, recipe.indexes))
        for path in sorted(_wheels(workshop, recipe.name, source, indexes).glob("*.whl"))
    ]
    _check_disk(workshop.client, recipe.name, sum(path.stat().st_size for path in wheels))
    context = (*recipe.site, *((f"wheels/{path.name}", path) for path in wheels))
    labels = {LABEL_BASE: workshop.base.identity, LABEL_FRAMEWORK: recipe.name}
    _build(workshop, recipe, recipe.site_tag, context, {"BASE": workshop.base.tag}, labels)


def _wheels(workshop: Workshop, name: str, lock: Path, indexes: tuple[str, ...]) -> Path:
    def tell(requirement: str, done: float) -> None:
        workshop.on_event(BuildEvent(name=name, step=Step.DOWNLOAD, detail=requirement, done=done))

    return wheelhouse.fill(
        workshop.root / ".cache" / "wheelhouse",
        lock,
        architecture=workshop.architecture,
        indexes=indexes,
        on_wheel=tell,
    )


def _check_disk(client: docker.DockerClient, name: str, wheel_bytes: int) -> None:
    """Refuse a build that would fill the engine's disk, where that disk can be seen from here."""
    data_root = Path(client.info()["DockerRootDir"])
    if client.api.base_url.startswith("http+docker://") and data_root.is_dir():
        free = shutil.disk_usage(data_root).free
        needed = wheel_bytes * DISK_FACTOR + DISK_RESERVE
        if free < needed:
            raise BuildError(
                f"Too little disk to build {name}: {format_memory(free)} free in {data_root}.",
                why=f"The build takes up to {format_memory(needed)}, most of it only for its duration.",
                fix=f"Free {format_memory(needed - free + MIB)}: see `docker system df`.",
            )


def _build(
    workshop: Workshop,
    recipe: Recipe,
    tag: str,
    context: tuple[tuple[str, Path], ...],
    arguments: dict[str, str],
    labels: dict[str, str],
) -> None:
    def tell(instruction: str, done: float) -> None:
        workshop.on_event(BuildEvent(name=recipe.name, step=Step.BUILD, detail=instruction, done=done))

    build(workshop.client, tag=tag, context=context, arguments=arguments, labels=labels, on_step=tell)


def _site(workshop: Workshop, recipe: Recipe) -> str:
    return workshop.base.tag if recipe.lock is None else recipe.site_tag


def _labels(workshop: Workshop, recipe: Recipe) -> dict[str, str]:
    return {
        LABEL_FINGERPRINT: recipe.fingerprint,
        LABEL_FRAMEWORK: recipe.name,
        LABEL_BASE: workshop.base.identity,
        LABEL_PACKAGES: json.dumps(recipe.packages, sort_keys=True),
        "org.opencontainers.image.title": recipe.title,
        "org.opencontainers.image.version": recipe.version,
        "org.opencontainers.image.base.name": workshop.base.tag,
        "org.opencontainers.image.base.digest": workshop.base.identity.rpartition("@")[2],
    }


def _find(client: docker.DockerClient, tag: str) -> Image | None:
    """The image of this name as the engine has it; `None` where it is missing or not of our making."""
    try:
        found = client.images.get(tag)
    except ImageNotFound:
        return None
    labels = found.labels
    if LABEL_FINGERPRINT not in labels:
        return None
    return Image(
        tag=tag,
        id=found.id,
        fingerprint=labels[LABEL_FINGERPRINT],
        size_bytes=found.attrs["Size"],
        base=labels[LABEL_BASE],
        packages=json.loads(labels[LABEL_PACKAGES]),
    )


def _remove_outdated(client: docker.DockerClient, recipe: Recipe, before: Image | None) -> None:
    """Remove what the new image replaces; what a container still uses stays."""
    if before is not None:
        remove_image(client, before.id)
    for image in client.images.list(name=SITE_REPOSITORY):
        for tag in image.tags:
            if tag.startswith(f"{SITE_REPOSITORY}:{recipe.name}-") and tag != recipe.site_tag:
                remove_image(client, tag)

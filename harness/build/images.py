"""Build the images that a run needs, and none that is up to date."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from docker.errors import ImageNotFound
from packaging.specifiers import SpecifierSet

from harness.build.base import (
    LABEL_BASE,
    RECIPE_FILE,
    TOOLS_OVERRIDE,
    Base,
    ensure_base,
    exists,
    load_recipe,
)
from harness.build.builder import build, engine_trouble, remove_image
from harness.build.events import BuildEvent, Step
from harness.build.lockfile import ARCHITECTURES, lock_path, read_pins
from harness.build.recipe import LABEL_FINGERPRINT, SITE_REPOSITORY, Recipe, read_recipe
from harness.build.request import ImageRequest
from harness.build.versions import Resolver
from harness.build.wheelhouse import fill
from harness.catalog import ARTICLE_IMAGES, SUPPORT_IMAGES, FrameworkSpec, indexes_for, load_frameworks
from harness.errors import BuildError, ConfigError
from harness.runs import Image
from harness.units import GIB, MIB, format_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import docker

LABEL_FRAMEWORK: Final = "edgematrix.framework"
LABEL_PACKAGES: Final = "edgematrix.packages"
DISK_FACTOR: Final = 9
"""Disk that a build takes at its height, per byte of wheels: the context, the unpacked wheels, and these copied."""
DISK_RESERVE: Final = GIB // 2
LOCAL_URL: Final = "http+docker://localhost"
"""What the client calls an engine behind a socket of this machine."""

Wanted = TypeVar("Wanted", bound=str | ImageRequest)
"""How images are asked for: by name alone, in the current version, or by a whole request."""


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
    client: docker.DockerClient,
    wanted: Iterable[Wanted],
    *,
    root: Path,
    on_event: Callable[[BuildEvent], None],
) -> dict[Wanted, Image | BuildError]:
    """Have images on the engine, building those that are missing or out of date.

    Args:
        client: of the engine.
        wanted: frameworks, `prepare`, `probe` and the article's; a request may want another version of a framework, or
            its tools.
        root: the checkout, with `images/` in it.
        on_event: told of all progress.

    Returns:
        By what was asked for, in that order: the image, or why it could not be built. One framework's failure does not
        keep the others from being built.

    Raises:
        BuildError: there is no base image, so that none can be built.
        ConfigError: a name is unknown, or a framework's description is wrong.
    """
    frameworks = load_frameworks(root / "images")
    requests = {each: _request(each) for each in wanted}
    known = (*frameworks, *SUPPORT_IMAGES, *ARTICLE_IMAGES)
    for request in requests.values():
        if request.name not in known:
            raise ConfigError(f"There is no image {request.name!r}.", fix=f"Choose from: {', '.join(known)}.")
    with engine_trouble("The base image could not be made."):
        architecture = engine_architecture(client)
        base = ensure_base(
            client,
            load_recipe(root / "images" / "base" / RECIPE_FILE),
            architecture=architecture,
            on_event=on_event,
        )
    workshop = Workshop(
        client=client,
        root=root,
        architecture=architecture,
        base=base,
        frameworks=frameworks,
        on_event=on_event,
    )
    return {each: _try_image(workshop, request) for each, request in requests.items()}


def _request(wanted: str | ImageRequest) -> ImageRequest:
    return ImageRequest(wanted) if isinstance(wanted, str) else wanted


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


def _try_image(workshop: Workshop, request: ImageRequest) -> Image | BuildError:
    try:
        with engine_trouble(f"The engine could not build the image {request}."):
            return _have_image(_with_base(workshop, request), request)
    except BuildError as error:
        workshop.on_event(BuildEvent(name=str(request), step=Step.FAILED, detail=error.what))
        return error


def _with_base(workshop: Workshop, request: ImageRequest) -> Workshop:
    """The workshop, on a base of the tools' own where the common one lacks something, such as a compiler."""
    file = request.folder(workshop.root / "images") / RECIPE_FILE
    if not request.tools or not file.is_file():
        return workshop
    base = ensure_base(
        workshop.client,
        load_recipe(file),
        variable=TOOLS_OVERRIDE,
        architecture=workshop.architecture,
        on_event=workshop.on_event,
    )
    return replace(workshop, base=base)


def _have_image(workshop: Workshop, request: ImageRequest) -> Image:
    recipe = _find_recipe(workshop, request)
    before = find_image(workshop.client, recipe.tag)
    if before is not None and before.fingerprint == recipe.fingerprint:
        detail = f"up to date, {format_memory(before.size_bytes)}"
        workshop.on_event(BuildEvent(name=str(request), step=Step.SKIPPED, detail=detail))
        return before
    if recipe.lock is not None and not exists(workshop.client, recipe.site_tag):
        _build_site(workshop, recipe, recipe.lock)
    build(
        workshop.client,
        tag=recipe.tag,
        context=recipe.runner,
        arguments={"SITE": recipe.site_tag if recipe.lock else workshop.base.tag},
        labels=_labels(workshop, recipe),
        on_step=_teller(workshop, request, Step.BUILD),
    )
    image = find_image(workshop.client, recipe.tag)
    if image is None:
        raise BuildError(
            f"{recipe.tag} was gone right after its build.", fix="Does a clean-up run? Build again."
        )
    _remove_outdated(workshop.client, recipe, before)
    detail = format_memory(image.size_bytes)
    workshop.on_event(BuildEvent(name=str(request), step=Step.FINISHED, detail=detail, done=1.0))
    return image


def _find_recipe(workshop: Workshop, request: ImageRequest) -> Recipe:
    """What a request's image is made of; whoever asks for the current version by its number gets the current image.

    Raises:
        BuildError: the version cannot be had, the framework has no tools, or there are no packages for this
            architecture.
    """
    images = workshop.root / "images"
    framework = workshop.frameworks.get(request.name)
    source = request.folder(images) / "requirements.in"
    if request.tools and not source.is_file():
        raise BuildError(f"{request.name} has no tools.", why=f"{source} is missing.")
    lock = lock_path(source.parent, workshop.architecture) if source.is_file() else None
    version = request.version
    if framework is not None and lock is not None and version is not None:
        if is_version(read_pins(lock).get(framework.package, ""), version):
            request = replace(request, version=None)
        else:
            lock = _lock_version(workshop, request, version, framework=framework, source=source)
    return read_recipe(
        images,
        request,
        framework=framework,
        indexes=indexes_for(request.name, workshop.frameworks),
        lock=lock,
        base_identity=workshop.base.identity,
    )


def _lock_version(
    workshop: Workshop, request: ImageRequest, version: str, *, framework: FrameworkSpec, source: Path
) -> Path:
    """The lock of another version than the project's own."""
    resolver = Resolver(folder=workshop.root / ".cache" / "locks", architecture=workshop.architecture)
    _teller(workshop, request, Step.RESOLVE)(f"{framework.package} {version}", 0.0)
    return resolver.lock(source, framework, version, stem=request.stem)


def is_version(pinned: str, wanted: str) -> bool:
    """Whether a pin is of a version; a label of the build, as in `2.13.0+cpu`, need not be written."""
    return bool(pinned) and SpecifierSet(f"=={wanted}").contains(pinned, prereleases=True)


def _build_site(workshop: Workshop, recipe: Recipe, lock: Path) -> None:
    pip_lock = lock_path(workshop.root / "images" / "base", workshop.architecture)
    wheels = [
        path
        for name, source, indexes in (("base", pip_lock, ()), (recipe.request.stem, lock, recipe.indexes))
        for path in fill(
            workshop.root / ".cache" / "wheelhouse",
            source,
            name=name,
            architecture=workshop.architecture,
            indexes=indexes,
            on_wheel=_teller(workshop, recipe.request, Step.DOWNLOAD),
        )
    ]
    check_disk(workshop.client, str(recipe.request), sum(path.stat().st_size for path in wheels))
    build(
        workshop.client,
        tag=recipe.site_tag,
        context=(*recipe.site, *((f"wheels/{path.name}", path) for path in wheels)),
        arguments={"BASE": workshop.base.tag},
        labels={LABEL_BASE: workshop.base.identity, LABEL_FRAMEWORK: recipe.request.name},
        on_step=_teller(workshop, recipe.request, Step.BUILD),
    )


def _teller(workshop: Workshop, request: ImageRequest, step: Step) -> Callable[[str, float], None]:
    """Turn a step's own progress (what, fraction done) into events."""
    return lambda detail, done: workshop.on_event(
        BuildEvent(name=str(request), step=step, detail=detail, done=done)
    )


def check_disk(client: docker.DockerClient, name: str, wheel_bytes: int) -> None:
    """Refuse a build that would fill the engine's disk, where that disk can be seen from here."""
    data_root = Path(client.info()["DockerRootDir"])
    if client.api.base_url == LOCAL_URL and data_root.is_dir():
        free = shutil.disk_usage(data_root).free
        needed = wheel_bytes * DISK_FACTOR + DISK_RESERVE
        if free < needed:
            raise BuildError(
                f"Too little disk to build {name}: {format_memory(free)} free in {data_root}.",
                why=f"The build takes up to {format_memory(needed)}, most of it only for its duration.",
                fix=f"Free {format_memory(needed - free + MIB)}: see `docker system df`.",
            )


def _labels(workshop: Workshop, recipe: Recipe) -> dict[str, str]:
    return {
        LABEL_FINGERPRINT: recipe.fingerprint,
        LABEL_FRAMEWORK: recipe.request.name,
        LABEL_BASE: workshop.base.identity,
        LABEL_PACKAGES: json.dumps(recipe.packages, sort_keys=True),
        "org.opencontainers.image.title": recipe.title,
        "org.opencontainers.image.version": recipe.version,
        "org.opencontainers.image.base.name": workshop.base.tag,
        "org.opencontainers.image.base.digest": workshop.base.identity,
    }


def find_image(client: docker.DockerClient, tag: str) -> Image | None:
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
    filters = {"label": f"{LABEL_FRAMEWORK}={recipe.request.name}"}
    for site in client.images.list(name=SITE_REPOSITORY, filters=filters):
        for tag in site.tags:
            if is_outdated(recipe, tag):
                remove_image(client, tag)


def is_outdated(recipe: Recipe, site_tag: str) -> bool:
    """Whether an image of packages is an earlier one of the same version: another version's stays."""
    return site_tag != recipe.site_tag and site_tag.rpartition("-")[0] == recipe.site_stem

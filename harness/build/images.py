"""Build the images that a run needs, and none that is up to date."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
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
from harness.build.disk import check_disk
from harness.build.events import BuildEvent, Step
from harness.build.lockfile import ARCHITECTURES, lock_path, read_pins
from harness.build.recipe import LABEL_FINGERPRINT, SITE_REPOSITORY, Recipe, read_recipe
from harness.build.request import ImageRequest
from harness.build.versions import Resolver, is_lock_wanted
from harness.build.wheelhouse import fill
from harness.catalog import FrameworkSpec, indexes_for
from harness.engine import refuse_if_held
from harness.errors import BuildError, ConfigError
from harness.names import ARTICLE_IMAGES, SUPPORT_IMAGES
from harness.places import PLACES
from harness.runs import Image
from harness.units import format_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import docker
    from docker.models.images import Image as EngineImage

OWN_NAMES: Final = "edgematrix/"
LABEL_FRAMEWORK: Final = "edgematrix.framework"
LABEL_PACKAGES: Final = "edgematrix.packages"
LABEL_VERSION: Final = "org.opencontainers.image.version"
LABEL_BASE_NAME: Final = "org.opencontainers.image.base.name"

Wanted = TypeVar("Wanted", bound=str | ImageRequest)
"""How images are asked for: by name alone, in the current version, or by a whole request."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What every image of one call is built with."""

    client: docker.DockerClient
    architecture: str
    base: Base
    frameworks: Mapping[str, FrameworkSpec]
    on_event: Callable[[BuildEvent], None]

    @property
    def resolver(self) -> Resolver:
        """What turns requirements into locks."""
        return Resolver(folder=PLACES.cache / "locks", architecture=self.architecture)

    def folder(self, request: ImageRequest) -> Path:
        """Where a request's requirements and programs are."""
        return request.folder(PLACES.images, self.frameworks.get(request.name))


def build_images(
    client: docker.DockerClient,
    wanted: Iterable[Wanted],
    *,
    frameworks: Mapping[str, FrameworkSpec],
    on_event: Callable[[BuildEvent], None],
) -> dict[Wanted, Image | BuildError]:
    """Have images on the engine, building those that are missing or out of date.

    Args:
        client: of the engine.
        wanted: frameworks, `prepare`, `probe` and the article's; a request may want another version of a framework, or
            its tools.
        frameworks: all that may be asked for, by name.
        on_event: told of all progress.

    Returns:
        By what was asked for, in that order: the image, or why it could not be built. One framework's failure does not
        keep the others from being built.

    Raises:
        BuildError: there is no base image, so that none can be built.
        BusyError: one has to be built, and a harness measures on the engine.
        ConfigError: a name is unknown.
    """
    requests = {each: _request(each) for each in wanted}
    known = (*frameworks, *SUPPORT_IMAGES, *ARTICLE_IMAGES)
    for request in requests.values():
        if request.name not in known:
            raise ConfigError(f"There is no image {request.name!r}.", fix=f"Choose from: {', '.join(known)}.")
    with engine_trouble("The base image could not be made."):
        architecture = engine_architecture(client)
        base = ensure_base(
            client,
            load_recipe(PLACES.images / "base" / RECIPE_FILE),
            architecture=architecture,
            on_event=on_event,
        )
    workshop = Workshop(
        client=client,
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
    file = workshop.folder(request) / RECIPE_FILE
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
    refuse_if_held(workshop.client)  # somebody may have begun to measure during the builds before this one
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
    framework = workshop.frameworks.get(request.name)
    source = workshop.folder(request) / "requirements.in"
    if request.tools and not source.is_file():
        raise BuildError(f"{request.name} has no tools.", why=f"{source} is missing.")
    lock = _current_lock(workshop, request, source) if source.is_file() else None
    version = request.version
    if framework is not None and lock is not None and version is not None:
        if is_version(read_pins(lock).get(framework.package, ""), version):
            request = replace(request, version=None)
        else:
            lock = _lock_version(workshop, request, version, framework=framework, source=source)
    return read_recipe(
        PLACES.images,
        request,
        framework=framework,
        indexes=indexes_for(request.name, workshop.frameworks),
        lock=lock,
        base_identity=workshop.base.identity,
    )


def _current_lock(workshop: Workshop, request: ImageRequest, source: Path) -> Path:
    """The lock beside the requirements; that of a user's own framework is made where it is missing or outdated."""
    framework = workshop.frameworks.get(request.name)
    shipped = framework is None or source.is_relative_to(PLACES.images)
    if framework and not shipped and is_lock_wanted(source, workshop.architecture):
        _teller(workshop, request, Step.RESOLVE)(str(source), 0.0)
        workshop.resolver.lock_beside(source, framework)
    return lock_path(source.parent, workshop.architecture)


def _lock_version(
    workshop: Workshop, request: ImageRequest, version: str, *, framework: FrameworkSpec, source: Path
) -> Path:
    """The lock of another version than the project's own."""
    _teller(workshop, request, Step.RESOLVE)(f"{framework.package} {version}", 0.0)
    return workshop.resolver.lock(source, framework, version, stem=request.stem)


def is_version(pinned: str, wanted: str) -> bool:
    """Whether a pin is of a version; a label of the build, as in `2.13.0+cpu`, need not be written."""
    return bool(pinned) and SpecifierSet(f"=={wanted}").contains(pinned, prereleases=True)


def _build_site(workshop: Workshop, recipe: Recipe, lock: Path) -> None:
    pip_lock = lock_path(PLACES.images / "base", workshop.architecture)
    wheels = [
        path
        for name, source, indexes in (("base", pip_lock, ()), (recipe.request.stem, lock, recipe.indexes))
        for path in fill(
            PLACES.cache / "wheelhouse",
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


def _labels(workshop: Workshop, recipe: Recipe) -> dict[str, str]:
    return {
        LABEL_FINGERPRINT: recipe.fingerprint,
        LABEL_FRAMEWORK: recipe.request.name,
        LABEL_BASE: workshop.base.identity,
        LABEL_PACKAGES: json.dumps(recipe.packages, sort_keys=True),
        "org.opencontainers.image.title": recipe.title,
        LABEL_VERSION: recipe.version,
        LABEL_BASE_NAME: workshop.base.tag,
        "org.opencontainers.image.base.digest": workshop.base.identity,
    }


def own_tags(image: EngineImage) -> list[str]:
    """The names that the project gave an image; whoever tags or extends one gives it others, with the same labels."""
    return [tag for tag in image.tags if tag.startswith(OWN_NAMES)]


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

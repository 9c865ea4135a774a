"""Images in a file, for machines without a network: written as `docker save` does, so that `docker load` reads it too.

Labels travel with an image, and with them the hash of what it was built from: an imported image is up to date exactly
where one built on the spot would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from harness.beforehand import require_writable
from harness.build import build_images
from harness.build.base import exists
from harness.build.builder import engine_trouble, remove_image
from harness.build.disk import ENGINE_HINT, engine_folder, require_disk
from harness.build.images import (
    LABEL_BASE_NAME,
    LABEL_FRAMEWORK,
    LABEL_VERSION,
    engine_architecture,
    find_image,
    own_tags,
)
from harness.build.recipe import LABEL_FINGERPRINT
from harness.errors import BuildError, ConfigError
from harness.events import Step
from harness.image_file import new_file, read_content, refuse_foreign
from harness.names import SUPPORT_IMAGES
from harness.results import NULL_FRAMEWORK
from harness.supplies import step_listener
from harness.units import MIB, format_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import docker

    from harness.catalog import FrameworkSpec
    from harness.events import Listener
    from harness.runs import Image

ALWAYS: Final = (*SUPPORT_IMAGES, NULL_FRAMEWORK)
"""What every matrix needs beside its frameworks."""
CHUNK: Final = MIB
TIMEOUT_S: Final = 600
"""For the engine to send the next part: it packs an image before it sends the first."""


class Listed(TypedDict):
    """One of the project's images on an engine."""

    image: str
    framework: str
    version: str
    size_bytes: int
    fingerprint: str
    """Hash of all that it was built from."""
    id: str


def list_images(client: docker.DockerClient) -> tuple[Listed, ...]:
    """The project's images on an engine, by tag; without what they are made of."""
    with engine_trouble("The images could not be listed."):
        return tuple(
            Listed(
                image=tag,
                framework=image.labels[LABEL_FRAMEWORK],
                version=image.labels[LABEL_VERSION],
                size_bytes=image.attrs["Size"],
                fingerprint=image.labels[LABEL_FINGERPRINT],
                id=image.id,
            )
            for tag, image in sorted(_ours(client).items())
        )


def export_images(
    client: docker.DockerClient,
    file: Path,
    names: Sequence[str],
    *,
    frameworks: Mapping[str, FrameworkSpec],
    listener: Listener,
) -> tuple[str, ...]:
    """Write what some frameworks need on an engine into a file, building first what is not up to date.

    Other versions and the tools of these frameworks come along as far as the engine has them.

    Returns:
        The tags that are in it.

    Raises:
        BuildError: an image could not be built, there is too little disk, or the engine does not hand them out.
        ConfigError: the file is there already.
        StoreError: it cannot be written.
    """
    if file.exists():
        raise ConfigError(f"{file} is there already", fix="give another name, or remove it yourself")
    require_writable(file.parent)
    wanted = dict.fromkeys((*ALWAYS, *names))
    for image in build_images(
        client, wanted, frameworks=frameworks, on_event=step_listener(listener)
    ).values():
        if isinstance(image, BuildError):
            raise image
    with engine_trouble("The engine does not hand out its images."):
        images = {
            tag: image
            for tag, image in _ours(client).items()
            if image.labels[LABEL_FRAMEWORK] in wanted and exists(client, image.labels[LABEL_BASE_NAME])
        }
        bases = {image.labels[LABEL_BASE_NAME] for image in images.values()}
        tags = (*sorted(bases), *sorted(images))
        total = _size(client, images, bases)
    with new_file(file) as opened:
        require_disk(
            file.parent, total, f"write {file}", why="The images take about {}.", hint="or name another disk"
        )
        opened.writelines(_counted(_packed(client, tags), _share("writing", file, total, listener)))
    listener(Step(subject=str(file), text=f"written, {format_memory(file.stat().st_size)}", done=1.0))
    return tags


def import_images(client: docker.DockerClient, file: Path, listener: Listener) -> tuple[Image, ...]:
    """Have the images of a file on an engine; what they replace goes.

    Returns:
        Those with frameworks and helpers in them, by tag, without what they stand on.

    Raises:
        BuildError: they are for another architecture, there is too little disk, or the engine does not take them.
        ConfigError: the file is none that an export has written.
        StoreError: it cannot be read.
    """
    content = read_content(file)
    size = file.stat().st_size
    with engine_trouble("The engine does not take the images."):
        refuse_foreign(content, engine_architecture(client), file)
        if folder := engine_folder(client):
            require_disk(
                folder,
                2 * size,
                f"import {file}",
                why="The engine keeps a copy while it unpacks: {}.",
                hint=ENGINE_HINT,
            )
        before = {tag: image for tag in content.tags if (image := find_image(client, tag))}
        parts = _counted(_parts(file), _share("importing", file, size, listener))
        client.images.load(parts)  # type: ignore[arg-type]
        found = [image for tag in content.tags if (image := find_image(client, tag))]
        for replaced in {image.id for image in before.values()} - {image.id for image in found}:
            remove_image(client, replaced)
    listener(Step(subject=str(file), text="imported", done=1.0))
    return tuple(found)


def _ours(client: docker.DockerClient) -> dict[str, Any]:
    """Every image that something runs in, by tag: what they are made of has no fingerprint."""
    images = client.images.list(filters={"label": LABEL_FINGERPRINT})
    return {tag: image for image in images for tag in own_tags(image)}


def _size(client: docker.DockerClient, images: Mapping[str, Any], bases: set[str]) -> int:
    """About what they take together: each has its base inside, and all share it."""
    base: dict[str, int] = {tag: client.images.get(tag).attrs["Size"] for tag in bases}
    unique = {image.id: image for image in images.values()}.values()
    above: int = sum(image.attrs["Size"] - base[image.labels[LABEL_BASE_NAME]] for image in unique)
    return sum(base.values()) + above


def _share(doing: str, file: Path, total: int, listener: Listener) -> Callable[[int], None]:
    """Turn bytes done into steps, one a percent; the last word is for whoever knows that it is done."""
    told = -1

    def tell(done: int) -> None:
        nonlocal told
        if (percent := min(99, 100 * done // max(1, total))) > told:
            told = percent
            text = f"{doing}, {format_memory(done)} of about {format_memory(total)}"
            listener(Step(subject=str(file), text=text, done=percent / 100))

    return tell


def _packed(client: docker.DockerClient, tags: Sequence[str]) -> Iterator[bytes]:
    """Several images as the engine packs them, sharing their layers: docker-py itself asks for one only."""
    api = client.api
    with engine_trouble("The engine does not hand out its images."):
        answer = api.get(
            f"{api.base_url}/v{api.api_version}/images/get",
            params={"names": list(tags)},
            stream=True,
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        yield from answer.iter_content(CHUNK)


def _counted(parts: Iterable[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
    """Tell how many bytes have gone by."""
    done = 0
    tell(done)
    for part in parts:
        done += len(part)
        tell(done)
        yield part


def _parts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from iter(lambda: opened.read(CHUNK), b"")

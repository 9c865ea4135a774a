"""Remove what the project has put on an engine: by its own labels and names, never host-wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.build import remove_stages
from harness.build.base import LABEL_BASE
from harness.build.images import own_tags
from harness.container import LABEL_MODEL, LABEL_OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker


def clean_engine(client: docker.DockerClient) -> Iterator[str]:
    """Remove containers, then volumes, then images: each kind holds on to the next.

    Yields:
        A line for each thing that was removed.
    """
    for container in client.containers.list(all=True, filters={"label": LABEL_OWNER}):
        container.remove(force=True)
        yield f"container {container.name}"
    for volume in client.volumes.list(filters={"label": LABEL_MODEL}):
        volume.remove()
        yield f"volume {volume.name}"
    remove_stages(client)
    # Every image of ours, the base among them, says what it stands on.
    for image in client.images.list(filters={"label": LABEL_BASE}):
        for tag in own_tags(image):
            client.images.remove(tag, force=True)
            yield f"image {tag}"

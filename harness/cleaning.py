"""Remove what the project has put on an engine: by its own labels, never host-wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine import LABEL_MODEL, LABEL_OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

LABEL_FRAMEWORK = "edgematrix.framework"


def clean_engine(client: docker.DockerClient) -> Iterator[str]:
    """Remove containers, then volumes, then images.

    Yields:
        A line for each thing that was removed.
    """
    for container in client.containers.list(all=True, filters={"label": LABEL_OWNER}):
        container.remove(force=True)
        yield f"container {container.name}"
    for volume in client.volumes.list(filters={"label": LABEL_MODEL}):
        volume.remove()
        yield f"volume {volume.name}"
    for image in client.images.list(all=False, filters={"label": LABEL_FRAMEWORK}):
        assert image.id is not None
        client.images.remove(image.id, force=True)
        yield f"image {', '.join(image.tags) or image.id}"

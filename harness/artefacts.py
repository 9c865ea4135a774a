"""The model artefacts that an engine keeps, as `edgematrix models` lists them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, TypedDict

from harness.build import ImageRequest, build_images
from harness.container import LABEL_HOLDS, LABEL_MODEL, LABEL_RUN, ContainerSpec, Mount
from harness.engine import Engine, refuse_if_held
from harness.errors import BuildError
from harness.host import ProbeFacts
from harness.supplies import step_listener

if TYPE_CHECKING:
    import docker

    from harness.events import Listener


class Artefact(TypedDict):
    """One volume."""

    model: str
    holds: str
    """What of the model, in words."""
    size_bytes: int | None
    """Null, like the hash, while it is not complete."""
    hash: str | None
    volume: str


def list_artefacts(client: docker.DockerClient, *, listener: Listener) -> tuple[Artefact, ...]:
    """Every volume of artefacts on an engine, by model and by what it holds.

    The probe's image is built if it is missing: a volume can only be looked into by a container.

    Raises:
        BuildError: that image cannot be built.
        BusyError: somebody measures on it.
        EngineError: the engine does not answer.
    """
    volumes = client.volumes.list(filters={"label": LABEL_MODEL})
    if not volumes:
        return ()
    engine = Engine(client, purpose="edgematrix models")
    refuse_if_held(client)  # what looks into the volumes would disturb who measures
    request = ImageRequest("probe")
    image = build_images(client, [request], frameworks={}, on_event=step_listener(listener))[request]
    if isinstance(image, BuildError):
        raise image
    spec = ContainerSpec(
        image=image.id,
        name=f"edgematrix-models-{secrets.token_hex(4)}",
        labels={LABEL_RUN: "models"},
        module="runner.probe",
        mounts=tuple(Mount(volume=volume.name, path=f"/volumes/{volume.name}") for volume in volumes),
    )
    with engine.hold(spec) as ask:
        held = ProbeFacts.model_validate_json(ask()).volumes
    found = [
        Artefact(
            model=volume.attrs["Labels"][LABEL_MODEL],
            holds=volume.attrs["Labels"].get(LABEL_HOLDS, ""),
            size_bytes=facts.size_bytes if (facts := held[volume.name]) else None,
            hash=facts.hash if facts else None,
            volume=volume.name,
        )
        for volume in volumes
    ]
    return tuple(sorted(found, key=lambda each: (each["model"], each["holds"], each["volume"])))

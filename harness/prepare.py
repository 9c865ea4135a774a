"""Model artefacts: prepared once by content hash, in containers, into volumes that trials mount read-only.

Each model has one common volume (specification, definitions, weights, ONNX, inputs, reference) and, for each
framework that converts, one of its own. A volume's name holds the hash of all that goes into it, so a change makes
a new volume, and a complete one is never written again.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.container import LABEL_MODEL, LABEL_RUN, ContainerSpec, Mount
from harness.deadline import Deadline
from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.catalog import ModelSpec
    from harness.engine import Engine
    from harness.runs import Image

COMMON: Final = "/model"
NATIVE: Final = "/native"
TIMEOUT_S: Final = 1800


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume of artefacts, to be made or already complete.

    Attributes:
        name: unique by content.
        model: the model whose artefacts it holds.
        framework: whose own form it holds; `None` for the common one.
        image: id of the image that makes it.
        module: what runs in that image.
    """

    name: str
    model: str
    framework: str | None
    image: str
    module: str


def plan_volumes(
    models: Iterable[ModelSpec], images: Mapping[str, Image], converting: Iterable[str]
) -> tuple[Volume, ...]:
    """All volumes that a run needs, each common one before those made from it.

    Args:
        models: the models of the run.
        images: image by name, `prepare` among them.
        converting: the frameworks of the run that have a form of their own.
    """
    volumes: list[Volume] = []
    chosen = sorted(converting)
    for model in models:
        source = folder_hash(model.folder)
        common = volume_name(model.name, None, source, images["prepare"].fingerprint)
        volumes.append(
            Volume(
                name=common, model=model.name, framework=None, image=images["prepare"].id, module="prepare"
            )
        )
        volumes += [
            Volume(
                name=volume_name(model.name, name, common, images[name].fingerprint),
                model=model.name,
                framework=name,
                image=images[name].id,
                module="runner.convert",
            )
            for name in chosen
        ]
    return tuple(volumes)


def volume_name(model: str, framework: str | None, *contents: str) -> str:
    """A name that changes with the content."""
    digest = hashlib.sha256("\0".join(contents).encode()).hexdigest()[:16]
    return "-".join(filter(None, ("edgematrix", model, framework, digest)))


def make_volume(engine: Engine, volume: Volume, *, common: Volume, folder: Path) -> None:
    """Fill one volume.

    Args:
        engine: where it is.
        volume: the volume to fill.
        common: the common volume of the same model, which is itself or already complete.
        folder: the model's sources.

    Raises:
        BuildError: the container failed; the log's end says why.
    """
    mounts = [Mount(volume=common.name, path=COMMON, writable=volume is common)]
    if volume is not common:
        mounts.append(Mount(volume=volume.name, path=NATIVE, writable=True))
    spec = ContainerSpec(
        image=volume.image,
        name=volume.name,
        labels={LABEL_RUN: "prepare", LABEL_MODEL: volume.model},
        module=volume.module,
        mounts=tuple(mounts),
        archive=(COMMON, pack(folder)) if volume is common else None,
    )
    outcome = engine.run(spec, on_line=lambda _: None, deadline=Deadline(TIMEOUT_S))
    if outcome.exit_code != 0 or outcome.error is not None:
        what = f"{volume.model} could not be prepared" + (
            f" for {volume.framework}" if volume.framework else ""
        )
        raise BuildError(what, why=outcome.error or outcome.log_tail.strip()[-2000:])


def folder_files(folder: Path) -> list[Path]:
    """A model's sources, without what Python leaves beside them."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def folder_hash(folder: Path) -> str:
    """Hash of names and contents."""
    digest = hashlib.sha256()
    for path in folder_files(folder):
        digest.update(
            f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()


def pack(folder: Path) -> bytes:
    """A tar of a model's sources, owned by the images' user."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in folder_files(folder):
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size, entry.mode, entry.uid, entry.gid = path.stat().st_size, 0o644, 10001, 10001
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return buffer.getvalue()

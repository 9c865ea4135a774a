"""What the cells of a run need on the engine before they can start: images, and volumes of artefacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.build import build_images
from harness.catalog import SUPPORT_IMAGES, load_frameworks, load_models
from harness.container import LABEL_MODEL, Mount
from harness.errors import BuildError, EdgematrixError
from harness.events import Step
from harness.prepare import COMMON, NATIVE, Volume, make_volume, plan_volumes
from harness.runs import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import docker

    from harness.build import BuildEvent
    from harness.catalog import FrameworkSpec, ModelSpec
    from harness.engine import Engine
    from harness.events import Listener
    from harness.host import ProbeFacts
    from harness.results import Cell
    from harness.runs import Image


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """Images and volumes by what they are for, and what could not be made.

    Attributes:
        frameworks: the specification of each framework in use.
        models: the specification of each model in use.
        images: by framework or helper; without those whose build failed.
        volumes: all volumes, each common one before those made from it.
        failures: by (model, framework): why such a cell cannot start.
    """

    frameworks: Mapping[str, FrameworkSpec]
    models: Mapping[str, ModelSpec]
    images: Mapping[str, Image]
    volumes: tuple[Volume, ...]
    failures: Mapping[tuple[str, str], EdgematrixError]

    def failure(self, cell: Cell) -> EdgematrixError | None:
        """Why a cell cannot start, if it cannot."""
        return self.failures.get((cell.model, cell.framework))

    def volume(self, model: str, framework: str | None) -> Volume | None:
        """A model's common volume (`framework` is `None`), or a framework's own form of it."""
        found = (volume for volume in self.volumes if (volume.model, volume.framework) == (model, framework))
        return next(found, None)

    def common(self, model: str) -> Volume:
        """A model's common volume, which every model in use has."""
        volume = self.volume(model, None)
        assert volume is not None
        return volume

    def mounts(self, cell: Cell) -> tuple[Mount, ...]:
        """A trial's volumes, read-only."""
        native = self.volume(cell.model, cell.framework)
        mounts = (Mount(volume=self.common(cell.model).name, path=COMMON),)
        return mounts if native is None else (*mounts, Mount(volume=native.name, path=NATIVE))


def build_supplies(
    client: docker.DockerClient, cells: Sequence[Cell], *, root: Path, listener: Listener
) -> Supplies:
    """Build the images that some cells need, and name the volumes.

    Raises:
        BuildError: a helper image could not be built; a framework's failure is kept in the result instead.
    """
    known_frameworks, known_models = (
        load_frameworks(root / "images"),
        load_models(root / "harness" / "models"),
    )
    frameworks = {name: known_frameworks[name] for name in dict.fromkeys(cell.framework for cell in cells)}
    models = {name: known_models[name] for name in dict.fromkeys(cell.model for cell in cells)}
    built = build_images(client, [*SUPPORT_IMAGES, *frameworks], root=root, on_event=step_listener(listener))
    for name in SUPPORT_IMAGES:
        if isinstance(failure := built[name], BuildError):
            raise failure
    images = {name: image for name, image in built.items() if not isinstance(image, BuildError)}
    converting = [name for name, spec in frameworks.items() if spec.has_convert and name in images]
    return Supplies(
        frameworks=frameworks,
        models=models,
        images=images,
        volumes=plan_volumes(models.values(), images, converting),
        failures={
            (model, name): failure
            for name, failure in built.items()
            if isinstance(failure, BuildError)
            for model in models
        },
    )


def create_volumes(engine: Engine, supplies: Supplies) -> None:
    """Create the volumes that are not there yet, empty, with the labels that `clean` goes by."""
    for volume in supplies.volumes:
        engine.ensure_volume(volume.name, {LABEL_MODEL: volume.model})


def fill_volumes(engine: Engine, supplies: Supplies, facts: ProbeFacts, listener: Listener) -> Supplies:
    """Make the artefacts that are not complete.

    Returns:
        The supplies, with what could not be made among the failures.
    """
    failures = dict(supplies.failures)
    for volume in supplies.volumes:
        hit = [volume.framework] if volume.framework else list(supplies.frameworks)
        pairs = [(volume.model, framework) for framework in hit]
        # Nothing can be made from what could not be made itself: the first cause is the one to tell.
        if facts.manifests.get(volume.name) is not None or all(pair in failures for pair in pairs):
            continue
        subject = f"model {volume.model}" + (f" for {volume.framework}" if volume.framework else "")
        listener(Step(subject=subject, text="preparing"))
        common = supplies.common(volume.model)
        folder = supplies.models[volume.model].folder
        try:
            make_volume(engine, volume, common=common, folder=folder)
        except BuildError as error:
            failures |= dict.fromkeys(pairs, error)
        else:
            listener(Step(subject=subject, text="prepared", done=1.0))
    return replace(supplies, failures=failures)


def describe_models(supplies: Supplies, facts: ProbeFacts) -> dict[str, Model]:
    """What a run records of its models; those that could not be prepared are left out."""
    described = {}
    for name, spec in supplies.models.items():
        content = facts.manifests.get(supplies.common(name).name)
        if content is not None:
            described[name] = Model(
                hash=content,
                title=spec.title,
                parameters=spec.parameters,
                multiply_adds=spec.multiply_adds,
                tolerance=spec.tolerance,
            )
    return described


def step_listener(listener: Listener) -> Callable[[BuildEvent], None]:
    """Pass the builder's events on as steps."""

    def pass_on(event: BuildEvent) -> None:
        words = (event.step if event.step != event.name else "", event.detail)
        text = " ".join(filter(None, words))
        listener(Step(subject=f"image {event.name}", text=text, done=event.done))

    return pass_on

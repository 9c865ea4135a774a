"""What the cells of a run need on the engine before they can start: images, and volumes of artefacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from harness.build import ImageRequest, build_images
from harness.config.resolve import plain_framework
from harness.container import LABEL_HOLDS, LABEL_MODEL, Mount
from harness.errors import BuildError, EdgematrixError, UnsupportedError
from harness.events import Step
from harness.names import ARTICLE_IMAGES, SUPPORT_IMAGES, TOOLS_SUFFIX
from harness.needs import Kind, find_needs, key_of
from harness.prepare import COMMON, DATA, make_volume
from harness.results import NULL_FRAMEWORK
from harness.runs import Model
from harness.sources import folder_source, own_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import docker

    from harness.build import BuildEvent
    from harness.catalog import Catalog, FrameworkSpec
    from harness.config import Matrix
    from harness.engine import Engine
    from harness.events import Listener
    from harness.host import ProbeFacts
    from harness.needs import Key, Needs
    from harness.prepare import Volume
    from harness.results import Cell
    from harness.runs import Framework, Image


MEMORY_SHARE: Final = 0.8
"""Of the host's memory, for the preparation of a model: what it takes is decided by a file of somebody's."""


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """Images and volumes by what they are for, and what could not be made.

    Attributes:
        frameworks: what each framework's name in the matrix stands for.
        specs: the specification behind each.
        images: by framework, its tools, or helper; without those whose build failed.
        needs: of each cell, by what changes them.
        failures: of volumes that could not be made, by their name.
    """

    frameworks: Mapping[str, Framework]
    specs: Mapping[str, FrameworkSpec]
    images: Mapping[str, Image]
    needs: Mapping[Key, Needs]
    failures: Mapping[str, EdgematrixError]

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """All volumes, each behind those that it is made from."""
        return tuple(dict.fromkeys(volume for needs in self.needs.values() for volume in needs.volumes))

    def failure(self, cell: Cell) -> EdgematrixError | None:
        """Why a cell cannot start, if it cannot; of several causes the first."""
        needs = self._needs(cell)
        return needs.failure or next(
            (self.failures[volume.name] for volume in needs.volumes if volume.name in self.failures), None
        )

    def mounts(self, cell: Cell) -> tuple[Mount, ...]:
        """A trial's volumes, read-only."""
        return tuple(Mount(volume=volume.name, path=volume.path) for volume in self._needs(cell).volumes)

    def needed_by(self, cells: Iterable[Cell]) -> Supplies:
        """The same without the volumes that are for none of these cells: some were named before the host was known."""
        keys = {self._key(cell) for cell in cells if cell.framework in self.specs}
        return replace(self, needs={key: needs for key, needs in self.needs.items() if key in keys})

    def _needs(self, cell: Cell) -> Needs:
        return self.needs[self._key(cell)]

    def _key(self, cell: Cell) -> Key:
        return key_of(cell, self.specs[cell.framework], self.frameworks[cell.framework])


def build_supplies(
    client: docker.DockerClient,
    cells: Sequence[Cell],
    *,
    matrix: Matrix,
    catalog: Catalog,
    listener: Listener,
) -> Supplies:
    """Build the images that some cells need, and name the volumes.

    Raises:
        BuildError: a helper image could not be built; a framework's failure is kept in the result instead.
    """
    frameworks = {
        name: matrix.frameworks.get(name) or plain_framework(catalog.frameworks[name])
        for name in dict.fromkeys(cell.framework for cell in cells)
    }
    specs = {name: catalog.frameworks[framework.extends] for name, framework in frameworks.items()}
    sources = {
        name: own_source(name, matrix.own_models[name])
        if name in matrix.own_models
        else folder_source(catalog.models[name])
        for name in dict.fromkeys(cell.model for cell in cells)
    }
    kinds = [
        Kind(
            cell=cell,
            source=sources[cell.model],
            spec=specs[cell.framework],
            framework=frameworks[cell.framework],
        )
        for cell in cells
    ]
    requests = {request for kind in kinds for request in kind.requests}
    # The reference probe needs `null`, whichever cells there are.
    helpers = (*SUPPORT_IMAGES, NULL_FRAMEWORK, *(ARTICLE_IMAGES if matrix.protocol.article else ()))
    wanted = dict.fromkeys([*map(ImageRequest, helpers), *sorted(requests, key=str)])
    built = build_images(client, wanted, frameworks=catalog.frameworks, on_event=step_listener(listener))
    images: dict[str, Image] = {}
    for name in helpers:
        image = built[ImageRequest(name)]
        if isinstance(image, BuildError):
            raise image
        images[name] = image
    for kind in kinds:
        for request in kind.requests:
            if not isinstance(image := built[request], BuildError):
                images[kind.cell.framework + (TOOLS_SUFFIX if request.tools else "")] = image
    return Supplies(
        frameworks=frameworks,
        specs=specs,
        images=images,
        needs={kind.key: find_needs(kind, built, images["prepare"]) for kind in kinds},
        failures={},
    )


def create_volumes(engine: Engine, volumes: Sequence[Volume]) -> None:
    """Create the volumes that are not there yet, empty, with the labels that `clean` goes by."""
    for volume in volumes:
        engine.ensure_volume(volume.name, {LABEL_MODEL: volume.model, LABEL_HOLDS: volume.subject})


def remove_outdated(engine: Engine, volumes: Sequence[Volume]) -> None:
    """Remove the volumes whose place these take. Call it only while holding the lock."""
    engine.remove_volumes(LABEL_HOLDS, {volume.subject: volume.name for volume in volumes})


def fill_volumes(engine: Engine, supplies: Supplies, facts: ProbeFacts, listener: Listener) -> Supplies:
    """Make the artefacts that are not complete.

    Returns:
        The supplies, with what could not be made among the failures.
    """
    failures = dict(supplies.failures)
    for volume in supplies.volumes:
        if facts.volumes.get(volume.name) is not None:
            continue
        # Nothing can be made from what could not be made itself: the first cause is the one to tell.
        cause = next((failures[used.name] for used in volume.uses if used.name in failures), None)
        if cause is not None:
            failures[volume.name] = cause
            continue
        listener(Step(subject=volume.subject, text="preparing"))
        try:
            make_volume(
                engine,
                volume,
                _teller(volume, listener),
                memory_bytes=round(MEMORY_SHARE * facts.memory_bytes),
            )
        except (BuildError, UnsupportedError) as error:
            failures[volume.name] = error
        else:
            listener(Step(subject=volume.subject, text="prepared", done=1.0))
    return replace(supplies, failures=failures)


def _teller(volume: Volume, listener: Listener) -> Callable[[str, float], None]:
    """Pass the steps of a preparation on; the last word is the harness's own, once the volume is sealed."""
    return lambda step, done: listener(
        Step(subject=volume.subject, text=f"preparing {step}", done=min(done, 0.99))
    )


def describe_models(supplies: Supplies, facts: ProbeFacts) -> dict[str, Model]:
    """What a run records of its models; those that could not be prepared are left out."""
    shared: dict[str, dict[str, Volume]] = {}
    for volume in supplies.volumes:
        if volume.path in {COMMON, DATA} and facts.volumes.get(volume.name) is not None:
            shared.setdefault(volume.model, {})[volume.name] = volume
    return {model: _describe(model, tuple(volumes.values()), facts) for model, volumes in shared.items()}


def _describe(model: str, volumes: Sequence[Volume], facts: ProbeFacts) -> Model:
    """One model, from what its volumes say of themselves.

    Raises:
        BuildError: they say what no preparation writes.
    """
    found = [(volume, held) for volume in volumes if (held := facts.volumes[volume.name]) is not None]
    common = next((held for volume, held in found if volume.path == COMMON), None)
    drawn = {volume.subject: held for volume, held in found if volume.path == DATA}
    try:
        references = dict.fromkeys(str(held.facts["reference"]) for held in drawn.values())
        return Model.model_validate(
            {
                **(common.facts if common else {}),
                "hash": common.hash if common else "",
                "data": {subject: held.hash for subject, held in drawn.items()},
                "reference": "; ".join(references),
                "size_bytes": sum(held.size_bytes for _, held in found),
            }
        )
    except (KeyError, ValidationError) as error:
        raise BuildError(
            f"the prepared files of {model} do not describe it",
            why="they are not what a preparation leaves",
            fix="remove them: edgematrix clean",
        ) from error


def step_listener(listener: Listener) -> Callable[[BuildEvent], None]:
    """Pass the builder's events on as steps."""

    def pass_on(event: BuildEvent) -> None:
        words = (event.step if event.step != event.name else "", event.detail)
        text = " ".join(filter(None, words))
        listener(Step(subject=f"image {event.name}", text=text, done=event.done))

    return pass_on

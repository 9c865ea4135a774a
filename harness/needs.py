"""What one cell starts from: the images that it needs, and its volumes of artefacts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from harness.build import ImageRequest
from harness.errors import BuildError, EdgematrixError, UnsupportedError
from harness.prepare import common_volume, data_volume, native_volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.catalog import FrameworkSpec
    from harness.prepare import Volume
    from harness.results import Cell, Workload
    from harness.runs import Framework, Image, ParamValue
    from harness.sources import ModelSource


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What one cell starts from: volumes, or why it cannot start."""

    volumes: tuple[Volume, ...] = ()
    failure: EdgematrixError | None = None


class Key(NamedTuple):
    """What the needs of a cell depend on."""

    framework: str
    workload: Workload
    threads: int | None
    """Only where a form is made for one number of them."""


def key_of(cell: Cell, spec: FrameworkSpec, framework: Framework) -> Key:
    """What the needs of this cell depend on."""
    ahead = spec.compiled_ahead(framework.params)
    return Key(cell.framework, cell.workload, cell.thread_count if ahead else None)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What decides on the needs of a cell: its framework and its model."""

    cell: Cell
    source: ModelSource
    spec: FrameworkSpec
    framework: Framework

    @property
    def key(self) -> Key:
        """See `key_of`."""
        return key_of(self.cell, self.spec, self.framework)

    @property
    def own(self) -> ImageRequest:
        """The image in which it is measured."""
        return ImageRequest(self.spec.name, version=self.framework.version or None)

    @property
    def tools(self) -> ImageRequest:
        """The image of its framework's tools, of the same version, so that what they make can be loaded."""
        return replace(self.own, tools=True)

    @property
    def wants_tools(self) -> bool:
        """Whether the framework's own form of the model is made by its tools, for one shape only."""
        foreign = self.spec.takes == "definition" and self.spec.name not in self.source.definitions
        return foreign or self.spec.compiled_ahead(self.framework.params)

    @property
    def requests(self) -> tuple[ImageRequest, ...]:
        """The images that it needs."""
        return (self.own, self.tools) if self.wants_tools and self.spec.has_tools else (self.own,)


def find_needs(kind: Kind, built: Mapping[ImageRequest, Image | BuildError], prepare: Image) -> Needs:
    """The volumes of a cell, or what it lacks."""
    spec, cell = kind.spec, kind.cell
    common = common_volume(kind.source, prepare)
    volumes = (common, data_volume(kind.source, common, cell.dims, prepare))
    for request in kind.requests:
        if isinstance(image := built[request], BuildError):
            return Needs(volumes=volumes, failure=image)
    if kind.wants_tools and not spec.has_tools:
        reason = f"{cell.model} has no definition for {spec.title}, which has no way from ONNX files"
        return Needs(volumes=volumes, failure=UnsupportedError(reason))
    if not kind.wants_tools and not spec.has_convert:
        return Needs(volumes=volumes)
    maker = built[kind.requests[-1]]
    assert not isinstance(maker, BuildError)
    dims = cell.dims if kind.wants_tools else None
    params: dict[str, ParamValue | None] = dict(kind.framework.params) if kind.wants_tools else {}
    if spec.compiled_ahead(kind.framework.params):
        params["threads"] = cell.thread_count
    native = native_volume(kind.own, common, maker, params=params, dims=dims)
    return Needs(volumes=(*volumes, native))

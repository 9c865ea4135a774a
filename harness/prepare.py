"""Model artefacts: prepared once by content hash, in containers, into volumes that trials mount read-only.

A cell has up to three volumes. The *common* one holds the model for all frameworks: specification, definitions,
weights, ONNX. The *data* one holds inputs and the reference of their outputs, for the sizes that change them. The
*native* one holds a framework's own form. A volume's name holds the hash of all that goes into it, so a change makes a
new volume, and a complete one is never written again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from harness.config.mistakes import printable
from harness.container import LABEL_MODEL, LABEL_RUN, ContainerSpec, Mount
from harness.deadline import Deadline
from harness.errors import BuildError, UnsupportedError
from harness.sources import write_tar
from harness.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.build import ImageRequest
    from harness.container import Outcome
    from harness.engine import Engine
    from harness.runs import Image, ParamValue
    from harness.sources import ModelSource

COMMON: Final = "/model"
DATA: Final = "/data"
NATIVE: Final = "/native"
TIMEOUT_S: Final = 1800
SCRATCH: Final = "4g"
"""Room for temporary files where a model is made."""
REFUSED: Final = 3
"""Exit code of a container that says on standard output why it cannot make what it was asked for."""
_LAST_WORDS: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume of artefacts, to be made or already complete.

    Attributes:
        name: unique by content.
        model: the model whose artefacts it holds.
        subject: what it holds, in words that tell it from all others but earlier versions of itself.
        path: where it stands in a container.
        image: id of the image that makes it.
        module: what runs in that image.
        told: what that is told, one line of JSON.
        uses: what it is made from.
        source: files that are put into it first; `None` for none.
    """

    name: str
    model: str
    subject: str
    path: str
    image: str
    module: str
    told: str = "{}"
    uses: tuple[Volume, ...] = ()
    source: ModelSource | None = None


def _printable(text: str) -> str:
    """Text of a container as one may print it; line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


Words = Annotated[str, Field(max_length=_LAST_WORDS * 2), AfterValidator(_printable)]


class Told(BaseModel):
    """One line of a preparing container: a step, or why it ends. Untrusted and bounded, as all that comes from one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: Words = ""
    done: Annotated[float, Field(ge=0, le=1)] = 0.0
    what: Words = ""
    why: Words = ""
    fix: Words = ""
    unsupported: Words = ""


def common_volume(source: ModelSource, prepare: Image) -> Volume:
    """What all frameworks share of a model."""
    return Volume(
        name=_name(source.name, "", source.hash, prepare.fingerprint),
        model=source.name,
        subject=f"model {source.name}",
        path=COMMON,
        image=prepare.id,
        module="prepare",
        source=source,
    )


def data_volume(source: ModelSource, common: Volume, dims: Mapping[str, int], prepare: Image) -> Volume:
    """Inputs and reference: of single rows where these are independent, else of whole calls."""
    kept = {name: size for name, size in dims.items() if name != "batch" or not source.independent_rows}
    told = json.dumps({"dims": kept}, sort_keys=True)
    return Volume(
        name=_name(source.name, "data", common.name, told),
        model=source.name,
        subject=f"inputs of {source.name}" + (f", {_sizes(kept)}" if kept else ""),
        path=DATA,
        image=prepare.id,
        module="draw",
        told=told,
        uses=(common,),
    )


def native_volume(
    framework: ImageRequest,
    common: Volume,
    image: Image,
    *,
    params: Mapping[str, ParamValue | None],
    dims: Mapping[str, int] | None,
) -> Volume:
    """A framework's own form of a model.

    Args:
        framework: whose form it is.
        common: the model.
        image: what makes it.
        params: of the variant, where they change the form; empty where they do not.
        dims: the one shape that it is made for; `None` where it serves all, and whoever makes it may take any.
    """
    told = json.dumps({"dims": dims or {"batch": 1, "sequence": 1}, "params": params}, sort_keys=True)
    shape = f", {_sizes(dims)}" if dims else ""
    form = "".join(f", {name} {value}" for name, value in params.items())
    return Volume(
        name=_name(common.model, framework.stem, common.name, image.fingerprint, told),
        model=common.model,
        subject=f"model {common.model} for {framework}{shape}{form}",
        path=NATIVE,
        image=image.id,
        module="runner.convert",
        told=told,
        uses=(common,),
    )


def make_volume(
    engine: Engine, volume: Volume, on_step: Callable[[str, float], None], *, memory_bytes: int
) -> None:
    """Fill one volume.

    Args:
        engine: where it is.
        volume: the volume to fill; what it is made from is complete.
        on_step: told each step as it begins, and the share that is done.
        memory_bytes: that its container may use.

    Raises:
        BuildError: it could not be made; the container's own words, or the end of its log, say why.
        UnsupportedError: the framework cannot do what the model asks for.
    """
    told: list[Told] = []

    def listen(line: bytes) -> None:
        try:
            told.append(Told.model_validate_json(line))
        except ValidationError:
            return  # chatter of a library
        if told[-1].step:
            on_step(told[-1].step, told[-1].done)

    with tempfile.TemporaryFile() as archive:
        if volume.source is not None:
            write_tar(volume.source, archive)
            archive.seek(0)
        spec = ContainerSpec(
            image=volume.image,
            name=volume.name,
            labels={LABEL_RUN: "prepare", LABEL_MODEL: volume.model},
            module=volume.module,
            mounts=(
                *(Mount(volume=used.name, path=used.path) for used in volume.uses),
                Mount(volume=volume.name, path=volume.path, writable=True),
            ),
            scratch=SCRATCH,
            memory_bytes=memory_bytes,
            archive=(volume.path, archive) if volume.source is not None else None,
        )
        outcome = engine.run(
            spec, stdin=volume.told.encode() + b"\n", on_line=listen, deadline=Deadline(TIMEOUT_S)
        )
    last = told[-1] if told and outcome.exit_code == REFUSED else Told()
    if last.unsupported:
        raise UnsupportedError(last.unsupported)
    if last.what:
        raise BuildError(f"{volume.subject}: {last.what}", why=last.why, fix=last.fix)
    if outcome.exit_code != 0 or outcome.error is not None:
        raise BuildError(f"{volume.subject} could not be prepared", why=_cause(outcome))


def _cause(outcome: Outcome) -> str:
    """Why a container failed that did not say it in words of its own."""
    if outcome.out_of_time_s is not None:
        return f"it took longer than {format_duration(outcome.out_of_time_s)}"
    if outcome.flooded:
        return "it wrote more output than may be read"
    if outcome.oom_flag:
        return "it ran out of memory"
    return outcome.error or outcome.log_tail.strip()[-_LAST_WORDS:]


def _sizes(dims: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {size}" for name, size in dims.items())


def _name(model: str, purpose: str, *contents: str) -> str:
    """A name that changes with the content."""
    digest = hashlib.sha256("\0".join(contents).encode()).hexdigest()[:16]
    return "-".join(filter(None, ("edgematrix", model, purpose, digest)))

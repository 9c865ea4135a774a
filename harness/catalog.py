"""What can be measured, as frozen specifications: the shipped frameworks and models, and those beside a matrix.

Each folder describes itself in one small YAML file. A folder without it is no framework and no model, such as
`images/base` or `images/runner`. A name is the folder's name.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic looks at annotations
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeVar

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from harness.config.mistakes import did_you_mean, dotted
from harness.config.syntax import in_plain_words, mark_of
from harness.core_yaml import read_core_yaml
from harness.errors import ConfigError
from harness.names import (
    ARTICLE_IMAGES,
    IMAGE_NAME_RULE,
    NAME_RULE,
    RESERVED_NAMES,
    TOOLS_SUFFIX,
    is_image_name,
    is_name,
)
from harness.places import PLACES
from harness.runs import ParamValue, Task

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

TOOLS_FOLDER: Final = "tools"
"""In a framework's folder: what makes its form of a model, where that takes more than the framework itself."""
FRAMEWORK_FILE: Final = "framework.yaml"
MODEL_FILE: Final = "model.yaml"

OWN_FRAMEWORKS: Final = "frameworks"
OWN_MODELS: Final = "models"
"""Folders beside a matrix: what its user adds to what is shipped."""


class Spec(BaseModel):
    """Base of all specifications: frozen, and closed to unknown keys and to what is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ParamSpec(Spec):
    """One parameter of a framework's adapter."""

    default: ParamValue
    choices: Annotated[tuple[ParamValue, ...], Field(min_length=2)]
    compiled_ahead: tuple[ParamValue, ...] = ()
    """Those for which the framework's tools make a form of the model beforehand, for one shape only."""

    @model_validator(mode="after")
    def _default_is_a_choice(self) -> Self:
        # Python takes True for 1, and an adapter does not.
        if (type(self.default), self.default) not in {(type(choice), choice) for choice in self.choices}:
            raise ValueError(f"the default {self.default!r} is none of the choices")
        return self


class FrameworkSpec(Spec):
    """An inference runtime with its own image."""

    name: str
    folder: Path
    title: str
    package: str
    """The distribution whose version stands for the framework."""
    homepage: str
    env: dict[str, str] = {}
    """Set before the worker starts; `{threads}` stands for the cell's thread count, `{name}` for a parameter."""
    params: dict[str, ParamSpec] = {}
    """What a variant may set otherwise."""
    takes: Literal["onnx", "definition"] = "onnx"
    """What it starts from: the ONNX file, or a definition of the model written for it. Where a model has none, its
    tools image may make it one."""
    indexes: tuple[str, ...] = ()
    """Public package indexes, asked only when the host's own pip configuration has no such wheel."""
    older: dict[str, tuple[str, ...]] = {}
    """What older versions need beside what they declare, by version specifier: `{"<1.19": ["numpy<2"]}`."""
    has_convert: bool
    """It has a form of the model of its own, made by the folder's `convert.py`."""
    has_tools: bool
    """It has an image of its own for what needs more packages than measuring does: `tools/`."""

    def compiled_ahead(self, params: Mapping[str, ParamValue]) -> bool:
        """Whether these parameters ask for a form that its tools make, for one shape only."""
        return any(params[name] in spec.compiled_ahead for name, spec in self.params.items())

    @field_validator("older")
    @classmethod
    def _parse_older(cls, older: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for specifier, companions in older.items():
            try:
                SpecifierSet(specifier)
                for companion in companions:
                    Requirement(companion)
            except (InvalidSpecifier, InvalidRequirement) as error:
                raise ValueError(str(error)) from error
        return older


Dim = Literal["batch", "sequence"]
"""What a dimension of a model may stand for, beside a number."""


class OutputSpec(Spec):
    """One output tensor."""

    name: str
    shape: tuple[Dim | Annotated[int, Field(ge=1)], ...]
    dtype: Literal["float32", "int32", "int64"]
    """Not float64: JAX and OpenVINO would compute in float32 whatever stands here."""


class InputSpec(OutputSpec):
    """One input tensor, and the half-open range `[low, high)` from which its values are drawn."""

    low: float
    high: float


class ModelSpec(Spec):
    """A workload."""

    name: str
    folder: Path
    title: str
    source: str
    """Where the architecture comes from."""
    seed: int
    parameters: Annotated[int, Field(ge=0)]
    multiply_adds: Annotated[int, Field(ge=0)]
    """Of one row, at the default sequence length."""
    sequence: Annotated[int, Field(ge=1)] | None = None
    """Its usual sequence length, where it has that dimension."""
    longest_sequence: Annotated[int, Field(ge=1)] | None = None
    """The most that it takes."""
    task: Task = "other"
    tolerance: Annotated[float, Field(gt=0)]
    """Largest error allowed against the reference, as a part of the output's largest value."""
    inputs: Annotated[tuple[InputSpec, ...], Field(min_length=1)]
    outputs: Annotated[tuple[OutputSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        tensors = (*self.inputs, *self.outputs)
        for tensor in tensors:
            if tensor.shape[:1] != ("batch",):
                raise ValueError(f"the first dimension of {tensor.name} is not batch")
        for tensor in self.inputs:
            if not tensor.low < tensor.high:
                raise ValueError(
                    f"no value of {tensor.name} lies from {tensor.low:g} to below {tensor.high:g}"
                )
        if (self.sequence is not None) != any("sequence" in tensor.shape for tensor in tensors):
            raise ValueError("`sequence` and a dimension of that name go together: one of them is missing")
        if self.sequence and self.longest_sequence and self.sequence > self.longest_sequence:
            raise ValueError(
                f"sequence {self.sequence} is more than longest_sequence {self.longest_sequence}"
            )
        return self


S = TypeVar("S", FrameworkSpec, ModelSpec)


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything that can be measured, by name."""

    frameworks: Mapping[str, FrameworkSpec]
    models: Mapping[str, ModelSpec]


def load_catalog(beside: Path) -> Catalog:
    """Read what is shipped, and what stands beside a matrix.

    Args:
        beside: the folder of the matrix file, in which `frameworks/` and `models/` may be.

    Raises:
        ConfigError: a name is there twice; see also `load_frameworks` and `load_models`.
    """
    return Catalog(
        frameworks=_join(
            "framework", load_frameworks(PLACES.images), load_frameworks(beside / OWN_FRAMEWORKS)
        ),
        models=_join("model", load_models(PLACES.models), load_models(beside / OWN_MODELS)),
    )


def _join(kind: str, shipped: dict[str, S], own: dict[str, S]) -> dict[str, S]:
    """Both together, no name twice."""
    for name, spec in own.items():
        if name in shipped:
            raise ConfigError(
                f"{spec.folder}: Edgematrix has a {kind} {name!r} of its own.",
                why="In cell ids, images and reports nobody could tell the two apart.",
                fix=f"Rename the folder, such as to my-{name}, and write that name in the matrix.",
            )
    return shipped | own


def load_frameworks(folder: Path) -> dict[str, FrameworkSpec]:
    """Read every `framework.yaml` one level below a folder.

    Returns:
        Specification by name, in alphabetical order.

    Raises:
        ConfigError: a file is not YAML, or has an unknown, missing or wrong key; the message names the file.
    """
    specs = {}
    for file in sorted(folder.glob(f"*/{FRAMEWORK_FILE}")):
        name = file.parent.name
        if name in RESERVED_NAMES or name.endswith(TOOLS_SUFFIX):
            raise ConfigError(
                f"{file}: no framework can be called {name!r}.",
                why=f"These names are the project's own: {', '.join(RESERVED_NAMES)}, and all in {TOOLS_SUFFIX}.",
                fix="Rename the folder.",
            )
        if is_name(name) and not is_image_name(name):
            raise ConfigError(
                f"{file}: no framework can be called {name!r}.",
                why="Its name is also that of its image, and the engine takes no such name.",
                fix=f"Rename the folder: {IMAGE_NAME_RULE}.",
            )
        specs[name] = _load(
            file,
            FrameworkSpec,
            has_convert=(file.parent / "convert.py").is_file(),
            has_tools=(file.parent / "tools" / "convert.py").is_file(),
        )
    return specs


def indexes_for(name: str, frameworks: Mapping[str, FrameworkSpec]) -> tuple[str, ...]:
    """Public package indexes that an image may need: a framework's own or, where several are in it, those of all."""
    if name in frameworks:
        return frameworks[name].indexes
    every = (index for spec in frameworks.values() for index in spec.indexes)
    return tuple(dict.fromkeys(every)) if name in ARTICLE_IMAGES else ()


def load_models(folder: Path) -> dict[str, ModelSpec]:
    """Read every `model.yaml` one level below a folder.

    Returns:
        Specification by name, in alphabetical order.

    Raises:
        ConfigError: a file is not YAML, or has an unknown, missing or wrong key; the message names the file.
    """
    return {file.parent.name: _load(file, ModelSpec) for file in sorted(folder.glob(f"*/{MODEL_FILE}"))}


def _load(file: Path, kind: type[S], **derived: Any) -> S:
    """Read one file; the keys in `derived`, and the name and the folder, come from elsewhere and not from it."""
    name = file.parent.name
    if not is_name(name):
        raise ConfigError(f"{file}: {name!r} is no valid name.", fix=f"Rename the folder: {NAME_RULE}.")
    derived |= {"name": name, "folder": file.parent}
    written = _read_mapping(file)
    own = [key for key in kind.model_fields if key not in derived]
    unknown = sorted(set(written) - set(own))
    if unknown:
        fix = did_you_mean(unknown[0], own, others="the keys are")
        raise ConfigError(f"{file}: unknown key {unknown[0]!r}.", fix=fix)
    try:
        return kind.model_validate(written | derived)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_first_mistake(error, written)}.", fix="Mend that key.") from error


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file():  # a pipe is never opened: that could wait for ever
            raise ConfigError(f"{file} is no regular file.", fix="Write the description there, or remove it.")
        content = read_core_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "Let your user read it, or move its folder away."
        raise ConfigError(f"{file} cannot be read: {error.strerror}.", fix=fix) from error
    except yaml.MarkedYAMLError as error:
        what, fix = in_plain_words(error)
        line = f":{mark.line + 1}" if (mark := mark_of(error)) else ""
        raise ConfigError(f"{file}{line} cannot be read as YAML: {what}.", fix=fix) from error
    except (ValueError, LookupError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read as YAML.", why=str(error), fix="Mend the file.") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{file} is no mapping of names to values.", fix="Write one `key: value` a line.")
    return content


def _first_mistake(error: ValidationError, written: object) -> str:
    """The first key that is wrong, and all that it could have been instead."""
    errors = error.errors(include_url=False, include_input=False)
    first = _written_path(errors[0], written)
    words = [each["msg"] for each in errors if _written_path(each, written) == first]
    choices = ", or ".join(word.removeprefix("Input should be ") for word in dict.fromkeys(words))
    said = f"should be {choices}" if words[0].startswith("Input should be ") else words[0]
    return ": ".join(filter(None, (dotted(first), said.removeprefix("Value error, "))))


def _written_path(error: ErrorDetails, written: Any) -> tuple[str | int, ...]:
    """Where a value stands in the file, or is missing: pydantic appends which choice of a union it is about."""
    for depth, part in enumerate(error["loc"]):
        try:
            written = written[part]
        except (LookupError, TypeError):
            return error["loc"] if error["type"] == "missing" else error["loc"][:depth]
    return error["loc"]

"""What `edgematrix new` writes: starts that run as they are, and say what each of their parts is for.

Those of a framework and of a model stand here as folders; in their text `NAME` is the name that they get.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.catalog import OWN_FRAMEWORKS, OWN_MODELS, load_catalog
from harness.core_yaml import read_core_yaml
from harness.errors import ConfigError, StoreError
from harness.names import (
    IMAGE_NAME_RULE,
    NAME_RULE,
    RESERVED_NAMES,
    TOOLS_SUFFIX,
    is_image_name,
    is_name,
)
from harness.places import PLACES
from harness.schemas import FOLDER

if TYPE_CHECKING:
    from collections.abc import Collection

_STARTS: Final = Path(__file__).parent
_TEXT: Final = {"Dockerfile", ".in", ".py", ".yaml"}
_SCHEMA: Final = re.compile(r"(?<=schema[=:])( ?)\S*matrix\.schema\.json$", re.MULTILINE)
"""Where an editor finds what a matrix may hold."""


def write_matrix(file: Path) -> None:
    """Write the project's own commented matrix, with the way from there to its JSON Schema.

    Raises:
        ConfigError: the file is there already.
        StoreError: it cannot be written.
    """
    schema = os.path.relpath(FOLDER / "matrix.schema.json", file.parent)
    text = _SCHEMA.sub(rf"\g<1>{schema}", PLACES.matrix.read_text(encoding="utf-8"))
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise _taken(file) from error
    except OSError as error:
        raise StoreError(
            f"{file} could not be written: {error.strerror}", fix="name a folder that exists and is yours"
        ) from error


def write_framework(name: str, beside: Path) -> Path:
    """Write a framework that drives ONNX Runtime: `frameworks/<name>/` in the folder of a matrix.

    Raises:
        ConfigError: the name cannot be used, or the folder is there already.
        StoreError: it cannot be written.
    """
    taken = {*load_catalog(beside).frameworks, *RESERVED_NAMES}
    if name.endswith(TOOLS_SUFFIX):
        raise ConfigError(
            f"{name!r} ends in {TOOLS_SUFFIX}, as the project's own images of tools do",
            fix="choose another name",
        )
    if is_name(name) and not is_image_name(name):
        raise ConfigError(
            f"{name!r} is no valid name of a framework",
            why="it is also that of its image, and the engine takes no such name",
            fix=f"use {IMAGE_NAME_RULE}",
        )
    return _write("framework", name, beside / OWN_FRAMEWORKS / name, taken)


def write_model(name: str, beside: Path) -> Path:
    """Write a small perceptron: `models/<name>/` in the folder of a matrix.

    Raises:
        ConfigError: the name cannot be used, or the folder is there already.
        StoreError: it cannot be written.
    """
    return _write("model", name, beside / OWN_MODELS / name, load_catalog(beside).models)


def _write(kind: str, name: str, folder: Path, taken: Collection[str]) -> Path:
    """Copy a start to a folder that is not there yet."""
    if not is_name(name):
        raise ConfigError(f"{name!r} is no valid name", fix=f"use {NAME_RULE}")
    if not isinstance(read_core_yaml(name), str):
        raise ConfigError(
            f"{name!r} is no valid name",
            why="YAML reads it as a value, and not as a word",
            fix=f"choose another name, such as my-{name}",
        )
    if folder.exists():
        raise _taken(folder)
    if name in taken:
        raise ConfigError(
            f"there is a {kind} {name!r} already", fix=f"choose another name, such as my-{name}"
        )
    try:
        folder.mkdir(parents=True)
        for source in sorted((_STARTS / kind).iterdir()):
            if source.is_file():  # Python leaves a folder beside them
                (folder / source.name).write_bytes(_named(source, name))
    except OSError as error:
        raise StoreError(
            f"{folder} could not be written: {error.strerror}", fix="work in a folder that is yours"
        ) from error
    return folder


def _named(source: Path, name: str) -> bytes:
    """A file's content, with the name in its text."""
    content = source.read_bytes()
    return (
        re.sub(rb"\bNAME\b", name.encode(), content) if (source.suffix or source.name) in _TEXT else content
    )


def _taken(place: Path) -> ConfigError:
    return ConfigError(f"{place} is there already", fix="give another name, or remove it yourself")

"""What `edgematrix new` writes: starts that run as they are."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from harness.errors import ConfigError, StoreError
from harness.intake import ROOT
from harness.schemas import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA: Final = re.compile(r"(?<=schema[=:])( ?)\S*matrix\.schema\.json$", re.MULTILINE)
"""Where an editor finds what a matrix may hold."""


def write_matrix(file: Path) -> None:
    """Write the project's own commented matrix, with the way from there to its JSON Schema.

    Raises:
        ConfigError: the file is there already.
        StoreError: it cannot be written.
    """
    schema = os.path.relpath(FOLDER / "matrix.schema.json", file.parent)
    text = _SCHEMA.sub(rf"\g<1>{schema}", (ROOT / "matrix.yaml").read_text(encoding="utf-8"))
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise ConfigError(
            f"{file} is there already", fix="give another name, or remove it yourself"
        ) from error
    except OSError as error:
        raise StoreError(
            f"{file} could not be written: {error.strerror}", fix="name a folder that exists and is yours"
        ) from error

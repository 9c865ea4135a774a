"""`python3 -m runner.convert`: make a framework's native artefact, in its own image, outside all clocks and caps."""

from __future__ import annotations

import importlib
from pathlib import Path

from runner.manifest import is_complete, write_manifest
from runner.model import ModelFiles

NATIVE = Path("/native")


def main() -> None:
    """Convert the model at `/model` into `/native`, unless that is done already."""
    if not is_complete(NATIVE):
        importlib.import_module("convert").convert(ModelFiles(), NATIVE)
        write_manifest(NATIVE)


if __name__ == "__main__":
    main()

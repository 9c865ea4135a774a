"""Where things are: what the package brings along, and where it may write.

Only here do a checkout and an installed wheel differ.

| | in a checkout | in a wheel |
|---|---|---|
| images | `images/` | `harness/images/` |
| models | `harness/models/` | the same |
| the matrix that `new matrix` writes | `matrix.yaml` | `harness/matrix.yaml` |
| wheels and locks that were fetched | `.cache/` | `$XDG_CACHE_HOME/edgematrix/`, by default in `~/.cache` |
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import harness

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where this package's files are.

    Attributes:
        images: the folder of all images.
        models: the folder of the shipped models.
        matrix: the matrix that `edgematrix new matrix` writes.
        cache: what can be fetched again; the only place of these that is written to.
        checkout: root of the repository; `None` where the package is installed.
    """

    images: Path
    models: Path
    matrix: Path
    cache: Path
    checkout: Path | None


def find_places(package: Path, environ: Mapping[str, str]) -> Places:
    """Tell the places of a package by its folder: only a wheel has the images inside it."""
    checkout = None if (package / "images").is_dir() else package.parent
    top = checkout or package
    return Places(
        images=top / "images",
        models=package / "models",
        matrix=top / "matrix.yaml",
        cache=checkout / ".cache" if checkout else _user_cache(environ) / "edgematrix",
        checkout=checkout,
    )


def _user_cache(environ: Mapping[str, str]) -> Path:
    """The user's folder for what can be fetched again; XDG wants a path that is not absolute to be passed over."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".cache"


PLACES: Final = find_places(Path(harness.__file__).parent, os.environ)

"""The site's folders on disk: what is copied of a run, and how a new site takes the place of the old."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import StoreError
from harness.report import PAGE
from harness.report.html import fill_page
from harness.site.entry import SAFE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE: Final = "site"
FRESH: Final = ".site.part"
"""The new site while it is made: beside the old one, so that a rename puts it there."""
REPLACED: Final = ".site.old"
RUNS: Final = "runs"
COMPARE: Final = "compare"
HOSTS: Final = "hosts"
BADGES: Final = "badges"
DATA: Final = "data"
MARK: Final = Path(DATA) / "runs.json"
"""What a folder has that is a site of ours."""

COPIED: Final = ("*.html", "results.*", "run.json", "cells/*.html", "cells/*.json", "probes/*.json")
"""Of a run: its pages, and the files that they are made of. Its trials are in its cells."""


def copy_run(source: Path, target: Path) -> None:
    """Copy what is published of a run.

    Raises:
        StoreError: it has no page, or its name cannot be part of an address.
    """
    if not SAFE_NAME.fullmatch(source.name):
        raise StoreError(
            f"run {source.name!r} cannot be published",
            why="its name has to be part of an address",
            fix="rename its folder: letters, digits, `_` and `-`",
        )
    if not (source / PAGE).is_file():
        raise StoreError(
            f"run {source.name} has no report yet", fix=f"write it: edgematrix report {source.name}"
        )
    for name in _copied(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def _copied(source: Path) -> Iterator[Path]:
    """What is copied of a run. Links are left, as they could lead anywhere, and so are our own lists of contents."""
    for pattern in COPIED:
        for file in source.glob(pattern):
            name = file.relative_to(source)
            linked = any((source / part).is_symlink() for part in (name, *name.parents[:-1]))
            if file.is_file() and not linked and (name.name != PAGE or name == Path(PAGE)):
                yield name


def folders_in(parent: Path) -> list[Path]:
    """The folders in a folder, by name; none where it is not there."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())


def add_contents(site: Path) -> None:
    """Give every folder that has no page one that lists what is in it: a static host then answers at each address."""
    for folder in sorted(_without_page(site)):
        names = sorted(path.name + (f"/{PAGE}" if path.is_dir() else "") for path in folder.iterdir())
        here = folder.relative_to(site)
        home = "/".join([*(".." for _ in here.parts), PAGE])
        page = fill_page("folder.html.j2", sheets=("site.css",), here=here.as_posix(), names=names, home=home)
        (folder / PAGE).write_text(page, encoding="utf-8")


def _without_page(site: Path) -> Iterator[Path]:
    return (path for path in site.rglob("*") if path.is_dir() and not (path / PAGE).exists())


def begin(reports: Path) -> Path:
    """An empty folder for a new site; what a killed predecessor left is cleared away first.

    Raises:
        StoreError: `site` is something else than a site of ours.
    """
    site, replaced, fresh = reports / SITE, reports / REPLACED, reports / FRESH
    if replaced.exists() and not site.exists():
        replaced.rename(site)
    if site.exists() and not (site / MARK).is_file():
        raise StoreError(
            f"{site} is no site that edgematrix made",
            why="publishing replaces that folder as a whole",
            fix="move it out of the way",
        )
    for left in (replaced, fresh):
        shutil.rmtree(left, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def finish(reports: Path) -> Path:
    """Put the new site in the place of the old one, which stays whole if that fails."""
    site, replaced, fresh = reports / SITE, reports / REPLACED, reports / FRESH
    if site.exists():
        site.rename(replaced)
    try:
        fresh.rename(site)
    except OSError:
        if replaced.exists():
            replaced.rename(site)
        raise
    shutil.rmtree(replaced, ignore_errors=True)
    return site

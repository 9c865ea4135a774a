"""All published runs, read once: what the pages tell of them, and each compared with the one before."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from harness.compare.judge import read_side
from harness.errors import StoreError
from harness.report import PAGE
from harness.site.changes import judge_pair, predecessor
from harness.site.entry import describe
from harness.site.folders import COMPARE, RUNS, copy_run, folders_in
from harness.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from harness.compare.judge import Side
    from harness.site.changes import Change
    from harness.site.entry import Entry
    from harness.site.listener import Listener

KEPT_IN_MEMORY: Final = 4
"""Runs with all their trials."""


@dataclass(frozen=True)
class Originals:
    """Where the runs of the new site come from, by name."""

    published: Mapping[str, Path]
    """The folders of those that were published before: they stay, though they may not be readable."""
    copied: Mapping[str, Path]
    """The folder that each was copied from."""

    def named(self, error: StoreError, copy: Path) -> StoreError:
        """The same error about the original, as the copy is gone when somebody reads it."""
        what = error.what.replace(str(copy), str(self.copied[copy.name]))
        return StoreError(what, why=error.why, fix=error.fix)


@dataclass(frozen=True)
class Contents:
    """All runs as the site tells of them."""

    entries: tuple[Entry, ...]
    """The oldest first."""
    changes: dict[str, Change]
    """Each against the run before, by run id."""
    unread: tuple[str, ...]
    """Runs published before that cannot be read: damaged, or of another version."""


def read_contents(site: Path, originals: Originals, named: Collection[str], listener: Listener) -> Contents:
    """Read the copied runs, the oldest first, and write the page of each comparison.

    Args:
        site: the new site.
        originals: where its runs were copied from.
        named: those that the user has named: they have to be readable.
        listener: told how far it is, and of each run that cannot be read.

    Raises:
        StoreError: a run that the user has named cannot be read.
    """
    entries: list[Entry] = []
    changes: dict[str, Change] = {}
    unread = []

    @lru_cache(KEPT_IN_MEMORY)
    def side(run_id: str) -> Side:
        return read_side(site / RUNS / run_id)

    folders = sorted(folders_in(site / RUNS), key=_started)
    for done, folder in enumerate(folders):
        listener.read(done, len(folders))
        try:
            entry = _describe(folder.name, side(folder.name))
        except StoreError as error:
            told = originals.named(error, folder)
            if folder.name in named:
                raise told from error
            published = originals.published.get(folder.name)
            listener.left_out(folder.name, told, stays=published is not None)
            shutil.rmtree(folder)
            if published is None:
                continue
            if (kept := _take_back(published, folder, side)) is None:
                unread.append(folder.name)
                continue
            entry = kept
        if (base := predecessor(entries, entry)) is not None:
            change, page = judge_pair(
                (base.run_id, entry.run_id),
                (side(base.run_id), side(entry.run_id)),
                _evidence(site, (base.run_id, entry.run_id)),
            )
            changes[entry.run_id] = change
            if page:
                write(site / COMPARE / change.folder / PAGE, page)
        entries.append(entry)
    return Contents(tuple(entries), changes, tuple(sorted(unread, reverse=True)))


def _evidence(site: Path, run_ids: Iterable[str]) -> dict[str, str]:
    """Of each cell its page, else its file, as seen from the page of a comparison; the last run that has it."""
    found = {}
    for run_id in run_ids:
        for kind in ("json", "html"):
            for file in sorted((site / RUNS / run_id / "cells").glob(f"*.{kind}")):
                found[file.stem] = f"../../{RUNS}/{run_id}/cells/{quote(file.name)}"
    return found


def _take_back(published: Path, folder: Path, side: Callable[[str], Side]) -> Entry | None:
    """Copy a run as it was published: a damaged copy among the reports must not take its place.

    Args:
        published: its folder in the old site.
        folder: its folder in the new site.
        side: reads a run of the new site.

    Returns:
        `None` where that cannot be read either.
    """
    copy_run(published, folder)
    try:
        return _describe(folder.name, side(folder.name))
    except StoreError:
        return None


def _describe(run_id: str, side: Side) -> Entry:
    try:
        return describe(run_id, side)
    except (ValueError, ArithmeticError) as error:
        raise StoreError(
            f"nothing can be made of run {run_id}: {error}", why="a file there is damaged"
        ) from error


def write(path: Path, text: str) -> None:
    """Write a file of the new site, which nobody sees before it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _started(folder: Path) -> tuple[float, str]:
    try:
        return RunStore(folder).read_run().started_at.timestamp(), folder.name
    except StoreError:
        return 0.0, folder.name

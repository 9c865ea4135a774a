"""From runs on disk to a site on disk.

Everything is made from what is published: the runs are copied first, and the pages are made from the copies, so that a
run that is no longer among the reports stays whole in the site.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import StoreError
from harness.report import PAGE
from harness.report.html import fill_page
from harness.site.back import lead_back
from harness.site.contents import Originals, read_contents, write
from harness.site.data import badge, history_csv, runs_document
from harness.site.entry import by_host
from harness.site.folders import (
    BADGES,
    COMPARE,
    DATA,
    FRESH,
    HOSTS,
    MARK,
    RUNS,
    SITE,
    add_contents,
    begin,
    copy_run,
    finish,
    folders_in,
)
from harness.site.history import history
from harness.site.index import index
from harness.store import open_run, stored_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.site.contents import Contents
    from harness.site.listener import Listener
    from harness.store import RunStore

SHEETS: Final = ("site.css",)


@dataclass(frozen=True)
class Published:
    """What was published."""

    page: Path
    runs: int
    hosts: int
    comparisons: int
    size_bytes: int


def publish(reports: Path, run_ids: Sequence[str], listener: Listener) -> Published:
    """Make the site anew in `reports/site`; the old one stays as it is until the new one is whole.

    Args:
        reports: the folder of all runs.
        run_ids: what to publish beside what is published already; all runs where none is named.
        listener: told how it goes.

    Raises:
        StoreError: a run that was named cannot be published, there is none, or the site cannot be written.
    """
    if not reports.is_dir():
        raise _nothing(reports)
    try:
        fresh = begin(reports)
        named = [open_run(reports, run_id) for run_id in run_ids]
        originals = _gather(reports, fresh, named, listener)
        found = read_contents(fresh, originals, [store.folder.name for store in named], listener)
        if not found.entries:
            raise _nothing(reports)
        _keep_comparisons(reports / SITE / COMPARE, fresh)
        _write_pages(fresh, found)
        _lead_back(fresh, found)
        add_contents(fresh)
        site = finish(reports)
    except OSError as error:
        raise StoreError(
            f"the site could not be written: {error}",
            why="the disk is full, or a folder cannot be written; the site that was there before is untouched",
            fix="check free space and permissions, then publish again",
        ) from error
    finally:
        shutil.rmtree(reports / FRESH, ignore_errors=True)
    return Published(
        page=site / PAGE,
        runs=len(found.entries) + len(found.unread),
        hosts=len(by_host(found.entries)),
        comparisons=len(folders_in(site / COMPARE)),
        size_bytes=sum(path.stat().st_size for path in site.rglob("*") if path.is_file()),
    )


def _nothing(reports: Path) -> StoreError:
    left_out = next(stored_runs(reports), None) is not None
    return StoreError(
        f"there is no run in {reports} that can be published",
        fix="mend what is told of each above" if left_out else "make one: edgematrix run matrix.yaml",
    )


def _gather(reports: Path, fresh: Path, named: Sequence[RunStore], listener: Listener) -> Originals:
    """Copy the runs: what was published stays, and what is among the reports takes its place."""
    published = folders_in(reports / SITE / RUNS)
    before = {folder.name: folder for folder in published if (folder / PAGE).is_file()}
    copied = {}
    for store in named or stored_runs(reports):
        name = store.folder.name
        try:
            store.read_run()
            copy_run(store.folder, fresh / RUNS / name)
            copied[name] = store.folder
        except StoreError as error:
            if named:
                raise
            listener.left_out(name, error, stays=name in before)
    for name in before.keys() - {folder.name for folder in folders_in(fresh / RUNS)}:
        copy_run(before[name], fresh / RUNS / name)
    return Originals(published=before, copied=before | copied)


def _keep_comparisons(old: Path, fresh: Path) -> None:
    """A comparison that was published stays while both of its runs do, though runs came between them."""
    for folder in folders_in(old):
        kept = fresh / COMPARE / folder.name
        runs = folder.name.split("..")
        if (
            (folder / PAGE).is_file()
            and not kept.exists()
            and all((fresh / RUNS / run).is_dir() for run in runs)
        ):
            kept.mkdir(parents=True)
            shutil.copyfile(folder / PAGE, kept / PAGE)


def _lead_back(site: Path, found: Contents) -> None:
    for entry in found.entries:
        lead_back(site, entry.run_id, entry, found.changes.get(entry.run_id))
    for run_id in found.unread:
        lead_back(site, run_id, None, None)


def _write_pages(site: Path, found: Contents) -> None:
    newest_first = found.entries[::-1]
    view = index(newest_first, found.changes, found.unread)
    write(site / PAGE, fill_page("site.html.j2", sheets=SHEETS, view=view))
    for group, entries in by_host(found.entries).items():
        page = fill_page("host.html.j2", sheets=SHEETS, view=history(entries, found.changes))
        write(site / HOSTS / group / PAGE, page)
    for entry in newest_first:
        write(site / BADGES / f"{entry.run_id}.json", badge(entry))
    write(site / BADGES / "latest.json", badge(newest_first[0]))
    write(site / MARK, runs_document(newest_first, found.changes))
    write(site / DATA / "history.csv", history_csv(newest_first))
    write(site / ".nojekyll", "")

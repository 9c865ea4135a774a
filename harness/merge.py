"""Several runs of parts of one matrix, put together to one; what does not belong together is refused."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.derive import derive_cell
from harness.errors import ConfigError, NotComparableError, StoreError
from harness.events import told, unheard
from harness.finish import write_derived
from harness.plan import Plan, PlannedCell
from harness.report import read_view
from harness.results import CellResult, Status
from harness.runs import Run, RunState, differences, shared_commit, unite_models
from harness.store import TEMPORARY_SUFFIX, RunStore, point_latest, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.events import Listener
    from harness.results import ReferenceProbe, Trial


@dataclass
class _Parts:
    """What has been put together so far."""

    probes: dict[int, ReferenceProbe] = field(default_factory=dict)
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    results: dict[str, CellResult] = field(default_factory=dict)
    sessions: int = 0

    def add(self, store: RunStore, run: Run, listener: Listener) -> None:
        """Take one run's trials and probes, numbered on from those that are here already.

        So are its sessions: what two machines measured did not stand side by side.
        """
        probes, orders = len(self.probes), sum(map(len, self.trials.values()))
        for number, probe in store.read_probes().items():
            renumbered = {"number": probes + number, "session": self.sessions + probe.session}
            self.probes[probes + number] = probe.model_copy(update=renumbered)
        for cell_id in told(
            run.cells, len(run.cells), subject=f"run {run.run_id}", doing="reading", listener=listener
        ):
            result = store.read_cell(cell_id)
            first = self.results.setdefault(cell_id, result)
            # Only the timer's floor is measured by every part: its rounds follow each other.
            rounds = 1 + max((trial.index for trial in self.trials.get(cell_id, ())), default=-1)
            assert first is result or result.cell.is_floor
            for trial in store.read_trials(cell_id):
                moved = {
                    "order": orders + trial.order,
                    "index": rounds + trial.index,
                    "session": self.sessions + trial.session,
                    "probe": None if trial.probe is None else probes + trial.probe,
                }
                self.trials.setdefault(cell_id, []).append(trial.model_copy(update=moved))
        self.sessions += 1 + run.session


def merge_runs(folders: Sequence[Path], reports: Path, listener: Listener = unheard) -> Path:
    """Put runs together under a new run id; the runs themselves stay as they are.

    Args:
        folders: of the runs, in the order in which their cells shall stand.
        reports: the folder of all runs, where the new one goes.
        listener: is told how far it is, where it takes long.

    Returns:
        The report of the new run.

    Raises:
        ConfigError: it is one run alone.
        NotComparableError: they are not parts of one measurement.
        StoreError: a run cannot be read, or the new one not be written.
    """
    if len(folders) < 2:
        raise ConfigError(
            "one run alone cannot be merged",
            why="it would stand there twice, under two ids",
            fix="name the runs of all shards",
        )
    stores = [RunStore(folder) for folder in folders]
    runs = [store.read_run() for store in stores]
    refuse(runs, stores)
    for store in stores:
        read_view(store.folder, listener)  # a damaged part is told by its own name
    parts = _Parts()
    for store, run in zip(stores, runs, strict=True):
        parts.add(store, run, listener)
    return write(parts, runs, reports, listener)


def refuse(runs: Sequence[Run], stores: Sequence[RunStore]) -> None:
    """Refuse runs that are not parts of one measurement."""
    first, *others = runs
    if len({run.run_id for run in runs}) < len(runs):
        raise NotComparableError(
            "a run is named twice",
            why="its trials would count twice",
            fix="name each run once; `latest` is one of them",
        )
    for run in runs:
        if run.state is not RunState.COMPLETE:
            raise NotComparableError(
                f"run {run.run_id} is not complete",
                why="its cells would stand beside others that have all their trials",
                fix="run its command again: it goes on from where it stands",
            )
    for run in others:
        if differing := list(_refusals(first, run)):
            raise NotComparableError(
                f"runs {first.run_id} and {run.run_id} are not parts of one measurement",
                why=f"they differ in {', '.join(differing)}",
                fix="merge runs of one matrix file, with one --shard each, on hosts of one kind",
            )
    seen: dict[str, str] = {}
    for run, store in zip(runs, stores, strict=True):
        for cell_id in run.cells:
            other = seen.setdefault(cell_id, run.run_id)
            if other != run.run_id and not store.read_cell(cell_id).cell.is_floor:
                raise NotComparableError(
                    f"cell {cell_id} is in run {other} and in run {run.run_id}",
                    why="it would count twice",
                    fix="merge runs of different shards: --shard 1/2 and --shard 2/2",
                )


def _refusals(one: Run, other: Run) -> Iterator[str]:
    """What keeps two runs from being parts of one measurement."""
    if one.matrix != other.matrix:
        yield "the matrix"
    yield from differences(one, other)


def write(parts: _Parts, runs: Sequence[Run], reports: Path, listener: Listener) -> Path:
    """Write the new run's files and its report."""
    now = datetime.now(UTC)
    cells = tuple(parts.results.values())
    planned = (
        PlannedCell(cell=each.cell, skip_reason=each.reason if each.status is Status.SKIPPED else None)
        for each in cells
    )
    run = runs[0].model_copy(
        update={
            "run_id": f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            "started_at": min(run.started_at for run in runs),
            "finished_at": max((run.finished_at for run in runs if run.finished_at), default=None),
            "session": parts.sessions - 1,
            "run_s": sum(run.run_s for run in runs),
            "sessions": _sessions(runs),
            "trials": sum(run.trials for run in runs),
            "plan_hash": Plan(cells=tuple(planned), protocol=runs[0].protocol).plan_hash,
            "cells": tuple(parts.results),
            "images": {name: image for run in runs for name, image in run.images.items()},
            "models": unite_models(runs),
            **shared_commit(runs),
            "frameworks": {name: each for run in runs for name, each in run.frameworks.items()},
        }
    )
    derived = told(
        (_derived(result, parts, run) for result in cells),
        len(cells),
        subject=f"run {run.run_id}",
        doing="summing up",
        listener=listener,
    )
    results = tuple(derived)
    try:
        reports.mkdir(parents=True, exist_ok=True)
        # One level deeper than runs are looked for: it is none before it is whole.
        with tempfile.TemporaryDirectory(dir=reports, prefix=".merge-", suffix=TEMPORARY_SUFFIX) as aside:
            store = RunStore(Path(aside) / run.run_id)
            page = _write_files(store, parts, run, results, listener)
            folder = store.folder.rename(reports / run.run_id)
        sync_folder(reports)
    except OSError as error:
        raise StoreError(
            f"the merged run could not be written: {error}",
            why="the disk is full, or a folder cannot be written; the parts are untouched",
            fix="check free space and permissions, then merge again",
        ) from error
    point_latest(reports, run.run_id)
    return folder / page.name


def _write_files(
    store: RunStore, parts: _Parts, run: Run, results: Sequence[CellResult], listener: Listener
) -> Path:
    """Write all files of the new run, and return its page."""
    for trials in parts.trials.values():
        for trial in trials:
            store.write_trial(trial)
    for probe in parts.probes.values():
        store.write_probe(probe)
    return write_derived(store, run, results, listener)


def _sessions(runs: Sequence[Run]) -> int | None:
    """Of all parts, where they were counted in each."""
    known = [run.sessions for run in runs if run.sessions is not None]
    return sum(known) if len(known) == len(runs) else None


def _derived(result: CellResult, parts: _Parts, run: Run) -> CellResult:
    trials = parts.trials.get(result.cell_id)
    if not trials:
        return result
    derived = derive_cell(
        result.cell,
        trials,
        protocol=run.protocol,
        probes=parts.probes,
        multiply_adds=run.models[result.cell.model].count(result.cell),
        cut_short=True,  # in parts that are complete, a cell has fewer trials than planned only where it settled
    )
    return derived.model_copy(update={"expected": result.expected})

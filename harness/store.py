"""Results on disk: every file is written whole or not at all, and a finished trial is never written again.

reports/<run-id>/run.json
reports/<run-id>/trials/<cell-id>.<round>.json     one per trial, immutable
reports/<run-id>/trials/<cell-id>.<round>.1.json   its next attempt: of a spoiled one, or with `--retry`
reports/<run-id>/probes/<number>.json              one per reference probe, immutable
reports/<run-id>/cells/<cell-id>.json              derived from the trials
reports/latest                                     link to the newest run, and a page that redirects to it
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import StoreError
from harness.results import MAX_ATTEMPTS, CellResult, ReferenceProbe, Status, Trial
from harness.runs import Run, RunState, differences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from harness.results import Cell

M = TypeVar("M", bound=BaseModel)

LATEST: Final = "latest"
TEMPORARY_SUFFIX: Final = ".part"
MAX_FILE_BYTES: Final = 1024**3
REDIRECT: Final = """\
<!doctype html>
<meta charset="utf-8">
<title>The newest run</title>
<meta http-equiv="refresh" content="0; url=../{run_id}/index.html">
<a href="../{run_id}/index.html">The newest run</a>
"""
REPAIR: Final = (
    "restore the file, use the version that wrote it, or name another run: edgematrix report RUN_ID"
)
FAULTS: Final = frozenset({Status.HARNESS_ERROR, Status.INTERRUPTED})


def write_atomically(path: Path, text: str) -> None:
    """Write a text as UTF-8 so that a reader, or a crash, sees the old or the new content and nothing between.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old or the new content and nothing between.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=TEMPORARY_SUFFIX)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o644)  # mkstemp makes private files, and a report is for others
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written: {error.strerror}",
            fix="check free space and permissions, then resume",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_model(path: Path, kind: type[M]) -> M:
    """Read one stored file.

    Raises:
        StoreError: it is missing, damaged, or of another version.
    """
    try:
        # Also keeps from waiting for ever on what only looks like a file.
        if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            raise StoreError(f"{path} is missing, or no file that edgematrix writes", fix=REPAIR)
        text = path.read_bytes()
        return kind.model_validate_json(text)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", fix=REPAIR) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{path} is no {kind.__name__} of this version: {where + ': ' if where else ''}{first['msg']}",
            why="it is damaged, or was written by another version of edgematrix",
            fix=REPAIR,
        ) from error


class RunStore:
    """The files of one run.

    Args:
        folder: `reports/<run-id>`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last_round: int | None = None

    def read_run(self) -> Run:
        """Read `run.json`."""
        return read_model(self.folder / "run.json", Run)

    def write_run(self, run: Run) -> None:
        """Write `run.json`."""
        write_atomically(self.folder / "run.json", run.model_dump_json(indent=1))

    def trial_path(self, cell_id: str, index: int, attempt: int) -> Path:
        """Where a trial's file is."""
        return self._file("trials", f"{cell_id}.{index}{f'.{attempt}' if attempt else ''}.json")

    def has_trial(self, cell_id: str, index: int, attempt: int) -> bool:
        """Whether a trial is finished."""
        return self.trial_path(cell_id, index, attempt).exists()

    def write_trial(self, trial: Trial) -> None:
        """Keep a finished trial."""
        path = self.trial_path(trial.cell_id, trial.index, trial.attempt)
        write_atomically(path, trial.model_dump_json())
        self._last_round = max(self.last_round(), trial.index)

    def read_attempts(self, cell_id: str, index: int) -> tuple[Trial, ...]:
        """A cell's finished trials of one round, by attempt."""
        paths = (self.trial_path(cell_id, index, attempt) for attempt in range(MAX_ATTEMPTS))
        return tuple(read_model(path, Trial) for path in takewhile(Path.exists, paths))

    def read_trials(self, cell_id: str) -> tuple[Trial, ...]:
        """A cell's finished trials, by round and attempt."""
        rounds = range(self.last_round() + 1)
        return tuple(trial for index in rounds for trial in self.read_attempts(cell_id, index))

    def ended_as(self, statuses: Collection[Status]) -> set[tuple[str, int]]:
        """Cell and round of the trials whose last attempt ended as one of these.

        One that the harness or the engine spoiled is looked through, as whoever goes on with the run removes it.
        """
        if not statuses:
            return set()
        last: dict[tuple[str, int], Trial] = {}
        for trial in sorted(self._every_trial(), key=lambda trial: trial.attempt):
            if trial.status not in FAULTS or trial.status in statuses:
                last[trial.cell_id, trial.index] = trial
        return {key for key, trial in last.items() if trial.status in statuses}

    def has_all(self, cells: Iterable[Cell], rounds: int) -> bool:
        """Whether every one of these cells has its trials, none of them spoiled by the harness or the engine."""
        every = all(self.has_trial(cell.id, index, 0) for cell in cells for index in range(rounds))
        return every and not self.faulty_trials()

    def count_trials(self) -> int:
        """How many trials are finished."""
        return sum(1 for _ in self._trial_paths())

    def next_order(self) -> int:
        """The next trial's place in the run: behind all that it has, whichever were removed meanwhile."""
        return 1 + max((trial.order for trial in self._every_trial()), default=-1)

    def last_round(self) -> int:
        """The last round of which some trial is finished; -1 before the first."""
        if self._last_round is None:
            self._last_round = max((trial.index for trial in self._every_trial()), default=-1)
        return self._last_round

    def write_probe(self, probe: ReferenceProbe) -> None:
        """Keep a reference probe."""
        write_atomically(self.folder / "probes" / f"{probe.number}.json", probe.model_dump_json())

    def read_probes(self) -> dict[int, ReferenceProbe]:
        """All reference probes, by number."""
        probes = (read_model(path, ReferenceProbe) for path in (self.folder / "probes").glob("*.json"))
        return {probe.number: probe for probe in sorted(probes, key=lambda probe: probe.number)}

    def faulty_trials(self) -> tuple[Path, ...]:
        """The files of trials that the harness or the engine spoiled: they say nothing, and are run again."""
        return tuple(path for path in sorted(self._trial_paths()) if read_model(path, Trial).status in FAULTS)

    def _every_trial(self) -> Iterator[Trial]:
        """All finished trials, in no order."""
        return (read_model(path, Trial) for path in self._trial_paths())

    def _trial_paths(self) -> Iterator[Path]:
        return (self.folder / "trials").glob("*.json")

    def write_cell(self, result: CellResult) -> None:
        """Write a cell's derived file."""
        path = self._file("cells", f"{result.cell_id}.json")
        write_atomically(path, result.model_dump_json(indent=1))

    def read_cell(self, cell_id: str) -> CellResult:
        """A cell's derived file."""
        return read_model(self._file("cells", f"{cell_id}.json"), CellResult)

    def _file(self, folder: str, name: str) -> Path:
        """A file of the run; ids that come from stored files may be anything.

        Raises:
            StoreError: it would lie elsewhere.
        """
        if Path(name).name != name or "\0" in name:
            raise StoreError(f"{name!r} is no file of run {self.folder.name}", fix=REPAIR)
        return self.folder / folder / name

    def clear_parts(self) -> None:
        """Remove what a killed predecessor was writing."""
        for part in self.folder.rglob(f"*{TEMPORARY_SUFFIX}"):
            part.unlink()


def stored_runs(reports: Path) -> Iterator[RunStore]:
    """All runs under `reports/`, the newest first.

    Raises:
        StoreError: `reports` is no folder.
    """
    if reports.exists() and not reports.is_dir():
        raise StoreError(f"{reports} is no folder", fix="name the folder of all runs: --reports FOLDER")
    folders = [path for path in reports.iterdir() if path.name != LATEST] if reports.is_dir() else []
    for folder in sorted(folders, key=lambda path: path.name, reverse=True):
        if _is_run(folder):
            yield RunStore(folder)


def _is_run(folder: Path) -> bool:
    """Whether a run's record is there; where that cannot be seen, whoever reads it learns why."""
    try:
        (folder / "run.json").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def readable_runs(reports: Path) -> Iterator[Run]:
    """The records of all runs of this version, the newest first."""
    for store in stored_runs(reports):
        with contextlib.suppress(StoreError):
            yield store.read_run()


def open_run(reports: Path, run_id: str) -> RunStore:
    """One run by its id, or by `latest`.

    Raises:
        StoreError: there is none of that name.
    """
    link = reports / LATEST
    wanted = link.resolve().name if run_id == LATEST else run_id
    # Where links do not serve, it is a folder with a page, and no run is called like it.
    newest = run_id == LATEST and link.is_dir() and not link.is_symlink()
    for store in stored_runs(reports):
        if newest or store.folder.name == wanted:
            return store
    there = (
        "the runs are the folders there" if reports.is_dir() else "that folder is not there: --reports FOLDER"
    )
    raise StoreError(f"there is no run {run_id!r} in {reports}", fix=there)


def find_run(reports: Path, name: str) -> RunStore:
    """A run by its id, by `latest`, or by its folder.

    Raises:
        StoreError: there is none of that name.
    """
    for folder in (reports / name, Path(name)):
        if _is_run(folder):
            return RunStore(folder.resolve())
    if name != LATEST and Path(name).is_dir():
        raise StoreError(f"the folder {name} has no run.json", fix="name the folder of a run, or a run id")
    return open_run(reports, name)


def fitting_run(reports: Path, like: Run, *, retry: Collection[Status] = ()) -> RunStore | None:
    """The newest run that `like` would go on with: no departure keeps it from that, and it has something to do.

    Args:
        reports: the folder of all runs.
        like: the run that would be begun.
        retry: endings of trials that are to be tried once more: what has such a trial fits, be it complete or not.
    """
    for store in stored_runs(reports):
        try:
            run = store.read_run()
        except StoreError:
            continue  # of another version: never continued, never touched
        if any(departures(run, like)):
            continue
        if store.ended_as(retry) if retry else run.state is not RunState.COMPLETE:
            return store
    return None


def departures(run: Run, today: Run) -> Iterator[str]:
    """What keeps a run from going on, in words: trials are added only where all that could change them is the same."""
    if run.cells != today.cells:
        yield "the cells"
    elif run.protocol == today.protocol and run.plan_hash != today.plan_hash:
        yield "the cells that are skipped"
    yield from differences(run, today)


def point_latest(reports: Path, run_id: str) -> None:
    """Let `reports/latest` lead to a run: by a link, or by a page that redirects where links do not serve."""
    link = reports / LATEST
    fresh = reports / f"{LATEST}{TEMPORARY_SUFFIX}"
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(run_id)
        fresh.replace(link)
    except OSError:
        fresh.unlink(missing_ok=True)
        write_atomically(link / "index.html", REDIRECT.format(run_id=run_id))

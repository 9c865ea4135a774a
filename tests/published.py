"""Runs for tests of `edgematrix publish`: several of the same cells on two hosts, one of which became slower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import StoreError
from harness.report import write_report
from harness.site import Published, publish
from tests.factories import STARTED, cell, host, probe, result, run, trial
from tests.sample_runs import slowed, write_run

if TYPE_CHECKING:
    from harness.results import Cell, CellResult

CELLS = tuple(cell(framework, cpus=1) for framework in ("pytorch", "jax", "onnxruntime"))
OTHER_HOST = host(fingerprint="0b5de7a2c913", cpu_model="Intel(R) Core(TM) i7-1165G7", kernel="6.12.9")


def run_id(number: int) -> str:
    """The id of the run of a day."""
    return f"{STARTED + timedelta(days=number):%Y%m%d-%H%M%S}-{number:04x}"


def measured(of: Cell, number: int, slower: float = 1.0, iterations: int = 300) -> CellResult:
    """A cell as the run of a day measured it, some times slower than it should be."""
    trials = [trial(of, 10 * number + index, iterations=iterations) for index in range(5)]
    return result(of, [slowed(each, each, slower, 1) for each in trials])


def write_day(
    reports: Path,
    number: int,
    *,
    cells: Sequence[Cell] = CELLS,
    slower: Mapping[str, float] | None = None,
    results: Sequence[CellResult] | None = None,
    with_report: bool = False,
    **changes: object,
) -> Path:
    """Store the run of a day, with a page in the place of its report, which takes long to make.

    Args:
        reports: the folder of all runs.
        number: the day.
        cells: what it measured.
        slower: how many times slower a framework was.
        results: the cells themselves, in the place of the two above.
        with_report: make the report.
        changes: to the run's record.
    """
    if results is None:
        results = [measured(of, number, (slower or {}).get(of.framework, 1.0)) for of in cells]
    values: dict[str, object] = {
        "run_id": run_id(number),
        "started_at": STARTED + timedelta(days=number),
    }
    folder = write_run(
        reports / run_id(number), run(results, **values | changes), results, [probe(0), probe(1)]
    )
    if with_report:
        write_report(folder)
    else:
        (folder / "index.html").write_text("<!doctype html>\n<title>The report</title>\n")
        (folder / "results.csv").write_text("cell_id\n")
    return folder


class Witness:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.left: dict[str, str] = {}
        self.stays: dict[str, bool] = {}

    def read(self, done: int, total: int) -> None:
        assert done < total

    def left_out(self, name: str, error: StoreError, *, stays: bool) -> None:
        self.left[name] = str(error)
        self.stays[name] = stays


def published(reports: Path, *names: str) -> Published:
    """Publish, and leave nothing out."""
    witness = Witness()
    made = publish(reports, names, witness)
    assert witness.left == {}
    return made

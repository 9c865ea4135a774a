"""The report of files that are damaged, missing, foreign, or at odds with each other."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ExitCode, StoreError
from harness.report import write_report
from harness.runs import RunState
from harness.units import MIB
from tests.factories import cell, probe, result, run
from tests.sample_runs import write_run
from tests.unit.commands import exit_code

CELLS = tuple(result(cell(name, memory_bytes=512 * MIB)) for name in ("jax", "onnxruntime"))
FIRST, OTHER = (each.cell_id for each in CELLS)

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run", run(CELLS), CELLS)


def alter(path: Path, change: Change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def of_records(kind: str, **changes: object) -> Change:
    """Change all records of one kind in the first trial."""

    def change(content: dict[str, Any]) -> None:
        for record in content["trials"][0]["records"]:
            record.update(changes if record["type"] == kind else {})

    return change


def refused(folder: Path, name: str) -> str:
    with pytest.raises(StoreError) as caught:
        write_report(folder)
    assert name in str(caught.value)
    assert not (folder / "index.html").exists()
    assert not (folder / "results.csv").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        of_records("samples", data="!!!"),
        of_records("samples", data="AAAA"),
        of_records("samples", count=5),
        of_records("phase", rss_peak_bytes=0),
        of_records("phase", wall_ns=10**30),
        *(lambda content, bad=bad: content["cell"].update(cpus=bad) for bad in (float("nan"), 1e308, 0, -1)),
        *(lambda content, bad=bad: content["cell"].update(memory_bytes=bad) for bad in (0, -1, 10**400)),
        lambda content: content["cell"].update(batch=0),
        lambda content: content["trials"][0].update(engine_s=float("inf")),
        lambda content: content["trials"][0]["evidence"].update(read_bytes=2**63),
        lambda content: content.update(cell_id="../../etc/passwd"),
        lambda content: content.update(cell_id=OTHER),
        lambda content: content["cell"].update(framework="pytorch"),
        lambda content: content["trials"][0].update(cell_id=OTHER),
        lambda content: content["trials"][0].update(index=1),
        lambda content: content.update(trials=[]),
        lambda content: content["trials"][0].update(status="oom"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_by_its_files_name(folder: Path, change: Change) -> None:
    path = folder / "cells" / f"{FIRST}.json"
    alter(path, change)

    refused(folder, path.name)


@pytest.mark.parametrize(
    ("state", "fix"), [(RunState.COMPLETE, "measure again"), (RunState.INTERRUPTED, "run its command again")]
)
def test_the_advice_for_a_damaged_cell_can_be_followed(folder: Path, state: RunState, fix: str) -> None:
    alter(folder / "cells" / f"{FIRST}.json", lambda content: content.update(trials=[]))
    alter(folder / "run.json", lambda content: content.update(state=state))

    assert fix in refused(folder, FIRST)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -5, 1e308, 10**400])
def test_a_run_that_cannot_be_is_refused(folder: Path, bad: float) -> None:
    alter(folder / "run.json", lambda content: content.update(run_s=bad))

    refused(folder, "run.json")


def test_a_cell_that_a_run_names_twice_is_refused(folder: Path) -> None:
    alter(folder / "run.json", lambda content: content["cells"].append(FIRST))

    assert "a cell is named twice" in refused(folder, "run.json")


def test_what_only_the_page_cannot_print_leaves_no_half_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*_: object) -> str:
        raise OverflowError

    monkeypatch.setattr("harness.report.render", overflow)

    refused(folder, "no report can be made")


def test_markdown_of_figures_that_cannot_be_printed_names_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "cells" / f"{FIRST}.json"
    alter(path, lambda content: content.update(machine_peak=5e-324, multiply_adds=2**63 - 1))

    words = ("report", folder.name, "--reports", str(folder.parent), "--markdown")
    assert exit_code(*words) == ExitCode.ENVIRONMENT
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"edgematrix: no report can be made of {folder}: ")
    assert "\nfix: " in printed.err


@pytest.mark.parametrize("times", ["matmul_ns", "copy_ns", "loop_ns"])
def test_a_probe_without_times_is_refused(folder: Path, times: str) -> None:
    path = folder / "probes" / "0.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(probe().model_dump_json())
    alter(path, lambda content: content.update({times: []}))

    assert times in refused(folder, path.name)


def test_a_complete_run_has_a_file_for_every_cell(folder: Path) -> None:
    (folder / "cells" / f"{OTHER}.json").unlink()

    words = refused(folder, OTHER)
    assert "missing" in words
    assert "measure again" in words, "a complete run is not gone on with"


def test_an_unfinished_run_may_lack_cells_and_says_so(folder: Path) -> None:
    (folder / "cells" / f"{OTHER}.json").unlink()
    alter(folder / "run.json", lambda content: content.update(state=RunState.INTERRUPTED))

    page = write_report(folder).read_text()

    assert "This run is interrupted: of its 2 cells, 1 is missing here." in page


def test_files_of_others_are_left_alone(folder: Path) -> None:
    (folder / "cells" / "foreign.json").write_text("{")
    (folder / "cells" / "folder.json").mkdir()

    page = write_report(folder).read_text()

    assert re.search(r"<b>2 cells</b>", page)

"""The page of each cell: all its trials, and the command that repeats it."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.records import Phase
from harness.report import write_report
from harness.report.cells import cell_page
from harness.report.cells.repeat import repeat
from harness.report.cells.trials import trial_views
from harness.report.formats import UNKNOWN
from harness.results import CellResult, Status, TypedWarning
from harness.runs import Run
from harness.stats.cell import measure
from harness.units import GIB
from tests.factories import cell, failed_trial, result, run, trial
from tests.sample_runs import failures, noisy, sample, write_run
from tests.unit.test_report_page import HOSTILE, Page, poisoned

Made = tuple[Run, tuple[CellResult, ...]]


def pages(made: Made) -> dict[str, str]:
    of, cells = made
    every = [each.cell for each in cells]
    return {each.result.cell_id: cell_page(of, each, every, "index.html") for each in measure(cells)}


def commands(of: Run, cells: Sequence[CellResult], place: int = 0) -> tuple[str, ...]:
    return repeat(of, measure(cells)[place], [each.cell for each in cells]).commands


@pytest.mark.parametrize("make", [sample, failures, noisy, poisoned])
def test_a_page_is_whole_and_asks_for_nothing(make: type) -> None:
    for cell_id, html in pages(make()).items():
        page = Page(html)

        assert not page.all("img", "iframe", "object", "embed", "base", "form")
        assert len(page.all("script")) == 1, "the frame's"
        policy = next(each for each in page.all("meta") if each.attributes.get("http-equiv"))
        assert str(policy.attributes["content"]).startswith("default-src 'none'; script-src 'sha256-")
        assert not [each for each in page.elements if "style" in each.attributes]
        links = [each.attributes["href"] or "" for each in page.all("a")]
        ids = {each.attributes["id"] for each in page.elements if "id" in each.attributes}
        assert {link[1:] for link in links if link.startswith("#")} <= ids
        outward = [link for link in links if not link.startswith("#")]
        assert len(outward) == 2, "the run's page and the cell's file"
        assert re.fullmatch(r"\.\./index\.html#[^/]+", outward[0]), cell_id
        assert re.fullmatch(r"[^/]+\.json", outward[1])


def test_what_a_container_wrote_stays_text() -> None:
    for html in pages(poisoned()).values():
        assert HOSTILE not in html
        assert html.count("<script>") == 1, "the frame's"


def test_every_trial_stands_with_its_phases() -> None:
    of = cell()
    died = failed_trial(of, Status.CRASH, Phase.COMPILE, 1, reason="RuntimeError in compile")
    (measured,) = measure([result(of, [trial(of, 0), died])])

    good, bad = trial_views(measured)

    assert (good.name, good.ending, good.proved) == ("round 0", "ok", "proved")
    assert [row.phase for row in good.phases] == [phase.value for phase in Phase]
    assert all(len(row.values) == 10 for row in good.phases)
    assert (bad.ending, bad.reason) == ("crashed", "RuntimeError in compile")
    assert [(row.phase, bool(row.values)) for row in bad.phases] == [
        ("import", True),
        ("load", True),
        ("compile", False),
    ]
    assert bad.figures[0] == bad.figures[2] == UNKNOWN
    assert ("phases ended", "import, load") in bad.facts


def test_how_a_trial_ended_is_said_once() -> None:
    of = cell()
    died = failed_trial(of, Status.OOM, Phase.LOAD, reason="out of memory in load")
    (measured,) = measure([result(of, [died])])

    (only,) = trial_views(measured)

    assert (only.ending, only.reason) == ("out of memory", "in load")


def test_a_trial_that_was_repeated_stands_beside_the_one_that_counts() -> None:
    of = cell()
    moved = TypedWarning(kind="probe_moved", text="the reference probe ran at 0.50 times its speed")
    spoiled = trial(of).model_copy(update={"spoiled": (moved,)})
    again = trial(of).model_copy(update={"attempt": 1})
    (measured,) = measure([result(of, [spoiled, again])])

    first, second = trial_views(measured)

    assert (first.name, second.name) == ("round 0", "round 0, attempt 1")
    assert first.reason == "does not count: the next attempt does"
    assert (first.figures[0], second.reason) == (f"{second.figures[0]}, not counted", "")
    assert [(doubt.kind, doubt.text) for doubt in first.doubts] == [("probe moved", moved.text)]


def test_an_attempt_that_failed_before_the_one_that_counts_has_no_median() -> None:
    of = cell()
    again = trial(of).model_copy(update={"attempt": 1})
    (measured,) = measure([result(of, [failed_trial(of, Status.CRASH, Phase.LOAD), again])])

    assert [view.figures[0] == UNKNOWN for view in trial_views(measured)] == [True, False]


def test_limits_stand_as_asked_and_as_found() -> None:
    (measured,) = measure([result(cell(cpus=1), [trial(cell(cpus=1))])])

    (only,) = trial_views(measured)

    assert only.limits == ("cpuset 1", "cpuset 1", "8 GiB", "8 GiB", "0 B", "1 / 1 / 1 / 2", "")


def test_the_commands_repeat_this_cell_and_no_other() -> None:
    of, cells = sample()

    checkout, again, compare = commands(of, cells)

    assert checkout == f"git checkout {of.git_commit}"
    assert shlex.split(again) == ["edgematrix", "run", "matrix", "--force", "--only", cells[0].cell_id]
    assert f"--only '{cells[0].cell_id}'" in again
    assert compare == f"edgematrix compare {of.run_id} latest"


def test_the_matrix_is_named_as_it_was_from_where_the_command_was_typed() -> None:
    of, cells = sample()
    measured, every = measure(cells)[0], [each.cell for each in cells]
    elsewhere = "Where the matrix file lies is not stored"

    below = repeat(of.model_copy(update={"matrix_path": "examples/own.yaml"}), measured, every)

    assert shlex.split(below.commands[1])[2] == "examples/own.yaml"
    assert not any(note.startswith(elsewhere) for note in below.notes)
    assert any(note.startswith(elsewhere) for note in repeat(of, measured, every).notes)


def test_a_cell_of_a_quick_look_is_repeated_by_one() -> None:
    of, cells = sample()
    _, again, _ = commands(of.model_copy(update={"quick": True}), cells)
    assert shlex.split(again)[3:5] == ["--quick", "--force"]


def test_a_cell_that_stands_for_one_larger_than_the_host_is_repeated_with_the_whole_look() -> None:
    cells = [result(cell(cpus=cpus, memory_bytes=size * GIB)) for cpus, size in ((1, 1), (2, 1), (2, 8))]
    of = run(cells, quick=True, git_commit=None)

    assert [shlex.split(commands(of, cells, place)[0])[3:] for place in range(3)] == [
        ["--quick", "--force", "--only", cells[0].cell_id],
        ["--quick", "--force"],
        ["--quick", "--force", "--only", cells[2].cell_id],
    ]
    notes = repeat(of, measure(cells)[1], [each.cell for each in cells]).notes
    assert any("repeats the whole look" in note for note in notes)
    whole = of.model_copy(update={"quick": False})
    assert shlex.split(commands(whole, cells, 1)[0])[3:] == ["--force", "--only", cells[1].cell_id]


def test_without_a_commit_nothing_is_checked_out() -> None:
    cells = (result(cell()),)

    assert not any("git" in each for each in commands(run(cells, git_commit=None, git_dirty=None), cells))


@pytest.mark.parametrize("control", ["null", "twin"])
def test_a_control_is_repeated_with_a_cell_that_it_controls(control: str) -> None:
    of, cells = noisy()
    place = next(index for index, each in enumerate(cells) if control in each.cell_id)

    command = next(each for each in commands(of, cells, place) if "--only" in each)

    assert shlex.split(command)[-1] == "pytorch.spam-fnn.c1.m1g.b1"


def test_what_a_run_is_called_is_no_command() -> None:
    cells = (result(cell()),)
    hostile = run(cells, matrix_name="; rm -rf ~", run_id="$(reboot)")

    assert [shlex.split(each)[2] for each in commands(hostile, cells)][1:] == ["; rm -rf ~", "$(reboot)"]


def test_uncommitted_changes_are_said() -> None:
    cells = (result(cell()),)
    notes = repeat(run(cells, git_dirty=True), measure(cells)[0], [cell()]).notes

    assert any("not committed" in note for note in notes)


def test_a_cell_that_never_ran_has_a_page_too() -> None:
    of, cells = failures()
    html = pages((of, cells))["jax.spam-fnn.c8.m32g.b1"]

    assert "Skipped: the host has 2 cores and 24 GiB" in html
    assert 'id="trials"' not in html
    assert "edgematrix run" in html


def test_every_cell_gets_its_page_and_the_same_one_again(tmp_path: Path) -> None:
    of, cells = failures()
    folder = write_run(tmp_path / "run", of, cells)

    write_report(folder)
    written = {path.name: path.read_bytes() for path in (folder / "cells").glob("*.html")}
    write_report(folder)

    assert set(written) == {f"{each.cell_id}.html" for each in cells}
    assert written == {path.name: path.read_bytes() for path in (folder / "cells").glob("*.html")}
    assert not list(folder.rglob("*.part"))


def test_a_page_does_not_grow_with_the_run() -> None:
    small, large = sample()[1][:1], sample()[1]
    of = sample()[0]

    assert pages((of, small))[small[0].cell_id] == pages((of, large))[small[0].cell_id]

"""A comparison as a page: the words of the table, drawn, and nothing that a container wrote."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from harness.compare import CompareOptions, compare_runs
from harness.compare.page import Claim, build_view, render
from harness.compare.refuse import Kind
from harness.compare.words import row_texts, summary
from harness.errors import ExitCode
from harness.stats.noise import Aim
from tests.compared import CELLS, again, failed, other, write
from tests.factories import cell, host, image, probe, result
from tests.published import measured, write_day
from tests.unit.commands import exit_code
from tests.unit.test_report_page import HOSTILE, Page


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "20260101-000000-aaaa", [result(of) for of in CELLS], {0: probe(of=CELLS[0])})


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """One cell failed, and one only in the new run; on other images."""
    results = [failed(CELLS[0]), *map(again, CELLS[1:]), result(cell("openvino", cpus=1))]
    images = {of.framework: image(of.framework).model_copy(update={"fingerprint": "f" * 64}) for of in CELLS}
    return other(tmp_path, results, probes={0: probe(of=CELLS[0])}, images=images, harness_version="9.9")


IMAGES = CompareOptions(allowed={Kind.IMAGES})


def test_it_says_what_the_table_says(base: Path, new: Path) -> None:
    compared = compare_runs(base, new, IMAGES)
    page = Page(render(compared))

    assert summary(compared) in page.text
    for row in compared.rows:
        texts = row_texts(row, compared.aim)
        for column in ("cell", "base", "new", "new/base", "95 %", "notes"):
            assert texts[column] in page.text
    heads = [each for each in page.elements if each.attributes.get("scope") == "rowgroup"]
    told = [head.text[0].strip() for head in heads]
    assert told[0] == "failed: 1 cell"
    assert sum(int(text.split(": ")[1].split()[0]) for text in told) == len(compared.rows)


def test_what_differs_beside_the_cells_stands_first(base: Path, new: Path) -> None:
    view = build_view(compare_runs(base, new, IMAGES))

    differing = [fact.name for fact in view.facts if fact.differs]
    assert differing == [
        "edgematrix",
        *(f"image {name}" for name in ("jax", "onnxruntime", "pytorch")),
    ]
    assert [fact.name for fact in view.facts[: len(differing)]] == differing
    assert any("image jax" in note for note in view.notes)
    assert view.claim == Claim("1 of 4 cells became worse or failed", "a regression", "bad")


def test_a_ratio_is_drawn_on_its_own_side_of_one_and_what_counts_outside_the_band(tmp_path: Path) -> None:
    folders = [write_day(tmp_path, number, slower={"jax": how}) for number, how in enumerate((1.0, 2.0, 1.0))]
    for (base, new), title, sign in zip(
        pairwise(folders), ("worse: 1 cell", "better: 1 cell"), (1, -1), strict=True
    ):
        view = build_view(compare_runs(base, new))
        group = next(group for group in view.groups if group.title == title)
        (row,) = group.rows
        assert row.plot is not None
        assert row.texts["cell"].startswith("jax")
        assert (row.plot.x - 50) * sign > 0
        assert row.plot.low <= row.plot.x <= row.plot.high
        nearest = row.plot.low if sign > 0 else row.plot.high
        assert not row.plot.band[0] <= nearest <= row.plot.band[1]
        assert group.kind == ("worse" if sign > 0 else "better")


def test_a_run_against_itself_is_the_same(base: Path) -> None:
    view = build_view(compare_runs(base, base))
    assert view.claim == Claim("No cell became worse in latency", "no regression in latency", "proved")
    assert [group.title for group in view.groups] == ["same: 3 cells"]
    assert "notes" not in view.columns
    assert not any(fact.differs for fact in view.facts)


@pytest.mark.parametrize("aim", list(Aim))
def test_it_claims_no_more_than_what_was_decided_and_of_the_judged_figure(
    tmp_path: Path, base: Path, aim: Aim
) -> None:
    """One trial a side decides nothing, and neither does a cell that the new run lacks."""
    short = other(tmp_path / "short", [again(of, 1) for of in CELLS])
    fewer = other(tmp_path / "fewer", [result(CELLS[0])])
    for new in (short, fewer):
        compared = compare_runs(base, new, CompareOptions(aim=aim))
        page = Page(render(compared))

        assert not compared.regressed
        assert f"No cell is proved worse in {aim}; not all are decided" in page.text
        (badge,) = (each for each in page.elements if "badge" in (each.attributes.get("class") or "").split())
        assert badge.attributes["class"] == "badge idle"
        assert "".join(badge.text).strip() == f"no regression in {aim} is proved"
    assert build_view(compare_runs(base, base, CompareOptions(aim=aim))).claim.kind == "proved"


def test_the_host_stands_once_where_it_is_that_of_both_runs_and_else_both_are_named(
    tmp_path: Path, base: Path
) -> None:
    new = other(tmp_path, host=host(fingerprint="other", cpu_model="Another CPU"))
    moved = build_view(compare_runs(base, new, CompareOptions(allowed={Kind.HOST})))

    assert [line.partition(": ")[0] for line in moved.hosts] == ["base", "new"]
    assert [line.partition(": ")[2] for line in moved.hosts] == [
        build_view(compare_runs(run, run)).hosts[0] for run in (base, new)
    ]


def test_hostile_names_become_text(tmp_path: Path) -> None:
    evil = cell(HOSTILE.replace("/", ""), model="m", cpus=1)
    strange = host(kernel=HOSTILE, governor=HOSTILE)
    base, new = (
        write_day(tmp_path, number, results=[measured(evil, number)], host=strange, git_commit=HOSTILE)
        for number in (0, 1)
    )
    html = render(compare_runs(base, new))
    page = Page(html)
    assert not page.all("img")
    assert len(page.all("script")) == 1, "the frame's"
    assert not [name for each in page.elements for name in each.attributes if name.startswith("on")]
    assert "alert(1)" in page.text
    assert render(compare_runs(base, new)) == html


def test_only_a_page_of_ours_is_replaced(
    base: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, pipe, folder, page = (
        base / "run.json",
        tmp_path / "pipe",
        tmp_path / "folder",
        tmp_path / "page.html",
    )
    before = record.read_bytes()
    os.mkfifo(pipe)
    folder.mkdir()
    words = ("compare", str(base), str(new), "--allow", "images", "--html")

    for file in (record, pipe, folder):
        assert exit_code(*words, str(file)) == ExitCode.CONFIG
        printed = capsys.readouterr().err
        assert printed.startswith(f"edgematrix: {file} is no page that edgematrix wrote\nwhy: ")
        assert "\nfix: " in printed
    assert record.read_bytes() == before
    assert pipe.is_fifo()
    for _ in range(2):
        assert exit_code(*words, str(page)) == ExitCode.REGRESSION


def test_the_command_writes_it_beside_what_it_prints(
    base: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "made" / "compared.html"
    words = ("compare", str(base), str(new), "--html", str(page))

    assert exit_code(*words) == ExitCode.NOT_COMPARABLE
    assert not page.exists()
    assert exit_code(*words, "--allow", "images") == ExitCode.REGRESSION
    assert page.read_text() == render(compare_runs(base, new, IMAGES))
    assert "1 failed" in capsys.readouterr().out

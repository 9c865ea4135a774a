"""A run as Markdown, for a step summary: the verdict, the map, the failures, and never too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.markdown import MARKDOWN_LIMIT
from harness.report import read_view
from harness.report.answers import Headline, Leader
from harness.report.digest import as_markdown, lead_text
from harness.report.view import View, build_view
from harness.results import CellResult
from harness.runs import Run
from harness.stats.cell import measure
from tests.sample_runs import failures, noisy, sample, write_run
from tests.unit.commands import exit_code
from tests.unit.test_report_page import poisoned


def view_of(made: tuple[Run, tuple[CellResult, ...]]) -> View:
    of, cells = made
    return build_view(of, measure(cells))


def test_the_verdict_comes_first_and_the_map_has_every_median() -> None:
    view = view_of(sample())
    text = as_markdown(view)

    lines = text.splitlines()
    assert lines[0] == "### Which inference runtime for spam-fnn?"
    assert lines[2].startswith("- **Fastest, spam-fnn, batch 1**: onnxruntime at 4 of 4 limits")
    assert "20 cells: 20 ok" in text
    assert "✓ Limits proved in all 60 trials" in text
    rows = [line for line in lines if line.startswith("| ")]
    for row in view.workloads[0].heat_map.rows:
        (own,) = [line for line in rows if line.startswith(f"| {row.framework} |")]
        assert all(each and f" {each.text} ({each.ratio})" in own for each in row.cells)
    assert lines[-1] == f"All answers, charts, evidence and provenance: the report of run {view.run_id}."


def test_a_line_that_does_not_name_all_says_so() -> None:
    tied = tuple((Leader(name, slot), "tied at 1 of 1 limits") for slot, name in enumerate("abcde"))
    line = "a tied at 1 of 1 limits, b tied at 1 of 1 limits, c tied at 1 of 1 limits"

    assert lead_text(Headline("Fastest", tied[:3], "")) == line
    assert lead_text(Headline("Fastest", tied, "")) == f"{line}, and 2 more"


def test_every_failure_is_told_with_its_reason() -> None:
    view = view_of(failures())
    text = as_markdown(view)
    assert "> This run is interrupted" in text
    assert f"#### {len(view.failures)} cells without a figure" in text
    for words in (
        "thrashing in import",
        "out of memory in load: 249 MiB under a 256 MiB cap",
        "RuntimeError",
    ):
        assert words in text
    assert "**crashed**" in text
    assert "! Limits proved in 24 of 27 trials" in text


def test_doubts_stand_beside_their_figures() -> None:
    text = as_markdown(view_of(noisy()))
    assert "oversubscribed" in text
    assert "> The twin differs" in text


def test_a_run_that_is_too_large_is_cut_with_a_notice() -> None:
    view = view_of(failures())
    long = as_markdown(replace(view, failures=view.failures * 1000))
    assert len(long) < MARKDOWN_LIMIT + 200
    assert long.endswith(
        f"(Cut: a comment takes no more. All of it is in the report of run {view.run_id}.)\n"
    )


def test_hostile_texts_become_text() -> None:
    text = as_markdown(view_of(poisoned()))
    assert "<script" not in text
    assert "<img" not in text
    assert "alert(1)" in text


def test_the_command_prints_it_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "a-run", *sample())
    assert exit_code("report", "--markdown", "--reports", str(tmp_path)) == ExitCode.OK
    printed = capsys.readouterr().out
    assert str(tmp_path) not in printed
    assert printed.strip() == as_markdown(read_view(folder)).strip()
    assert not (folder / "index.html").exists()

"""How a comparison is told: the table, Markdown, JSON, and the exit codes of the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare import Compared, CompareOptions, compare_runs
from harness.compare.document import as_document
from harness.compare.refuse import Kind
from harness.compare.render import as_lines, as_markdown
from harness.errors import ExitCode
from harness.markdown import MARKDOWN_LIMIT, cut, escaped
from harness.results import Status, TypedWarning
from tests.compared import CELLS, again, failed, other, write
from tests.factories import cell, host, probe, result
from tests.unit.commands import exit_code


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "20260101-000000-aaaa", [result(of) for of in CELLS], {0: probe(of=CELLS[0])})


@pytest.fixture
def compared(tmp_path: Path, base: Path) -> Compared:
    """One cell failed, and one only in the new run."""
    new = [failed(CELLS[0]), *map(again, CELLS[1:]), result(cell("openvino", cpus=1))]
    return compare_runs(base, other(tmp_path, new, probes={0: probe(of=CELLS[0], loop_ns=(600_000,))}))


def test_the_document_is_json_with_every_cell_and_null_for_what_is_unknown(compared: Compared) -> None:
    document = as_document(compared)
    assert json.loads(json.dumps(document, allow_nan=False)) == json.loads(json.dumps(document))
    cells = {row["cell_id"]: row for row in document["cells"]}
    assert list(cells) == [row.cell_id for row in compared.rows]
    assert (document["base"]["run_id"], document["new"]["run_id"]) == (
        compared.base.run_id,
        compared.new.run_id,
    )
    assert document["regressed"] is True
    assert document["machine_shifts"][0]["shift"]["interpreter"] == pytest.approx(1.2)
    assert document["machine_shifts"][0]["shift"]["added"] == pytest.approx(0.2)
    dead, whole, extra = cells[CELLS[0].id], cells[CELLS[1].id], cells["openvino.spam-fnn.c1.m8g.b1"]
    assert (dead["verdict"], dead["figures"]["latency"], dead["new"]["status"]) == ("failed", None, "oom")
    assert dead["new"]["reason"] == "3 of 3 trials: it died"
    assert extra["base"] is None
    assert len(whole["base"]["figures"]["latency"]["trials"]) == 3
    latency = whole["figures"]["latency"]
    assert latency["ratio_low"] < latency["ratio"] < latency["ratio_high"]
    assert set(document["counts"]) == {row.verdict.value for row in compared.rows}


def test_the_table_has_the_worst_first_and_the_counts_last(compared: Compared) -> None:
    lines = list(as_lines(compared))
    assert lines[4].startswith("failed")
    assert "oom" in lines[4]
    assert "3 of 3 trials: it died" in lines[4]
    assert "interpreter 1.200" in lines[-3]
    assert "of the cells of its kind where it rests on 5 pairs or more, else of all cells: " in lines[-2]
    assert lines[-1].startswith("4 cells by latency: 1 failed")


@pytest.mark.parametrize("width", [56, 80, 100, 120, 160])
def test_a_narrow_terminal_keeps_verdict_and_cell_and_says_what_it_lacks(
    compared: Compared, width: int
) -> None:
    lines = list(as_lines(compared, width))
    table = lines[lines.index("") + 1 : -4]
    assert all(len(line) <= width for line in table)
    assert [line.split()[0] for line in table[:2]] == ["verdict", "failed"]
    assert all(of.id in "\n".join(table) for of in CELLS)
    assert (width == 160) == (not any(line.startswith("left out for the width") for line in lines))


def test_a_column_that_would_begin_beyond_the_width_is_named(compared: Compared) -> None:
    lines = list(as_lines(compared, 40))
    assert lines[lines.index("") + 1].split() == ["verdict", "cell"]
    (told,) = (line for line in lines if line.startswith("left out for the width: "))
    assert {"new/base", "notes"} <= set(told.partition(": ")[2].split(", "))


def test_doubts_and_what_spoiled_a_trial_stand_beside_the_verdict(tmp_path: Path, base: Path) -> None:
    doubtful = again(
        CELLS[0],
        warnings=(TypedWarning(kind="throttled", text="t"),),
        spoiled=(TypedWarning(kind="stolen", text="t"),),
    )
    compared = compare_runs(base, other(tmp_path, [doubtful]))
    assert compared.rows[0].warnings == ("throttled", "stolen")
    assert "throttled, stolen" in "\n".join(as_lines(compared))


def test_markdown_counts_first_and_folds_what_is_the_same(base: Path, compared: Compared) -> None:
    text = as_markdown(compared)
    assert text.startswith("**4 cells by latency: 1 failed")
    same = as_markdown(compare_runs(base, base))
    table = same.index("| verdict |")
    assert same.index("<details><summary>3 without a difference</summary>") < table < same.index("</details>")


HOSTILE = "<img src=x> | `rm` @all #1 https://x.y www.x.y **b** [a](b)\n\n# head"


def test_markdown_keeps_hostile_text_inert(tmp_path: Path, base: Path) -> None:
    doubt = TypedWarning(kind=HOSTILE, text="t")
    dead = failed(CELLS[0]).model_copy(update={"reason": HOSTILE})
    new = other(tmp_path, [dead, again(CELLS[1], warnings=(doubt,))], host=host(fingerprint=HOSTILE))
    text = as_markdown(compare_runs(base, new, CompareOptions(allowed={Kind.HOST})))
    for piece in ("<img", "`rm`", "@all", "#1", "https://", "www.x", "**b**", "[a]", "\n#"):
        assert piece not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1


@given(st.text())
def test_escaped_text_ends_no_cell_and_opens_no_tag(text: str) -> None:
    found = escaped(text)
    assert "\n" not in found
    assert "<" not in found
    assert found.replace("\\\\", "").replace("\\|", "").count("|") == 0


def test_a_comment_that_is_too_long_is_cut_at_a_line_and_says_so() -> None:
    long = "<details>\n" + "| row |\n" * MARKDOWN_LIMIT
    found = cut(long, "There is more.")
    assert len(found) < MARKDOWN_LIMIT + 200
    assert found.count("<details>") == found.count("</details>")
    assert "Cut" in found
    assert cut("short", "There is more.") == "short"


def compare(*words: str) -> int:
    return exit_code("compare", *words)


def test_exit_codes_do_not_depend_on_the_form(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = other(tmp_path, [failed(CELLS[0]), *map(again, CELLS[1:])])
    reports = ("--reports", str(tmp_path))
    assert compare(base.name, base.name, *reports) == ExitCode.OK
    assert compare(str(new), str(base)) == ExitCode.OK  # it is fixed
    for form in ([], ["--json"], ["--markdown"]):
        assert compare(base.name, new.name, *reports, *form) == ExitCode.REGRESSION
    assert compare(base.name, new.name, *reports, "--figure", "memory") == ExitCode.REGRESSION
    capsys.readouterr()
    (tmp_path / "latest").symlink_to(new.name)
    assert compare(base.name, "latest", *reports, "--json") == ExitCode.REGRESSION
    assert json.loads(capsys.readouterr().out)["new"]["run_id"] == new.name


@pytest.mark.parametrize(
    "words",
    [
        ("--threshold", "much"),
        ("--threshold", "nan"),
        ("--threshold", "-1"),
        ("--allow", "all"),
        ("--figure", "speed"),
        ("--json", "--markdown"),
    ],
)
def test_a_wrong_option_is_told(base: Path, words: tuple[str, ...]) -> None:
    assert compare(str(base), str(base), *words) == ExitCode.CONFIG


def test_what_cannot_be_compared_is_told(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(base.name, "nothing", "--reports", str(tmp_path)) == ExitCode.ENVIRONMENT
    away = other(tmp_path, host=host(fingerprint="z"))
    assert compare(str(base), str(away)) == ExitCode.NOT_COMPARABLE
    printed = capsys.readouterr().err
    assert "why: base against new:" in printed
    assert "6f1c2a90d4e7 against z" in printed
    assert "--allow host" in printed
    assert compare(str(base), str(away), "--allow", "host") in {ExitCode.OK, ExitCode.REGRESSION}
    assert "note: different as meant: host" in capsys.readouterr().out


def test_a_failed_cell_that_was_skipped_shows_why(tmp_path: Path, base: Path) -> None:
    skipped = result(CELLS[0], trials=(), status=Status.SKIPPED, reason="excluded: too large")
    lines = list(as_lines(compare_runs(base, other(tmp_path, [skipped]))))
    assert "excluded: too large" in lines[4]

import errno
import io
import json
import re
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from harness.cli import cli
from harness.errors import EngineError, ExitCode
from harness.events import Step
from harness.manual.commands import leaves
from harness.progress import choose_display
from harness.results import Cell, CellResult, Expectation, Status
from tests.checkout import ROOT
from tests.unit.commands import exit_code

MATRIX = str(ROOT / "matrix.yaml")


def test_plan_lists_the_cells_without_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", MATRIX, "--ids") == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == "pytorch.spam-fnn.c1.m512m.b1"
    assert len(printed.out.splitlines()) == 20, "no controls, which selectors do not know"
    assert "22 cells to measure, 110 trials: about " in printed.err


def test_plan_as_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", MATRIX, "--json", "--only", "jax.*.c2.*") == ExitCode.OK
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [
        "jax.spam-fnn.c2.m512m.b1",
        "jax.spam-fnn.c2.m8g.b1",
        "null.spam-fnn.c2.m512m.b1",
        "jax.spam-fnn.c2.m8g.b1.twin",
    ]


def test_click_judges_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would refuse what cannot be read without why and fix, and as a mistake in the words."""
    (tmp_path / "matrix.yaml").write_text((ROOT / "matrix.yaml").read_text())
    monkeypatch.setattr("os.access", lambda *_, **__: False)  # root reads all
    assert exit_code("plan", str(tmp_path / "matrix.yaml"), "--reports", str(tmp_path)) == ExitCode.OK
    given = [param.type for leaf in leaves(cli, "edgematrix") for param in leaf.command.params]
    paths = [kind for kind in given if isinstance(kind, click.Path)]
    assert len(paths) > 5
    assert not any(kind.readable for kind in paths)


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "no-such-file.yaml"),
        ("plan", MATRIX, "--only", "nothing-like-it"),
        ("plan", MATRIX, "--no-such-option"),
        ("no-such-command",),
        ("build", "no-such-framework"),
        ("run", MATRIX, "--run-id"),
        ("run", MATRIX, "--retry", "oom,ok"),
        ("run", MATRIX, "--retry", ""),
        ("run", MATRIX, "--budget", "2"),
        ("run", MATRIX, "--shard", "3/2"),
        ("run", MATRIX, "--shard", "1/99"),
        ("run", MATRIX, "--force", "--retry", "oom"),
    ],
)
def test_what_is_wrong_with_the_words_or_the_matrix_is_exit_4(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*words) == ExitCode.CONFIG
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_folder_without_a_matrix_is_told_how_to_get_one(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(command) == ExitCode.CONFIG
    assert "write one: edgematrix new matrix" in capsys.readouterr().err


def test_an_error_is_printed_in_three_parts_and_a_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EngineError("it is gone", why="somebody stopped it", fix="start it")

    monkeypatch.setattr("harness.intake.plan_matrix", fail)

    assert exit_code("plan", MATRIX) == ExitCode.ENVIRONMENT
    assert capsys.readouterr().err == "edgematrix: it is gone\nwhy: somebody stopped it\nfix: start it\n"
    assert exit_code("--debug", "plan", MATRIX) == ExitCode.ENVIRONMENT
    assert "Traceback" in capsys.readouterr().err


def test_what_nobody_foresaw_is_told_as_a_fault_of_edgematrix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("gone")

    monkeypatch.setattr("harness.intake.plan_matrix", fail)

    assert exit_code("plan", MATRIX) == ExitCode.ENVIRONMENT
    what, why, fix = capsys.readouterr().err.splitlines()
    assert what == "edgematrix: something came up that nobody foresaw: LookupError: gone"
    assert why.startswith("why: edgematrix itself has a fault")
    assert "edgematrix --debug" in fix
    assert exit_code("--debug", "plan", MATRIX) == ExitCode.ENVIRONMENT
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.intake.plan_matrix", interrupt)
    assert exit_code("plan", MATRIX) == ExitCode.INTERRUPTED


def test_a_closed_pipe_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("harness.intake.plan_matrix", closed)
    monkeypatch.setattr("sys.stdout", sys.stdout)  # click puts a stream that keeps quiet in their place
    monkeypatch.setattr("sys.stderr", sys.stderr)
    assert exit_code("plan", MATRIX) == ExitCode.INTERRUPTED


class Full(io.StringIO):
    """A stream that takes nothing."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_closed_stream_takes_what_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, name, None)
    assert exit_code("plan", "no-such-file.yaml") == ExitCode.CONFIG
    assert exit_code("plan", MATRIX, "--ids") == ExitCode.OK
    with choose_display(as_json=name == "stdout") as show:
        show(Step(subject="m", text="prepared", done=1.0))


@pytest.mark.parametrize("words", [("plan", "no-such-file.yaml"), ("plan", "--no-such-option")])
def test_an_error_that_cannot_be_told_keeps_its_code(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    assert exit_code(*words) == ExitCode.CONFIG
    sys.stderr.flush()  # as Python does at its end, where a failure takes the place of the code


def test_a_full_stream_is_told_in_three_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout", Full())
    assert exit_code("plan", MATRIX, "--ids") == ExitCode.ENVIRONMENT
    told = capsys.readouterr().err
    assert "edgematrix: a file or a stream cannot be used: [Errno 28] No space left" in told
    assert "\nwhy: " in told
    assert "\nfix: " in told


def test_help_and_version_are_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == ExitCode.OK
    assert "Exit codes" in capsys.readouterr().out
    assert exit_code("--version") == ExitCode.OK


@pytest.mark.parametrize(
    ("status", "expected", "met"),
    [
        (Status.OK, None, True),
        (Status.SKIPPED, None, True),
        (Status.OOM, None, False),
        (Status.BUILD_FAILED, None, False),
        (Status.OOM, Status.OOM, True),
        (Status.OK, Status.OOM, False),
        (Status.TIMEOUT, Status.OOM, False),
        (Status.SKIPPED, Status.OOM, True),
    ],
)
def test_a_cell_ends_as_expected_or_well(status: Status, expected: Status | None, met: bool) -> None:
    cell = Cell(framework="jax", model="m", cpus=1, memory_bytes=1024, batch=1)
    result = CellResult(
        cell=cell,
        cell_id=cell.id,
        status=status,
        expected=None if expected is None else Expectation(status=expected, reason="known"),
        planned_trials=1,
    )
    assert result.as_expected is met


def test_no_report_without_a_run_is_exit_5(tmp_path: Path) -> None:
    assert exit_code("report", "--reports", str(tmp_path)) == ExitCode.ENVIRONMENT


def test_a_new_matrix_plans_as_it_is_and_knows_its_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    assert exit_code("new", "matrix", str(file)) == ExitCode.OK
    schemas = re.findall(r"schema[=:] ?(\S+\.json)$", file.read_text(), re.MULTILINE)
    assert len(schemas) == 2
    for schema in schemas:
        assert (tmp_path / schema).resolve() == ROOT / "harness" / "schemas" / "matrix.schema.json"
    assert exit_code("plan", str(file)) == ExitCode.OK
    capsys.readouterr()


def test_a_new_matrix_never_takes_the_place_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    assert exit_code("new", "matrix", str(file)) == ExitCode.CONFIG
    assert file.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
    assert exit_code("new", "matrix", str(tmp_path / "nowhere" / "mine.yaml")) == ExitCode.ENVIRONMENT


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(
    shell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It asks bash for its version, and a unit test starts no process.
    monkeypatch.setattr("click.shell_completion.BashComplete._check_version", lambda _: None)
    assert exit_code("completion", shell) == ExitCode.OK
    assert "_EDGEMATRIX_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "begun", "offered"),
    [
        (["report"], "", ["latest", "20260102-a", "20260101-a"]),
        (["publish", "20260101-a"], "20260102", ["20260102-a"]),
        (["compare", "latest"], "la", ["latest"]),
        (["compare"], "../other", ["../other"]),
        (["report"], "../other", []),
    ],
)
def test_a_shell_is_offered_the_runs_that_are_there(
    command: list[str], begun: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run_id in ("20260101-a", "20260102-a"):
        (tmp_path / "reports" / run_id).mkdir(parents=True)
        (tmp_path / "reports" / run_id / "run.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    found = ShellComplete(cli, {}, "edgematrix", "_EDGEMATRIX_COMPLETE").get_completions(command, begun)
    assert [item.value for item in found] == offered


def test_a_shell_is_offered_no_run_where_there_is_none(tmp_path: Path) -> None:
    command = ["report", "--reports", str(tmp_path / "nowhere")]
    found = ShellComplete(cli, {}, "edgematrix", "_EDGEMATRIX_COMPLETE").get_completions(command, "")
    assert found == []


def test_the_help_promises_no_more_of_a_new_matrix_than_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("new", "matrix", "--help") == ExitCode.OK
    told = capsys.readouterr().out
    assert "most used keys" in told
    assert "docs/reference/matrix.md" in told


@pytest.mark.parametrize(
    "name",
    ["plan", "build", "run", "report", "compare", "doctor", "clean", "new", "merge", "images", "publish"],
)
def test_the_help_of_a_command_ends_with_examples_of_it(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(name, "--help") == ExitCode.OK
    _, _, examples = re.split("(Examples?:)", capsys.readouterr().out)
    lines = [line.split() for line in examples.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 4
    assert all(words[:2] == ["edgematrix", name] for words in lines)

"""`--quick`: few short trials at the ends of the matrix."""

import json
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.intake import Options, plan_matrix
from tests.unit.commands import exit_code

MATRIX = """\
frameworks: [jax, onnxruntime]
models: [spam-fnn, resnet50]
cpus: [1, 2, 4]
memory: [512MiB, 8GiB]
batch: [1]
"""


def quick(tmp_path: Path, text: str) -> Options:
    file = tmp_path / "matrix.yaml"
    file.write_text(text)
    return Options(matrix=file, reports=tmp_path, quick=True)


def test_only_the_smallest_and_the_largest_limit_are_left(tmp_path: Path) -> None:
    _, plan = plan_matrix(quick(tmp_path, MATRIX))
    assert {each.cell.id.split(".", 2)[2] for each in plan.cells} == {"c1.m512m.b1", "c4.m8g.b1"}
    assert len(plan.cells) == 2 * 2 * 2


def test_a_quick_look_is_short_and_stored_as_what_it_was(tmp_path: Path) -> None:
    text = MATRIX + "protocol: {trials: 7, precision: 2%, budget: 2s, article: true}\n"
    matrix, plan = plan_matrix(quick(tmp_path, text))
    protocol = plan.protocol
    assert (protocol.trials, protocol.max_trials, protocol.precision) == (3, 3, None)
    assert (protocol.warmup_s, protocol.budget_s, protocol.article) == (0.2, 0.3, False)
    stored = matrix.resolved()["protocol"]
    assert (stored["trials"], stored["warmup"], stored["budget"]) == (3, "0.2s", "0.3s")
    assert "precision" not in stored
    assert "article" not in stored


def test_what_is_shorter_already_stays(tmp_path: Path) -> None:
    text = MATRIX + "protocol: {trials: 2, warmup: 0.1s, budget: 0.25s}\n"
    _, plan = plan_matrix(quick(tmp_path, text))
    assert (plan.protocol.trials, plan.protocol.warmup_s, plan.protocol.budget_s) == (2, 0.1, 0.25)


def test_the_plan_shows_the_quick_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = quick(tmp_path, MATRIX)
    assert exit_code("plan", str(options.matrix), "--quick", "--json") == ExitCode.OK
    rows = json.loads(capsys.readouterr().out)
    assert {row["cpus"] for row in rows if row["framework"] == "jax"} == {1, 4}


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("jax.*.c2.*", "matches no cell of the quick look"),
        ("jax.*.c3.*", "edgematrix plan --quick --ids"),
    ],
)
def test_a_selector_of_what_a_quick_look_leaves_out_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pattern: str, words: str
) -> None:
    options = quick(tmp_path, MATRIX)
    assert exit_code("plan", str(options.matrix), "--quick", "--only", pattern) == ExitCode.CONFIG
    assert words in " ".join(capsys.readouterr().err.split())

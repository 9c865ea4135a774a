"""`--quick`: few short trials at the ends of the matrix."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.errors import EdgematrixError, ExitCode
from harness.host import ProbeFacts
from harness.intake import Options, on_any_host, on_host, plan_matrix
from harness.plan import Plan
from harness.units import GIB
from tests.unit.commands import exit_code
from tests.unit.test_cores import machine

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


SHIPPED = """\
frameworks: [jax, onnxruntime]
models: [spam-fnn]
cpus: [1, 2]
memory: [512MiB, 8GiB]
batch: [1]
"""


def host(cpus: int, memory_bytes: int) -> ProbeFacts:
    return cast("ProbeFacts", SimpleNamespace(topology=machine(1, cpus, 1), memory_bytes=memory_bytes))


SMALL = host(2, round(7.7 * GIB))
"""An "8 GB" machine."""
LARGE = host(8, 64 * GIB)


def drawn(plan: Plan) -> dict[str, str | None]:
    """Why the cells of the first framework are skipped, by limit."""
    return {
        each.cell.id.split(".", 2)[2]: each.skip_reason
        for each in plan.cells
        if each.cell.framework == "jax" and each.cell.model == "spam-fnn"
    }


def test_a_small_host_is_measured_under_the_largest_limit_that_it_has(tmp_path: Path) -> None:
    options = quick(tmp_path, SHIPPED)
    matrix, plan = plan_matrix(options)

    placed = on_host(options, matrix, plan, SMALL)

    assert drawn(placed) == {
        "c1.m512m.b1": None,
        "c2.m8g.b1": "asks for 8 GiB, the host has 7.7 GiB",
        "c2.m512m.b1": None,
    }
    assert on_host(options, matrix, plan, LARGE) == plan
    assert {each.cell for each in placed.cells if not each.skip_reason} <= set(
        on_any_host(options, matrix, plan)
    )


@pytest.mark.parametrize(("over_host", "limits"), [("run", ["c1.m512m.b1", "c2.m8g.b1"]), ("refuse", [])])
def test_only_a_host_that_skips_cells_gets_others(tmp_path: Path, over_host: str, limits: list[str]) -> None:
    options = quick(tmp_path, SHIPPED + f"over_host: {over_host}\n")
    matrix, plan = plan_matrix(options)
    assert list(drawn(plan)) == ["c1.m512m.b1", "c2.m8g.b1"]
    if over_host == "refuse":
        with pytest.raises(EdgematrixError, match="2 of 4 cells"):
            on_host(options, matrix, plan, SMALL)
    else:
        assert list(drawn(on_host(options, matrix, plan, SMALL))) == limits


def test_a_refusal_is_of_the_cells_of_the_quick_look_alone(tmp_path: Path) -> None:
    text = SHIPPED.replace("cpus: [1, 2]\nmemory: [512MiB, 8GiB]\n", "") + (
        "devices:\n  a: {cpus: 1, memory: 1GiB}\n  b: {cpus: 1, memory: 64GiB}\n  c: {cpus: 2, memory: 1GiB}\n"
        "over_host: refuse\n"
    )
    options = quick(tmp_path, text)
    matrix, plan = plan_matrix(options)
    assert on_host(options, matrix, plan, SMALL) == plan


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("cpus: 2, memory: 8GiB", {"c1.m512m.b1": None, "c2.m512m.b1": None}),
        ("framework: jax, cpus: 2", {"c1.m512m.b1": None, "c2.m8g.b1": "why"}),
        ("model: spam-fnn", {"c1.m512m.b1": "why", "c2.m8g.b1": "why"}),
    ],
)
def test_a_limit_under_which_all_is_excluded_is_no_end(
    tmp_path: Path, rule: str, expected: dict[str, str | None]
) -> None:
    text = SHIPPED.replace("[spam-fnn]", "[spam-fnn, resnet50]")
    _, plan = plan_matrix(quick(tmp_path, text + f"exclude: [{{{rule}, reason: why}}]\n"))
    assert drawn(plan) == expected


@pytest.mark.parametrize("part", [1, 2])
def test_a_shard_has_on_a_small_host_all_that_the_plan_shows(tmp_path: Path, part: int) -> None:
    options = replace(quick(tmp_path, SHIPPED), shard=(part, 2))
    matrix, plan = plan_matrix(options)
    placed = on_host(options, matrix, plan, SMALL)
    assert {each.cell for each in plan.cells} <= {each.cell for each in placed.cells}


def test_a_whole_run_is_held_against_the_host_as_it_is(tmp_path: Path) -> None:
    options = replace(quick(tmp_path, SHIPPED), quick=False)
    matrix, plan = plan_matrix(options)
    placed = on_host(options, matrix, plan, SMALL)
    assert [each.cell for each in placed.cells] == [each.cell for each in plan.cells]
    assert sum(each.skip_reason is not None for each in placed.cells) == 4
    controls = on_any_host(options, matrix, plan)[len(plan.cells) :]
    assert [cell.id for cell in controls] == ["null.spam-fnn.c1.m512m.b1", "jax.spam-fnn.c1.m8g.b1.twin"]


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

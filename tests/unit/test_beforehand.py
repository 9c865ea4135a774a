"""Options that cannot be followed are found before the engine is asked for anything."""

from pathlib import Path

import pytest

from harness.beforehand import check_options
from harness.errors import ExitCode, StoreError
from harness.intake import Options, plan_matrix
from harness.plan import Plan
from harness.records import Phase
from harness.results import Status
from harness.runs import RunState
from harness.store import RunStore
from tests.factories import cell as a_cell
from tests.factories import failed_trial, result, run
from tests.unit.commands import exit_code

MATRIX = "frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [1]\nmemory: [8GiB]\n"


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    file = tmp_path / "matrix.yaml"
    file.write_text(MATRIX)
    return file


def options(matrix: Path, run_id: str | None = None, *retry: Status) -> Options:
    return Options(
        matrix=matrix,
        reports=matrix.parent / "reports",
        run_id=run_id,
        retry=frozenset(retry),
        only=("jax.*",),
    )


def planned(matrix: Path) -> Plan:
    return plan_matrix(options(matrix))[1]


def keep(matrix: Path, run_id: str, state: RunState, **changes: object) -> None:
    """A run of the matrix, whose one trial ran out of memory."""
    plan = planned(matrix)
    cell = plan.cells[0].cell
    store = RunStore(matrix.parent / "reports" / run_id)
    store.write_run(
        run((result(cell),), run_id=run_id, state=state, **({"protocol": plan.protocol} | changes))
    )
    store.write_trial(failed_trial(cell, Status.OOM, Phase.LOAD))


@pytest.mark.parametrize(
    ("run_id", "retry", "words"),
    [
        ("complete", (), "run complete is complete"),
        ("other", (), "differs from today's in the protocol$"),
        ("older", (), "differs from today's in the version of edgematrix$"),
        ("others", (), "differs from today's in the cells$"),
        ("missing", (), "there is no run"),
        ("complete", (Status.TIMEOUT,), "run complete has no trial that ended as timeout"),
        (None, (Status.TIMEOUT,), "no run that could go on has a trial that ended as timeout"),
    ],
)
def test_a_run_that_cannot_go_on_is_refused(
    matrix: Path, run_id: str | None, retry: tuple[Status, ...], words: str
) -> None:
    plan = planned(matrix)
    keep(matrix, "complete", RunState.COMPLETE)
    other = plan.protocol.model_copy(update={"budget_s": 9.0})
    keep(matrix, "other", RunState.INTERRUPTED, protocol=other)
    keep(matrix, "older", RunState.INTERRUPTED, harness_version="0.0.9")
    elsewhere = (result(a_cell("pytorch")),)
    others = run(elsewhere, run_id="others", state=RunState.INTERRUPTED, protocol=plan.protocol)
    RunStore(matrix.parent / "reports" / "others").write_run(others)

    with pytest.raises(StoreError, match=f"(?m){words}"):
        check_options(options(matrix, run_id, *retry), plan)


def test_what_may_go_on_is_let_through(matrix: Path) -> None:
    plan = planned(matrix)
    keep(matrix, "complete", RunState.COMPLETE)
    keep(matrix, "begun", RunState.INTERRUPTED)

    check_options(options(matrix), plan)
    check_options(options(matrix, "begun"), plan)
    check_options(options(matrix, "complete", Status.OOM), plan)
    check_options(options(matrix, None, Status.OOM), plan)
    (matrix.parent / "reports" / "latest").mkdir()  # as where links do not serve
    check_options(options(matrix, "latest", Status.OOM), plan)


def test_the_command_refuses_without_an_engine(matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (matrix.parent / "file").touch()
    for words in (("--run-id", "nowhere"), ("--reports", str(matrix.parent / "file")), ("--retry", "oom")):
        reports = ("--reports", str(matrix.parent / "reports"))
        assert exit_code("run", str(matrix), *reports, *words) == ExitCode.ENVIRONMENT
        assert "engine" not in capsys.readouterr().err

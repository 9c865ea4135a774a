"""What a session stores of how it was called, and of those before it."""

from pathlib import Path

import pytest

from harness.intake import Options, path_below
from harness.report.view import build_view
from harness.runs import RunState
from harness.session import open_store
from harness.stats.cell import measure
from harness.store import RunStore
from tests.factories import cell, result, run


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("matrix.yaml", "matrix.yaml"),
        ("examples/own.yaml", "examples/own.yaml"),
        ("./examples/../own.yaml", "own.yaml"),
        ("/home/me/bench/examples/own.yaml", "examples/own.yaml"),
        ("../own.yaml", None),
        ("/tmp/own.yaml", None),
    ],
)
def test_a_matrix_is_named_from_where_the_command_was_typed(named: str, found: str | None) -> None:
    assert path_below(Path("/home/me/bench"), Path(named)) == found


@pytest.mark.parametrize(("before", "after"), [(1, 2), (None, None)])
def test_a_session_that_goes_on_with_a_run_is_counted(
    tmp_path: Path, before: int | None, after: int | None
) -> None:
    begun = run((result(cell()),), run_id="begun", state=RunState.INTERRUPTED, sessions=before)
    RunStore(tmp_path / "begun").write_run(begun)
    options = Options(matrix=Path("matrix.yaml"), reports=tmp_path)

    store, resumed = open_store(options, begun.model_copy(update={"run_id": "fresh", "sessions": 1}))

    assert (resumed.run_id, resumed.sessions, resumed.state) == ("begun", after, RunState.RUNNING)
    assert store.read_run() == resumed


@pytest.mark.parametrize(("sessions", "told"), [(None, False), (1, False), (3, True)])
def test_the_page_says_that_a_run_was_gone_on_with(sessions: int | None, told: bool) -> None:
    cells = (result(cell()),)
    view = build_view(run(cells, sessions=sessions), measure(cells))

    spent = dict(view.run)["time spent measuring"]

    assert ("in 3 sessions" in view.when, spent.endswith(" in 3 sessions")) == (told, told)

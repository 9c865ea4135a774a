"""What a session stores of how it was called, and of those before it."""

from datetime import timedelta
from pathlib import Path

import pytest

from harness.intake import Options, path_below
from harness.report.view import build_view
from harness.runs import RunState
from harness.session import open_store
from harness.stats.cell import measure
from harness.store import RunStore
from harness.units import GIB
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

    fresh = {"run_id": "fresh", "sessions": 1, "state": RunState.RUNNING}
    store, resumed = open_store(options, begun.model_copy(update=fresh))

    assert (resumed.run_id, resumed.sessions, resumed.state) == ("begun", after, RunState.RUNNING)
    assert store.read_run() == resumed


def test_a_run_that_is_gone_on_with_has_the_record_of_today_and_its_own_history(tmp_path: Path) -> None:
    history = {"run_id": "begun", "session": 2, "sessions": 3, "run_s": 7.0, "trials": 5}
    begun = run((result(cell()),), state=RunState.INTERRUPTED, **history)
    RunStore(tmp_path / "begun").write_run(begun)
    edited = {
        "matrix": {"expect": ["a new rule"]},
        "devices": {"renamed": (2, 8 * GIB)},
        "baseline": "pytorch",
        "matrix_path": "moved.yaml",
    }
    later = {
        "started_at": begun.started_at + timedelta(days=1),
        "finished_at": None,
        "run_s": 0.0,
        "trials": 0,
    }
    today = begun.model_copy(
        update={"run_id": "fresh", "state": RunState.RUNNING, "session": 0, "sessions": 1} | later | edited
    )

    _, resumed = open_store(Options(matrix=Path("matrix.yaml"), reports=tmp_path), today)

    assert resumed == today.model_copy(
        update=history | {"session": 3, "sessions": 4, "started_at": begun.started_at}
    )


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (("a", False), ("a", False), ("a", False)),
        (("a", True), ("a", False), ("a", True)),
        (("a", False), ("a", None), ("a", None)),
        (("a", False), ("b", False), (None, None)),
        ((None, None), ("b", False), (None, None)),
        ((None, None), (None, None), (None, None)),
    ],
)
def test_a_run_of_several_commits_names_none(
    tmp_path: Path,
    before: tuple[str | None, bool | None],
    now: tuple[str | None, bool | None],
    told: tuple[str | None, bool | None],
) -> None:
    commit, dirty = before
    begun = run(
        (result(cell()),), run_id="begun", state=RunState.INTERRUPTED, git_commit=commit, git_dirty=dirty
    )
    RunStore(tmp_path / "begun").write_run(begun)
    today = begun.model_copy(update={"run_id": "fresh", "git_commit": now[0], "git_dirty": now[1]})

    _, resumed = open_store(Options(matrix=Path("matrix.yaml"), reports=tmp_path), today)

    assert (resumed.run_id, resumed.git_commit, resumed.git_dirty) == ("begun", *told)


@pytest.mark.parametrize(("sessions", "told"), [(None, False), (1, False), (3, True)])
def test_the_page_says_that_a_run_was_gone_on_with(sessions: int | None, told: bool) -> None:
    cells = (result(cell()),)
    view = build_view(run(cells, sessions=sessions), measure(cells))

    spent = dict(view.run)["time spent measuring"]

    assert ("in 3 sessions" in view.when, spent.endswith(" in 3 sessions")) == (told, told)

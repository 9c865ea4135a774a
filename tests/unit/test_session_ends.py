"""A session of a run: which stored run it goes on with, and what it says of the run in the end."""

from pathlib import Path

from harness.intake import Options
from harness.session import open_store
from tests.unit.test_store import a_run, stored


def options(reports: Path) -> Options:
    return Options(matrix=Path("matrix.yaml"), reports=reports)


def test_each_time_that_a_run_is_gone_on_with_is_a_session_of_its_own(tmp_path: Path) -> None:
    stored(tmp_path, a_run("r1"))
    sessions = []
    for _ in range(2):
        store, run = open_store(options(tmp_path), a_run("r2"))
        sessions.append((run.run_id, run.session, store.read_run().session))
    assert sessions == [("r1", 1, 1), ("r1", 2, 2)]

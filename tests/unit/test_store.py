import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.results import Cell, CellResult, Evidence, Status, Trial
from harness.runs import Framework, Host, Model, Protocol, Run, RunState
from harness.store import (
    RunStore,
    departures,
    find_run,
    fitting_run,
    open_run,
    point_latest,
    readable_runs,
    stored_runs,
    write_atomically,
)
from tests.factories import image, probe
from tests.unit.trials import REQUESTED, whole

CELL = Cell(framework="jax", model="spam-fnn", cpus=1, memory_bytes=512 * 1024**2, batch=1)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOST = Host(
    fingerprint="f00d",
    cpu_model="Invented",
    architecture="x86_64",
    logical_cpus=(0, 1),
    physical_cores=2,
    smt=False,
    memory_bytes=8 * 1024**3,
    kernel="6.1",
    cgroup_version=2,
    engine_version="28.0",
    engine_os="Debian",
    storage_driver="overlay2",
    governor=None,
    cpu_flags=("avx2",),
)
MODEL = Model(
    hash="h",
    data={"batch 1": "d"},
    title="t",
    parameters=1,
    multiply_adds=7,
    sequence=None,
    task="other",
    tolerance=1e-5,
    reference="ONNX",
    size_bytes=1,
)


def a_run(run_id: str, *, state: RunState = RunState.INTERRUPTED, plan: str = "p", host: Host = HOST) -> Run:
    return Run(
        run_id=run_id,
        state=state,
        started_at=NOW,
        finished_at=None,
        run_s=0,
        plan_hash=plan,
        cells=(CELL.id,),
        matrix_name="matrix.yaml",
        matrix={},
        baseline="jax",
        devices={},
        protocol=Protocol(
            trials=3,
            max_trials=3,
            precision=None,
            max_time_s=None,
            warmup_s=0.1,
            budget_s=0.2,
            min_iterations=1,
            max_iterations=100,
            timeout_s=60,
            page_cache="cold",
            seed=0,
        ),
        harness_version="0",
        git_commit=None,
        frameworks={},
        git_dirty=None,
        host=host,
        images={},
        models={},
    )


def a_trial(index: int = 0, attempt: int = 0) -> Trial:
    return Trial(
        cell_id=CELL.id,
        index=index,
        attempt=attempt,
        order=index,
        probe=0,
        neighbours=0,
        started_at=NOW,
        status=Status.OK,
        phase=None,
        reason="",
        evidence=Evidence(),
        requested=REQUESTED,
        limits_enforced=True,
        image_id="sha256:0",
        image_fingerprint="1",
        model_hash="2",
        engine_s=1.5,
        records=tuple(whole()),
    )


def stored(reports: Path, run: Run) -> RunStore:
    store = RunStore(reports / run.run_id)
    store.write_run(run)
    return store


def test_a_trial_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert not store.has_trial(CELL.id, 0, 0)
    store.write_trial(a_trial())
    assert store.has_trial(CELL.id, 0, 0)
    assert store.read_trials(CELL.id) == (a_trial(),)


def test_trials_are_read_by_round_and_attempt_whatever_wrote_them(tmp_path: Path) -> None:
    for trial in (a_trial(7), a_trial(1, attempt=1), a_trial(1)):
        RunStore(tmp_path).write_trial(trial)
    store = RunStore(tmp_path)
    assert [trial.key[1:] for trial in store.read_trials(CELL.id)] == [(1, 0), (1, 1), (7, 0)]
    assert (store.count_trials(), store.last_round()) == (3, 7)


def test_probes_are_read_back_by_number(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    for number in (10, 2):
        store.write_probe(probe(number))
    assert list(store.read_probes()) == [2, 10]
    assert store.read_probes()[10] == probe(10)


def test_a_cell_is_written_with_its_trials(tmp_path: Path) -> None:
    result = CellResult(
        cell=CELL, cell_id=CELL.id, status=Status.OK, planned_trials=2, trials=(a_trial(0), a_trial(1))
    )
    RunStore(tmp_path).write_cell(result)
    text = (tmp_path / "cells" / f"{CELL.id}.json").read_text()
    assert CellResult.model_validate_json(text) == result


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, "old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.store.os.fsync", no_space)
    with pytest.raises(StoreError, match="No space left"):
        write_atomically(path, "new")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path) -> None:
    store = stored(tmp_path, a_run("r1"))
    (store.folder / "run.json").write_text('{"version": 99}')
    with pytest.raises(StoreError, match=r"run\.json"):
        store.read_run()


def test_the_newest_unfinished_run_of_the_same_plan_and_host_goes_on(tmp_path: Path) -> None:
    for run in (
        a_run("20260101-000000-aa"),
        a_run("20260102-000000-aa"),
        a_run("20260103-000000-aa", state=RunState.COMPLETE),
        a_run("20260104-000000-aa", plan="another"),
        a_run("20260105-000000-aa", host=HOST.model_copy(update={"fingerprint": "else"})),
    ):
        stored(tmp_path, run)

    found = fitting_run(tmp_path, a_run("new"))

    assert found is not None
    assert found.folder.name == "20260102-000000-aa"


def test_a_run_that_a_killed_harness_left_running_goes_on(tmp_path: Path) -> None:
    stored(tmp_path, a_run("r1", state=RunState.RUNNING))
    assert fitting_run(tmp_path, a_run("new")) is not None


def test_a_run_of_another_version_is_passed_over(tmp_path: Path) -> None:
    (stored(tmp_path, a_run("r1")).folder / "run.json").write_text("{}")
    assert fitting_run(tmp_path, a_run("new")) is None


@pytest.mark.parametrize(
    ("had", "has"),
    [
        ({"images": {"jax": image("jax")}}, {}),
        ({}, {"images": {"jax": image("jax")}}),
        ({"models": {"spam-fnn": MODEL}}, {}),
        (
            {"models": {"spam-fnn": MODEL}},
            {"models": {"spam-fnn": MODEL.model_copy(update={"data": {"batch 2": "e"}})}},
        ),
    ],
)
def test_what_one_session_alone_could_make_keeps_no_run_from_going_on(
    tmp_path: Path, had: dict[str, object], has: dict[str, object]
) -> None:
    stored(tmp_path, a_run("r1").model_copy(update=had))
    today = a_run("new").model_copy(update=has)
    assert fitting_run(tmp_path, today) is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cells": ("jax.another",)}, "the cells"),
        ({"plan_hash": "another"}, "the cells that are skipped"),
        ({"protocol": a_run("").protocol.model_copy(update={"trials": 2})}, "the protocol"),
        ({"harness_version": "9"}, "the version of edgematrix"),
        ({"host": HOST.model_copy(update={"fingerprint": "else"})}, "the host"),
        ({"frameworks": {"jax": Framework(extends="jax", version="0.4", params={})}}, "the framework jax"),
        ({"images": {"jax": image("jax").model_copy(update={"fingerprint": "else"})}}, "the image of jax"),
        ({"models": {"spam-fnn": MODEL.model_copy(update={"hash": "else"})}}, "the model spam-fnn"),
        (
            {"models": {"spam-fnn": MODEL.model_copy(update={"data": {"batch 1": "else"}})}},
            "the model spam-fnn",
        ),
    ],
)
def test_what_could_change_a_result_keeps_a_run_from_going_on(changes: dict[str, object], words: str) -> None:
    run = a_run("r1").model_copy(
        update={
            "frameworks": {"jax": Framework(extends="jax", version="", params={})},
            "images": {"jax": image("jax"), "pytorch": image("pytorch")},
            "models": {"spam-fnn": MODEL},
        }
    )
    assert list(departures(run, run.model_copy(update=changes))) == [words]


def test_an_unknown_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run 'nope'"):
        open_run(tmp_path, "nope")


def test_latest_is_a_name_of_the_run_that_it_leads_to(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        stored(tmp_path, a_run(name))
    point_latest(tmp_path, "r1")

    assert open_run(tmp_path, "latest").folder == find_run(tmp_path, "latest").folder == tmp_path / "r1"


def test_there_is_no_latest_before_the_first_report(tmp_path: Path) -> None:
    stored(tmp_path, a_run("r1"))

    with pytest.raises(StoreError, match="there is no run 'latest'"):
        open_run(tmp_path, "latest")


def test_latest_follows_the_newest_run_and_is_no_run_itself(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        stored(tmp_path, a_run(name))
        point_latest(tmp_path, name)
    assert (tmp_path / "latest").resolve().name == "r2"
    assert [store.folder.name for store in stored_runs(tmp_path)] == ["r2", "r1"]


def test_where_links_do_not_serve_a_page_redirects(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    point_latest(tmp_path, "r1")
    assert "url=../r1/index.html" in (tmp_path / "latest" / "index.html").read_text()


def test_where_links_do_not_serve_latest_is_the_newest_run(tmp_path: Path) -> None:
    for name in ("r1", "r2"):
        stored(tmp_path, a_run(name))
    (tmp_path / "latest").mkdir()
    point_latest(tmp_path, "r2")

    assert open_run(tmp_path, "latest").folder == find_run(tmp_path, "latest").folder == tmp_path / "r2"


def test_a_run_that_cannot_be_entered_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("r1", "r2"):
        stored(tmp_path, a_run(name))
    plain = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path.parent.name == "r2":  # root, as which tests may run, enters all
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain(path, **options)

    monkeypatch.setattr(Path, "stat", stat)

    assert [run.run_id for run in readable_runs(tmp_path)] == ["r1"]
    with pytest.raises(StoreError, match=r"r2/run\.json cannot be read: Permission denied"):
        find_run(tmp_path, "r2").read_run()


def test_a_file_is_no_folder_of_runs(tmp_path: Path) -> None:
    (tmp_path / "afile").touch()
    with pytest.raises(StoreError, match="afile is no folder"):
        open_run(tmp_path / "afile", "r1")


def test_a_folder_that_holds_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the folder .* has no run\.json"):
        find_run(tmp_path / "reports", str(tmp_path))
    with pytest.raises(StoreError, match="that folder is not there"):
        find_run(tmp_path / "reports", "r1")


def test_trials_that_the_harness_spoiled_are_to_be_run_again(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.write_trial(a_trial(0))
    store.write_trial(a_trial(1).model_copy(update={"status": Status.HARNESS_ERROR}))
    assert [path.name for path in store.faulty_trials()] == [f"{CELL.id}.1.json"]


def test_a_trial_s_place_is_behind_all_others_though_one_was_removed(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert store.next_order() == 0
    for place in range(3):
        store.write_trial(a_trial(place).model_copy(update={"order": place}))
    store.trial_path(CELL.id, 1, 0).unlink()
    assert store.next_order() == 3


def test_half_written_files_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    store = stored(tmp_path, a_run("r1"))
    (store.folder / "trials").mkdir()
    (store.folder / "trials" / "tmpabc.part").write_text("{")
    store.clear_parts()
    assert [path.name for path in store.folder.rglob("*") if path.is_file()] == ["run.json"]

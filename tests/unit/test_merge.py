"""Shards of one matrix become one run; what does not belong together is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import events
from harness.errors import ConfigError, NotComparableError, StoreError
from harness.events import Event, Step
from harness.merge import merge_runs
from harness.records import Phase
from harness.results import Cell, CellResult, Status
from harness.runs import RunState
from harness.store import RunStore, stored_runs
from tests.factories import cell, failed_trial, host, image, probe, result, run, trial

JAX, TORCH, FLOOR = cell("jax"), cell("pytorch"), cell("null")
SKIPPED = cell("openvino", cpus=64)
MATRIX = {"matrix": {"frameworks": ["jax", "pytorch"]}}


def shard(reports: Path, run_id: str, cells: Sequence[Cell], **changes: object) -> Path:
    """A finished run of these cells, with three trials of each and two probes."""
    store = RunStore(reports / run_id)
    results: list[CellResult] = []
    order = 0
    for each in cells:
        if each is SKIPPED:
            results.append(result(each, (), reason="asks for 64 CPUs"))
            continue
        trials = []
        for index in range(3):
            trials.append(trial(each, index).model_copy(update={"order": order, "probe": 0}))
            order += 1
        for one in trials:
            store.write_trial(one)
        results.append(result(each, trials))
    for number in (0, 1):
        store.write_probe(probe(number))
    for each_result in results:
        store.write_cell(each_result)
    store.write_run(run(results, **({"run_id": run_id} | MATRIX | changes)))
    return store.folder


def merged(folder: Path) -> RunStore:
    (store,) = (RunStore(path) for path in folder.iterdir() if path.name not in {"one", "two", "latest"})
    return store


def test_two_shards_become_one_run_with_all_their_trials(tmp_path: Path) -> None:
    one, two = shard(tmp_path, "one", [JAX, FLOOR, SKIPPED]), shard(tmp_path, "two", [TORCH, FLOOR])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}

    page = merge_runs([one, two], tmp_path)

    store = merged(tmp_path)
    assert page == store.folder / "index.html"
    assert page.exists()
    whole = store.read_run()
    assert whole.cells == (JAX.id, FLOOR.id, SKIPPED.id, TORCH.id)
    assert (whole.state, whole.run_s, whole.sessions) == (RunState.COMPLETE, 662.0, None)
    assert [len(store.read_trials(each.id)) for each in (JAX, TORCH, FLOOR)] == [3, 3, 6]
    orders = sorted(one.order for each in (JAX, TORCH, FLOOR) for one in store.read_trials(each.id))
    assert orders == list(range(12))
    assert sorted(store.read_probes()) == [0, 1, 2, 3]
    assert {one.probe for one in store.read_trials(TORCH.id)} == {2}
    sessions = [{one.session for one in store.read_trials(each.id)} for each in (JAX, TORCH, FLOOR)]
    assert sessions == [{0}, {1}, {0, 1}], "what two machines measured did not stand side by side"
    assert [each.session for each in store.read_probes().values()] == [0, 0, 1, 1]
    assert whole.session == 1
    assert store.read_cell(TORCH.id).status is Status.OK
    assert store.read_cell(SKIPPED.id).reason == "asks for 64 CPUs"
    assert {path: path.read_bytes() for path in before} == before


def test_a_cell_that_failed_too_often_for_its_budget_keeps_its_reason(tmp_path: Path) -> None:
    """Two of the planned three trials, after which a budget went to other cells."""
    one, two = shard(tmp_path, "one", [JAX]), shard(tmp_path, "two", [TORCH])
    store = RunStore(one)
    store.trial_path(JAX.id, 2, 0).unlink()
    for index in range(2):
        store.write_trial(failed_trial(JAX, Status.OOM, Phase.LOAD, index, reason="out of memory"))
    merge_runs([one, two], tmp_path)
    found = merged(tmp_path).read_cell(JAX.id)
    assert (found.status, found.reason) == (Status.OOM, "2 of 2 trials: out of memory")


def test_parts_of_two_commits_become_a_run_that_names_none(tmp_path: Path) -> None:
    folders = [shard(tmp_path, "one", [JAX]), shard(tmp_path, "two", [TORCH], git_commit="f" * 40)]
    merge_runs(folders, tmp_path)
    whole = merged(tmp_path).read_run()
    assert (whole.git_commit, whole.git_dirty) == (None, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"matrix": {"frameworks": ["jax"]}}, "they differ in the matrix"),
        ({"harness_version": "9"}, "the version of edgematrix"),
        ({"host": host(fingerprint="other")}, "the host"),
        (
            {"images": {"null": image("null").model_copy(update={"fingerprint": "other"})}},
            "the image of null",
        ),
        ({"state": RunState.INTERRUPTED}, "is not complete"),
    ],
)
def test_what_is_not_of_one_measurement_is_refused(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    one = shard(tmp_path, "one", [JAX, FLOOR])
    two = shard(tmp_path, "two", [TORCH, FLOOR], **changes)
    with pytest.raises(NotComparableError) as caught:
        merge_runs([one, two], tmp_path)
    assert words in str(caught.value)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one run alone"):
        merge_runs([shard(tmp_path, "one", [JAX, FLOOR])], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_damaged_part_is_named_and_leaves_no_run(tmp_path: Path) -> None:
    folders = [shard(tmp_path, "one", [JAX, FLOOR]), shard(tmp_path, "two", [TORCH, FLOOR])]
    store = RunStore(folders[1])
    store.write_cell(
        store.read_cell(TORCH.id).model_copy(update={"machine_peak": 5e-324, "multiply_adds": 2**63 - 1})
    )

    with pytest.raises(StoreError, match=f"no report can be made of {folders[1]}: "):
        merge_runs(folders, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_merge_that_fails_leaves_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, **_: object) -> None:
        assert (folder / "run.json").exists()
        assert {store.folder.name for store in stored_runs(tmp_path)} == {"one", "two"}
        raise OSError(28, "No space left on device")

    folders = [shard(tmp_path, "one", [JAX, FLOOR]), shard(tmp_path, "two", [TORCH, FLOOR])]
    monkeypatch.setattr("harness.finish.write_report", full)

    with pytest.raises(StoreError, match="No space left") as caught:
        merge_runs(folders, tmp_path)

    assert caught.value.fix
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_run_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    one = shard(tmp_path, "one", [JAX, FLOOR])
    with pytest.raises(NotComparableError, match="a run is named twice"):
        merge_runs([one, one], tmp_path)


def test_a_cell_that_two_runs_have_is_refused(tmp_path: Path) -> None:
    folders = [shard(tmp_path, name, [JAX, FLOOR]) for name in ("one", "two")]
    with pytest.raises(NotComparableError, match="is in run one and in run two"):
        merge_runs(folders, tmp_path)


def test_reading_and_summing_up_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PATIENCE_S", -1)
    heard: list[Event] = []

    merge_runs(
        [shard(tmp_path, "one", [JAX, FLOOR]), shard(tmp_path, "two", [TORCH])], tmp_path, heard.append
    )

    steps = [f"{step.subject}: {step.text}" for step in heard if isinstance(step, Step)]
    assert steps[0] == "run one: reading 1 of 2 cells"
    assert any("summing up 1 of 3 cells" in step for step in steps)
    assert "reading 1 of 3 cells" in steps[-2], "the report of the new run is told as well"

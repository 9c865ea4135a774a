"""The worker goes through a whole trial in this process, with an adapter that writes down what happens to it."""

import gc
import json
import mmap
import sys
import time
import weakref
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from runner import warmup, worker
from runner.cgroup import CgroupV2
from runner.model import ModelFiles
from runner.phases import Phases

from harness.records import parse_record

COUNT = 8
SPEC: dict[str, Any] = {
    "dims": {"batch": "batch"},
    "inputs": [{"name": "x", "shape": ["batch", 16], "dtype": "float32"}],
    "outputs": [{"name": "y", "shape": ["batch", 16], "dtype": "float32"}],
    "independent_rows": True,
    "tolerance": 1e-5,
    "task": "other",
}
JOB = {
    "dims": {"batch": 1}, "threads": 1, "params": {}, "warmup_s": 0.0, "budget_s": 3600.0, "min_iterations": 50,
    "max_iterations": 50,
}  # fmt: skip
START = {"wall_ns": 0, "cpu_ns": None}


class Tensor:
    """A framework's own, which can be counted."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.values = values


class Adapter:
    """Answers twice the input, and keeps a diary."""

    def __init__(self, *, threads: int, params: dict[str, Any]) -> None:  # noqa: ARG002
        self.tensors: weakref.WeakSet[Tensor] = weakref.WeakSet()
        self.most = 0
        self.seen: list[float] = []

    def load(self, model: ModelFiles) -> None:
        pass

    def compile(self) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {"version": "1", "threads": 1, "settings": {}}

    def run(self, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return [inputs["x"] * 2]

    def to_native(self, inputs: dict[str, NDArray[Any]]) -> Tensor:
        tensor = Tensor(inputs["x"].copy())
        self.tensors.add(tensor)
        self.most = max(self.most, len(self.tensors))
        return tensor

    def infer(self, native: Tensor) -> None:
        self.seen.append(float(native.values[0, 0]))


class Stage:
    """Where a trial runs, and what came of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: list[dict[str, Any]] = []
        self.adapters: list[Any] = []

    def run(
        self, adapter: type[Adapter] = Adapter, *, start: Mapping[str, int | None] = START, **changes: Any
    ) -> None:
        def make(**told: Any) -> Adapter:
            made = adapter(**told)
            self.adapters.append(made)
            return made

        sys.modules["adapter"].Adapter = make  # type: ignore[attr-defined]
        worker.run_trial(JOB | changes, dict(start), Phases(CgroupV2(str(self.root))))

    def kinds(self) -> list[tuple[str, str]]:
        """Type and what it is of, from the end of the steady phase on."""
        kinds = [
            (each["type"], each.get("clock", each.get("name", each.get("moment", "")))) for each in self.told
        ]
        return kinds[kinds.index(("phase", "steady")) :]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    for name in ("model", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "spec.json").write_text(json.dumps(SPEC))
    rows = np.arange(COUNT * 16, dtype=np.float32).reshape(COUNT, 16)
    np.savez(tmp_path / "data" / "inputs.npz", x=rows)
    np.save(tmp_path / "data" / "reference-0.npy", rows.astype(np.float64) * 2)
    monkeypatch.setitem(sys.modules, "adapter", SimpleNamespace())
    monkeypatch.setattr("runner.model.ModelFiles", partial(ModelFiles, root=tmp_path))
    for module in ("worker", "phases"):
        monkeypatch.setattr(f"runner.{module}.report", stage.told.append)
    enable = gc.enable
    yield stage
    enable()
    gc.unfreeze()


class Cycle:
    """Only a collection frees it."""

    def __init__(self) -> None:
        self.me = self


class Littering(Adapter):
    """Each call leaves a cycle."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.litter: weakref.WeakSet[Cycle] = weakref.WeakSet()
        self.lying: list[int] = []

    def run(self, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self.leave()
        return super().run(inputs)

    def infer(self, native: Tensor) -> None:  # noqa: ARG002
        self.leave()

    def leave(self) -> None:
        self.lying.append(len(self.litter))
        self.litter.add(Cycle())


def test_garbage_is_collected_before_the_calls_are_measured_and_between_them_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "runner.warmup.MIN_CALLS", 2000
    )  # a collection of its own would come after 700 objects
    left: list[int] = []
    monkeypatch.setattr("runner.worker.gc.enable", lambda: left.append(len(stage.adapters[0].litter)))
    stage.run(Littering, max_iterations=2000)
    (adapter,) = stage.adapters
    (warmup,) = [each for each in stage.told if each["type"] == "warmup"]
    windows, checks = len(warmup["window_calls"]), range(COUNT)
    calls = [*range(2000)]
    assert adapter.lying[: 1 + 2000 * (windows + 1)] == [0, *calls * (windows + 1)]
    assert adapter.lying[1 + 2000 * (windows + 1) :] == [*checks, *range(COUNT, COUNT + 2000)]
    assert left == [0]  # the second clock's is collected as well, before collection is on again


def test_what_exists_before_the_warm_up_is_frozen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[int] = []
    monkeypatch.setattr("runner.growth.gc.collect", lambda: frozen.append(gc.get_freeze_count()))
    stage.run()
    assert frozen[0] < min(frozen[1:])


def test_the_latencies_that_are_kept_are_no_part_of_any_peak(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = 10**9
    monkeypatch.setattr("runner.process.status", lambda: {"rss_peak_bytes": resident})
    stage.run(max_iterations=1024)
    peaks = {each["name"]: each["rss_peak_bytes"] for each in stage.told if each["type"] == "phase"}
    windows = sum(len(each["window_calls"]) for each in stage.told if each["type"] == "warmup")
    kept = {"first": 1, "warmup": 1 + windows, "steady": 1 + windows + 2}  # pages: 512 latencies fill one
    assert peaks == {
        name: resident - kept.get(name, 0) * mmap.PAGESIZE
        for name in ("import", "load", "compile", "first", "warmup", "steady")
    }


def test_all_that_a_trial_is_judged_by_is_sent_before_the_second_clock(stage: Stage) -> None:
    stage.run()
    assert stage.kinds() == [
        ("phase", "steady"), ("warmup", ""), ("conditions", "steady_start"), ("conditions", "steady_end"),
        ("threads", ""), ("growth", ""), ("samples", "end_to_end"), ("samples", "end_to_end"), ("output", ""),
        ("samples", "core"), ("process", ""),
    ]  # fmt: skip
    for record in stage.told:
        parse_record(json.dumps(record).encode())


def test_the_warm_up_takes_the_time_that_the_job_tells(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    def warm_up(run: Any, inputs: Any, *, seconds: float) -> Any:
        told.append(seconds)
        return real(run, inputs, seconds=0)

    real = warmup.warm_up
    monkeypatch.setattr("runner.warmup.warm_up", warm_up)
    stage.run(warmup_s=2.5)
    assert told == [2.5]


@pytest.mark.parametrize(
    ("outputs", "task", "exact", "classifies"),
    [
        (("float32",), "other", [False], False),
        (("float32",), "classification", [False], True),
        (("int64", "uint8", "float32"), "other", [True, False, False], False),
    ],
)
def test_outputs_are_checked_as_the_model_says(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    outputs: tuple[str, ...],
    task: str,
    exact: list[bool],
    classifies: bool,
) -> None:
    told: dict[str, object] = {}

    def compare(*_: object, **words: object) -> dict[str, object]:
        told.update(words)
        return {"type": "output"}

    monkeypatch.setattr("runner.measure.compare", compare)
    of_each = [SPEC["outputs"][0] | {"dtype": dtype} for dtype in outputs]
    spec = SPEC | {"outputs": of_each, "task": task}
    (stage.root / "model" / "spec.json").write_text(json.dumps(spec))
    rows = np.load(stage.root / "data" / "reference-0.npy")
    for place in range(1, len(outputs)):
        np.save(stage.root / "data" / f"reference-{place}.npy", rows)
    stage.run()
    assert told == {"exact": exact, "classifies": classifies, "tolerance": SPEC["tolerance"]}


def test_the_import_begins_where_the_supervisor_started_the_process(stage: Stage) -> None:
    stage.run(start={"wall_ns": time.monotonic_ns() - 7 * 10**9, "cpu_ns": None})
    lengths = {each["name"]: each["wall_ns"] / 1e9 for each in stage.told if each["type"] == "phase"}
    assert lengths["import"] >= 7 > lengths["load"]


@pytest.mark.parametrize("where", ["to_native", "infer"])
def test_what_fails_in_the_second_clock_comes_after_the_check_of_the_outputs(
    stage: Stage, where: str
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        stage.run(type("Failing", (Adapter,), {where: fail}))
    assert stage.kinds()[-1] == ("output", "")


@pytest.mark.parametrize(("limit", "most"), [(10**6, COUNT), (COUNT * 16 * (4 + 8) - 1, 1)])
def test_the_second_clock_holds_one_large_input_at_a_time_and_they_rotate(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, limit: int, most: int
) -> None:
    monkeypatch.setattr("runner.measure.BOUND_AT_ONCE", limit)
    stage.run()
    (adapter,) = stage.adapters
    assert adapter.most == most
    assert len(set(adapter.seen[:COUNT])) == COUNT
    assert adapter.seen[:COUNT] == adapter.seen[COUNT : 2 * COUNT]

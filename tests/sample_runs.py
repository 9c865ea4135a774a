"""Whole runs for tests: the default matrix, one with a cell of every way to fail, and one on a noisy host."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from harness.doubts import doubts
from harness.records import AnyRecord, Limits, Output, Phase, Samples, Stop, Threads, WorkerError
from harness.results import (
    NULL_FRAMEWORK,
    Cell,
    CellResult,
    CpuMode,
    Evidence,
    ReferenceProbe,
    Status,
    StoppedBy,
    Trial,
    TypedWarning,
)
from harness.runs import Run, RunState
from harness.units import GIB, MIB, format_memory
from tests.factories import (
    FRAMEWORKS,
    cell,
    end_record,
    failed_trial,
    output_record,
    probe,
    result,
    run,
    samples,
    trial,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def sample() -> tuple[Run, tuple[CellResult, ...]]:
    """The default matrix on a machine with two cores: 20 cells, all ok."""
    cells = tuple(
        result(cell(framework, cpus=cpus, memory_bytes=memory))
        for framework, cpus, memory in product(FRAMEWORKS, (1, 2), (512 * MIB, 8 * GIB))
    )
    return run(cells), cells


def failures() -> tuple[Run, tuple[CellResult, ...]]:
    """Three limits, half a CPU among them, with a cell of every status that is not ok, among ok ones."""
    over = "the host has 2 cores and 24 GiB; the cell asks for 8 and 32 GiB (over_host: skip)"
    cells = (
        _all_failed(tiny("pytorch"), _thrashed),
        _all_failed(tiny("tensorflow"), _oom),
        _mixed_crash(tiny("jax")),
        _warned(tiny("onnxruntime")),
        _all_failed(tiny("openvino"), _invalid_output),
        result(half("pytorch")),
        _all_failed(half("tensorflow"), _timeout),
        result(half("jax"), trials=(), status=Status.BUILD_FAILED, reason="no wheel of jaxlib 0.10.2"),
        result(half("onnxruntime")),
        _all_failed(half("openvino"), _not_enforced),
        *(result(huge(name), trials=(), reason=over) for name in FRAMEWORKS[:3]),
        result(huge("onnxruntime"), trials=(), status=Status.INTERRUPTED, reason="0 of 3 trials were run"),
        result(
            huge("openvino"),
            trials=(),
            status=Status.UNSUPPORTED,
            reason="openvino has no such precision",
        ),
    )
    devices = {"pi-zero-2w": (1.0, 256 * MIB), "half-vcpu": (0.5, GIB), "big-box": (8.0, 32 * GIB)}
    return run(cells, matrix_name="failures", devices=devices, state=RunState.INTERRUPTED), cells


def tiny(framework: str) -> Cell:
    return cell(framework, cpus=1, memory_bytes=256 * MIB)


def half(framework: str) -> Cell:
    return cell(framework, cpus=0.5, memory_bytes=GIB)


def huge(framework: str) -> Cell:
    return cell(framework, cpus=8, memory_bytes=32 * GIB)


def _all_failed(of: Cell, make: Callable[[Cell, int], Trial]) -> CellResult:
    return result(of, [make(of, index) for index in range(3)])


def _thrashed(of: Cell, index: int) -> Trial:
    read = 55 * of.memory_bytes
    died = failed_trial(
        of,
        Status.OOM,
        Phase.IMPORT,
        index,
        reason=f"thrashing in import: {format_memory(read)} read from disk",
        evidence=_evidence(of, signal=9, peak_bytes=of.memory_bytes, read_bytes=read),
    )
    last = end_record(stop=Stop.THRASHING, exit_code=None, signal=9, phase_read_bytes=read)
    return died.model_copy(update={"records": (*died.records, last)})


def _oom(of: Cell, index: int) -> Trial:
    log = "2026-03-14 09:27:11.204 I tensorflow/core/platform/cpu_feature_guard.cc: AVX2 FMA\n"
    killed = _evidence(of, signal=9, oom_kills=1, engine_oom_flag=True, peak_bytes=249 * MIB, log_tail=log)
    return failed_trial(of, Status.OOM, Phase.LOAD, index, reason="out of memory in load", evidence=killed)


def _mixed_crash(of: Cell) -> CellResult:
    message = "Resource exhausted: failed to allocate 41943040 bytes"
    trace = f'Traceback (most recent call last):\n  File "worker.py", line 118\nRuntimeError: {message}\n'
    died = failed_trial(
        of,
        Status.CRASH,
        Phase.COMPILE,
        2,
        reason=f"RuntimeError in compile: {message}",
        evidence=_evidence(of, exit_code=1, error=trace, log_tail=trace),
    )
    error = WorkerError(
        type="error", phase=Phase.COMPILE, kind="RuntimeError", message=message, traceback=trace
    )
    died = died.model_copy(update={"records": (*died.records, error)})
    return result(of, [trial(of, 0), trial(of, 1), died])


def _evidence(of: Cell, **changes: object) -> Evidence:
    values: dict[str, object] = {"oom_kills": 0, "engine_oom_flag": False, "cap_bytes": of.memory_bytes}
    return Evidence.model_validate(values | changes)


def _warned(of: Cell) -> CellResult:
    doubt = TypedWarning(kind="page_cache_not_dropped", text="18 % of the image's large files stayed cached")
    few = [trial(of, index, iterations=200) for index in range(3)]
    return result(of, [few[0].model_copy(update={"warnings": (doubt,)}), *few[1:]])


def _invalid_output(of: Cell, index: int) -> Trial:
    good = trial(of, index)
    wrong = output_record(max_abs_error=0.31, max_rel_error=0.62)
    records = tuple(wrong if isinstance(record, Output) else record for record in good.records)
    fields = {"status": Status.INVALID_OUTPUT, "phase": Phase.STEADY, "records": records}
    return good.model_copy(update=fields | {"reason": "largest relative error 0.62, tolerance 1e-05"})


def _timeout(of: Cell, index: int) -> Trial:
    stopped = _evidence(of, exit_code=137, oom_kills=None, peak_bytes=402 * MIB)
    return failed_trial(
        of,
        Status.TIMEOUT,
        Phase.COMPILE,
        index,
        reason="out of time in compile after 2 min 00 s",
        evidence=stopped,
    )


def _not_enforced(of: Cell, index: int) -> Trial:
    good = trial(of, index)
    records = tuple(
        record.model_copy(update={"memory_bytes": None}) if isinstance(record, Limits) else record
        for record in good.records
    )
    fields = {"status": Status.LIMITS_NOT_ENFORCED, "phase": Phase.STEADY, "limits_enforced": False}
    return good.model_copy(
        update=fields | {"records": records, "reason": "memory: asked 1073741824 bytes, in effect None"}
    )


def noisy() -> tuple[Run, tuple[CellResult, ...]]:
    """Cores beside a quota that throttles, both controls, and trials that the host spoiled."""
    pytorch = one_cpu("pytorch")
    cells = (
        _measured(pytorch),
        _measured(one_cpu("onnxruntime"), spoiled=True),
        _measured(one_cpu("pytorch", threads="default"), slower=1.1),
        _measured(one_cpu("onnxruntime", threads="default"), slower=1.1),
        _measured(one_cpu("pytorch", cpu_mode=CpuMode.QUOTA), slower=3.0),
        _measured(one_cpu("onnxruntime", cpu_mode=CpuMode.QUOTA), slower=2.0),
        _measured(one_cpu("pytorch", cpu_mode=CpuMode.QUOTA, threads="default"), slower=9.0, threads=2),
        _measured(one_cpu("onnxruntime", cpu_mode=CpuMode.QUOTA, threads="default"), slower=2.0),
        _measured(one_cpu(NULL_FRAMEWORK), slower=0.015),
        _measured(pytorch.model_copy(update={"twin": True}), slower=1.3),
    )
    return run(cells, matrix_name="noisy", baseline="pytorch"), cells


def noisy_probes() -> tuple[ReferenceProbe, ...]:
    """Of that run: one core that keeps its speed, and a quota that loses half of it."""
    quota = one_cpu("pytorch", cpu_mode=CpuMode.QUOTA)
    steady = [probe(number, speed=5e10 * (1 + number / 500)) for number in range(0, 12, 2)]
    moved = [probe(number, of=quota, speed=5e10 / (1 + (number == 7))) for number in range(1, 12, 2)]
    return tuple(sorted((*steady, *moved), key=lambda each: each.number))


def one_cpu(framework: str, **options: object) -> Cell:
    values = {"model": "spam-fnn", "cpus": 1, "memory_bytes": GIB, "batch": 1}
    return Cell.model_validate({"framework": framework} | values | options)


def _measured(of: Cell, *, slower: float = 1.0, threads: int = 1, spoiled: bool = False) -> CellResult:
    """A cell with what its trials' own records warn of; in rounds 0 and 1 the host spoiled the first attempt."""
    natural = of.model_copy(update={"cpu_mode": CpuMode.CPUSET, "threads": "match", "twin": False})
    trials = []
    for index in range(5):
        made = slowed(trial(of, index), trial(natural, index), slower, threads)
        made = made.model_copy(update={"warnings": tuple(doubts(made.records, made.requested))})
        if spoiled and index < 2:
            moved = TypedWarning(kind="probe_moved", text="the reference probe ran at 0.50 times its speed")
            trials.append(made.model_copy(update={"spoiled": (moved,)}))
            made = made.model_copy(update={"attempt": 1, "spoiled": (moved,) if index == 1 else ()})
        trials.append(made)
    return result(of, trials, planned_trials=5, stopped_by=StoppedBy.TRIALS)


def slowed(own: Trial, like: Trial, times: float, threads: int) -> Trial:
    """A trial with the latencies of another, some times slower, and this many threads that computed."""
    changed: list[AnyRecord] = []
    for record in own.records:
        match record:
            case Samples():
                same = next(
                    each
                    for each in like.all(Samples)
                    if (each.phase, each.clock) == (record.phase, record.clock)
                )
                latencies = (same.latencies_ns() * times).astype(np.int64)
                changed.append(samples(latencies.tolist(), record.phase, record.clock))
            case Threads(busy_ns=busy) if busy:
                changed.append(record.model_copy(update={"busy_ns": busy[:1] * threads}))
            case _:
                changed.append(record)
    return own.model_copy(update={"records": tuple(changed)})


def write_run(
    directory: Path, of: Run, cells: Iterable[CellResult], probes: Iterable[ReferenceProbe] = ()
) -> Path:
    """Store a run as the harness does, as far as the report reads it."""
    (directory / "cells").mkdir(parents=True)
    (directory / "run.json").write_text(of.model_dump_json(indent=1))
    for each in cells:
        (directory / "cells" / f"{each.cell_id}.json").write_text(each.model_dump_json())
    for measured in probes:
        (directory / "probes").mkdir(exist_ok=True)
        (directory / "probes" / f"{measured.number}.json").write_text(measured.model_dump_json())
    return directory

"""Realistic stored objects for tests: a trial, a cell, a run, with the figures of a real machine.

Everything is deterministic. Whole runs are in `sample_runs.py`.
"""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.catalog import Catalog, load_catalog
from harness.records import (
    COLD_START_PHASES,
    AnyRecord,
    Clock,
    Conditions,
    End,
    Growth,
    Limits,
    Moment,
    Output,
    PageCache,
    Phase,
    PhaseEnd,
    PhaseStart,
    ProcessView,
    Samples,
    Stop,
    Threads,
    Warmup,
)
from harness.records import Framework as FrameworkRecord
from harness.results import (
    Cell,
    CellResult,
    CpuMode,
    Evidence,
    ReferenceProbe,
    Requested,
    SessionRound,
    Status,
    Trial,
)
from harness.runs import Framework, Host, Image, Model, Protocol, Run, RunState
from harness.units import GIB, MIB
from tests.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

STARTED = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
FRAMEWORKS = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")
PHASES = tuple(Phase)


@dataclass(frozen=True)
class Profile:
    """How one framework behaves on the spam classifier, batch 1; latencies by whole core count."""

    version: str
    p50_us: dict[int, float]
    spread: float
    """Standard deviation of the logarithm of a trial's median."""
    cores_used: float
    phases_ms: tuple[float, float, float, float]
    rss_mib: float
    anon_mib: float
    threads: int
    image_mib: float


PROFILES = {
    "pytorch": Profile("2.13.0+cpu", {1: 75, 2: 74}, 0.02, 1.00, (3480, 96, 0.4, 12), 232, 118, 3, 1135),
    "tensorflow": Profile("2.21.0", {1: 341, 2: 389}, 0.03, 1.04, (4610, 71, 148, 41), 498, 184, 9, 1707),
    "jax": Profile("0.10.2", {1: 52, 2: 24}, 0.04, 1.00, (1240, 14, 236, 1.1), 214, 101, 14, 833),
    "onnxruntime": Profile("1.32.0", {1: 13.2, 2: 13.7}, 0.05, 1.00, (412, 9.2, 3.1, 0.3), 71, 34, 2, 397),
    "openvino": Profile("2026.4.1", {1: 81, 2: 110}, 0.04, 1.31, (655, 18, 142, 0.7), 118, 63, 4, 494),
}
BASE_CGROUP_MIB = 30.0


def catalog(
    frameworks: Iterable[str], models: Iterable[str], sequences: Mapping[str, int] | None = None
) -> Catalog:
    """A catalog of these names; models that are not in `sequences` have none."""
    shipped = load_catalog(ROOT)
    spam, null = shipped.models["spam-fnn"], shipped.frameworks["null"]
    return Catalog(
        frameworks={
            name: shipped.frameworks.get(name) or null.model_copy(update={"name": name})
            for name in frameworks
        },
        models={
            name: spam.model_copy(update={"name": name, "sequence": (sequences or {}).get(name)})
            for name in models
        },
    )


def cell(
    framework: str = "onnxruntime",
    *,
    model: str = "spam-fnn",
    cpus: float = 2,
    memory_bytes: int = 8 * GIB,
    batch: int = 1,
    **options: object,
) -> Cell:
    """A cell; `options` are its CPU mode, its threads, and whether it is a twin."""
    values = {
        "framework": framework,
        "model": model,
        "cpus": cpus,
        "memory_bytes": memory_bytes,
        "batch": batch,
    }
    return Cell.model_validate(values | options)


def by_round(values: Iterable[float], session: int = 0) -> dict[SessionRound, float]:
    """A figure of each round of one session."""
    return {SessionRound(session, index): value for index, value in enumerate(values)}


def samples(
    latencies_ns: Iterable[int],
    phase: Literal[Phase.FIRST, Phase.WARMUP, Phase.STEADY],
    clock: Clock = Clock.END_TO_END,
) -> Samples:
    data = np.asarray(list(latencies_ns), dtype="<u8")
    packed = base64.b64encode(zlib.compress(data.tobytes())).decode()
    return Samples(type="samples", phase=phase, clock=clock, count=data.size, data=packed)


def phase_end(name: Phase, wall_ns: int, **changes: object) -> PhaseEnd:
    values: dict[str, object] = {
        "cpu_ns": wall_ns, "user_ns": wall_ns * 9 // 10, "system_ns": wall_ns // 10,
        "rss_peak_bytes": 64 * MIB, "rss_anon_bytes": 32 * MIB, "rss_file_bytes": 30 * MIB,
        "cgroup_anon_bytes": 43 * MIB, "cgroup_file_bytes": 60 * MIB,
        "cgroup_mapped_bytes": 31 * MIB, "cgroup_peak_bytes": 104 * MIB,
        "voluntary_switches": 12, "involuntary_switches": 3, "minor_faults": 5120, "major_faults": 40,
        "read_bytes": 0, "periods": None, "throttled_periods": None, "throttled_ns": None, "threads": 2,
    }  # fmt: skip
    return PhaseEnd.model_validate({"type": "phase", "name": name, "wall_ns": wall_ns} | values | changes)


def limits(of: Cell, cpuset: Sequence[int], **changes: object) -> Limits:
    values: dict[str, object] = {
        "type": "limits", "version": 3, "cgroup_version": 1, "cpuset": tuple(cpuset), "memory_nodes": (0,),
        "quota_cpus": of.cpus if of.cpu_mode is CpuMode.QUOTA else None,
        "memory_bytes": of.memory_bytes, "swap_bytes": 0, "pids_max": 512, "missing_files": (), "uid": 10001,
        "supervisor_anon_bytes": 11 * MIB,
    }  # fmt: skip
    return Limits.model_validate(values | changes)


def _cpuset(of: Cell) -> tuple[int, ...]:
    """Core 0 last, as the scheduler chooses them; in quota mode all cores of the host."""
    return tuple(range(2)) if of.cpu_mode is CpuMode.QUOTA or of.cpus == 2 else (1,)


def _seed(of: Cell, index: int) -> int:
    return zlib.crc32(f"{of.id}#{index}".encode())


def conditions(moment: Moment, at_ns: int = 0, **changes: object) -> Conditions:
    values: dict[str, object] = {
        "type": "conditions", "moment": moment, "at_ns": at_ns, "busy_ns": 10**12 + at_ns, "steal_ns": 0,
        "runnable": 2, "load": 0.8, "cpu_pressure_ns": 10**9, "memory_pressure_ns": 0, "io_pressure_ns": 0,
        "swapped_pages": 0, "frequency_khz": None, "throttle_events": None,
    }  # fmt: skip
    return Conditions.model_validate(values | changes)


def steady_records(wall_ns: int, profile: Profile, of: Cell) -> list[AnyRecord]:
    """What the worker says of its warm-up and of the host beside the steady phase."""
    busy = tuple([round(0.97 * wall_ns)] * min(profile.threads, of.thread_count or 2))
    medians = (30_000, 24_000, 23_900, 24_100)
    return [
        conditions(Moment.STEADY_START, 5 * 10**9),
        conditions(Moment.STEADY_END, 5 * 10**9 + wall_ns),
        Warmup(type="warmup", settled=True, window_calls=(400,) * 4, window_median_ns=medians),
        Threads(type="threads", total=profile.threads, busy_ns=busy),
        Growth(type="growth", calls=tuple(range(100, 1100, 50)), anon_bytes=(50 * MIB,) * 20),
    ]


def probe(
    number: int = 0, *, of: Cell | None = None, speed: float = 5e10, **changes: object
) -> ReferenceProbe:
    """A reference probe on the CPUs of a cell: `speed` in multiply-adds a second."""
    values: dict[str, object] = {
        "number": number, "started_at": STARTED + timedelta(seconds=20 * number),
        "requested": requested(of or cell(cpus=1)), "threads": 1, "multiply_adds": 768**3,
        "matmul_ns": (round(768**3 / speed * 1e9),) * 60, "copy_bytes": 64 * MIB, "copy_ns": (5_000_000,) * 40,
        "loop_ns": (500_000,) * 40,
    }  # fmt: skip
    return ReferenceProbe.model_validate(values | changes)


SIZES = dict(zip(PHASES, (0.78, 0.86, 0.97, 0.99, 1.0, 1.0), strict=True))
"""A process's size at each phase's end, of its final one."""


def _records(of: Cell, profile: Profile, rng: np.random.Generator, iterations: int) -> list[AnyRecord]:
    latencies = _latencies_ns(of, profile, rng, iterations)
    walls = _cold_start_ns(of, profile, rng) | {
        Phase.WARMUP: 200_000_000,
        Phase.STEADY: int(latencies.sum() * 1.03),
    }
    rss_mib = min(profile.rss_mib * float(rng.normal(1, 0.006)), 0.93 * of.memory_bytes / MIB)
    records: list[AnyRecord] = [
        limits(of, _cpuset(of)),
        conditions(Moment.BEFORE),
        PageCache(type="page_cache", mode="cold", files=210, bytes=310 * MIB, wall_ns=41_000_000),
    ]
    for phase, wall_ns in walls.items():
        records.append(PhaseStart(type="phase_start", name=phase))
        records.append(_measured_phase(of, profile, phase, wall_ns, rss_mib))
        if phase is Phase.COMPILE:
            records.append(framework_record(of, profile))
    return [
        *records,
        *steady_records(walls[Phase.STEADY], profile, of),
        samples(latencies.tolist(), Phase.STEADY),
        output_record(),
        samples((latencies * 0.9).astype(np.int64).tolist(), Phase.STEADY, Clock.CORE),
        ProcessView(type="process", rss_bytes=round(rss_mib * MIB), user_s=2.1, system_s=0.1, threads=4),
        conditions(Moment.AFTER, 7 * 10**9),
        end_record(),
    ]


def _latencies_ns(of: Cell, profile: Profile, rng: np.random.Generator, iterations: int) -> NDArray[np.int64]:
    base_us = profile.p50_us.get(math.ceil(of.cpus), profile.p50_us[2]) / min(1.0, of.cpus)
    median_ns = base_us * 1000 * float(rng.lognormal(0, profile.spread))
    return np.rint(median_ns * rng.lognormal(0, 0.06, iterations)).astype(np.int64)


def _cold_start_ns(of: Cell, profile: Profile, rng: np.random.Generator) -> dict[Phase, int]:
    slower = 1 / min(1.0, of.cpus) * (1.12 if of.cpus == 1 else 1.0)
    cold = [ms * slower * float(rng.lognormal(0, 0.03)) for ms in profile.phases_ms]
    return {phase: round(ms * 1e6) for phase, ms in zip(COLD_START_PHASES, cold, strict=True)}


def _measured_phase(of: Cell, profile: Profile, phase: Phase, wall_ns: int, rss_mib: float) -> PhaseEnd:
    rss = rss_mib * SIZES[phase]
    anon = min(profile.anon_mib * SIZES[phase], rss)
    cgroup = min(of.memory_bytes / MIB, BASE_CGROUP_MIB + rss + 0.9 * (rss - anon))
    periods = 20 + wall_ns // 100_000_000 if of.cpu_mode is CpuMode.QUOTA else None
    return phase_end(
        phase,
        wall_ns,
        cpu_ns=round(wall_ns * min(of.cpus, profile.cores_used)),
        rss_peak_bytes=round(rss * MIB),
        rss_anon_bytes=round(anon * MIB),
        rss_file_bytes=round((rss - anon) * MIB),
        cgroup_peak_bytes=round(cgroup * MIB),
        threads=profile.threads,
        periods=periods,
        throttled_periods=None if periods is None else round(periods * 0.87),
        throttled_ns=None if periods is None else round(wall_ns * 0.43),
    )


def framework_record(of: Cell, profile: Profile, **changes: object) -> FrameworkRecord:
    told = of.thread_count
    values: dict[str, object] = {
        "type": "framework", "version": profile.version, "python": "3.11.7", "threads_told": told,
        "threads_reported": None if of.framework == "jax" else told, "settings": {"precision": "float32"},
    }  # fmt: skip
    return FrameworkRecord.model_validate(values | changes)


def output_record(**changes: object) -> Output:
    values: dict[str, object] = {
        "type": "output", "inputs": 16, "finite": True, "max_abs_error": 2.4e-7, "max_rel_error": 4.8e-7,
        "tolerance": 1e-5, "classified": None, "classified_same": None,
        "shapes": ((1, 1),), "expected_shapes": ((1, 1),),
    }  # fmt: skip
    return Output.model_validate(values | changes)


def end_record(**changes: object) -> End:
    values: dict[str, object] = {
        "type": "end", "stop": Stop.EXITED, "exit_code": 0, "signal": None, "oom_kills": 0,
        "cgroup_peak_bytes": 120 * MIB, "phase_read_bytes": 0, "log_bytes": 0, "wall_ns": 3_000_000_000,
    }  # fmt: skip
    return End.model_validate(values | changes)


def trial(of: Cell, index: int = 0, *, iterations: int = 1500, **changes: object) -> Trial:
    """One trial that ended well, unless `changes` say otherwise."""
    profile = PROFILES.get(of.framework, PROFILES["onnxruntime"])
    rng = np.random.default_rng(_seed(of, index))
    values: dict[str, object] = {
        "cell_id": of.id,
        "index": index,
        "order": index,
        "probe": 0,
        "neighbours": 0,
        "started_at": STARTED + timedelta(seconds=7 * index),
        "status": Status.OK,
        "phase": None,
        "reason": "",
        "evidence": Evidence(exit_code=0, oom_kills=0, engine_oom_flag=False),
        "requested": requested(of),
        "limits_enforced": True,
        "image_id": digest(of.framework),
        "image_fingerprint": digest(f"{of.framework} fingerprint")[7:],
        "model_hash": digest(of.model)[7:],
        "engine_s": 5.4,
        "records": _records(of, profile, rng, iterations),
    }
    return Trial.model_validate(values | changes)


def requested(of: Cell, **changes: object) -> Requested:
    quota = of.cpu_mode is CpuMode.QUOTA
    values: dict[str, object] = {
        "cpu_mode": of.cpu_mode, "cpuset": None if quota else _cpuset(of),
        "quota_cpus": of.cpus if quota else None, "memory_bytes": of.memory_bytes,
        "memory_nodes": None, "core_kind": "",
        "uses_all_cores": of.cpus >= 2, "smt": False, "over_host": False,
    }  # fmt: skip
    return Requested.model_validate(values | changes)


def digest(text: str) -> str:
    """A stand-in with the form of an image's digest."""
    return "sha256:" + "".join(f"{zlib.crc32(f'{text}{part}'.encode()):08x}" for part in range(8))


def failed_trial(of: Cell, status: Status, phase: Phase, index: int = 0, **changes: object) -> Trial:
    """A trial that died in `phase`: it has the records of the phases before, and the start of this one."""
    whole = trial(of, index)
    kept: list[AnyRecord] = []
    for record in whole.records:
        kept.append(record)
        if isinstance(record, PhaseStart) and record.name is phase:
            break
    fields: dict[str, object] = {"status": status, "phase": phase, "records": tuple(kept)}
    return whole.model_copy(update=fields | changes)


def result(of: Cell, trials: Sequence[Trial] | None = None, **changes: object) -> CellResult:
    """A cell that is ok with three trials, unless told otherwise; its status is that of its worst trial."""
    all_trials = tuple(trial(of, index) for index in range(3)) if trials is None else tuple(trials)
    worst = max(all_trials, key=lambda each: list(Status).index(each.status), default=None)
    values: dict[str, object] = {
        "cell": of, "cell_id": of.id, "status": worst.status if worst else Status.SKIPPED,
        "phase": worst.phase if worst else None, "trials": all_trials, "planned_trials": max(1, len(all_trials)),
        "multiply_adds": 36_488 * of.batch if all_trials else None, "machine_peak": 5e10 if all_trials else None,
    }  # fmt: skip
    if worst is not None and worst.status is not Status.OK:
        failed = sum(each.status is not Status.OK for each in all_trials)
        values["reason"] = f"{failed} of {len(all_trials)} trials: {worst.reason}"
    return CellResult.model_validate(values | changes)


def host(**changes: object) -> Host:
    values: dict[str, object] = {
        "fingerprint": "6f1c2a90d4e7", "cpu_model": "AMD EPYC 7763 64-Core Processor",
        "architecture": "x86_64", "logical_cpus": (0, 1), "physical_cores": 2, "smt": False,
        "memory_bytes": 24 * GIB,
        "kernel": "6.18.5", "cgroup_version": 1, "engine_version": "20.10.24+dfsg1",
        "engine_os": "Debian GNU/Linux 12 (bookworm)", "storage_driver": "overlay2", "governor": None,
        "cpu_flags": ("avx", "avx2", "fma", "f16c"),
    }  # fmt: skip
    return Host.model_validate(values | changes)


def image(framework: str) -> Image:
    profile = PROFILES.get(framework, PROFILES["onnxruntime"])
    return Image(
        tag=f"edgematrix/{framework}",
        id=digest(framework),
        fingerprint=digest(f"{framework} fingerprint")[7:],
        size_bytes=round(profile.image_mib * MIB),
        base="debian bookworm from packages, Python 3.11",
        packages={framework: profile.version, "numpy": "2.4.6", "protobuf": "6.33.1"},
    )


def run(cells: Sequence[CellResult], **changes: object) -> Run:
    """The run that these cells belong to."""
    frameworks = list(dict.fromkeys(each.cell.framework for each in cells))
    models = list(dict.fromkeys(each.cell.model for each in cells))
    values: dict[str, object] = {
        "run_id": "20260314-092653-7f3a",
        "state": RunState.COMPLETE,
        "started_at": STARTED,
        "finished_at": STARTED + timedelta(seconds=331),
        "run_s": 331.0,
        "plan_hash": digest("plan")[7:23],
        "cells": [each.cell_id for each in cells],
        "matrix_name": "matrix",
        "matrix": {
            "frameworks": frameworks,
            "models": models,
            "cpus": sorted({each.cell.cpus for each in cells}),
            "memory": sorted({each.cell.memory_bytes for each in cells}),
            "batch": sorted({each.cell.batch for each in cells}),
            "baseline": frameworks[0],
        },
        "baseline": frameworks[0],
        "devices": {},
        "protocol": Protocol(
            trials=3, max_trials=3, precision=None, max_time_s=None, warmup_s=0.2, budget_s=2,
            min_iterations=30, max_iterations=200_000, timeout_s=120, page_cache="cold", seed=1,
        ),
        "harness_version": "0.1.0",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": False,
        "host": host(),
        "frameworks": {name: Framework(extends=name, version="", params={}) for name in frameworks},
        "images": {name: image(name) for name in frameworks},
        "models": {
            name: Model(
                hash=digest(name)[7:], data={f"inputs of {name}": digest(f"{name} data")[7:]},
                title="Spam classifier", parameters=36_737, multiply_adds=36_488, sequence=None, task="other",
                tolerance=1e-5, reference="ONNX's reference implementation, float64", size_bytes=2 * MIB,
            )
            for name in models
        },
    }  # fmt: skip
    return Run.model_validate(values | changes)

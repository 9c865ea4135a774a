"""The reference probe as the harness asks for it, and what it takes for an answer."""

import json
from collections.abc import Callable
from typing import cast

import pytest

from harness.container import ContainerSpec, Outcome
from harness.deadline import Deadline
from harness.engine import Engine
from harness.reference import MEMORY_BYTES, SECONDS, run_reference
from harness.results import CpuMode, ReferenceProbe, Requested
from harness.runs import Image
from tests.unit.trials import OUTCOME, REQUESTED

IMAGE = Image(tag="edgematrix/null", id="sha256:1", fingerprint="f", size_bytes=1, base="b", packages={})
ANSWER = {"multiply_adds": 1000, "matmul_ns": [100, 90], "copy_bytes": 4096, "copy_ns": [50], "loop_ns": [10]}
PAIR = REQUESTED.model_copy(update={"cpuset": (0, 1)})


class Answering:
    """An engine whose containers all say the same."""

    def __init__(self, *lines: bytes, exit_code: int = 0) -> None:
        self.lines = lines
        self.exit_code = exit_code
        self.specs: list[ContainerSpec] = []
        self.jobs: list[dict[str, object]] = []

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes,
        on_line: Callable[[bytes], None],
        deadline: Deadline,
        on_tick: Callable[[], None],
    ) -> Outcome:
        assert deadline.allowed_s > SECONDS
        self.specs.append(spec)
        self.jobs.append(json.loads(stdin))
        on_tick()
        for line in self.lines:
            on_line(line)
        return Outcome(**{**OUTCOME.__dict__, "exit_code": self.exit_code})


def measured_by(engine: Answering, requested: Requested = PAIR) -> ReferenceProbe | None:
    return run_reference(
        cast("Engine", engine), IMAGE, requested, run_id="r1", number=3, on_tick=lambda: None
    )


def line(**changes: object) -> bytes:
    return json.dumps(ANSWER | changes).encode()


def test_a_probe_runs_on_the_cpus_of_the_cells_beside_it_under_a_cap_of_its_own() -> None:
    engine = Answering(line())
    found = measured_by(engine)
    (spec,) = engine.specs
    assert spec.limits == PAIR.model_copy(update={"memory_bytes": MEMORY_BYTES})
    assert (spec.image, spec.module) == ("sha256:1", "runner.reference")
    assert spec.mounts == ()
    assert engine.jobs == [{"threads": 2, "seconds": SECONDS}]
    assert found is not None
    assert (found.number, found.threads, found.requested) == (3, 2, spec.limits)
    assert (found.matmul_ns, found.copy_ns, found.loop_ns) == ((100, 90), (50,), (10,))


@pytest.mark.parametrize(("cpus", "threads"), [(0.25, 1), (1.0, 1), (1.2, 2), (2.0, 2), (2.5, 3)])
def test_under_a_quota_a_probe_has_the_threads_that_the_share_is_worth(cpus: float, threads: int) -> None:
    quota = REQUESTED.model_copy(update={"cpu_mode": CpuMode.QUOTA, "cpuset": None, "quota_cpus": cpus})
    engine = Answering(line())
    assert measured_by(engine, quota) is not None
    assert engine.jobs[0]["threads"] == threads


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (line(), line()),
        (b"",),
        (b"[]",),
        (b"\xff",),
        (line(matmul_ns=[]),),
        (line(matmul_ns=[0]),),
        (line(matmul_ns=[-5]),),
        (line(loop_ns=[1] * 100_001),),
        (line(extra=1),),
        (line(copy_ns=None),),
    ],
    ids=[
        "nothing",
        "twice",
        "empty",
        "list",
        "bytes",
        "none",
        "zero",
        "negative",
        "flood",
        "extra",
        "missing",
    ],
)
def test_what_is_no_answer_is_no_probe(lines: tuple[bytes, ...]) -> None:
    assert measured_by(Answering(*lines)) is None


def test_a_probe_that_died_is_none_whatever_it_said_before() -> None:
    assert measured_by(Answering(line(), exit_code=137)) is None

"""Invented hosts and probes, for the tests of `edgematrix doctor`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from harness.host import LogicalCpu, ProbeFacts
from harness.records import Conditions
from harness.results import ReferenceProbe
from tests.unit.trials import REQUESTED

GIB = 1024**3
SECOND = 10**9
PLAIN = tuple(LogicalCpu(cpu=cpu, core=cpu, socket=0, node=0) for cpu in range(4))
INFO = {
    "ServerVersion": "27.3.1",
    "OperatingSystem": "Debian GNU/Linux 13",
    "Architecture": "x86_64",
    "NCPU": 4,
    "MemTotal": 16 * GIB,
    "Driver": "overlay2",
    "CgroupVersion": "2",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "Name": "a-host-name",
}


def conditions(**changes: object) -> Conditions:
    """A reading on a quiet machine."""
    fields = {
        "type": "conditions",
        "moment": "before",
        "at_ns": 0,
        "busy_ns": 0,
        "steal_ns": 0,
        "runnable": 1,
        "load": 0.05,
        "cpu_pressure_ns": 0,
        "memory_pressure_ns": 0,
        "io_pressure_ns": 0,
        "swapped_pages": 0,
        "frequency_khz": 3_000_000,
        "throttle_events": 0,
    }
    return Conditions.model_validate(fields | changes)


def host(**changes: object) -> ProbeFacts:
    """A machine of four cores with nothing to complain about."""
    fields = {
        "cpu_model": "Imagined CPU",
        "cpu_flags": ("avx2",),
        "topology": PLAIN,
        "memory_bytes": 16 * GIB,
        "available_bytes": 14 * GIB,
        "swap_bytes": 0,
        "disk_free_bytes": 100 * GIB,
        "architecture": "x86_64",
        "kernel": "6.12.0",
        "cgroup_version": 2,
        "governor": "performance",
        "turbo": False,
        "clock_source": "tsc",
        "conditions": conditions(),
        "volumes": {},
    }
    return ProbeFacts.model_validate(fields | changes)


def series(
    matmul: Sequence[Sequence[float]],
    *,
    copy: Sequence[Sequence[float]] | None = None,
    loop: Sequence[Sequence[float]] | None = None,
) -> list[ReferenceProbe]:
    """Probes from the times of their repetitions in milliseconds; what is not given does not move."""

    def ns(times: Sequence[float]) -> tuple[int, ...]:
        return tuple(round(time * 1e6) for time in times)

    still = [[1.0] * 10] * len(matmul)
    return [
        ReferenceProbe(
            number=number,
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
            requested=REQUESTED,
            threads=1,
            multiply_adds=768**3,
            matmul_ns=ns(matmul[number]),
            copy_bytes=64 * 1024**2,
            copy_ns=ns((copy or still)[number]),
            loop_ns=ns((loop or still)[number]),
        )
        for number in range(len(matmul))
    ]

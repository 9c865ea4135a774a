"""The machine on which the engine runs: its topology and facts, as the probe container saw them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from harness.records import Conditions
from harness.runs import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

INFERENCE_FLAGS: Final = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "sve", "i8mm", "bf16",
)  # fmt: skip
"""Instruction sets that decide how fast a float32 or int8 kernel can be."""


class LogicalCpu(BaseModel):
    """One CPU as the scheduler counts them, and where it sits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: int
    core: int
    """The physical core: the first of its logical CPUs, which no other core has."""
    socket: int
    node: int
    """NUMA node whose memory is nearest."""
    kind: str = ""
    """On a host with cores of several kinds, which kind; empty where all are alike."""
    whole_core: bool = True
    """Whether a container may use all siblings of its core."""
    has_memory: bool = True
    """Whether its node has memory of its own; the engine refuses to take memory from one that has none."""


class VolumeFacts(BaseModel):
    """What a complete volume of artefacts says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str
    """Of its content."""
    size_bytes: int
    facts: dict[str, Any]
    """Its `facts.json`; empty without one."""


class ProbeFacts(BaseModel):
    """What `python3 -m runner.probe` prints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_model: str
    cpu_flags: tuple[str, ...]
    topology: tuple[LogicalCpu, ...]
    memory_bytes: int
    available_bytes: int | None
    """What a new process may have without swapping."""
    swap_bytes: int | None
    """Of the host; 0 where swap is off."""
    disk_free_bytes: int
    """Where the engine keeps its images."""
    architecture: str
    kernel: str
    cgroup_version: int
    governor: str | None
    turbo: bool | None
    """Whether cores may run above their nominal frequency; `None`, as everywhere, where the host does not show it."""
    clock_source: str | None
    conditions: Conditions
    """How busy the host is, over all CPUs that a container may use."""
    volumes: dict[str, VolumeFacts | None]
    """Of each model volume asked about; `None` while it is not complete."""


def describe_host(facts: ProbeFacts, engine: Mapping[str, Any]) -> Host:
    """Put together what a run records of its host.

    Args:
        facts: what the probe saw.
        engine: the engine's own description (`docker info`).
    """
    identity = {
        "cpu_model": facts.cpu_model,
        "architecture": facts.architecture,
        "topology": [_identity(cpu) for cpu in facts.topology],
        "memory_bytes": facts.memory_bytes,
        "kernel": facts.kernel,
        "cgroup_version": facts.cgroup_version,
        "engine": engine["ServerVersion"],
    }
    cores = {(cpu.socket, cpu.core) for cpu in facts.topology}
    return Host.model_validate(
        {
            "fingerprint": hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16],
            "cpu_model": facts.cpu_model,
            "architecture": facts.architecture,
            "logical_cpus": [cpu.cpu for cpu in facts.topology],
            "physical_cores": len(cores),
            "smt": len(cores) < len(facts.topology),
            "memory_bytes": facts.memory_bytes,
            "kernel": facts.kernel,
            "cgroup_version": facts.cgroup_version,
            "engine_version": engine["ServerVersion"],
            "engine_os": engine["OperatingSystem"],
            "storage_driver": engine["Driver"],
            "governor": facts.governor,
            "cpu_flags": [flag for flag in INFERENCE_FLAGS if flag in facts.cpu_flags],
        }
    )


def _identity(cpu: LogicalCpu) -> dict[str, Any]:
    """What a fingerprint knows of a CPU: of memory only that it is missing, as earlier runs knew nothing of it."""
    return cpu.model_dump(exclude={"has_memory"} if cpu.has_memory else None)

"""The engine and the limits that it puts in force: pure judgements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.doctor.checks import Check, Verdict
from harness.errors import BuildError, BusyError
from harness.units import counted, format_memory
from harness.verdict import limit_mismatches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.errors import EdgematrixError
    from harness.records import Limits
    from harness.results import Requested

KNOWN_CONTEXTS: Final = ("colima", "desktop-linux", "orbstack", "rancher-desktop", "rootless")
"""Whose name says something; any other may name a person or a machine."""
CONTROLLERS: Final = (
    "give the engine the cgroup controllers cpu, cpuset and memory; a rootless engine has them only where systemd "
    "delegates them to the user's slice"
)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Limits that were asked for one container, and what came of it.

    Attributes:
        requested: what was asked for.
        limits: what the kernel enforces, read back from inside; `None` where the container did not get that far.
        trouble: why it did not, in the engine's words.
    """

    requested: Requested
    limits: Limits | None
    trouble: str

    @property
    def mismatch(self) -> str:
        """What is in effect other than what was asked; empty where the limits hold."""
        found = "; ".join(limit_mismatches(self.limits, self.requested))
        return f"{found} ({self.trouble})" if found and self.trouble else found


def check_engine(info: Mapping[str, Any], origin: str) -> Check:
    """An engine answers.

    Args:
        info: the engine's own description (`docker info`).
        origin: who named it: `DOCKER_HOST`, `docker context 'colima'` or `well-known socket`.
    """
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
    words = (
        f"Docker {info['ServerVersion']} on {info['OperatingSystem']}, {info['Architecture']}",
        f"{counted(info['NCPU'], 'CPU')}, {format_memory(info['MemTotal'])}",
        f"storage {info['Driver']}",
        "rootless" if rootless else "",
        f"from {anonymous(origin)}",
    )
    return Check(name="engine", verdict=Verdict.GOOD, found=", ".join(filter(None, words)))


def anonymous(origin: str) -> str:
    """Where an engine was found, without names of the user's own."""
    if not origin.startswith("docker context"):
        return f"a {origin}" if origin.startswith("well-known") else origin
    known = next((name for name in KNOWN_CONTEXTS if f"'{name}'" in origin), None)
    return "a docker context" if known is None else f"the docker context {known!r}"


def check_trouble(error: EdgematrixError) -> Check:
    """What keeps this harness off the engine altogether."""
    if isinstance(error, BusyError):
        return Check(
            name="quiet",
            verdict=Verdict.BAD,
            found="another harness is measuring on this engine, so the host was left alone",
            cure="wait until it ends; if it is certainly dead: docker rm -f edgematrix-harness",
        )
    if isinstance(error, BuildError):
        found = " ".join(filter(None, (error.what, error.why)))
        return Check(
            name="images",
            verdict=Verdict.BAD,
            found=found,
            cure=error.fix or "run `edgematrix build null` and see where it fails",
        )
    found = f"{error.what} ({error.why})" if error.why else error.what
    return Check(name="engine", verdict=Verdict.BAD, found=found, cure=error.fix)


def check_cgroup(info: Mapping[str, Any]) -> Check:
    """Which control groups the engine uses; `info` is its own description."""
    version = info.get("CgroupVersion") or "unknown"
    if version == "2":
        return Check(name="cgroup", verdict=Verdict.GOOD, found="version 2")
    return Check(
        name="cgroup",
        verdict=Verdict.NOTE,
        found=f"version {version}: limits hold as under version 2, but newer systems have left it",
        cure="where the system can: boot with systemd.unified_cgroup_hierarchy=1",
    )


def check_limits(proof: Proof) -> Check:
    """A CPU set and a memory cap, without which nothing can be measured."""
    requested = proof.requested
    cpus, cap = counted(len(requested.cpuset or ()), "CPU"), format_memory(requested.memory_bytes)
    asked = f"a cpuset of {cpus} and a cap of {cap}"
    if proof.mismatch:
        found = f"{asked} do not hold: {proof.mismatch}"
        return Check(name="limits", verdict=Verdict.BAD, found=found, cure=CONTROLLERS)
    found = f"{asked} were asked for, and are in effect inside a container"
    return Check(name="limits", verdict=Verdict.GOOD, found=found)


def check_quota(proof: Proof) -> Check:
    """A CFS quota, which only cells with part of a core need."""
    asked = f"a quota of {proof.requested.quota_cpus:g} CPUs"
    if proof.mismatch:
        cure = (
            "leave out cells with part of a core and `cpu_mode: quota`, or give the engine the controller cpu"
        )
        found = f"{asked} does not hold: {proof.mismatch}"
        return Check(name="quota", verdict=Verdict.POOR, found=found, cure=cure)
    return Check(name="quota", verdict=Verdict.GOOD, found=f"{asked} was asked for, and is in effect")


def check_swap(swap_bytes: int | None, limits: Limits | None) -> Check:
    """Swap on the host, and whether a cap covers it."""
    if swap_bytes == 0:
        return Check(name="swap", verdict=Verdict.GOOD, found="off")
    size = "on" if swap_bytes is None else f"on, {format_memory(swap_bytes)}"
    if limits is not None and limits.swap_bytes is None:
        return Check(
            name="swap",
            verdict=Verdict.POOR,
            found=f"{size}, and the kernel does not account it: a cell may swap beyond its cap, unseen",
            cure="sudo swapoff -a while measuring, or boot with swapaccount=1",
        )
    return Check(
        name="swap",
        verdict=Verdict.NOTE,
        found=f"{size}: cells may not use it, but what else runs may, and disturbs them",
        cure="sudo swapoff -a while measuring",
    )

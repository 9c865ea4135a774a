"""What a container is, as values: image, mounts, limits, and what it may never do.

What a container may do is decided here once for all (`docs/security.md` says what that promises): no network, no
root, no writable root file system, no capability, no new privileges, bounded processes, memory and temporary
files, no log kept by the engine, and no path or socket of the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from harness.results import CpuMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.results import Requested

LABEL_RUN: Final = "edgematrix.run"
LABEL_CELL: Final = "edgematrix.cell"
LABEL_MODEL: Final = "edgematrix.model"
LABEL_HOLDS: Final = "edgematrix.holds"
"""What a volume holds, in words: of two that hold the same the older one is out of date."""
LABEL_OWNER: Final = "edgematrix.owner"
USER: Final = "10001:10001"
CFS_PERIOD_US: Final = 100_000
PIDS_LIMIT: Final = 1024
TMP: Final = "/tmp"  # noqa: S108 - inside the container
TRIAL_SCRATCH: Final = "16m"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A volume in a container; read-only in every measured one."""

    volume: str
    path: str
    writable: bool = False

    def __str__(self) -> str:
        """Docker's form of it."""
        return f"{self.volume}:{self.path}:{'rw' if self.writable else 'ro'}"


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """Everything that makes a container.

    Attributes:
        image: an image id, so that what runs is what was checked.
        name: unique on the engine.
        labels: whose it is; what clean-up goes by.
        module: the Python module to run instead of the image's entry point.
        mounts: its volumes.
        limits: CPU and memory; `None` for the work outside all caps.
        memory_bytes: a cap outside of all limits, for work that nobody measures; `None` for none.
        scratch: size of the room for temporary files; nothing in it can be executed.
        archive: a path, and a tar to unpack there before the start.
    """

    image: str
    name: str
    labels: Mapping[str, str]
    module: str | None = None
    mounts: tuple[Mount, ...] = ()
    limits: Requested | None = None
    memory_bytes: int | None = None
    scratch: str = TRIAL_SCRATCH
    archive: tuple[str, IO[bytes]] | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a container ended, in the engine's words."""

    exit_code: int | None
    oom_flag: bool
    out_of_time_s: float | None
    """The time that it was given, where that was over first and it was killed."""
    flooded: bool
    """It wrote more than may be read, and was stopped."""
    error: str | None
    """What the engine could not do."""
    log_tail: str
    """The end of its standard error."""
    engine_s: float
    """Wall time from create to removal."""


def host_config(spec: ContainerSpec) -> dict[str, Any]:
    """The engine's own form of what a container may use."""
    limits: dict[str, Any] = {}
    if spec.memory_bytes is not None:
        limits = {"Memory": spec.memory_bytes, "MemorySwap": spec.memory_bytes}
    if spec.limits is not None:
        limits = {"Memory": spec.limits.memory_bytes, "MemorySwap": spec.limits.memory_bytes}
        if spec.limits.cpu_mode is CpuMode.QUOTA:
            assert spec.limits.quota_cpus is not None
            # Not NanoCpus, which the engine refuses above the host's count: `over_host: run` is for the verdict.
            limits["CpuPeriod"] = CFS_PERIOD_US
            limits["CpuQuota"] = round(spec.limits.quota_cpus * CFS_PERIOD_US)
        else:
            limits["CpusetCpus"] = ",".join(str(cpu) for cpu in spec.limits.cpuset or ())
            limits["CpusetMems"] = ",".join(str(node) for node in spec.limits.memory_nodes or ())
    return {
        "NetworkMode": "none",
        "IpcMode": "private",
        "ReadonlyRootfs": True,
        "Tmpfs": {TMP: f"size={spec.scratch},mode=1777"},
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "PidsLimit": PIDS_LIMIT,
        "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}],
        "LogConfig": {"Type": "none"},
        "Binds": [str(mount) for mount in spec.mounts],
        **limits,
    }


def container_config(spec: ContainerSpec, *, owner: str) -> dict[str, Any]:
    """The engine's own form of a container, its standard streams attached."""
    config = {
        "Image": spec.image,
        "Labels": {**spec.labels, LABEL_OWNER: owner},
        "User": USER,
        "Env": [f"HOME={TMP}"],
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": host_config(spec),
    }
    if spec.module is not None:
        config["Entrypoint"] = ["python3", "-m", spec.module]
    return config

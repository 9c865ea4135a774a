"""Contract 3, the stored files: what a run leaves under `reports/<run-id>/`, and all that the report may read.

Every figure in `results.csv` and in the report is rebuilt from these, offline. Sizes are bytes, durations carry
their unit in the name. `docs/contracts/results.md` is the page for readers.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from harness.records import AnyRecord, Count, Phase, Record
from harness.units import cpus_id, memory_id

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS_VERSION: Final = 1
"""1: first form."""

R = TypeVar("R", bound=Record)

Positive = Annotated[int, Field(gt=0, le=2**63 - 1)]
Signed = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Cpus = Annotated[float, Field(gt=0, le=2**20)]
Seconds = Annotated[float, Field(ge=0, le=2**40)]


class Status(StrEnum):
    """How a cell or a trial ended; worst last, the order in which a cell takes the worst of its trials'."""

    OK = "ok"
    SKIPPED = "skipped"
    UNSUPPORTED = "unsupported"
    INTERRUPTED = "interrupted"
    LIMITS_NOT_ENFORCED = "limits_not_enforced"
    TIMEOUT = "timeout"
    OOM = "oom"
    INVALID_OUTPUT = "invalid_output"
    CRASH = "crash"
    BUILD_FAILED = "build_failed"
    HARNESS_ERROR = "harness_error"


class Stored(BaseModel):
    """Base of everything stored: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class CpuMode(StrEnum):
    """How `cpus` is enforced."""

    CPUSET = "cpuset"
    """That many whole cores: a board with N cores."""
    QUOTA = "quota"
    """A CFS quota over all the host's cores: a share of a cloud machine."""


class Cell(Stored):
    """One point of the matrix. Immutable, hashable, knows nothing of the host."""

    framework: str
    model: str
    cpus: Cpus
    memory_bytes: Positive
    batch: Positive

    @property
    def cpu_mode(self) -> CpuMode:
        """Whole CPUs are cores, fractions a quota."""
        return CpuMode.CPUSET if self.cpus == int(self.cpus) else CpuMode.QUOTA

    @property
    def threads(self) -> int:
        """The thread count that every framework is told: `ceil(cpus)`."""
        return max(1, -int(-self.cpus // 1))

    @property
    def limit_id(self) -> str:
        """The limits' part of the id, such as `c2.m8g`."""
        return f"c{cpus_id(self.cpus)}.m{memory_id(self.memory_bytes)}"

    @property
    def id(self) -> str:
        """Readable, unique within a run, safe as a file name, and never parsed back."""
        return f"{self.framework}.{self.model}.{self.limit_id}.b{self.batch}"


class Evidence(Stored):
    """What a verdict rests on."""

    exit_code: Signed | None = None
    signal: Signed | None = None
    oom_kills: Count | None = None
    engine_oom_flag: bool | None = None
    peak_bytes: Count | None = None
    """The most that was charged to the cgroup before the end; where the kernel does not count that, the largest
    resident size of a phase that ended. `None` where neither is known."""
    cap_bytes: Count | None = None
    read_bytes: Count | None = None
    error: str | None = None
    log_tail: str = ""


class TypedWarning(Stored):
    """A typed doubt about a number, kept beside it."""

    kind: str
    text: str


class Requested(Stored):
    """The limits that were asked of the engine for one trial."""

    cpu_mode: CpuMode
    cpuset: tuple[Count, ...] | None
    """Logical CPUs; `None` in quota mode."""
    quota_cpus: Cpus | None
    memory_bytes: Positive
    uses_all_cores: bool
    """The cell takes every core of the host, so the harness and the kernel share them with it."""
    smt: bool
    """There were too few physical cores: some of these are siblings."""
    over_host: bool
    """The cell asks for more than the host has, and `over_host: run` let it start all the same."""


class Trial(Stored):
    """One fresh container that measured one cell: `trials/<cell-id>.<index>.json`, written once."""

    version: Literal[1] = 1
    cell_id: str
    index: Count
    order: Count
    """Place in the run's schedule, from 0."""
    started_at: datetime
    status: Status
    phase: Phase | None
    """The phase in which it ended, where it did not end well."""
    reason: str
    evidence: Evidence
    warnings: tuple[TypedWarning, ...] = ()
    requested: Requested
    limits_enforced: bool
    image_id: str
    image_fingerprint: str
    """Hash of what the image is built from: the identity for resume and compare."""
    model_hash: str
    engine_s: Seconds
    """Wall time from create to removal of the container."""
    records: tuple[AnyRecord, ...]

    def find(self, kind: type[R]) -> R | None:
        """The first record of a kind."""
        return next(self.all(kind), None)

    def all(self, kind: type[R]) -> Iterator[R]:
        """All records of a kind, in order."""
        return (record for record in self.records if isinstance(record, kind))


class CellResult(Stored):
    """One cell with all its trials: `cells/<cell-id>.json`, derived from the trials' files."""

    version: Literal[1] = 1
    cell: Cell
    cell_id: str
    status: Status
    phase: Phase | None = None
    reason: str = ""
    """For a failed cell how many of its trials failed, and why; for a skipped one the reason."""
    trials: tuple[Trial, ...] = ()


class Host(Stored):
    """The machine on which the engine runs, as a container on it sees it."""

    fingerprint: str
    """Hash of what makes two hosts comparable: CPU, cores, memory, kernel, cgroup version, engine."""
    cpu_model: str
    architecture: str
    logical_cpus: tuple[Count, ...]
    """Those that a container may use."""
    physical_cores: Positive
    smt: bool
    memory_bytes: Positive
    kernel: str
    cgroup_version: Literal[1, 2]
    engine_version: str
    engine_os: str
    storage_driver: str
    governor: str | None
    cpu_flags: tuple[str, ...]
    """The instruction sets that matter for inference, such as `avx2` or `amx_tile`."""


class Image(Stored):
    """One framework's image as it ran."""

    tag: str
    id: str
    fingerprint: str
    size_bytes: Count
    base: str
    """The digest or the kind of the base it was built on."""
    packages: dict[str, str]


class Model(Stored):
    """One model as it was prepared."""

    hash: str
    title: str
    parameters: Count
    tolerance: Annotated[float, Field(ge=0)]
    """Largest absolute error allowed against the float64 reference."""


class Protocol(Stored):
    """How every trial measures."""

    trials: Positive
    warmup_s: Seconds
    budget_s: Seconds
    """Of the steady phase."""
    min_iterations: Count
    max_iterations: Positive
    timeout_s: Seconds
    """Of one trial, enforced from outside."""
    page_cache: Literal["cold", "warm"]
    seed: Count


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETE = "complete"


class Run(Stored):
    """One execution of a matrix: `run.json`."""

    version: Literal[1] = 1
    run_id: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    run_s: Seconds
    """Wall time spent measuring, over all sessions."""
    plan_hash: str
    """Hash of the cells and the protocol: what `resume` compares."""
    cells: tuple[str, ...]
    """Ids of all cells, in the plan's order: these files, and no others, stand in `cells/` once it is complete."""
    matrix_name: str
    matrix: dict[str, object]
    """As resolved, every default written out."""
    baseline: str
    """The framework that relative columns refer to."""
    devices: dict[str, tuple[Cpus, Positive]]
    """Name to (cpus, memory in bytes), where the matrix names its limits."""
    protocol: Protocol
    harness_version: str
    git_commit: str | None
    git_dirty: bool | None
    host: Host
    images: dict[str, Image]
    models: dict[str, Model]

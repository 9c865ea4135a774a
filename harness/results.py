"""Contract 3, the stored files of trials and cells: what a run leaves under `reports/<run-id>/`, beside its own record.

Every figure in `results.csv` and in the report is rebuilt from these, offline. Sizes are bytes, durations carry
their unit in the name. `docs/contracts/results.md` is the page for readers.
"""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from statistics import median_low
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.records import AnyRecord, Count, Phase, Record, every, first
from harness.units import cpus_id, memory_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

R = TypeVar("R", bound=Record)

MAX_THREADS: Final = 4096
MAX_ATTEMPTS: Final = 100

Positive = Annotated[int, Field(gt=0, le=2**63 - 1)]
ProbeTimes = Annotated[tuple[Positive, ...], Field(min_length=1)]
Signed = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Cpus = Annotated[float, Field(gt=0, le=2**20)]
Seconds = Annotated[float, Field(ge=0, le=2**40)]
ThreadOption = Literal["match", "default"] | Annotated[int, Field(ge=1, le=MAX_THREADS)]


class Status(StrEnum):
    """How a cell or a trial ended; worst last, the order in which a cell takes the worst of its trials'."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Self:  # `Status("ok")` looks one up
        """A word that knows what it means."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    OK = "ok", "measured, limits proved, outputs right"
    SKIPPED = "skipped", "not run: excluded, larger than the host, or no time was left for a first trial"
    UNSUPPORTED = "unsupported", "the framework cannot run this model"
    INTERRUPTED = "interrupted", "the run was stopped before; the same command goes on"
    LIMITS_NOT_ENFORCED = "limits_not_enforced", "measured, but the limits read back are not those asked for"
    TIMEOUT = "timeout", "longer than `timeout` or one of the `phase_timeouts`; the reason says which"
    OOM = "oom", "the kernel killed it for its cap, or it read the same pages for ever (thrashing)"
    INVALID_OUTPUT = "invalid_output", "fast or slow, but wrong"
    CRASH = "crash", "ended by itself without a result"
    BUILD_FAILED = "build_failed", "its image or its model could not be made"
    HARNESS_ERROR = (
        "harness_error",
        "the fault of harness, engine or host; says nothing of the framework, and is run again",
    )


EXPECTABLE: Final = (
    Status.OOM,
    Status.TIMEOUT,
    Status.CRASH,
    Status.INVALID_OUTPUT,
    Status.UNSUPPORTED,
    Status.LIMITS_NOT_ENFORCED,
    Status.BUILD_FAILED,
)
"""What a matrix may expect of a cell: what its framework, its image or its limits make of it."""


class Stored(BaseModel):
    """Base of everything stored: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class CpuMode(StrEnum):
    """How `cpus` is enforced."""

    CPUSET = "cpuset"
    """That many whole cores: a board with N cores."""
    QUOTA = "quota"
    """A CFS quota over all the host's cores: a share of a cloud machine."""


class Workload(NamedTuple):
    """What frameworks are compared on: a model, and the sizes of a call."""

    model: str
    batch: int
    sequence: int
    """0 for a model without sequences."""


NULL_FRAMEWORK: Final = "null"
"""The framework that computes nothing: its latency is the timer's floor, and it is never ranked."""


class Cell(Stored):
    """One point of the matrix. Immutable, hashable, knows nothing of the host."""

    framework: str
    model: str
    cpus: Cpus
    memory_bytes: Positive
    batch: Positive
    sequence: Positive | None = None
    """Length of the sequences; `None` for a model without such a dimension."""
    cpu_mode: CpuMode = CpuMode.CPUSET
    """Left out: a cpuset for whole CPUs, a quota for fractions."""
    threads: ThreadOption = "match"
    """What the framework is told: `match` for `ceil(cpus)`, a number, or `default` for nothing at all."""
    twin: bool = False
    """A second measurement of the same cell throughout the run: two identical cells, to see how far they differ."""

    @model_validator(mode="before")
    @classmethod
    def _natural_mode(cls, data: object) -> object:
        if isinstance(data, dict) and "cpu_mode" not in data:
            cpus = data.get("cpus")
            whole = not isinstance(cpus, float) or cpus == int(cpus)
            return {**data, "cpu_mode": CpuMode.CPUSET if whole else CpuMode.QUOTA}
        return data

    @model_validator(mode="after")
    def _whole_cores(self) -> Self:
        if self.cpu_mode is CpuMode.CPUSET and self.cpus != int(self.cpus):
            raise ValueError("a part of a CPU can only be a quota")
        return self

    @property
    def thread_count(self) -> int | None:
        """The number of threads that the framework is told; `None` where it is told nothing."""
        if self.threads == "default":
            return None
        return max(1, math.ceil(self.cpus)) if self.threads == "match" else self.threads

    @property
    def dims(self) -> dict[str, int]:
        """The sizes of the model's dimensions, by what they are."""
        return {"batch": self.batch} | ({} if self.sequence is None else {"sequence": self.sequence})

    @property
    def workload(self) -> Workload:
        """What frameworks are compared on."""
        return Workload(self.model, self.batch, self.sequence or 0)

    @property
    def is_floor(self) -> bool:
        """Whether it measures the clock and no framework."""
        return self.framework == NULL_FRAMEWORK

    @property
    def id(self) -> str:
        """Readable, unique within a run, safe as a file name, and never parsed back."""
        natural = CpuMode.CPUSET if self.cpus == int(self.cpus) else CpuMode.QUOTA
        parts = (
            f"{self.framework}.{self.model}.c{cpus_id(self.cpus)}.m{memory_id(self.memory_bytes)}.b{self.batch}",
            "" if self.sequence is None else f"s{self.sequence}",
            "quota" if self.cpu_mode is not natural else "",
            "" if self.threads == "match" else f"t{self.threads}",
            "twin" if self.twin else "",
        )
        return ".".join(filter(None, parts))


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
    memory_nodes: tuple[Count, ...] | None
    """NUMA nodes whose memory it may use: those of its CPUs that have some.

    `None` on a host with only one node, where none of them has memory, or in quota mode.
    """
    core_kind: str
    """On a host with several kinds of cores the one that all of these are, `mixed` in quota mode; else empty."""
    quota_cpus: Cpus | None
    memory_bytes: Positive
    uses_all_cores: bool
    """The cell takes every core of the host, so the harness and the kernel share them with it."""
    smt: bool
    """There were too few physical cores: some of these are siblings."""
    over_host: bool
    """The cell asks for more than the host has, and `over_host: run` let it start all the same."""


class SessionRound(NamedTuple):
    """What was measured side by side: of a run that was gone on with, a round may be of several sessions."""

    session: int
    round: int


class Trial(Stored):
    """One fresh container that measured one cell: `trials/<cell-id>.<index>.json`, written once."""

    version: Literal[3] = 3
    cell_id: str
    index: Count
    """The round that it belongs to: each round holds a cell once."""
    attempt: Annotated[int, Field(ge=0, lt=MAX_ATTEMPTS)] = 0
    """From 1 on it repeats one of the same round that the host spoiled, or that was to be tried again."""
    session: Count = 0
    """How often the run had been gone on with: only trials of one session stood side by side."""
    order: Count
    """Number of trials that the run had before it."""
    probe: Count | None
    """The reference probe on the same CPUs before it; `None` where that failed."""
    neighbours: Count
    """Containers that are not of this project and ran on the engine when it began."""
    started_at: datetime
    status: Status
    phase: Phase | None
    """The phase in which it ended, where it did not end well."""
    reason: str
    evidence: Evidence
    warnings: tuple[TypedWarning, ...] = ()
    spoiled: tuple[TypedWarning, ...] = ()
    """What the host did meanwhile that makes the figures worthless: such a trial is repeated once. In a cell's file
    also what the reference probes around the trial say."""
    requested: Requested
    limits_enforced: bool
    image_id: str
    image_fingerprint: str
    """Hash of what the image is built from: the identity for resume and compare."""
    model_hash: str
    engine_s: Seconds
    """Wall time from create to removal of the container."""
    records: tuple[AnyRecord, ...]

    @property
    def key(self) -> tuple[str, int, int]:
        """Cell, round and attempt: unique in a run."""
        return self.cell_id, self.index, self.attempt

    @property
    def session_round(self) -> SessionRound:
        """Beside which trials of other cells it was measured."""
        return SessionRound(self.session, self.index)

    def find(self, kind: type[R]) -> R | None:
        """The first record of a kind."""
        return first(self.records, kind)

    def all(self, kind: type[R]) -> Iterator[R]:
        """All records of a kind, in order."""
        return every(self.records, kind)


def last_attempts(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """Of each round the last attempt: what figures rest on.

    Args:
        trials: of one cell, by round and attempt.
    """
    return tuple({trial.index: trial for trial in trials}.values())


class StoppedBy(StrEnum):
    """Why no more trials were spent on a cell."""

    PRECISION = "precision"
    """Its interval is as tight as was asked."""
    TRIALS = "trials"
    """It has had all trials that it may have."""
    TIME = "time"
    """The run's time for further trials was spent."""


class Expectation(Stored):
    """How the matrix says that a cell will end."""

    status: Status
    reason: str


class CellResult(Stored):
    """One cell with all its trials: `cells/<cell-id>.json`, derived from the trials' and the probes' files."""

    version: Literal[3] = 3
    cell: Cell
    cell_id: str
    status: Status
    phase: Phase | None = None
    reason: str = ""
    """For a failed cell how many of its trials failed, and why; for a skipped one the reason."""
    expected: Expectation | None = None
    """What the matrix expects of it, where that is no result."""
    stopped_by: StoppedBy | None = None
    """`None` for a cell that never ran, or whose run was interrupted before it had its trials or its precision."""
    planned_trials: Positive
    """Those that it had to have; more were spent to reach a precision."""
    multiply_adds: Count | None = None
    """Of one call; `None` for a cell that never ran."""
    machine_peak: Annotated[float, Field(gt=0)] | None = None
    """Multiply-adds a second that the reference probe reached on the same CPUs, median over the run; `None` where
    no probe ran there."""
    trials: tuple[Trial, ...] = ()
    """All of them, by round and attempt."""

    @property
    def as_expected(self) -> bool:
        """Whether it ended as the run wants it; what was skipped, or cannot be done, for a stated reason did."""
        if self.expected is not None and self.status is not Status.SKIPPED:
            return self.status is self.expected.status
        return self.status in {Status.OK, Status.SKIPPED, Status.UNSUPPORTED}

    @property
    def counted(self) -> tuple[Trial, ...]:
        """The trials that figures rest on: of each round the last attempt."""
        return last_attempts(self.trials)


class ReferenceProbe(Stored):
    """How fast the machine itself was at one moment: `probes/<number>.json`, written once."""

    version: Literal[3] = 3
    number: Count
    session: Count = 0
    """How often the run had been gone on with."""
    started_at: datetime
    requested: Requested
    """The same CPUs as those of the cells beside it."""
    threads: Positive
    multiply_adds: Positive
    """Of one matrix product."""
    matmul_ns: ProbeTimes
    """Each float32 matrix product."""
    copy_bytes: Positive
    copy_ns: ProbeTimes
    """Each copy in memory."""
    loop_ns: ProbeTimes
    """Each fixed loop of the interpreter: calls of a few microseconds are as fast as that."""

    def condensed(self) -> Self:
        """The same with one time of each kind, the median: what a long run keeps of it in memory."""
        times = {name: getattr(self, name) for name in ("matmul_ns", "copy_ns", "loop_ns")}
        return self.model_copy(update={name: (median_low(each),) for name, each in times.items()})

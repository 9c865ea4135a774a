"""Contract 2, container -> host: what the runner in a container says, one JSON record a line.

Everything here comes from a container and is untrusted: parsing is bounded in line length, record count and
depth, unknown fields are refused, and nothing is executed. Durations are nanoseconds, sizes bytes; a figure that
the kernel does not give is `None`, never 0. `docs/contracts/records.md` is the page for readers.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

MAX_LINE_BYTES: Final = 32 * 1024**2
MAX_RECORDS: Final = 1000
MAX_SAMPLES: Final = 4_000_000
MAX_MARKS: Final = 1000
TEXT_LIMIT: Final = 16 * 1024
UNLIMITED: Final = 2**62
"""Swap without a limit."""

Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Count = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Phase(StrEnum):
    """Where a trial's life is spent, in order."""

    IMPORT = "import"
    LOAD = "load"
    COMPILE = "compile"
    FIRST = "first"
    WARMUP = "warmup"
    STEADY = "steady"


COLD_START_PHASES: Final = (Phase.IMPORT, Phase.LOAD, Phase.COMPILE, Phase.FIRST)
"""From the worker's process start to its first answer."""


class Record(BaseModel):
    """Base of all records: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Limits(Record):
    """The limits in effect, read back by the supervisor from inside its cgroup before anything else runs."""

    type: Literal["limits"]
    version: Literal[3]
    cgroup_version: Literal[1, 2]
    cpuset: tuple[Count, ...]
    """Logical CPUs that the scheduler may use (`sched_getaffinity`)."""
    memory_nodes: tuple[Count, ...] | None
    """NUMA nodes whose memory it may use; `None` where the kernel does not tell."""
    quota_cpus: float | None
    """CFS quota over period; `None` where there is none."""
    memory_bytes: int | None
    """`None` where no limit is set."""
    swap_bytes: int | None
    """Swap allowed on top of memory: 2**62 where unlimited, `None` where the kernel does not account it."""
    pids_max: int | None
    missing_files: Annotated[tuple[Text, ...], Field(max_length=100)]
    """Files of its cgroup that this kernel does not have: the figures that come from them are `None`."""
    uid: Count
    supervisor_anon_bytes: Count
    """What the supervisor itself holds under the cap."""


class PageCache(Record):
    """The image's large files and the model were dropped from the page cache (`cold`), or left (`warm`)."""

    type: Literal["page_cache"]
    mode: Literal["cold", "warm"]
    files: Count
    bytes: Count
    wall_ns: Count


class PhaseStart(Record):
    """A phase begins. A trial that ends without the matching `phase` record died in this one."""

    type: Literal["phase_start"]
    name: Phase


class PhaseEnd(Record):
    """A phase has ended, with the kernel's counters over it."""

    type: Literal["phase"]
    name: Phase
    wall_ns: Count
    cpu_ns: Count | None
    """CPU time of the whole cgroup, all threads, user and system."""
    user_ns: Count | None
    system_ns: Count | None
    """Of the worker process, from its own accounting: the split is coarser than `cpu_ns`."""
    rss_peak_bytes: Count | None
    """VmHWM of the worker, reset at the phase's start, without the latencies that the runner keeps."""
    rss_anon_bytes: Count | None
    rss_file_bytes: Count | None
    """Of the worker, at the phase's end."""
    cgroup_anon_bytes: Count | None
    cgroup_file_bytes: Count | None
    cgroup_mapped_bytes: Count | None
    """Of its file pages those that some process maps: what `rss_file_bytes` has to be covered by."""
    cgroup_peak_bytes: Count | None
    """Of the cgroup, supervisor and page cache included; the peak is cumulative over the trial."""
    voluntary_switches: Count | None
    involuntary_switches: Count | None
    minor_faults: Count | None
    major_faults: Count | None
    read_bytes: Count | None
    """Bytes that the worker caused to be read from storage."""
    periods: Count | None
    throttled_periods: Count | None
    throttled_ns: Count | None
    """CFS bandwidth control; `None` where no quota is set."""
    threads: Count | None
    """Threads of the worker at the phase's end."""


class Moment(StrEnum):
    """When the host's conditions were read."""

    BEFORE = "before"
    """Before the worker starts."""
    STEADY_START = "steady_start"
    STEADY_END = "steady_end"
    AFTER = "after"
    """When the worker is gone."""


class Conditions(Record):
    """The host beside this cell: counters since its start, over the CPUs that the cgroup may use."""

    type: Literal["conditions"]
    moment: Moment
    at_ns: Count
    """Monotonic clock."""
    busy_ns: Count | None
    """CPU time of everybody on these CPUs, the cell included."""
    steal_ns: Count | None
    """CPU time that the hypervisor gave to others."""
    runnable: Count | None
    """Tasks on the host that run or wait for a CPU, now."""
    load: Annotated[float, Field(ge=0)] | None
    """Load average of the last minute."""
    cpu_pressure_ns: Count | None
    memory_pressure_ns: Count | None
    io_pressure_ns: Count | None
    """How long some task on the host waited for that resource; `None` without PSI."""
    swapped_pages: Count | None
    """Pages swapped in and out on the host."""
    frequency_khz: Count | None
    """Mean of these CPUs, now; `None` where the host shows none."""
    throttle_events: Count | None
    """Thermal throttling of these CPUs; `None` where the host shows none."""


class Warmup(Record):
    """How the warm-up went: window by window, until a window was no faster than those before it."""

    type: Literal["warmup"]
    settled: bool
    """False: it became faster and faster until the time was up."""
    window_calls: Annotated[tuple[Count, ...], Field(max_length=100)]
    window_median_ns: Annotated[tuple[Count, ...], Field(max_length=100)]


class Threads(Record):
    """CPU time of the worker's threads over the steady phase, from the scheduler."""

    type: Literal["threads"]
    total: Count | None
    """Threads alive at its end; `None` where the kernel does not tell."""
    busy_ns: Annotated[tuple[Count, ...], Field(max_length=1024)] | None
    """Of each thread, the busiest first, at most 1,024."""


class Growth(Record):
    """Anonymous memory of the worker along the steady phase, without what the latencies themselves take."""

    type: Literal["growth"]
    calls: Annotated[tuple[Count, ...], Field(max_length=MAX_MARKS)]
    """Calls made by then."""
    anon_bytes: Annotated[tuple[Count, ...], Field(max_length=MAX_MARKS)]

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        if len(self.calls) != len(self.anon_bytes):
            raise ValueError("calls and anon_bytes are not of one length")
        return self


class Clock(StrEnum):
    """What is in the clock."""

    END_TO_END = "end_to_end"
    """The call from numpy arrays to numpy arrays."""
    CORE = "core"
    """The call on the framework's own tensors."""


class Samples(Record):
    """Every latency of one phase, in nanoseconds: little-endian unsigned 64-bit, zlib, base64."""

    type: Literal["samples"]
    phase: Literal[Phase.FIRST, Phase.WARMUP, Phase.STEADY]
    clock: Clock
    count: Annotated[int, Field(ge=0, le=MAX_SAMPLES)]
    data: str

    @property
    def is_steady(self) -> bool:
        """Whether these are what latency is made of: the calls of the steady phase, from end to end."""
        return self.phase is Phase.STEADY and self.clock is Clock.END_TO_END

    def latencies_ns(self) -> NDArray[np.uint64]:
        """Decode to an array of shape `(count,)`, nanoseconds.

        Raises:
            ValueError: the data does not decode to `count` numbers.
        """
        size = self.count * 8
        try:
            inflater = zlib.decompressobj()
            raw = inflater.decompress(base64.b64decode(self.data, validate=True), size + 1)
        except (binascii.Error, zlib.error) as error:
            raise ValueError(f"samples of {self.phase} do not decode: {error}") from error
        if len(raw) != size:
            raise ValueError(f"samples of {self.phase} hold {len(raw)} bytes, not {size}")
        return np.frombuffer(raw, dtype="<u8")


class Framework(Record):
    """What the framework says of itself, once the model is compiled."""

    type: Literal["framework"]
    version: Text
    python: Text
    threads_told: Annotated[int, Field(ge=1)] | None
    """`None`: nothing, it chose by itself."""
    threads_reported: int | None
    """What the framework's own query answers; `None` where it has none."""
    settings: dict[Text, Text]
    """Whatever else explains the speed: instruction sets, oneDNN, precision, execution provider."""


class Output(Record):
    """The outputs of this very trial against the reference."""

    type: Literal["output"]
    inputs: Count
    """How many different inputs were checked."""
    finite: bool
    max_abs_error: float | None
    """`None` where an output is not finite or has another shape."""
    max_rel_error: float | None
    """The same as a part of the largest reference value of that output in that call."""
    tolerance: float
    """Of `max_rel_error`."""
    classified: Count | None
    """Rows whose best class was compared; `None` for what is no classifier."""
    classified_same: Count | None
    """Those of them whose best class was the reference's."""
    shapes: tuple[tuple[int, ...], ...]
    """Of each output, in the model's order."""
    expected_shapes: tuple[tuple[int, ...], ...]


class ProcessView(Record):
    """The worker after its steady phase as psutil sees it: a portable cross-check of the kernel's counters."""

    type: Literal["process"]
    rss_bytes: Count
    user_s: float
    system_s: float
    threads: Count


class WorkerError(Record):
    """The worker caught an exception; `kind` is its class."""

    type: Literal["error"]
    phase: Phase | None
    kind: Text
    message: Text
    traceback: Text


class Stop(StrEnum):
    """Why the supervisor stopped waiting for its worker."""

    EXITED = "exited"
    THRASHING = "thrashing"
    ABANDONED = "abandoned"
    """Standard input closed: the harness is gone."""


class End(Record):
    """The supervisor's last word: how the worker ended, and what the kernel counted."""

    type: Literal["end"]
    stop: Stop
    exit_code: int | None
    signal: int | None
    oom_kills: Count | None
    cgroup_peak_bytes: Count | None
    phase_read_bytes: Count
    """Bytes read from storage in the phase that was running: the figure behind `thrashing`."""
    log_bytes: Count
    """Of the worker's own chatter, before bounding."""
    wall_ns: Count


AnyRecord = Annotated[
    Limits
    | PageCache
    | PhaseStart
    | PhaseEnd
    | Conditions
    | Warmup
    | Threads
    | Growth
    | Samples
    | Framework
    | Output
    | ProcessView
    | WorkerError
    | End,
    Field(discriminator="type"),
]
_ADAPTER: Final[TypeAdapter[AnyRecord]] = TypeAdapter(AnyRecord)


R = TypeVar("R", bound=Record)


class RecordError(ValueError):
    """A line from a container is no record."""


def parse_record(line: bytes) -> AnyRecord:
    """Parse one line of a container's standard output.

    Raises:
        RecordError: the line is too long, not JSON, or not a record of this version.
    """
    if len(line) > MAX_LINE_BYTES:
        raise RecordError(f"a line of {len(line)} bytes, more than {MAX_LINE_BYTES}")
    try:
        return _ADAPTER.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{where or 'record'}: {first['msg']}: {line[:120]!r}") from error


def every(records: Iterable[AnyRecord], kind: type[R]) -> Iterator[R]:
    """All records of a kind, in order."""
    # No kind has kinds of its own, and to compare classes takes a fifth of the time of pydantic's `isinstance`.
    return (record for record in records if type(record) is kind)


def first(records: Iterable[AnyRecord], kind: type[R]) -> R | None:
    """The first record of a kind."""
    return next(every(records, kind), None)

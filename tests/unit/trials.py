"""Records of an invented trial, for tests of what is made of them."""

from harness.container import Outcome
from harness.records import (
    AnyRecord,
    End,
    Limits,
    Output,
    PageCache,
    Phase,
    PhaseEnd,
    PhaseStart,
    ProcessView,
    Stop,
    WorkerError,
)
from harness.results import CpuMode, Requested

CAP = 512 * 1024**2
MIB = 1024**2

REQUESTED = Requested(
    cpu_mode=CpuMode.CPUSET,
    cpuset=(1,),
    quota_cpus=None,
    memory_nodes=None,
    core_kind="",
    memory_bytes=CAP,
    uses_all_cores=False,
    smt=False,
    over_host=False,
)
LIMITS = Limits(
    type="limits",
    version=3,
    cgroup_version=1,
    cpuset=(1,),
    memory_nodes=(0,),
    quota_cpus=None,
    memory_bytes=CAP,
    swap_bytes=0,
    pids_max=256,
    missing_files=(),
    uid=10001,
    supervisor_anon_bytes=11 * MIB,
)
PAGE_CACHE = PageCache(type="page_cache", mode="cold", files=3, bytes=100 * MIB, wall_ns=10**7)
OUTCOME = Outcome(
    exit_code=0,
    oom_flag=False,
    out_of_time_s=None,
    flooded=False,
    error=None,
    log_tail="",
    engine_s=2.0,
)
OUTPUT = Output(
    type="output",
    inputs=8,
    finite=True,
    max_abs_error=1e-7,
    max_rel_error=2e-7,
    tolerance=1e-5,
    classified=None,
    classified_same=None,
    shapes=((1, 1),),
    expected_shapes=((1, 1),),
)
PROCESS = ProcessView(type="process", rss_bytes=90 * MIB, user_s=1.0, system_s=0.1, threads=2)


def start(phase: Phase) -> PhaseStart:
    return PhaseStart(type="phase_start", name=phase)


def ended(phase: Phase, *, file: int = 60 * MIB, charged: int = 64 * MIB) -> PhaseEnd:
    return PhaseEnd(
        type="phase",
        name=phase,
        wall_ns=10**9,
        cpu_ns=10**9,
        user_ns=9 * 10**8,
        system_ns=10**8,
        rss_peak_bytes=file + 40 * MIB,
        rss_anon_bytes=40 * MIB,
        rss_file_bytes=file,
        cgroup_anon_bytes=51 * MIB,
        cgroup_file_bytes=charged + 100 * MIB,
        cgroup_mapped_bytes=charged,
        cgroup_peak_bytes=charged + 51 * MIB,
        voluntary_switches=3,
        involuntary_switches=1,
        minor_faults=100,
        major_faults=10,
        read_bytes=60 * MIB,
        periods=None,
        throttled_periods=None,
        throttled_ns=None,
        threads=2,
    )


def end(
    *,
    exit_code: int | None = 0,
    signal: int | None = None,
    oom_kills: int | None = 0,
    stop: Stop = Stop.EXITED,
    read: int = 0,
    peak: int | None = CAP,
) -> End:
    return End(
        type="end",
        stop=stop,
        exit_code=exit_code,
        signal=signal,
        oom_kills=oom_kills,
        cgroup_peak_bytes=peak,
        phase_read_bytes=read,
        log_bytes=0,
        wall_ns=2 * 10**9,
    )


def error(kind: str, message: str = "no", phase: Phase | None = Phase.LOAD) -> WorkerError:
    return WorkerError(type="error", phase=phase, kind=kind, message=message, traceback="Traceback ...")


def until(phase: Phase) -> list[AnyRecord]:
    """The records of a trial that has just entered a phase."""
    records: list[AnyRecord] = [LIMITS, PAGE_CACHE]
    for name in Phase:
        records.append(start(name))
        if name is phase:
            return records
        records.append(ended(name))
    return records


def whole() -> list[AnyRecord]:
    """The records of a trial that ended well."""
    return [*until(Phase.STEADY), ended(Phase.STEADY), OUTPUT, PROCESS, end()]

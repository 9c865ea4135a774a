"""Typed warnings, each on and off."""

from collections.abc import Iterable
from signal import SIGKILL

import numpy as np
import pytest

from harness.doubts import doubts, unsettled
from harness.records import AnyRecord, End, Framework, Growth, Phase, Samples, Threads, Warmup
from harness.results import CpuMode, Requested
from harness.stats.samples import busy_threads
from harness.units import MIB
from tests.factories import samples
from tests.unit.trials import LIMITS, PAGE_CACHE, REQUESTED, end, ended, until, whole

SECOND = 10**9
FRAMEWORK = {
    "type": "framework",
    "version": "1",
    "python": "3",
    "threads_told": 2,
    "threads_reported": 2,
    "settings": {},
}
QUOTA = REQUESTED.model_copy(update={"cpu_mode": CpuMode.QUOTA, "cpuset": None, "quota_cpus": 1.0})


def kinds(records: Iterable[AnyRecord], requested: Requested = REQUESTED) -> set[str]:
    return {doubt.kind for doubt in doubts(list(records), requested)}


def threads(*shares: float) -> Threads:
    return Threads(
        type="threads", total=len(shares), busy_ns=tuple(round(share * SECOND) for share in shares)
    )


def framework(told: int | None = 2, reported: int | None = 2) -> AnyRecord:
    return Framework.model_validate(FRAMEWORK | {"threads_told": told, "threads_reported": reported})


def warmup(*, settled: bool) -> Warmup:
    return Warmup(type="warmup", settled=settled, window_calls=(9, 9, 9), window_median_ns=(30, 20, 10))


def latencies(*thirds: int) -> Samples:
    return samples([ns for third in thirds for ns in [third] * 10], Phase.STEADY)


def test_a_trial_that_went_well_has_no_doubt() -> None:
    good = [warmup(settled=True), framework(1, 1), threads(0.99, 0.01), latencies(100, 100, 100)]
    assert kinds([*whole(), *good]) == set()


def test_how_much_faster_the_last_third_was_is_said_against_the_first() -> None:
    (doubt,) = doubts([*whole(), latencies(100, 80, 57)], REQUESTED)
    assert doubt.text.endswith("than the one before; the last was 43 % faster than the first")


def test_a_warm_up_that_never_settled() -> None:
    assert kinds([*whole(), warmup(settled=False)]) == {"not_settled"}


@pytest.mark.parametrize(
    ("thirds", "found"),
    [
        ((100, 94, 88), {"not_settled"}),
        ((100, 80, 80), set()),
        ((80, 100, 120), set()),
        ((100, 99, 98), set()),
    ],
)
def test_a_steady_phase_that_falls_and_falls_has_not_settled(
    thirds: tuple[int, ...], found: set[str]
) -> None:
    assert kinds([*whole(), latencies(*thirds)]) == found


@pytest.mark.parametrize("calls", [10, 15, 30])
def test_a_few_calls_that_vary_by_chance_have_settled(calls: int) -> None:
    rng = np.random.default_rng(1)
    spread = np.exp(rng.normal(0, 0.1, (1000, calls)))
    tagged = sum(
        bool(list(unsettled([samples((1e6 * trial).astype(int).tolist(), Phase.STEADY)]))) for trial in spread
    )
    assert tagged <= 10


def test_ten_calls_that_fall_and_fall_have_not_settled() -> None:
    assert kinds([*whole(), samples([round(1e6 * 0.95**call) for call in range(10)], Phase.STEADY)]) == {
        "not_settled"
    }


def test_a_mean_far_from_the_median() -> None:
    assert "disturbed" in kinds([*whole(), samples([100] * 30 + [10_000] * 3, Phase.STEADY)])


def test_latencies_of_nothing_are_no_doubt() -> None:
    """A container may say anything: a median of 0 has no multiple."""
    assert kinds([*whole(), samples([0, 0, 0, 5], Phase.STEADY)]) == set()


@pytest.mark.parametrize(
    ("told", "reported", "busy", "found"),
    [
        (2, 4, (1.0, 1.0), {"threads_differ"}),
        (2, None, (1.0, 1.0), set()),
        (2, 2, (0.4, 0.4, 0.3), {"threads_exceeded"}),
        (2, 2, (1.0, 0.01), {"threads_idle"}),
        (None, 8, (0.5, 0.5), {"oversubscribed"}),
        (4, 4, (0.25,) * 4, {"oversubscribed"}),
        (None, 64, (1 / 64,) * 64, {"oversubscribed"}),
    ],
)
def test_threads_told_said_and_seen(
    told: int | None, reported: int | None, busy: tuple[float, ...], found: set[str]
) -> None:
    two = REQUESTED.model_copy(update={"cpuset": (0, 1)}) if told == 2 else REQUESTED
    assert kinds([*whole(), framework(told, reported), threads(*busy)], two) == found


def test_a_thread_is_busy_from_a_twentieth_of_the_busiest_ones_time_on() -> None:
    assert busy_threads([*whole(), threads(0.9, 0.05, 0.04)]) == 2
    assert busy_threads([*whole(), threads(*[1 / 64] * 64)]) == 64
    assert busy_threads([*whole(), threads(0, 0)]) == 0
    assert busy_threads([*whole(), threads()]) == 0
    assert busy_threads([*whole(), Threads(type="threads", total=None, busy_ns=None)]) is None
    assert busy_threads(whole()) is None


@pytest.mark.parametrize(("throttled", "found"), [(9, {"throttled"}), (0, set())])
def test_a_quota_that_stopped_it(throttled: int, found: set[str]) -> None:
    changes = {"periods": 10, "throttled_periods": throttled, "throttled_ns": SECOND // 2}
    steady = ended(Phase.STEADY).model_copy(update=changes)
    records = [record for record in whole() if record != ended(Phase.STEADY)]
    limits = [
        record.model_copy(update={"quota_cpus": 1.0}) if record == LIMITS else record for record in records
    ]
    assert kinds([*limits, steady], QUOTA) == found
    assert "throttled" not in kinds([*limits, steady])  # some kernels count periods without a quota


def test_a_steady_phase_that_took_no_time_was_not_throttled() -> None:
    changes = {"wall_ns": 0, "periods": 5, "throttled_periods": 5, "throttled_ns": 1}
    steady = ended(Phase.STEADY).model_copy(update=changes)
    assert kinds([*until(Phase.STEADY), steady], QUOTA) == set()


def test_memory_that_grows() -> None:
    calls = tuple(range(100, 2100, 100))
    leaking = Growth(type="growth", calls=calls, anon_bytes=tuple(MIB * index for index in range(20)))
    flat = Growth(type="growth", calls=calls, anon_bytes=(MIB,) * 20)
    assert kinds([*whole(), leaking]) == {"memory_grows"}
    assert kinds([*whole(), flat]) == set()


@pytest.mark.parametrize(("swap", "found"), [(None, {"swap_unknown"}), (0, set())])
def test_swap_that_the_kernel_does_not_account(swap: int | None, found: set[str]) -> None:
    limits = LIMITS.model_copy(update={"swap_bytes": swap})
    assert kinds([limits if record == LIMITS else record for record in whole()]) == found


@pytest.mark.parametrize(
    ("mode", "charged", "found"),
    [
        ("cold", 10 * MIB, {"page_cache_shared"}),
        ("cold", 40 * MIB, set()),
        ("warm", 10 * MIB, set()),
    ],
)
def test_mapped_files_that_are_charged_to_somebody_else(mode: str, charged: int, found: set[str]) -> None:
    steady = ended(Phase.STEADY, file=60 * MIB, charged=charged)
    dropped = PAGE_CACHE.model_copy(update={"mode": mode})
    records = [dropped if record == PAGE_CACHE else record for record in whole()]
    assert kinds([*records, steady]) == found


@pytest.mark.parametrize(
    ("ending", "found"),
    [
        (end(oom_kills=1), {"oom_kill_survived"}),
        (end(oom_kills=0), set()),
        (end(oom_kills=None), set()),
        (end(oom_kills=1, exit_code=None, signal=SIGKILL), set()),
    ],
)
def test_a_kill_for_memory_that_the_worker_survived(ending: End, found: set[str]) -> None:
    assert kinds([*whole()[:-1], ending]) == found


def test_threads_beyond_the_cpus_are_no_doubt_where_they_hardly_compute() -> None:
    assert kinds([*whole(), framework(None, 8), threads(0.9, *[0.01] * 7)]) == set()
    assert kinds([*whole(), framework(None, 8), Threads(type="threads", total=None, busy_ns=None)]) == set()


def test_a_trial_that_died_early_has_no_doubt_about_what_it_never_did() -> None:
    assert kinds(until(Phase.LOAD)) == set()


def test_a_figure_that_the_kernel_does_not_give_is_explained() -> None:
    old = LIMITS.model_copy(update={"missing_files": ("memory.peak", "pids.max")})
    (doubt,) = list(doubts([old], REQUESTED))
    assert doubt.kind == "figure_unknown"
    assert doubt.text == "this kernel has no memory.peak: the peak of the cgroup is unknown"

"""How the runner warms up, what it notes between calls, and what its own latencies and notes take."""

import mmap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from runner.cgroup import CgroupV2
from runner.growth import MOST, PAGE, Growth, anonymous_bytes
from runner.measure import NOTES, measure, reserve, resident_bytes
from runner.phases import Phases
from runner.warmup import LONGEST, MIN_CALLS, WINDOWS, settled, warm_up


@pytest.mark.parametrize(
    ("medians", "expected"),
    [
        ([9, 9], False),
        ([9, 9, 9], True),
        ([30, 20, 10], False),
        ([30, 10, 10], False),
        ([10, 9, 20], True),
        ([30, 20, 10, 10, 10], True),
    ],
)
def test_a_warm_up_has_settled_when_it_is_no_faster_than_before(
    medians: list[int], *, expected: bool
) -> None:
    assert settled(medians) is expected


def clock(steps: Iterator[int], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]

    def read() -> int:
        now[0] += next(steps)
        return now[0]

    monkeypatch.setattr("runner.measure.time.perf_counter_ns", read)
    monkeypatch.setattr("runner.warmup.gc.collect", lambda: 0)  # nothing is frozen here


def constant() -> Iterator[int]:
    while True:
        yield 10**6


def falling() -> Iterator[int]:
    """Every call is quicker than the one before, for ever."""
    step = 10**9
    while True:
        step = max(1, step * 97 // 100)
        yield step


def test_a_steady_call_is_warm_after_three_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(constant(), monkeypatch)
    windows, record = warm_up(lambda _: None, [0], seconds=0.03)
    assert record["settled"] is True
    assert len(record["window_median_ns"]) == WINDOWS  # type: ignore[arg-type]
    assert [len(window) for window in windows] == record["window_calls"]


def test_full_windows_of_quick_calls_go_on_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.warmup.MAX_CALLS", 4)
    clock(constant(), monkeypatch)
    begin = time.perf_counter_ns()
    windows, _ = warm_up(lambda _: None, [0], seconds=0.1)
    assert {len(window) for window in windows} == {4}
    assert WINDOWS < len(windows) < WINDOWS * LONGEST
    assert time.perf_counter_ns() - begin >= 100 * 10**6


def test_a_call_that_never_settles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(falling(), monkeypatch)
    _, record = warm_up(lambda _: None, [0], seconds=3.0)
    assert record["settled"] is False
    windows = len(record["window_median_ns"])  # type: ignore[arg-type]
    assert WINDOWS < windows <= WINDOWS * LONGEST


@pytest.mark.parametrize("seconds", [0.3, 10.0])
def test_slow_calls_are_given_up_after_the_same_time_as_quick_ones(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """A window of four calls of some seconds takes longer than it should."""
    now = [0]
    monkeypatch.setattr("runner.measure.time.perf_counter_ns", lambda: now[0])
    step = [4 * 10**9]

    def call(_: int) -> None:
        step[0] = step[0] * 97 // 100
        now[0] += step[0]

    _, record = warm_up(call, [0], seconds=seconds)
    assert record["settled"] is False
    window = MIN_CALLS * 4
    assert now[0] <= max(WINDOWS * window, LONGEST * seconds + window) * 10**9


def test_a_warm_up_of_full_windows_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.warmup.MAX_CALLS", 4)
    clock(falling(), monkeypatch)
    _, record = warm_up(lambda _: None, [0], seconds=1e6)
    assert record["settled"] is False
    assert len(record["window_median_ns"]) == WINDOWS * LONGEST  # type: ignore[arg-type]


def test_notes_are_spread_over_the_phase_and_the_last_is_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(constant(), monkeypatch)
    notes: list[int] = []
    latencies = measure(
        lambda _: None, [0], seconds=1.0, min_iterations=1, max_iterations=10_000, note=notes.append
    )
    assert notes[-1] == len(latencies)
    assert NOTES <= len(notes) <= NOTES + 2
    assert notes == sorted(set(notes))


def test_a_note_stands_outside_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def read() -> int:
        seen.append("clock")
        return len(seen) * 10**6

    monkeypatch.setattr("runner.measure.time.perf_counter_ns", read)
    latencies = measure(
        lambda _: seen.append("call"),
        [0],
        seconds=0,
        min_iterations=3,
        max_iterations=9,
        note=lambda _: seen.append("note"),
    )
    # The first reading is that of the phase's beginning; each note stands after a call's second reading.
    assert seen == ["clock", *["clock", "call", "clock", "note"] * 3]
    assert latencies.tolist() == [2 * 10**6] * 3


def test_a_phase_that_goes_on_past_its_time_is_noted_at_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(constant(), monkeypatch)
    notes: list[int] = []
    measure(lambda _: None, [0], seconds=0.01, min_iterations=500, max_iterations=500, note=notes.append)
    assert notes[-1] == 500
    assert notes == sorted(set(notes))


def test_room_for_latencies_is_writable_and_whole() -> None:
    room = reserve(1000)
    room[:] = np.arange(1000)
    assert room.dtype == np.uint64
    assert int(room.sum()) == 499_500


def test_room_for_latencies_declines_huge_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    advised: list[int] = []

    class Room(mmap.mmap):
        def madvise(self, option: int, *_: int) -> None:
            advised.append(option)

    monkeypatch.setattr("runner.measure.mmap.mmap", Room)
    reserve(1000)
    assert advised == [mmap.MADV_NOHUGEPAGE]


def test_each_phase_has_a_peak_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peak = [500]
    told: list[dict[str, object]] = []
    monkeypatch.setattr("runner.process.reset_peak", lambda: peak.__setitem__(0, 100))
    monkeypatch.setattr("runner.process.status", lambda: {"rss_peak_bytes": peak[0]})
    monkeypatch.setattr("runner.phases.report", told.append)
    phases = Phases(CgroupV2(str(tmp_path)))
    for name, added in (("load", 70), ("compile", 7)):
        with phases.phase(name):
            peak[0] += added
    assert [each["rss_peak_bytes"] for each in told if each["type"] == "phase"] == [170, 107]


def test_kept_latencies_are_no_anonymous_memory() -> None:
    room = reserve(1_000_000)
    before = anonymous_bytes()
    room[:] = 1
    after = anonymous_bytes()
    assert before is not None
    assert after is not None
    assert after - before < room.nbytes / 4


def shared_bytes() -> int:
    """Resident pages of this process that are shared and stand for no file.

    Counted page by page: the counters of `status` lag behind on kernels before 6.16, which batch them on each CPU.
    """
    rollup = Path("/proc/self/smaps_rollup").read_text()
    (line,) = [line for line in rollup.splitlines() if line.startswith("Pss_Shmem:")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("calls", [1, 512, 513, 100_000])
def test_what_latencies_hold_is_known_exactly(calls: int) -> None:
    before = shared_bytes()
    latencies = measure(
        lambda _: None, [0], seconds=0, min_iterations=calls, max_iterations=2 * calls + 10_000
    )
    assert shared_bytes() - before == resident_bytes(latencies) >= latencies.nbytes


def test_a_warm_up_keeps_its_latencies_where_they_were_written() -> None:
    windows, _ = warm_up(lambda _: None, [0], seconds=0)
    assert all(isinstance(window.base.base, memoryview | mmap.mmap) for window in windows)  # type: ignore[union-attr]


def test_growth_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.growth.anonymous_bytes", lambda: 10_000)
    monkeypatch.setattr("runner.growth.gc.collect", lambda: 0)  # nothing is frozen here
    growth = Growth()
    for calls in range(MOST + 10):
        growth.note(calls)
    record = growth.record()
    assert record["calls"] == list(range(MOST))
    assert record["anon_bytes"] == [10_000] * MOST


def test_garbage_is_no_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr("runner.growth.gc.collect", lambda: seen.append("collect"))
    monkeypatch.setattr("runner.growth.anonymous_bytes", lambda: seen.append("look"))
    Growth().note(1)
    assert seen == ["collect", "look"]


def test_memory_that_cannot_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.growth.read_text", lambda _: None)
    growth = Growth()
    growth.note(7)
    assert growth.record() == {"type": "growth", "calls": [], "anon_bytes": []}


def test_anonymous_memory_is_what_is_resident_and_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.growth.read_text", lambda _: "9000 700 300 1 0 5 0\n")
    assert anonymous_bytes() == 400 * PAGE

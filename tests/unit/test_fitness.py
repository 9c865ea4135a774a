"""What spoils a trial: the host, and never its own figures."""

import pytest

from harness.fitness import copy_speed, is_spoiled, judged, machine_speed, next_probe, probe_moved, spoilers
from harness.records import AnyRecord, Moment, Phase
from harness.results import CpuMode, Status, TypedWarning
from tests.factories import cell, conditions, probe, trial
from tests.unit.trials import LIMITS, REQUESTED, ended

SECOND = 10**9
HERE, ELSEWHERE = cell(cpus=1), cell(cpus=2)
QUIET = {"busy_ns": 10 * SECOND, "steal_ns": 0, "swapped_pages": 7, "throttle_events": 3}


def around(*, cpus: tuple[int, ...] = (1,), wall_ns: int = SECOND, **changes: int | None) -> list[AnyRecord]:
    """A steady phase of a second with a second of the cell's own CPU time, between two readings of the host.

    Args:
        cpus: those that the cell may use, over which the readings are sums.
        wall_ns: between the readings.
        changes: how much more each counter grew; `None` where it is not shown.
    """
    after = {**QUIET, "busy_ns": QUIET["busy_ns"] + SECOND}
    grown = {name: None if value is None else after[name] + value for name, value in changes.items()}
    return [
        LIMITS.model_copy(update={"cpuset": cpus}),
        conditions(Moment.STEADY_START, 0, **QUIET),
        ended(Phase.STEADY),
        conditions(Moment.STEADY_END, wall_ns, **(after | grown)),
    ]


def kinds(records: list[AnyRecord], **changes: object) -> list[str]:
    return [doubt.kind for doubt in spoilers(records, REQUESTED.model_copy(update=changes))]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"steal_ns": SECOND // 25}, []),
        ({"steal_ns": SECOND // 10}, ["stolen"]),
        ({"busy_ns": SECOND // 10}, []),
        ({"busy_ns": SECOND // 5}, ["foreign_load"]),
        ({"swapped_pages": 1}, ["swapping"]),
        ({"throttle_events": 2}, ["too_hot"]),
        ({"steal_ns": None, "busy_ns": None, "swapped_pages": None, "throttle_events": None}, []),
    ],
)
def test_each_spoiler_on_and_off(changes: dict[str, int | None], found: list[str]) -> None:
    assert kinds(around(**changes)) == found  # type: ignore[arg-type]


def test_under_a_quota_others_may_use_the_other_cores() -> None:
    busy = around(busy_ns=SECOND // 2)
    assert kinds(busy, cpu_mode=CpuMode.QUOTA, cpuset=None, quota_cpus=1.0) == []


def test_a_cpu_that_idles_has_no_time_to_lose() -> None:
    lost = SECOND // 16
    assert kinds(around(steal_ns=lost)) == ["stolen"]
    assert kinds(around(steal_ns=lost, cpus=(0, 1)), cpuset=(0, 1)) == ["stolen"]
    assert kinds(around(steal_ns=lost, busy_ns=SECOND // 4, cpus=(0, 1)), cpuset=(0, 1)) == []


def test_a_quota_loses_what_the_host_lost_on_average() -> None:
    quota = {"cpu_mode": CpuMode.QUOTA, "cpuset": None, "quota_cpus": 1.0}
    alone = around(steal_ns=SECOND, cpus=tuple(range(16)))
    assert [(each.kind, each.text) for each in spoilers(alone, REQUESTED.model_copy(update=quota))] == [
        (
            "stolen",
            "the hypervisor gave others 50 % of the time that the host's CPUs, which it shares, wanted to run",
        )
    ]
    assert kinds(around(steal_ns=SECOND // 2, busy_ns=10 * SECOND, cpus=tuple(range(16))), **quota) == []


def test_a_host_that_did_nothing_lost_nothing() -> None:
    assert kinds(around(busy_ns=-SECOND)) == []


def test_a_container_that_tells_nonsense_about_time_is_not_judged() -> None:
    assert kinds(around(wall_ns=0, steal_ns=SECOND)) == []


def test_a_trial_without_readings_is_not_judged() -> None:
    assert kinds([ended(Phase.STEADY)]) == []
    assert kinds(around(steal_ns=SECOND)[1:]) == []  # without limits nobody knows over how many CPUs


def test_the_next_probe_is_one_on_the_same_cpus() -> None:
    probes = {0: probe(0, of=HERE), 1: probe(1, of=ELSEWHERE), 2: probe(2, of=HERE), 3: probe(3, of=HERE)}
    assert next_probe(probes[0], probes) == probes[2]
    assert next_probe(probes[1], probes) is None


def test_the_next_probe_is_one_of_the_same_session() -> None:
    """A block that was cut off is not judged by the machine of another day."""
    later = probe(1, of=HERE, speed=1e9).model_copy(update={"session": 1})
    probes = {0: probe(0, of=HERE), 1: later}
    assert next_probe(probes[0], probes) is None
    assert list(probe_moved(trial(HERE), probes)) == []


def test_the_next_probe_of_a_quota_is_one_under_the_same_quota() -> None:
    half, whole, quota = cell(cpus=0.5), cell(cpus=1), cell(cpus=1, cpu_mode="quota")
    probes = {number: probe(number, of=of) for number, of in enumerate((half, quota, whole, half, quota))}
    assert [next_probe(probes[number], probes) for number in range(3)] == [probes[3], probes[4], None]


def test_the_cap_of_a_probe_does_not_tell_it_from_another_on_the_same_cpus() -> None:
    small = cell(cpus=1, memory_bytes=512 * 1024**2)
    probes = {0: probe(0, of=HERE), 1: probe(1, of=small)}
    assert next_probe(probes[0], probes) == probes[1]


@pytest.mark.parametrize(("speed", "moved"), [(5e10, False), (5.6e10, False), (6e10, True), (4e10, True)])
def test_a_machine_that_changed_its_speed_spoils_the_block(speed: float, *, moved: bool) -> None:
    probes = {0: probe(0, of=HERE), 1: probe(1, of=HERE, speed=speed)}
    found = list(probe_moved(trial(HERE), probes))
    assert bool(found) is moved


def test_without_a_probe_on_both_sides_nothing_moved() -> None:
    assert list(probe_moved(trial(HERE), {0: probe(0, of=HERE)})) == []
    assert (
        list(probe_moved(trial(HERE, probe=None), {0: probe(0, of=HERE), 1: probe(1, of=HERE, speed=1e9)}))
        == []
    )


def test_only_a_trial_that_ended_well_is_spoiled() -> None:
    doubt = TypedWarning(kind="stolen", text="x")
    assert is_spoiled(trial(HERE, spoiled=(doubt,)))
    assert not is_spoiled(trial(HERE, spoiled=(doubt,), status=Status.OOM))
    assert not is_spoiled(trial(HERE))


def test_judging_keeps_the_trials_own_reasons() -> None:
    doubt = TypedWarning(kind="stolen", text="x")
    probes = {0: probe(0, of=HERE), 1: probe(1, of=HERE, speed=1e10)}
    (one,) = judged([trial(HERE, spoiled=(doubt,))], probes)
    assert [each.kind for each in one.spoiled] == ["stolen", "probe_moved"]


def test_speeds_are_of_the_median_repetition() -> None:
    made = probe(multiply_adds=1000, matmul_ns=(10, 20, 900), copy_bytes=500, copy_ns=(50,))
    assert machine_speed(made) == pytest.approx(1000 / 20e-9)
    assert copy_speed(made) == pytest.approx(500 / 50e-9)


def test_a_condensed_probe_says_the_same_of_the_machines_speed() -> None:
    made = probe(0, matmul_ns=(30, 10, 20), copy_ns=(5, 4, 3), loop_ns=(7, 8, 9))
    small = made.condensed()
    assert (small.matmul_ns, small.copy_ns, small.loop_ns) == ((20,), (4,), (8,))
    assert (machine_speed(small), copy_speed(small)) == (machine_speed(made), copy_speed(made))

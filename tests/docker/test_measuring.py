"""What a trial measures beside its latencies, on the real engine."""

import numpy as np
import pytest

from harness.cores import request_limits
from harness.fitness import copy_speed, machine_speed
from harness.records import Clock, Conditions, Framework, Growth, Moment, Phase, Samples, Threads, Warmup
from harness.reference import run_reference
from harness.results import Cell, Status, Trial
from harness.stats.samples import busy_threads, steady_latencies_ns
from harness.stats.slope import slope_bytes_per_call
from tests.docker.conftest import MIB, Place

pytestmark = pytest.mark.docker


def kinds(trial: Trial) -> set[str]:
    return {doubt.kind for doubt in trial.warnings}


def test_the_null_framework_answers_rightly_and_shows_the_timers_floor(frameworks: Place) -> None:
    trial = frameworks.trial("null")
    assert trial.status is Status.OK, trial.reason
    assert float(np.median(steady_latencies_ns(trial.records))) < 2000  # nanoseconds


def test_a_trial_tells_of_its_warm_up_its_threads_its_growth_and_the_host(frameworks: Place) -> None:
    trial = frameworks.trial("onnxruntime")

    assert trial.status is Status.OK, trial.reason
    assert [record.moment for record in trial.all(Conditions)] == [
        Moment.BEFORE,
        Moment.STEADY_START,
        Moment.STEADY_END,
        Moment.AFTER,
    ]
    assert {record.clock for record in trial.all(Samples)} == {Clock.END_TO_END, Clock.CORE}
    warmup, threads, growth = trial.find(Warmup), trial.find(Threads), trial.find(Growth)
    assert warmup is not None
    assert len(warmup.window_median_ns) >= 3
    assert threads is not None
    assert busy_threads(trial.records) == 1
    assert growth is not None
    assert len(growth.calls) > 10
    assert slope_bytes_per_call(trial) == pytest.approx(0, abs=4), (
        "the 8 bytes that the loop keeps are not counted"
    )
    assert "memory_grows" not in kinds(trial)


@pytest.mark.parametrize("name", ["pytorch", "tensorflow", "jax", "onnxruntime", "openvino"])
def test_the_second_clock_runs_the_same_call_on_the_frameworks_own_tensors(
    frameworks: Place, name: str
) -> None:
    trial = frameworks.trial(name, memory=1024 * MIB, batch=1000)
    assert trial.status is Status.OK, trial.reason
    medians = {
        samples.clock: float(np.median(samples.latencies_ns()))
        for samples in trial.all(Samples)
        if samples.phase is Phase.STEADY
    }
    # The machine may change its speed between the two, but not sevenfold.
    assert 1 / 7 < medians[Clock.CORE] / medians[Clock.END_TO_END] < 2


def test_a_thread_count_of_its_own_is_told_and_too_many_threads_are_warned_of(frameworks: Place) -> None:
    trial = frameworks.trial("pytorch", memory=1024 * MIB, batch=1000, threads=4)
    said = trial.find(Framework)
    assert said is not None
    assert (said.threads_told, said.threads_reported) == (4, 4)
    assert busy_threads(trial.records) == 4
    assert "oversubscribed" in kinds(trial)


def test_left_to_itself_under_a_quota_a_framework_is_throttled_and_it_is_said(frameworks: Place) -> None:
    """Nothing is told, so that it takes a thread for each core that it sees, which is every core of the host.

    It has half a CPU, so that the one thread of a host of one core is stopped as well.
    """
    trial = frameworks.trial("pytorch", cpus=0.5, memory=1024 * MIB, batch=1000, threads="default")
    said = trial.find(Framework)
    assert trial.status is Status.OK, trial.reason
    assert said is not None
    assert said.threads_told is None
    assert said.threads_reported is not None
    assert "throttled" in kinds(trial)
    assert ("oversubscribed" in kinds(trial)) == (said.threads_reported > 1)


def test_a_cpuset_is_never_throttled(frameworks: Place) -> None:
    assert "throttled" not in kinds(frameworks.trial("pytorch", memory=1024 * MIB, batch=1000))


def test_the_reference_probe_measures_the_machine_on_a_cells_cpus(frameworks: Place) -> None:
    cell = Cell(framework="null", model="spam-fnn", cpus=1, memory_bytes=512 * MIB, batch=1)
    limits = request_limits(cell, topology=frameworks.topology, memory_bytes=frameworks.memory_bytes)
    probe = run_reference(
        frameworks.engine,
        frameworks.bench.supplies.images["null"],
        limits,
        run_id="tests",
        number=0,
        on_tick=lambda: None,
    )
    assert probe is not None
    assert 1e8 < machine_speed(probe) < 1e13
    assert 1e8 < copy_speed(probe) < 1e12
    assert probe.requested.cpuset == limits.cpuset

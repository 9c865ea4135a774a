"""The five frameworks, each in its own image, on the spam classifier."""

import pytest

from harness.records import Framework, Output, Phase, PhaseEnd, ProcessView, Samples
from harness.results import Status, Trial
from tests.docker.conftest import MIB, Place

pytestmark = pytest.mark.docker

NAMES = ["pytorch", "tensorflow", "jax", "onnxruntime", "openvino"]


def peak(trial: Trial) -> int:
    return max(phase.rss_peak_bytes or 0 for phase in trial.all(PhaseEnd))


def anonymous(trial: Trial) -> int:
    return max(phase.rss_anon_bytes or 0 for phase in trial.all(PhaseEnd))


@pytest.mark.parametrize("name", NAMES)
def test_a_framework_goes_through_all_phases_and_answers_right(frameworks: Place, name: str) -> None:
    trial = frameworks.trial(name, memory=2048 * MIB)

    assert (trial.status, trial.reason) == (Status.OK, "")
    assert trial.limits_enforced
    assert [phase.name for phase in trial.all(PhaseEnd)] == list(Phase)
    output, process = trial.find(Output), trial.find(ProcessView)
    assert output is not None
    assert output.max_abs_error is not None
    assert output.max_abs_error <= 1e-5
    assert process is not None
    for phase in trial.all(PhaseEnd):
        assert phase.cpu_ns
        assert phase.rss_peak_bytes
        assert phase.threads
    assert {samples.phase for samples in trial.all(Samples)} == {Phase.FIRST, Phase.WARMUP, Phase.STEADY}


@pytest.mark.parametrize("name", NAMES)
def test_a_framework_is_told_its_threads_and_says_its_version(frameworks: Place, name: str) -> None:
    trial = frameworks.trial(name, memory=2048 * MIB)
    told = trial.find(Framework)
    assert told is not None
    assert told.threads_told == 1
    assert told.threads_reported in {1, None}
    package = frameworks.bench.supplies.specs[name].package
    assert told.version.startswith(frameworks.bench.run.images[name].packages[package])


def test_memory_is_the_same_whatever_ran_before(frameworks: Place) -> None:
    """The page-cache case: a warm host must not make a cell look smaller."""
    first, second = (frameworks.trial("tensorflow", memory=2048 * MIB) for _ in range(2))
    assert peak(second) == pytest.approx(peak(first), rel=0.03)
    assert anonymous(second) == pytest.approx(anonymous(first), rel=0.03)


def test_a_cell_never_shows_more_resident_than_its_cap(frameworks: Place) -> None:
    frameworks.trial("tensorflow", memory=2048 * MIB)  # fills the page cache
    trial = frameworks.trial("tensorflow", memory=256 * MIB)
    assert trial.status in {Status.OK, Status.OOM}
    assert peak(trial) <= 256 * MIB
    assert "page_cache_shared" not in {doubt.kind for doubt in trial.warnings}


def test_a_cap_far_too_small_is_an_oom_by_thrashing(frameworks: Place) -> None:
    trial = frameworks.trial("pytorch", memory=64 * MIB)
    assert trial.status is Status.OOM
    assert trial.evidence.read_bytes is not None
    assert trial.engine_s < 60

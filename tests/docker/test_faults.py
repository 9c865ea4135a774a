"""Every way a trial can end, through the real engine."""

import time

import pytest

from harness.records import End, Phase
from harness.results import Status
from tests.docker.conftest import MIB, Place

pytestmark = pytest.mark.docker


def test_a_framework_that_behaves_is_ok(faults: Place) -> None:
    trial = faults.trial("fault")
    assert (trial.status, trial.reason) == (Status.OK, "")
    assert trial.limits_enforced


@pytest.mark.parametrize("phase", list(Phase))
def test_an_allocation_past_the_cap_is_an_oom_with_its_phase(faults: Place, phase: Phase) -> None:
    trial = faults.trial("fault", fault=f"allocate:{phase}", memory=128 * MIB)
    assert (trial.status, trial.phase) == (Status.OOM, phase)
    # A kernel that drops file pages first may let the worker thrash, and the supervisor ends it before the killer does.
    assert trial.evidence.oom_kills or "thrashing" in trial.reason
    assert trial.evidence.peak_bytes is not None
    assert trial.evidence.peak_bytes > 0.95 * 128 * MIB


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("crash:compile", Status.CRASH, "killed by SIGSEGV in compile"),
        ("refuse:load", Status.UNSUPPORTED, "operator Frobnicate"),
        ("fail:load", Status.CRASH, "ValueError in load: <script>"),
        ("leave:steady", Status.CRASH, "without a result"),
        ("breed:load", Status.CRASH, "without a result"),
        ("chatter:load", Status.CRASH, "exit code 4"),
        ("forge:load", Status.CRASH, "BadRecord"),
        ("wrong:", Status.INVALID_OUTPUT, "largest error 1"),
    ],
)
def test_each_fault_has_its_own_verdict(faults: Place, fault: str, status: Status, words: str) -> None:
    trial = faults.trial("fault", fault=fault)
    assert (trial.status, words in trial.reason) == (status, True), trial.reason


def test_a_trial_that_hangs_is_out_of_time_and_gone(faults: Place) -> None:
    start = time.monotonic()
    trial = faults.trial("fault", fault="hang:steady", timeout_s=3)
    assert (trial.status, trial.phase) == (Status.TIMEOUT, Phase.STEADY)
    assert time.monotonic() - start < 20


def test_of_a_megabyte_of_chatter_the_end_is_kept(faults: Place) -> None:
    trial = faults.trial("fault", fault="chatter:load")
    end = trial.find(End)
    assert end is not None
    assert end.log_bytes > 10**6
    assert trial.evidence.log_tail.endswith("the reason\n")
    assert len(trial.evidence.log_tail) <= 16 * 1024


def test_a_leak_is_warned_of(faults: Place) -> None:
    trial = faults.trial("fault", fault="leak:steady")
    assert trial.status is Status.OK, trial.reason
    assert "memory_grows" in {doubt.kind for doubt in trial.warnings}

"""Proofs that take longer than `make test` may: `make prove`."""

from pathlib import Path

import pytest

from harness.doubts import SHARED_PAGES_SLACK
from harness.records import Output, PhaseEnd
from harness.results import Status, Trial
from tests.docker.conftest import MIB, Place

pytestmark = [pytest.mark.docker, pytest.mark.prove]

DROP = Path("/proc/sys/vm/drop_caches")
NAMES = ["pytorch", "tensorflow", "jax", "onnxruntime", "openvino"]


def peaks(trial: Trial) -> tuple[int, int]:
    """The headline peak and the anonymous peak, in bytes."""
    phases = list(trial.all(PhaseEnd))
    return (
        max(phase.rss_peak_bytes or 0 for phase in phases),
        max(phase.rss_anon_bytes or 0 for phase in phases),
    )


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_the_same_first_last_and_on_a_cold_host(frameworks: Place, name: str) -> None:
    """Needs root on the engine's own host: a cold host is made by dropping its caches."""
    first = frameworks.trial(name, memory=2048 * MIB)
    for other in NAMES:
        frameworks.trial(other, memory=2048 * MIB)
    last = frameworks.trial(name, memory=2048 * MIB)
    DROP.write_text("3\n")
    cold = frameworks.trial(name, memory=2048 * MIB)

    for trial in (last, cold):
        assert peaks(trial) == pytest.approx(peaks(first), rel=0.03)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("megabytes", [32, 48, 64, 96, 128, 192, 256, 384])
def test_every_cap_ends_in_an_answer_or_an_oom(frameworks: Place, name: str, megabytes: int) -> None:
    trial = frameworks.trial(name, memory=megabytes * MIB)

    output = trial.find(Output)
    assert trial.status in {Status.OK, Status.OOM}, trial.reason
    assert trial.engine_s < 90
    if output is not None:
        # The supervisor maps the interpreter too, so those few pages may be charged to nobody.
        assert peaks(trial)[0] <= megabytes * MIB + SHARED_PAGES_SLACK

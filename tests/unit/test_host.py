"""What a run records of its host."""

from harness.host import describe_host
from tests.unit.invented_hosts import INFO, PLAIN, host


def test_a_host_keeps_the_fingerprint_that_earlier_runs_recorded() -> None:
    assert describe_host(host(), INFO).fingerprint == "815d377fcabac9d3"


def test_a_host_with_a_node_without_memory_is_another() -> None:
    topology = [entry.model_copy(update={"has_memory": False}) for entry in PLAIN]
    assert describe_host(host(topology=topology), INFO).fingerprint != "815d377fcabac9d3"

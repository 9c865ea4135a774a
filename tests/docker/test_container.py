"""What a measured container may do, as the engine itself tells it."""

from typing import Any

import docker
import pytest

from harness.container import LABEL_CELL, PIDS_LIMIT, ContainerSpec
from harness.cores import request_limits
from harness.engine import LOCK_NAME, Engine
from harness.errors import BusyError
from harness.events import PhaseReached
from harness.records import Limits
from harness.results import Cell
from tests.docker.conftest import MIB, Place

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def inspected(client: docker.DockerClient, faults: Place) -> dict[str, Any]:
    """`docker inspect` of a running trial."""
    seen: list[dict[str, Any]] = []

    def look(event: object) -> None:
        if isinstance(event, PhaseReached) and not seen:
            (running,) = client.containers.list(filters={"label": LABEL_CELL})
            seen.append(running.attrs)

    faults.trial("fault", memory=256 * MIB, watch=look)
    return seen[0]


def test_a_trial_has_no_network_no_root_and_no_capability(inspected: dict[str, Any]) -> None:
    host = inspected["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert inspected["Config"]["User"] == "10001:10001"
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False


def test_a_trial_cannot_write_or_see_the_host(inspected: dict[str, Any]) -> None:
    host = inspected["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["PidsLimit"] == PIDS_LIMIT
    assert {mount["Type"] for mount in inspected["Mounts"]} == {"volume"}
    assert not any(mount["RW"] for mount in inspected["Mounts"])


def test_a_trial_has_the_limits_that_were_asked_for(inspected: dict[str, Any], faults: Place) -> None:
    host = inspected["HostConfig"]
    cell = Cell(framework="fault", model="spam-fnn", cpus=1, memory_bytes=256 * MIB, batch=1)
    (cpu,) = request_limits(cell, topology=faults.topology, memory_bytes=faults.memory_bytes).cpuset or ()
    assert host["Memory"] == host["MemorySwap"] == 256 * MIB
    assert host["CpusetCpus"] == str(cpu)
    assert host["CpuQuota"] == 0


def test_a_quota_is_read_back_from_inside(faults: Place) -> None:
    trial = faults.trial("fault", cpus=0.5)
    limits = trial.find(Limits)
    assert limits is not None
    assert limits.quota_cpus == pytest.approx(0.5)
    assert trial.limits_enforced


def test_nothing_is_left_of_a_trial(client: docker.DockerClient, faults: Place) -> None:
    faults.trial("fault")
    assert client.containers.list(all=True, filters={"label": LABEL_CELL}) == []


@pytest.mark.usefixtures("faults")
def test_a_second_harness_is_told_who_has_the_engine(client: docker.DockerClient, faults: Place) -> None:
    second = Engine(client, purpose="the second")
    image = faults.bench.supplies.images["probe"].id
    spec = ContainerSpec(image=image, name=LOCK_NAME, labels={}, module="runner.probe")
    with pytest.raises(BusyError, match="the tests"), second.hold(spec):
        pass

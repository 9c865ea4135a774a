"""`edgematrix doctor` on the real engine: what it finds, and that it leaves nothing behind."""

import json
import signal
import subprocess
import sys
import time

import docker
import pytest

from harness.container import LABEL_RUN
from harness.doctor import Check, Verdict, examine
from harness.doctor.noise import PROBES
from harness.engine import LOCK_NAME
from harness.errors import ExitCode
from harness.events import Event, Step
from tests.checkout import ROOT
from tests.docker.conftest import Place

pytestmark = pytest.mark.docker

DOCTOR = [sys.executable, "-m", "harness", "doctor"]


def left(client: docker.DockerClient) -> list[str]:
    """The doctor's containers, and the lock."""
    ours = client.containers.list(all=True, filters={"label": LABEL_RUN})
    return [
        str(found.name) for found in (*ours, *client.containers.list(all=True, filters={"name": LOCK_NAME}))
    ]


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_limits_are_read_back_and_measuring_is_possible(client: docker.DockerClient) -> None:
    diagnosis = examine(quick=True, listener=lambda _: None)
    checks = by_name(diagnosis.checks)
    assert diagnosis.possible
    assert diagnosis.noise == ()
    assert checks["engine"].verdict is Verdict.GOOD
    assert checks["limits"].verdict is Verdict.GOOD
    assert "1 CPU and a cap of 256 MiB were asked for, and are in effect" in checks["limits"].found
    assert checks["quota"].verdict is Verdict.GOOD
    assert "gets CPU" in checks["cores"].found
    assert left(client) == []


def test_the_noise_has_a_figure_for_each_work_on_each_cells_cpus(client: docker.DockerClient) -> None:
    events: list[Event] = []
    diagnosis = examine(quick=False, listener=events.append)
    cells = list(dict.fromkeys(noise.cell for noise in diagnosis.noise))
    assert cells[0] == "1 core"
    assert [noise.work for noise in diagnosis.noise] == [
        "matrix product",
        "copy",
        "interpreter loop",
    ] * len(cells)
    assert all(noise.probes == PROBES and noise.speed > 0 and noise.move >= 1 for noise in diagnosis.noise)
    assert {"steal", *(f"noise, {cell}" for cell in cells)} <= set(by_name(diagnosis.checks))
    told = [event for event in events if isinstance(event, Step) and event.subject == "noise"]
    assert len(told) == PROBES * len(cells) + 2
    assert left(client) == []


def test_without_an_engine_there_is_still_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such.sock")
    diagnosis = examine(quick=True, listener=lambda _: None)
    (check,) = diagnosis.checks
    assert (check.name, check.verdict) == ("engine", Verdict.BAD)
    assert "No Docker engine answers" in check.found
    assert "/no/such" not in check.found


def test_an_interrupt_leaves_nothing_behind(client: docker.DockerClient) -> None:
    with subprocess.Popen(DOCTOR, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as doctor:
        deadline = time.monotonic() + 120
        while not client.containers.list(filters={"label": LABEL_RUN, "name": "probe-"}):
            assert doctor.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        doctor.send_signal(signal.SIGINT)
        out, _ = doctor.communicate(timeout=60)
    assert doctor.returncode == ExitCode.INTERRUPTED
    assert out == b""
    assert left(client) == []


def test_a_held_engine_is_left_alone(client: docker.DockerClient, faults: Place) -> None:
    # The last of this module: its fixture holds the engine until the module ends.
    before = left(client)
    diagnosis = examine(quick=True, listener=lambda _: None)
    assert left(client) == before
    assert diagnosis.checks[-1].name == "quiet"
    assert not diagnosis.possible
    faults.engine.check_held()  # the lock is still its holder's, and alive
    done = subprocess.run([*DOCTOR, "--quick", "--json"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == ExitCode.ENVIRONMENT
    assert json.loads(done.stdout)["possible"] is False

"""Every way a trial can end, and every attack that we could think of, through the real engine: what is told of each.

`python -m pytest tests/docker/test_faults.py -rP` prints the table.
"""

import sys
import time
from dataclasses import replace
from socket import SHUT_RDWR

import docker
import pytest

from harness.attachment import Attachment
from harness.container import LABEL_CELL
from harness.events import PhaseReached
from harness.records import Clock, End, Framework, Phase, Samples
from harness.results import Status
from tests.docker.conftest import MIB, Place
from tests.docker.parents import small_parent

pytestmark = pytest.mark.docker

GIB = 1024 * MIB

TABLE = [
    # memory
    ("exhaust:load", Status.CRASH, Phase.LOAD, "MemoryError in load: the arena is full"),
    ("fill:load", Status.CRASH, Phase.LOAD, "No space left on device"),
    # ways to go
    ("crash:compile", Status.CRASH, Phase.COMPILE, "killed by SIGSEGV in compile"),
    ("abort:load", Status.CRASH, Phase.LOAD, "killed by SIGABRT in load"),
    ("suicide:load", Status.CRASH, Phase.LOAD, "killed by SIGKILL in load"),
    ("depart:import", Status.CRASH, Phase.IMPORT, "ended in import with exit code 7"),
    ("leave:steady", Status.CRASH, Phase.STEADY, "without a result"),
    ("breed:load", Status.CRASH, Phase.LOAD, "without a result"),
    ("multiply:load", Status.CRASH, Phase.LOAD, "BlockingIOError in load"),
    ("refuse:load", Status.UNSUPPORTED, Phase.LOAD, "operator Frobnicate"),
    ("fail:load", Status.CRASH, Phase.LOAD, "ValueError in load: <script>"),
    ("chatter:load", Status.CRASH, Phase.LOAD, "exit code 4"),
    # words
    ("tear:load", Status.CRASH, Phase.LOAD, "without a result"),
    ("babble:load", Status.CRASH, Phase.LOAD, "not a record in load: more than 1000 records"),
    ("nest:load", Status.CRASH, Phase.LOAD, "BadRecord in load: a worker may not say"),
    ("flood:load", Status.CRASH, Phase.LOAD, "more output than may be read in load"),
    ("inflate:load", Status.CRASH, Phase.LOAD, "samples of steady hold 0 bytes, not 32000000"),
    ("forge:load", Status.CRASH, Phase.LOAD, "BadRecord in load: a worker may not say"),
    # attacks
    ("usurp:load", Status.CRASH, Phase.LOAD, "PermissionError in load"),
    ("meddle:load", Status.CRASH, Phase.LOAD, "PermissionError in load"),
    ("behead:load", Status.OK, None, ""),
    ("deface:load", Status.CRASH, Phase.LOAD, "Read-only file system"),
    ("call:load", Status.CRASH, Phase.LOAD, "Network is unreachable"),
    # answers
    ("wrong:", Status.INVALID_OUTPUT, Phase.STEADY, "largest relative error"),
    ("vanish:", Status.INVALID_OUTPUT, Phase.STEADY, "an output is not a finite number"),
    ("reshape:", Status.INVALID_OUTPUT, Phase.STEADY, "output shapes"),
]


@pytest.mark.parametrize(("fault", "status", "phase", "words"), TABLE, ids=[row[0] for row in TABLE])
def test_each_fault_has_its_own_verdict(
    faults: Place, fault: str, status: Status, phase: Phase | None, words: str
) -> None:
    trial = faults.trial("fault", fault=fault, memory=GIB)
    sys.stdout.write(
        f"{fault}: expected {status}, told {trial.status} in {trial.phase}: {trial.reason[:90]}\n"
    )
    assert (trial.status, trial.phase, words in trial.reason) == (status, phase, True), trial.reason


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


def test_a_host_that_runs_out_of_memory_is_not_the_cells_cap(
    client: docker.DockerClient, faults: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group above the container that is smaller than the cap stands for the host."""
    if client.info()["CgroupDriver"] != "cgroupfs":
        pytest.skip("systemd owns the groups of this host, and lets nobody make one beside its own")
    with small_parent(monkeypatch, 128 * MIB):
        trial = faults.trial("fault", fault="allocate:load", memory=256 * MIB)
    assert trial.status is Status.HARNESS_ERROR, trial.reason
    assert "the host, not the cell, ran out of memory in load" in trial.reason


@pytest.mark.parametrize(
    ("fault", "phase", "limits", "words"),
    [
        ("hang:steady", Phase.STEADY, {"timeout_s": 3}, "out of time in steady after 3 s"),
        ("hang:import", Phase.IMPORT, {"timeout_s": 3}, "out of time in import after 3 s"),
        ("hang:load", Phase.LOAD, {"phase_timeouts_s": {Phase.LOAD: 2}}, "out of time in load after 2 s"),
    ],
)
def test_a_trial_that_hangs_is_out_of_time_and_gone(
    faults: Place, fault: str, phase: Phase, limits: dict[str, object], words: str
) -> None:
    start = time.monotonic()
    trial = faults.trial("fault", fault=fault, protocol=limits)
    assert (trial.status, trial.phase, trial.reason) == (Status.TIMEOUT, phase, words)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("allocate", "in the second clock"),  # out of memory, or thrashing where file pages are dropped first
        ("hang", "out of time in the second clock"),
        ("crash", "killed by SIGSEGV in the second clock"),
        ("fail", "ValueError in the second clock"),
        ("leave", "the worker ended in the second clock without a result"),
    ],
)
def test_a_fault_in_the_second_clock_costs_only_its_figure(faults: Place, what: str, words: str) -> None:
    trial = faults.trial("fault", fault=f"{what}:core", memory=128 * MIB, protocol={"timeout_s": 15})
    assert (trial.status, trial.reason) == (Status.OK, "")
    assert [words in doubt.text for doubt in trial.warnings if doubt.kind == "second_clock_failed"] == [True]
    assert {samples.clock for samples in trial.all(Samples)} == {Clock.END_TO_END}


def test_a_framework_that_does_not_go_after_its_last_word_costs_nothing(faults: Place) -> None:
    trial = faults.trial("fault", fault="linger:load", protocol={"timeout_s": 4})
    assert (trial.status, trial.phase, trial.reason) == (Status.OK, None, "")
    told = [doubt.text for doubt in trial.warnings if doubt.kind == "exit_failed"]
    assert told == ["all figures are there: out of time after its last word after 4 s"]


def test_a_container_that_is_killed_from_outside_says_nothing_of_its_cell(
    client: docker.DockerClient, faults: Place
) -> None:
    def kill(event: object) -> None:
        if isinstance(event, PhaseReached) and event.phase is Phase.LOAD:
            (running,) = client.containers.list(filters={"label": LABEL_CELL})
            running.kill()

    trial = faults.trial("fault", fault="hang:load", watch=kill)
    assert (trial.status, trial.phase) == (Status.HARNESS_ERROR, Phase.LOAD)
    assert "killed from outside" in trial.reason


def test_a_connection_that_is_lost_says_nothing_of_the_cell(
    faults: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Attachment] = []
    enter = Attachment.__enter__

    def remember(self: Attachment) -> Attachment:
        opened.append(self)
        return enter(self)

    def cut(event: object) -> None:
        if isinstance(event, PhaseReached) and event.phase is Phase.LOAD:
            opened[-1]._socket.shutdown(SHUT_RDWR)

    monkeypatch.setattr(Attachment, "__enter__", remember)
    trial = faults.trial("fault", fault="hang:load", watch=cut)
    assert (trial.status, trial.phase) == (Status.HARNESS_ERROR, Phase.LOAD)
    assert "the connection to the container was lost" in trial.reason


def test_an_image_that_has_vanished_is_the_engines_fault(faults: Place) -> None:
    supplies = faults.bench.supplies
    gone = supplies.images["fault"].model_copy(update={"id": "sha256:" + "0" * 64})
    images = {**supplies.images, "fault": gone}
    place = replace(faults, bench=replace(faults.bench, supplies=replace(supplies, images=images)))
    trial = place.trial("fault")
    assert (trial.status, trial.phase) == (Status.HARNESS_ERROR, None)
    assert "No such image" in trial.reason


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


def test_from_inside_there_is_no_way_out(faults: Place) -> None:
    """No route, no write outside the tmpfs, no capability, no gain by setuid, no sight of the host."""
    told = faults.trial("fault", fault="survey:").find(Framework)
    assert told is not None
    seen = told.settings
    assert (seen["interfaces"], seen["routes"]) == ("lo", "")
    assert seen["writable"] == "/tmp /dev/shm"
    assert {seen[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    assert (seen["setuid"], seen["mount"], seen["unshare"]) == ("PermissionError",) * 3
    assert seen["su"] in {"FileNotFoundError", "PermissionError", "CalledProcessError"}
    assert len(seen["processes"].split()) <= 4
    assert "runner" in seen["parent"]
    assert set(seen["environment"].split()) <= ENVIRONMENT
    assert seen["sockets"] == ""


ENVIRONMENT = {
    "FAULT", "HOME", "HOSTNAME", "LC_CTYPE", "OPENBLAS_NUM_THREADS", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH",
}  # fmt: skip

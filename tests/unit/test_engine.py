import os
import signal
import struct
import time
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import requests
from docker.errors import APIError, NotFound
from hypothesis import given
from hypothesis import strategies as st

from harness import output
from harness.attachment import Attachment
from harness.container import LABEL_OWNER, PIDS_LIMIT, ContainerSpec, Mount, host_config
from harness.deadline import Deadline
from harness.engine import INTERRUPTS, Engine, refuse_if_held, uninterrupted
from harness.errors import BusyError, EngineError
from harness.output import OutputReader, pump
from harness.owner import own_name
from harness.records import Phase
from harness.results import CpuMode
from tests.unit.trials import REQUESTED

SPEC = ContainerSpec(image="sha256:0", name="n", labels={}, limits=REQUESTED)


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
def test_lines_come_out_whole_however_they_were_cut(lines: list[bytes], step: int) -> None:
    wanted = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in wanted)
    got: list[bytes] = []
    reader = OutputReader(got.append)
    for offset in range(0, len(stream), step):
        reader.feed(1, stream[offset : offset + step])
    assert got == wanted


def test_of_standard_error_the_tail_is_kept() -> None:
    reader = OutputReader(lambda _: None)
    reader.feed(2, b"a" * output.LOG_TAIL_BYTES)
    reader.feed(2, b"the end \xff")
    assert reader.log_tail().endswith("the end \ufffd")
    assert len(reader.log_tail()) == output.LOG_TAIL_BYTES


def test_a_flood_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MAX_OUTPUT_BYTES", 10)
    reader = OutputReader(lambda _: None)
    reader.feed(1, b"x" * 10)
    assert not reader.flooded
    reader.feed(2, b"x")
    assert reader.flooded


class FakeSocket:
    """Hands out recorded bytes in pieces."""

    def __init__(self, data: bytes, step: int) -> None:
        self.pieces = [data[offset : offset + step] for offset in range(0, len(data), step)]

    def settimeout(self, _: float | None) -> None:
        return

    def recv(self, _: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


class FakeApi:
    def __init__(self, sock: FakeSocket) -> None:
        self.sock = sock

    def attach_socket(self, *_: object, **__: object) -> FakeSocket:
        return self.sock


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40))), st.integers(1, 50))
def test_frames_come_out_whole_however_they_were_cut(frames: list[tuple[int, bytes]], step: int) -> None:
    stream = b"".join(struct.pack(">BxxxL", kind, len(data)) + data for kind, data in frames)
    attachment = Attachment(FakeApi(FakeSocket(stream, step)), "c")  # type: ignore[arg-type]
    got: list[tuple[int, bytes]] = []
    while (chunks := attachment.receive(1)) is not None:
        got += chunks
    assert got == frames


def test_a_measured_container_is_locked_up() -> None:
    config = host_config(SPEC)
    assert config["NetworkMode"] == "none"
    assert config["ReadonlyRootfs"] is True
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert config["PidsLimit"] == PIDS_LIMIT
    assert config["Memory"] == config["MemorySwap"] == REQUESTED.memory_bytes
    assert config["CpusetCpus"] == "1"
    assert "CpuQuota" not in config


def test_a_quota_has_no_cpuset() -> None:
    limits = REQUESTED.model_copy(update={"cpu_mode": CpuMode.QUOTA, "cpuset": None, "quota_cpus": 0.5})
    config = host_config(ContainerSpec(image="i", name="n", labels={}, limits=limits))
    assert (config["CpuPeriod"], config["CpuQuota"]) == (100_000, 50_000)
    assert "CpusetCpus" not in config


def test_a_volume_is_read_only_unless_told_otherwise() -> None:
    assert str(Mount(volume="v", path="/model")) == "v:/model:ro"
    assert str(Mount(volume="v", path="/model", writable=True)) == "v:/model:rw"


class Volumes:
    """An engine that holds some volumes, by name and label; one is in use."""

    def __init__(self, held: dict[str, str], used: str) -> None:
        self.held, self.used = held, used

    def volumes(self, filters: dict[str, str]) -> dict[str, Any]:
        label = filters["label"]
        return {"Volumes": [{"Name": name, "Labels": {label: text}} for name, text in self.held.items()]}

    def remove_volume(self, name: str) -> None:
        if name == self.used:
            raise APIError("volume is in use")
        del self.held[name]


def test_only_what_was_replaced_is_removed_and_not_while_it_is_used() -> None:
    api = Volumes({"new": "a", "old": "a", "busy": "a", "other": "b"}, used="busy")
    engine = Engine(cast(Any, SimpleNamespace(api=api)), purpose="test")
    engine.remove_volumes("holds", {"a": "new"})
    assert sorted(api.held) == ["busy", "new", "other"]


class Conflicting:
    """An engine on which a container of the wanted name runs already."""

    def __init__(self, owner: str) -> None:
        self.found: dict[str, Any] | None = {
            "Id": "old", "State": {"Status": "running"}, "Created": "2026-01-01T00:00:00Z",
            "Config": {"Labels": {LABEL_OWNER: owner}},
        }  # fmt: skip
        self.removed: list[str] = []

    def create_container_from_config(self, _: object, *, name: str) -> dict[str, str]:
        if self.found is not None:
            response = requests.Response()
            response.status_code = requests.codes.conflict
            raise APIError(f"{name} is taken", response=response)
        return {"Id": "new"}

    def inspect_container(self, _: str) -> dict[str, Any]:
        assert self.found is not None
        return self.found

    def remove_container(self, container: str, *, force: bool) -> None:
        assert force
        self.removed.append(container)
        self.found = None


class Client:
    def __init__(self, api: Conflicting) -> None:
        self.api = api


def test_a_container_of_our_own_that_outlived_a_connection_gives_way() -> None:
    api = Conflicting(own_name("edgematrix run"))
    engine = Engine(Client(api), purpose="edgematrix run")  # type: ignore[arg-type]
    assert engine._create("edgematrix-harness", {}) == "new"
    assert api.removed == ["old"]


@pytest.mark.parametrize("owner", ["edgematrix run by ann@elsewhere, pid 1", "edgematrix doctor"])
def test_a_living_container_of_another_does_not(owner: str) -> None:
    api = Conflicting(owner)
    engine = Engine(Client(api), purpose="edgematrix run")  # type: ignore[arg-type]
    with pytest.raises(BusyError) as caught:
        engine._create("edgematrix-harness", {})
    assert owner in str(caught.value)
    assert api.removed == []


class SlowToCreate(Conflicting):
    """An engine at which a signal comes while it creates: it answers all the same."""

    def __init__(self, number: int) -> None:
        super().__init__("")
        self.found = None
        self.number = number

    def create_container_from_config(self, _: object, *, name: str) -> dict[str, str]:
        os.kill(os.getpid(), self.number)
        time.sleep(0.01)  # the kernel hands it to whichever thread takes it; Python then to this one
        return super().create_container_from_config(_, name=name)


@pytest.mark.parametrize("number", INTERRUPTS)
def test_an_interrupt_while_a_container_is_created_leaves_none_behind(number: int) -> None:
    signal.signal(number, signal.default_int_handler)
    np.linalg.inv(np.eye(400))  # numpy's threads, which take signals as well, run from now on
    api = SlowToCreate(number)
    engine = Engine(Client(api), purpose="edgematrix run")  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt), engine._created(SPEC):
        pytest.fail("the interrupt did not arrive")
    assert api.removed == ["new"]


def test_an_interrupt_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with uninterrupted():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


class Held:
    """An engine whose lock is in some state; `None` where there is none."""

    def __init__(self, status: str | None, owner: str = "") -> None:
        self.status, self.owner = status, owner

    def inspect_container(self, name: str) -> dict[str, Any]:
        if self.status is None:
            raise NotFound(f"No such container: {name}")
        return {
            "State": {"Status": self.status}, "Created": "2026-01-01T00:00:00Z",
            "Config": {"Labels": {LABEL_OWNER: self.owner}},
        }  # fmt: skip


def test_who_holds_the_engine_goes_on() -> None:
    Engine(Client(Held("running", own_name("test"))), purpose="test").check_held()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "owner"),
    [(None, ""), ("exited", own_name("test")), ("running", "edgematrix run by ann@elsewhere, pid 1")],
)
def test_a_lock_that_was_lost_is_noticed(status: str | None, owner: str) -> None:
    engine = Engine(Client(Held(status, owner)), purpose="test")  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="does not hold"):
        engine.check_held()


def test_a_dead_harness_keeps_nobody_off() -> None:
    for held in (Held(None), Held("exited", "edgematrix run")):
        refuse_if_held(Client(held))  # type: ignore[arg-type]
    with pytest.raises(BusyError):
        refuse_if_held(Client(Held("running", "edgematrix run")))  # type: ignore[arg-type]


class Waiting:
    """A container's streams: what lies in the socket, and what comes then."""

    def __init__(self, *chunks: list[tuple[int, bytes]] | None) -> None:
        self.chunks = list(chunks)

    def receive(self, _: float) -> list[tuple[int, bytes]] | None:
        return self.chunks.pop(0) if self.chunks else []


def pumped(*chunks: list[tuple[int, bytes]] | None) -> tuple[bool, list[bytes]]:
    """What comes of a harness that looks for the first time when the time is over."""
    lines: list[bytes] = []
    deadline = Deadline(-1.0)
    deadline.start()
    attachment = cast(Any, Waiting(*chunks))
    return pump(attachment, OutputReader(lines.append), deadline=deadline, on_tick=lambda: None), lines


def test_who_looks_too_late_reads_what_came_in_time() -> None:
    assert pumped([(1, b"a\n")], [(1, b"b\n")], None) == (True, [b"a", b"b"])


def test_what_is_read_too_late_may_begin_a_phase_that_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.output.TICK_S", 0.01)
    deadline = Deadline(60, {Phase.LOAD: -1.0, Phase.FIRST: 30.0})
    deadline.start()
    deadline.enter(Phase.LOAD)
    reader = OutputReader(lambda _: deadline.enter(Phase.FIRST))
    attachment = cast(Any, Waiting([(1, b"first\n")], *[[]] * 10, None))

    assert pump(attachment, reader, deadline=deadline, on_tick=lambda: time.sleep(0.005))


def test_a_silent_container_is_out_of_time() -> None:
    assert pumped([(1, b"a\n")]) == (False, [b"a"])


def test_talking_on_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.output.TICK_S", 0.01)
    ended, lines = pumped(*[[(1, b"a\n")]] * 1_000_000)
    assert not ended
    assert len(lines) < 1_000_000

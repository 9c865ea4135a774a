import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError
from hypothesis import given
from hypothesis import strategies as st

from harness import output
from harness.attachment import Attachment
from harness.container import LABEL_OWNER, PIDS_LIMIT, ContainerSpec, Mount, host_config
from harness.engine import Engine
from harness.errors import BusyError
from harness.output import OutputReader
from harness.owner import own_name
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

import json
import os
from typing import get_args

import pytest
from runner import process, supervisor

from harness.records import AnyRecord


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[int, bytes]:
    """What goes to which descriptor."""
    streams: dict[int, bytes] = {1: b"", 2: b""}

    def keep(descriptor: int, data: bytes) -> None:
        streams[descriptor] += data

    monkeypatch.setattr(supervisor, "write_all", keep)
    return streams


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the worker has read from storage, settable by the test."""
    amount = [0]
    monkeypatch.setattr(process, "read_bytes", lambda _pid: amount[0])
    return amount


def lines(stream: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.splitlines()]


def test_a_short_log_goes_through_unchanged(written: dict[int, bytes]) -> None:
    log = supervisor.Log()
    for part in (b"one\n", b"two\n"):
        log.feed(part)
    log.close()
    assert written[2] == b"one\ntwo\n"


def test_of_a_long_log_head_and_tail_are_kept_and_the_gap_is_told(written: dict[int, bytes]) -> None:
    log = supervisor.Log()
    text = b"".join(b"%07d\n" % number for number in range(100_000))
    for offset in range(0, len(text), 5000):
        log.feed(text[offset : offset + 5000])
    log.close()

    gap = len(text) - supervisor.LOG_HEAD - supervisor.LOG_TAIL
    assert written[2].startswith(text[: supervisor.LOG_HEAD])
    assert written[2].endswith(text[-supervisor.LOG_TAIL :])
    assert b"[... %d bytes left out ...]" % gap in written[2]
    assert log.total == len(text)


@pytest.mark.usefixtures("reads")
def test_records_in_pieces_are_forwarded_whole(written: dict[int, bytes]) -> None:
    reports = supervisor.Reports(worker=7)
    for piece in (b'{"type":"phase_', b'start","name":"load"}\n{"type":"output"', b"}\n"):
        reports.feed(piece)
    assert [record["type"] for record in lines(written[1])] == ["phase_start", "output"]
    assert reports.phase == "load"


@pytest.mark.usefixtures("reads")
@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"[]",
        b'"end"',
        b'{"type":"end"}',
        b'{"type":"limits"}',
        b'{"no":"type"}',
        b'{"type":[]}',
        b"\xff",
    ],
)
def test_a_worker_cannot_speak_for_the_supervisor(written: dict[int, bytes], line: bytes) -> None:
    supervisor.Reports(worker=7).feed(line + b"\n")
    (record,) = lines(written[1])
    assert (record["type"], record["kind"]) == ("error", "BadRecord")


def test_every_kind_of_record_has_its_speaker() -> None:
    types = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(AnyRecord)[0])}
    assert types - supervisor.WORKER_RECORDS == {"limits", "page_cache", "end"}
    assert types >= supervisor.WORKER_RECORDS


@pytest.mark.usefixtures("reads")
@pytest.mark.parametrize("kind", ["conditions", "warmup", "threads", "growth"])
def test_what_the_worker_saw_of_its_host_and_of_itself_is_forwarded_unchanged(
    written: dict[int, bytes], kind: str
) -> None:
    line = json.dumps({"type": kind}).encode() + b"\n"
    supervisor.Reports(worker=7).feed(line)
    assert written[1] == line


@pytest.mark.usefixtures("reads")
def test_a_record_without_an_end_is_not_kept_for_ever(
    written: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MAX_LINE", 1000)
    reports = supervisor.Reports(worker=7)
    reports.feed(b"x" * 1001)
    assert reports.buffer == b""
    assert lines(written[1])[0]["kind"] == "BadRecord"


@pytest.mark.usefixtures("written")
def test_what_is_read_counts_from_the_start_of_the_phase(reads: list[int]) -> None:
    reports = supervisor.Reports(worker=7)
    reads[0] = 1000
    reports.feed(b'{"type":"phase_start","name":"load"}\n')
    reads[0] = 1500
    reports.look()
    assert reports.read_in_phase == 500


def test_a_long_write_is_finished_though_the_pipe_is_full() -> None:
    reader, writer = os.pipe()
    data = bytes(range(256)) * 100
    supervisor.write_all(writer, data)
    assert os.read(reader, len(data)) == data
    os.close(reader)
    os.close(writer)


@pytest.mark.usefixtures("written", "reads")
@pytest.mark.parametrize(
    ("phase", "budget_s", "tick_ms"), [("warmup", 9, 1000), ("steady", 9, 18_000), ("steady", 0.1, 1000)]
)
def test_a_steady_phase_is_left_alone_until_it_should_long_be_over(
    phase: str, budget_s: float, tick_ms: int
) -> None:
    watch = supervisor.Watch(7, -1, -1, cap_bytes=1000, budget_s=budget_s)
    watch.reports.feed(json.dumps({"type": "phase_start", "name": phase}).encode() + b"\n")
    assert watch.tick_ms() == tick_ms


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(("read", "stop"), [(50_000, "exited"), (50_001, "thrashing")])
def test_fifty_times_the_cap_read_is_thrashing(
    reads: list[int], monkeypatch: pytest.MonkeyPatch, read: int, stop: str
) -> None:
    killed: list[bool] = []
    monkeypatch.setattr(supervisor, "kill_all", lambda: killed.append(True))
    watch = supervisor.Watch(7, -1, -1, cap_bytes=1000, budget_s=1)
    watch.reports.feed(b'{"type":"phase_start","name":"steady"}\n')
    reads[0] = read
    watch.end_thrashing()
    assert (watch.stop, bool(killed)) == (stop, stop == "thrashing")


@pytest.mark.parametrize(("data", "stop"), [(b"", "abandoned"), (b"more", "exited")])
def test_where_the_harness_is_gone_all_ends(monkeypatch: pytest.MonkeyPatch, data: bytes, stop: str) -> None:
    killed: list[bool] = []
    monkeypatch.setattr(supervisor, "kill_all", lambda: killed.append(True))
    watch = supervisor.Watch(7, -1, -1, cap_bytes=1000, budget_s=1)
    assert watch.take(0, data) is (stop == "exited")
    assert (watch.stop, bool(killed)) == (stop, stop == "abandoned")


@pytest.mark.usefixtures("reads")
def test_a_record_of_endless_depth_is_refused_and_survived(written: dict[int, bytes]) -> None:
    supervisor.Reports(worker=7).feed(b"[" * 100_000 + b"\n")
    assert lines(written[1])[0]["kind"] == "BadRecord"


@pytest.mark.usefixtures("reads")
def test_what_a_dead_worker_left_in_its_pipes_is_still_told(
    written: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "kill_all", lambda: None)
    reports, log = os.pipe(), os.pipe()
    watch = supervisor.Watch(7, reports[0], log[0], cap_bytes=1000, budget_s=1)
    os.write(reports[1], b'{"type":"output"}\n')
    os.write(log[1], b"last words\n")
    watch.close()  # the writing ends are still open, as a surviving child would hold them
    assert [record["type"] for record in lines(written[1])] == ["output"]
    assert written[2] == b"last words\n"
    for descriptor in (*reports, *log):
        os.close(descriptor)

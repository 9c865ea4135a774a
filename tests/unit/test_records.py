import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.measure import samples_record

from harness.records import MAX_LINE_BYTES, MAX_MARKS, Phase, PhaseStart, RecordError, Samples, parse_record


def test_a_record_is_parsed_into_its_type() -> None:
    assert parse_record(b'{"type":"phase_start","name":"load"}') == PhaseStart(
        type="phase_start", name=Phase.LOAD
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"type":"phase_start"}',
        b'{"type":"phase_start","name":"lunch"}',
        b'{"type":"phase_start","name":"load","extra":1}',
        b'{"type":"unknown"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"x" * (MAX_LINE_BYTES + 1),
    ],
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with pytest.raises(RecordError):
        parse_record(line)


GOOD: dict[str, dict[str, object]] = {
    "conditions": {
        "moment": "before", "at_ns": 1, "busy_ns": None, "steal_ns": None, "runnable": None, "load": None,
        "cpu_pressure_ns": None, "memory_pressure_ns": None, "io_pressure_ns": None, "swapped_pages": None,
        "frequency_khz": None, "throttle_events": None,
    },
    "warmup": {"settled": False, "window_calls": [4, 4], "window_median_ns": [9, 8]},
    "threads": {"total": None, "busy_ns": None},
    "growth": {"calls": [1, 2], "anon_bytes": [0, 0]},
    "samples": {"phase": "steady", "clock": "core", "count": 0, "data": ""},
    "framework": {"version": "1", "python": "3", "threads_told": None, "threads_reported": None, "settings": {}},
}  # fmt: skip


def line_of(kind: str, **changes: object) -> bytes:
    return json.dumps({"type": kind} | GOOD[kind] | changes).encode()


@pytest.mark.parametrize("kind", GOOD)
def test_what_may_be_missing_is_null_and_every_key_is_there(kind: str) -> None:
    assert parse_record(line_of(kind)).model_dump(mode="json") == {"type": kind} | GOOD[kind]
    for key in GOOD[kind]:
        lacking = {"type": kind, **{name: value for name, value in GOOD[kind].items() if name != key}}
        with pytest.raises(RecordError, match=key):
            parse_record(json.dumps(lacking).encode())


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("conditions", {"moment": "now"}),
        ("conditions", {"steal_ns": -1}),
        ("conditions", {"load": -0.5}),
        ("conditions", {"busy_ns": 2**63}),
        ("warmup", {"window_calls": [1] * 101}),
        ("warmup", {"settled": None}),
        ("threads", {"busy_ns": [1] * 1025}),
        ("threads", {"busy_ns": [-1]}),
        ("growth", {"calls": [1]}),
        ("growth", {"calls": [1] * (MAX_MARKS + 1), "anon_bytes": [1] * (MAX_MARKS + 1)}),
        ("samples", {"clock": "sundial"}),
        ("samples", {"clock": None}),
        ("samples", {"phase": "load"}),
        ("framework", {"threads_told": 0}),
    ],
)
def test_a_record_outside_of_its_bounds_is_refused(kind: str, changes: dict[str, object]) -> None:
    with pytest.raises(RecordError):
        parse_record(line_of(kind, **changes))


@given(st.binary(max_size=300))
def test_no_line_at_all_raises_anything_else(line: bytes) -> None:
    with pytest.raises(RecordError):
        parse_record(line)


@given(st.lists(st.integers(min_value=0, max_value=2**64 - 1), max_size=500))
def test_latencies_come_through_the_wire_unchanged(latencies: list[int]) -> None:
    line = json.dumps(samples_record("steady", np.array(latencies, dtype=np.uint64))).encode()

    record = parse_record(line)

    assert isinstance(record, Samples)
    assert record.latencies_ns().tolist() == latencies


@pytest.mark.parametrize(
    "data",
    [
        "not base64!",
        base64.b64encode(b"not zlib").decode(),
        base64.b64encode(zlib.compress(b"short")).decode(),
        base64.b64encode(zlib.compress(bytes(10**7))).decode(),
    ],
)
def test_samples_that_do_not_hold_their_count_are_refused(data: str) -> None:
    record = Samples(type="samples", phase=Phase.STEADY, clock="end_to_end", count=2, data=data)
    with pytest.raises(ValueError, match="samples of steady"):
        record.latencies_ns()

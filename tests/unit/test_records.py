import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.measure import samples_record

from harness.records import MAX_LINE_BYTES, Phase, PhaseStart, RecordError, Samples, parse_record


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

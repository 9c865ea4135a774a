"""The same as `tests/unit/test_fuzz.py`, 20,000 of each kind."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import documents, read_document, read_stream, streams

pytestmark = pytest.mark.prove
many = settings(
    max_examples=20_000,
    deadline=timedelta(seconds=20),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@many
@given(documents)
def test_20_000_matrix_files_are_planned_or_refused_in_words(text: str) -> None:
    read_document(text)


@many
@given(streams)
def test_20_000_streams_become_trials(tmp_path: Path, stream: bytes) -> None:
    read_stream(stream, tmp_path)

"""No traceback, no hang, no write outside a run's folder, whatever comes: 1,000 of each kind."""

from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.fuzz import documents, read_document, read_stream, streams

HANG = timedelta(seconds=20)
some = settings(max_examples=1000, deadline=HANG, suppress_health_check=[HealthCheck.function_scoped_fixture])


@some
@given(documents)
def test_a_matrix_file_is_planned_or_refused_in_words(text: str) -> None:
    read_document(text)


@some
@given(streams)
def test_whatever_a_container_says_becomes_a_trial(tmp_path: Path, stream: bytes) -> None:
    read_stream(stream, tmp_path)

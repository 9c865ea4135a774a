"""Garbage in many forms: matrix files and record streams, for the tests and, many more of them, for `make prove`."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from harness.config.load import parse_matrix
from harness.container import Outcome
from harness.deadline import Deadline
from harness.derive import derive_cell
from harness.errors import ConfigError
from harness.output import OutputReader
from harness.plan import describe, make_plan, with_controls
from harness.results import Cell, Requested, Trial
from harness.runs import Protocol
from harness.stats.cell import cell_stats
from harness.store import RunStore
from harness.trial import Transcript
from harness.verdict import judge
from tests.factories import catalog, cell, requested

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path.read_text()
    for path in sorted(
        [ROOT / "matrix.yaml", ROOT / "tests/data/matrix.yaml", *(ROOT / "examples").glob("*.yaml")]
    )
]
STREAM = (ROOT / "tests/data/records.jsonl").read_bytes()
KEYS = re.findall(r"[a-z_]+(?=:)", (ROOT / "tests/data/matrix.yaml").read_text())
FRAMEWORKS = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino", "null")
MODELS = ("spam-fnn",)

_WORDS = st.sampled_from(
    [*KEYS, *FRAMEWORKS, *MODELS, "8GiB", "1s", "2%", "null", "~", "yes", "1e999", ".nan", "../../x", "&a", "*a",
     "!!python/object:os.system", "<<", "\x00", "\u202e", "💣", "1" * 40, "-1", "0x10", "{{", "[[["]
)  # fmt: skip
_SCALARS = st.one_of(_WORDS, st.text(max_size=12), st.integers(), st.floats(), st.booleans(), st.none())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_WORDS, inner, max_size=4)),
    max_leaves=12,
)


def _flow(value: object) -> str:
    """Something like YAML in flow style, without care for what would have to be quoted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def mutated(data: bytes, seed: int) -> bytes:
    """The same with some bytes, lines or tokens lost, doubled, swapped or replaced."""
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 6)):
        separator = rng.choice([b"\n", b"\n", b" ", b"", b","])
        parts = data.split(separator) if separator else [data[at : at + 1] for at in range(len(data))]
        here, there = rng.randrange(len(parts)), rng.randrange(len(parts))
        deed = rng.randrange(5)
        if deed == 0:
            del parts[here : here + rng.randint(1, 3)]
        elif deed == 1:
            parts.insert(there, parts[here])
        elif deed == 2:
            parts[here], parts[there] = parts[there], parts[here]
        elif deed == 3:
            parts[here] = rng.choice(
                [b"", b"\xff\xfe", b"null", b"-1", b"[]", b"{}", b"1e999", b'"', b"9" * 30, b"["]
            )
        else:
            parts[here] = parts[here][: rng.randrange(len(parts[here]) + 1)]
        data = separator.join(parts) or b" "
    return data


documents = st.one_of(
    st.builds(
        lambda which, seed: mutated(DOCUMENTS[which].encode(), seed).decode("utf-8", "replace"),
        st.integers(0, len(DOCUMENTS) - 1),
        st.integers(0, 2**32),
    ),
    st.dictionaries(_WORDS, _VALUES, max_size=8).map(
        lambda data: "\n".join(f"{key}: {_flow(value)}" for key, value in data.items())
    ),
    st.tuples(st.integers(0, len(DOCUMENTS) - 1), _WORDS, _VALUES).map(
        lambda parts: f"{DOCUMENTS[parts[0]]}\n{parts[1]}: {_flow(parts[2])}\n"
    ),
    st.text(max_size=200),
)
"""Matrix files: shipped ones mutated, ones made of known words, shipped ones with a key more, and any text."""

streams = st.one_of(
    st.integers(0, 2**32).map(lambda seed: mutated(STREAM, seed)),
    st.lists(st.binary(max_size=80), max_size=20).map(b"\n".join),
)
"""Record streams: a recorded one mutated, and any bytes."""


def read_document(text: str) -> None:
    """A matrix file is planned, or refused in words."""
    try:
        matrix = parse_matrix(
            "fuzz.yaml", text, name="fuzz", folder=Path(), catalog=catalog(FRAMEWORKS, MODELS)
        )
    except ConfigError:
        return
    assert describe(with_controls(make_plan(matrix), matrix.baseline))


CELL: Cell = cell("jax", cpus=1)
REQUESTED: Requested = requested(CELL)
PROTOCOL = Protocol(
    trials=1, max_trials=1, precision=None, max_time_s=None, warmup_s=0.1, budget_s=0.2, min_iterations=1,
    max_iterations=10, timeout_s=9, page_cache="cold", seed=0,
)  # fmt: skip
OUTCOME = Outcome(
    exit_code=0, oom_flag=False, out_of_time_s=None, flooded=False, error=None, log_tail="", engine_s=1.0
)


def read_stream(stream: bytes, folder: Path) -> None:
    """Whatever a container says ends in a trial that can be stored, read back and summed up."""
    transcript = Transcript(CELL.id, lambda _: None, Deadline(9))
    OutputReader(transcript.feed).feed(1, stream + b"\n")
    verdict = judge(transcript.records, OUTCOME, REQUESTED, bad_line=transcript.bad_line)
    trial = Trial(
        cell_id=CELL.id, index=0, order=0, probe=None, neighbours=0, started_at=datetime(2026, 1, 2, tzinfo=UTC),
        status=verdict.status, phase=verdict.phase, reason=verdict.reason, evidence=verdict.evidence,
        warnings=verdict.warnings, requested=REQUESTED, limits_enforced=verdict.limits_enforced, image_id="sha256:0",
        image_fingerprint="1", model_hash="2", engine_s=1.0, records=tuple(transcript.records),
    )  # fmt: skip
    store = RunStore(folder / "run")
    store.write_trial(trial)
    (again,) = store.read_trials(CELL.id)
    assert again == trial
    cell_stats(derive_cell(CELL, [again], protocol=PROTOCOL, probes={}, multiply_adds=1))
    assert {path.relative_to(folder).parts[0] for path in folder.iterdir()} == {"run"}

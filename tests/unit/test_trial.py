"""What a container is told, and how its words are taken."""

import json
from pathlib import Path

import pytest

from harness.deadline import Deadline
from harness.records import MAX_RECORDS
from harness.runs import ParamValue
from harness.store import RunStore
from harness.trial import Bench, Transcript, job_line, worker_env
from tests.unit.stand_in import CELLS, FakeEngine, play
from tests.unit.test_contract_pages import explained
from tests.unit.trials import CAP, REQUESTED, whole


def test_a_container_gets_its_limits_and_its_job(tmp_path: Path, bench: Bench) -> None:
    engine = FakeEngine(whole())
    play(engine, RunStore(tmp_path), bench)
    assert engine.specs[0].limits == REQUESTED
    assert engine.specs[0].image == "sha256:1"
    assert engine.jobs[0]["env"] == {"OMP_NUM_THREADS": "1"}
    assert engine.jobs[0]["threads"] == 1
    assert engine.jobs[0]["version"] == 3
    assert set(engine.jobs[0]) == explained("job.md", "Contract 1: the job, harness -> container")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("warmup_s", 3.5),
        ("budget_s", 4.5),
        ("min_iterations", 17),
        ("max_iterations", 1234),
        ("page_cache", "warm"),
        ("page_cache", "cold"),
    ],
)
def test_the_job_carries_the_protocol(bench: Bench, field: str, value: object) -> None:
    protocol = bench.run.protocol.model_copy(update={field: value})
    run = bench.run.model_copy(update={"protocol": protocol})
    assert json.loads(job_line(CELLS[0], Bench(run=run, supplies=bench.supplies)))[field] == value


def test_the_job_carries_the_cell_and_its_frameworks_parameters(bench: Bench) -> None:
    bench.supplies.frameworks["jax"].params["form"] = "eager"
    job = json.loads(job_line(CELLS[0], bench))
    assert (job["cell"], job["dims"]) == (CELLS[0].id, {"batch": 1})
    assert (job["memory_bytes"], job["params"]) == (CAP, {"form": "eager"})


@pytest.mark.parametrize(
    ("threads", "told", "env"),
    [
        ("match", 1, {"OMP_NUM_THREADS": "1", "POOL": "1-1", "TF_CPP_MIN_LOG_LEVEL": "3"}),
        (4, 4, {"OMP_NUM_THREADS": "4", "POOL": "4-4", "TF_CPP_MIN_LOG_LEVEL": "3"}),
        ("default", None, {"TF_CPP_MIN_LOG_LEVEL": "3"}),
    ],
)
def test_variables_about_threads_are_left_out_where_nothing_is_told(
    bench: Bench, threads: object, told: int | None, env: dict[str, str]
) -> None:
    variables = {"OMP_NUM_THREADS": "{threads}", "POOL": "{threads}-{threads}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    bench.supplies.specs["jax"].env.update(variables)
    job = json.loads(job_line(CELLS[0].model_copy(update={"threads": threads}), bench))
    assert (job["threads"], job["env"]) == (told, env)


def test_a_variable_may_hold_a_parameter() -> None:
    variables = {"ONEDNN": "{onednn}", "POOL": "{threads}", "FORM": "a-{form}"}
    params: dict[str, ParamValue] = {"onednn": False, "form": "AVX2"}
    assert worker_env(variables, 2, params) == {"ONEDNN": "false", "POOL": "2", "FORM": "a-AVX2"}
    assert worker_env(variables, None, params) == {"ONEDNN": "false", "FORM": "a-AVX2"}


def test_after_garbage_nothing_is_believed() -> None:
    transcript = Transcript("c", lambda _: None, Deadline(1))
    for line in (
        b'{"type":"phase_start","name":"load"}',
        b"garbage",
        b'{"type":"phase_start","name":"first"}',
    ):
        transcript.feed(line)
    assert len(transcript.records) == 1
    assert transcript.bad_line is not None


def test_records_without_end_are_bounded() -> None:
    transcript = Transcript("c", lambda _: None, Deadline(1))
    for _ in range(MAX_RECORDS + 5):
        transcript.feed(b'{"type":"phase_start","name":"load"}')
    assert len(transcript.records) == MAX_RECORDS
    assert transcript.bad_line == f"more than {MAX_RECORDS} records"

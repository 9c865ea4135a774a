import json
from dataclasses import replace
from signal import SIGKILL, SIGSEGV

import numpy as np
import pytest
from runner.measure import samples_record

from harness.container import Outcome
from harness.records import AnyRecord, Limits, Output, Phase, Stop, parse_record
from harness.results import CpuMode, Requested, Status
from harness.verdict import judge
from tests.factories import samples
from tests.unit.trials import (
    CAP,
    LIMITS,
    MIB,
    OUTCOME,
    OUTPUT,
    PROCESS,
    REQUESTED,
    end,
    ended,
    error,
    start,
    until,
    whole,
)

KILLED = replace(OUTCOME, exit_code=137)
STEADY = samples([100] * 30, Phase.STEADY)
MEASURED = [*until(Phase.STEADY), ended(Phase.STEADY), STEADY, OUTPUT]
"""All that a trial is judged by, before the second clock."""
BAD_OUTPUT = OUTPUT.model_copy(update={"max_rel_error": 0.25})
HALF_A_CPU = REQUESTED.model_copy(update={"cpu_mode": CpuMode.QUOTA, "cpuset": None, "quota_cpus": 0.5})
OOM = end(exit_code=None, signal=SIGKILL, oom_kills=1)


def changed_output(**changes: object) -> list[AnyRecord]:
    bad = OUTPUT.model_copy(update=changes)
    return [bad if isinstance(record, Output) else record for record in whole()]


CASES: dict[str, tuple[list[AnyRecord], Outcome, Status, Phase | None, str]] = {
    "all is well": (whole(), OUTCOME, Status.OK, None, ""),
    "the kernel killed the worker for its cap": (
        [*until(Phase.LOAD), end(exit_code=None, signal=SIGKILL, oom_kills=1)],
        OUTCOME,
        Status.OOM,
        Phase.LOAD,
        "out of memory in load",
    ),
    "the supervisor died as well and the engine saw it": (
        until(Phase.IMPORT),
        replace(KILLED, oom_flag=True),
        Status.OOM,
        Phase.IMPORT,
        "and the supervisor with it",
    ),
    "137 alone is no proof of an oom: nobody inside can kill the supervisor": (
        until(Phase.IMPORT),
        KILLED,
        Status.HARNESS_ERROR,
        Phase.IMPORT,
        "killed from outside in import",
    ),
    "the host ran out of memory, far from the cell's cap": (
        [*until(Phase.LOAD), end(exit_code=None, signal=SIGKILL, oom_kills=1, peak=CAP // 2)],
        OUTCOME,
        Status.HARNESS_ERROR,
        Phase.LOAD,
        "the host, not the cell, ran out of memory in load",
    ),
    "thrashing far from the cell's cap is the host's": (
        [
            *until(Phase.LOAD),
            end(exit_code=None, signal=SIGKILL, stop=Stop.THRASHING, read=30 * 1024**3, peak=CAP // 2),
        ],
        OUTCOME,
        Status.HARNESS_ERROR,
        Phase.LOAD,
        "the host, not the cell, ran out of memory in load",
    ),
    "a kernel without a peak can only be believed": (
        [*until(Phase.LOAD), end(exit_code=None, signal=SIGKILL, oom_kills=1, peak=None)],
        OUTCOME,
        Status.OOM,
        Phase.LOAD,
        "out of memory in load",
    ),
    "a kill without the kernel's count is no oom": (
        [*until(Phase.LOAD), end(exit_code=None, signal=SIGKILL, oom_kills=0)],
        OUTCOME,
        Status.CRASH,
        Phase.LOAD,
        "SIGKILL",
    ),
    "thrashing is an oom with its figure": (
        [
            *until(Phase.IMPORT),
            end(exit_code=None, signal=SIGKILL, stop=Stop.THRASHING, read=30 * 1024**3),
        ],
        OUTCOME,
        Status.OOM,
        Phase.IMPORT,
        "thrashing in import: 30 GiB read from disk",
    ),
    "a timeout wins over what the kill looks like": (
        until(Phase.STEADY),
        replace(KILLED, out_of_time_s=90),
        Status.TIMEOUT,
        Phase.STEADY,
        "out of time in steady after 1 min 30 s",
    ),
    "a timeout wins over the engine's word of an oom": (
        until(Phase.STEADY),
        replace(KILLED, out_of_time_s=90, oom_flag=True),
        Status.TIMEOUT,
        Phase.STEADY,
        "out of time in steady after 1 min 30 s",
    ),
    "a segmentation fault": (
        [*until(Phase.COMPILE), end(exit_code=None, signal=SIGSEGV)],
        OUTCOME,
        Status.CRASH,
        Phase.COMPILE,
        "killed by SIGSEGV in compile",
    ),
    "an exception": (
        [*until(Phase.LOAD), error("ValueError", "bad file"), end(exit_code=1)],
        OUTCOME,
        Status.CRASH,
        Phase.LOAD,
        "ValueError in load: bad file",
    ),
    "an allocation error that the framework raises is a crash": (
        [*until(Phase.LOAD), error("MemoryError"), end(exit_code=1)],
        OUTCOME,
        Status.CRASH,
        Phase.LOAD,
        "MemoryError",
    ),
    "what a framework cannot do is unsupported": (
        [*until(Phase.COMPILE), error("NotImplementedError", "operator Foo"), end(exit_code=1)],
        OUTCOME,
        Status.UNSUPPORTED,
        Phase.COMPILE,
        "operator Foo",
    ),
    "exit 0 without a result": (
        [*until(Phase.COMPILE), end()],
        OUTCOME,
        Status.CRASH,
        Phase.COMPILE,
        "without a result",
    ),
    "an exit code": (
        [*until(Phase.LOAD), end(exit_code=3)],
        OUTCOME,
        Status.CRASH,
        Phase.LOAD,
        "exit code 3",
    ),
    "the supervisor's word was lost on the way": (
        until(Phase.STEADY),
        OUTCOME,
        Status.HARNESS_ERROR,
        Phase.STEADY,
        "connection to the container was lost",
    ),
    "nothing at all": ([], replace(OUTCOME, exit_code=1), Status.CRASH, None, "before the first phase"),
    "the engine failed": (
        [],
        replace(OUTCOME, error="no such image"),
        Status.HARNESS_ERROR,
        None,
        "no such image",
    ),
    "too much output": (
        until(Phase.LOAD),
        replace(KILLED, flooded=True),
        Status.CRASH,
        Phase.LOAD,
        "more output",
    ),
    "the harness let go": (
        [*until(Phase.STEADY), end(exit_code=None, signal=SIGKILL, stop=Stop.ABANDONED)],
        OUTCOME,
        Status.INTERRUPTED,
        Phase.STEADY,
        "let go",
    ),
    "a wrong answer": (
        changed_output(max_abs_error=0.5, max_rel_error=0.25),
        OUTCOME,
        Status.INVALID_OUTPUT,
        Phase.STEADY,
        "largest relative error 0.25",
    ),
    "another best class": (
        changed_output(classified=8, classified_same=7),
        OUTCOME,
        Status.INVALID_OUTPUT,
        Phase.STEADY,
        "the best class is the reference's in 7 of 8 rows",
    ),
    "an answer that is no number": (
        changed_output(finite=False, max_abs_error=None, max_rel_error=None),
        OUTCOME,
        Status.INVALID_OUTPUT,
        Phase.STEADY,
        "not a finite",
    ),
    "an answer of another shape": (
        changed_output(shapes=((1, 2),), max_abs_error=None, max_rel_error=None),
        OUTCOME,
        Status.INVALID_OUTPUT,
        Phase.STEADY,
        "shape",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_ending_has_its_own_verdict(name: str) -> None:
    records, outcome, status, phase, words = CASES[name]

    verdict = judge(records, outcome, REQUESTED)

    assert (verdict.status, verdict.phase) == (status, phase)
    assert words in verdict.reason


@pytest.mark.parametrize(
    ("rest", "outcome", "words"),
    [
        ([OOM], OUTCOME, "out of memory in the second clock"),
        ([], replace(KILLED, oom_flag=True), "out of memory in the second clock, and the supervisor with it"),
        ([], replace(KILLED, out_of_time_s=90), "out of time in the second clock after 1 min 30 s"),
        ([end(exit_code=None, signal=SIGSEGV)], OUTCOME, "killed by SIGSEGV in the second clock"),
        ([end()], OUTCOME, "the worker ended in the second clock without a result"),
        (
            [error("MemoryError", phase=None), end(exit_code=1)],
            OUTCOME,
            "MemoryError in the second clock: no",
        ),
        ([error("NotImplementedError", "no tensors", None), end(exit_code=1)], OUTCOME, "no tensors"),
    ],
)
def test_a_death_in_the_second_clock_costs_only_its_figure(
    rest: list[AnyRecord], outcome: Outcome, words: str
) -> None:
    verdict = judge([*MEASURED, *rest], outcome, REQUESTED)
    assert (verdict.status, verdict.phase, verdict.reason) == (Status.OK, None, "")
    assert [(doubt.kind, doubt.text) for doubt in verdict.warnings] == [
        ("second_clock_failed", f"no core latency: {words}")
    ]


@pytest.mark.parametrize(
    ("rest", "outcome", "words"),
    [
        ([], replace(KILLED, out_of_time_s=90), "out of time after its last word after 1 min 30 s"),
        ([end(exit_code=None, signal=SIGSEGV)], OUTCOME, "killed by SIGSEGV after its last word"),
        ([end(exit_code=3)], OUTCOME, "the worker ended after its last word with exit code 3"),
    ],
)
def test_a_death_after_the_last_word_costs_nothing(
    rest: list[AnyRecord], outcome: Outcome, words: str
) -> None:
    verdict = judge([*MEASURED, PROCESS, *rest], outcome, REQUESTED)
    assert (verdict.status, verdict.phase, verdict.reason) == (Status.OK, None, "")
    assert [(doubt.kind, doubt.text) for doubt in verdict.warnings] == [
        ("exit_failed", f"all figures are there: {words}")
    ]


def test_a_death_after_the_steady_phase_is_not_put_into_it() -> None:
    verdict = judge([*until(Phase.STEADY), ended(Phase.STEADY), STEADY, OOM], OUTCOME, REQUESTED)
    assert (verdict.status, verdict.reason) == (Status.OOM, "out of memory in the check of the outputs")


@pytest.mark.parametrize(
    ("records", "outcome", "status"),
    [
        ([*until(Phase.STEADY), STEADY, OUTPUT, OOM], OUTCOME, Status.OOM),
        ([*until(Phase.STEADY), ended(Phase.STEADY), OUTPUT, OOM], OUTCOME, Status.OOM),
        ([*until(Phase.STEADY), ended(Phase.STEADY), STEADY, OOM], OUTCOME, Status.OOM),
        ([*MEASURED[:-1], error("BadRecord"), OUTPUT, OOM], OUTCOME, Status.OOM),
        ([*MEASURED[:-1], BAD_OUTPUT, OOM], OUTCOME, Status.INVALID_OUTPUT),
        (MEASURED, OUTCOME, Status.HARNESS_ERROR),
        (MEASURED, replace(OUTCOME, flooded=True), Status.CRASH),
        ([*MEASURED, end(exit_code=None, signal=SIGKILL, stop=Stop.ABANDONED)], OUTCOME, Status.INTERRUPTED),
        ([LIMITS.model_copy(update={"swap_bytes": 5}), *MEASURED, OOM], OUTCOME, Status.LIMITS_NOT_ENFORCED),
    ],
)
def test_only_the_second_clock_may_fail_and_only_when_all_else_is_there(
    records: list[AnyRecord], outcome: Outcome, status: Status
) -> None:
    assert judge(records, outcome, REQUESTED).status is status


def test_a_line_that_is_no_record_spoils_the_second_clock_and_the_trial() -> None:
    assert judge(MEASURED, OUTCOME, REQUESTED, bad_line="garbage").status is Status.CRASH


def test_a_line_that_is_no_record_spoils_the_trial() -> None:
    assert judge(whole(), OUTCOME, REQUESTED, bad_line="garbage").status is Status.CRASH


@pytest.mark.parametrize(
    ("limits", "requested", "words"),
    [
        (LIMITS.model_copy(update={"memory_bytes": 2 * LIMITS.supervisor_anon_bytes}), REQUESTED, "memory"),
        (LIMITS.model_copy(update={"memory_bytes": None}), REQUESTED, "memory"),
        (LIMITS.model_copy(update={"cpuset": (0, 1)}), REQUESTED, "cpuset"),
        (LIMITS.model_copy(update={"swap_bytes": 5}), REQUESTED, "swap"),
        (LIMITS, REQUESTED.model_copy(update={"over_host": True}), "more than the host"),
        (LIMITS, REQUESTED.model_copy(update={"memory_nodes": (1,)}), "memory nodes"),
        (
            LIMITS.model_copy(update={"memory_nodes": None}),
            REQUESTED.model_copy(update={"memory_nodes": (0,)}),
            "memory nodes",
        ),
        (LIMITS, HALF_A_CPU, "quota"),
        (LIMITS.model_copy(update={"quota_cpus": 0.49}), HALF_A_CPU, "quota"),
        (LIMITS.model_copy(update={"quota_cpus": 0.51}), HALF_A_CPU, "quota"),
    ],
)
def test_a_limit_that_did_not_hold_is_never_ok(limits: Limits, requested: Requested, words: str) -> None:
    records = [limits if isinstance(record, Limits) else record for record in whole()]

    verdict = judge(records, OUTCOME, requested)

    assert verdict.status is Status.LIMITS_NOT_ENFORCED
    assert not verdict.limits_enforced
    assert words in verdict.reason


def test_a_quota_within_a_percent_is_enforced() -> None:
    limits = LIMITS.model_copy(update={"quota_cpus": 0.502, "cpuset": (0, 1)})
    records = [limits if isinstance(record, Limits) else record for record in whole()]
    assert judge(records, OUTCOME, HALF_A_CPU).status is Status.OK


def test_memory_nodes_count_only_where_they_were_asked_for() -> None:
    limits = LIMITS.model_copy(update={"memory_nodes": (0, 1)})
    records = [limits if isinstance(record, Limits) else record for record in whole()]
    assert judge(records, OUTCOME, REQUESTED).status is Status.OK


def test_a_cap_rounded_down_to_whole_pages_is_enforced() -> None:
    requested = REQUESTED.model_copy(update={"memory_bytes": LIMITS.memory_bytes + 2048})  # type: ignore[operator]
    assert judge(whole(), OUTCOME, requested).status is Status.OK


def test_a_quota_that_nobody_asked_for_is_a_mismatch() -> None:
    limits = LIMITS.model_copy(update={"quota_cpus": 0.5})
    records = [limits if isinstance(record, Limits) else record for record in whole()]
    assert judge(records, OUTCOME, REQUESTED).status is Status.LIMITS_NOT_ENFORCED


def test_swap_without_a_limit_is_a_mismatch() -> None:
    limits = LIMITS.model_copy(update={"swap_bytes": 2**62})
    records = [limits if isinstance(record, Limits) else record for record in whole()]
    assert "any amount" in judge(records, OUTCOME, REQUESTED).reason


def test_a_mean_far_from_the_median_is_a_warning() -> None:
    latencies = np.full(100, 10_000, dtype=np.uint64)
    latencies[:3] = 10**8
    samples = parse_record(json.dumps(samples_record("steady", latencies)).encode())
    warnings = judge([*whole(), samples], OUTCOME, REQUESTED).warnings
    assert [warning.kind for warning in warnings] == ["disturbed"]
    assert "the longest 100 ms" in warnings[0].text


def test_pages_charged_to_somebody_else_are_a_warning() -> None:
    records = [
        *until(Phase.STEADY),
        ended(Phase.STEADY, file=300 * MIB, charged=20 * MIB),
        OUTPUT,
        PROCESS,
        end(),
    ]
    verdict = judge(records, OUTCOME, REQUESTED)
    assert [warning.kind for warning in verdict.warnings] == ["page_cache_shared"]
    assert "280 MiB" in verdict.warnings[0].text


def test_an_oom_kill_that_the_worker_survived_is_a_warning() -> None:
    records = [*whole()[:-1], end(oom_kills=1)]
    verdict = judge(records, OUTCOME, REQUESTED)
    assert verdict.status is Status.OK
    assert [warning.kind for warning in verdict.warnings] == ["oom_kill_survived"]


def test_the_evidence_names_peak_cap_and_counts() -> None:
    records = [*until(Phase.LOAD), end(exit_code=None, signal=SIGKILL, oom_kills=1)]
    evidence = judge(records, replace(OUTCOME, log_tail="bye"), REQUESTED).evidence
    assert (evidence.signal, evidence.oom_kills, evidence.cap_bytes) == (SIGKILL, 1, REQUESTED.memory_bytes)
    assert evidence.peak_bytes == REQUESTED.memory_bytes
    assert evidence.log_tail == "bye"


def test_a_phase_that_only_started_is_where_it_died() -> None:
    records: list[AnyRecord] = [LIMITS, start(Phase.IMPORT), ended(Phase.IMPORT), start(Phase.LOAD)]
    assert judge(records, KILLED, REQUESTED).phase is Phase.LOAD

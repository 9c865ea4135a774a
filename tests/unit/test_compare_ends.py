"""Cells that are missing, failed or interrupted, and runs that are no two measurements of the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.compare import CompareOptions, Verdict, compare_runs
from harness.compare.page import NOT_WORSE
from harness.compare.refuse import Kind
from harness.compare.words import notes_text
from harness.errors import NotComparableError, StoreError
from harness.results import Cell, CellResult, Status
from harness.runs import RunState
from harness.stats.noise import Aim
from tests.compared import CELLS, again, failed, other, write
from tests.factories import cell, host, image, requested, result, run, trial


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "20260101-000000-aaaa", [result(of) for of in CELLS])


def test_missing_and_failed_cells_stay_visible(tmp_path: Path, base: Path) -> None:
    extra = cell("openvino", cpus=1)
    compared = compare_runs(base, other(tmp_path, [failed(CELLS[0]), again(CELLS[1]), result(extra)]))
    found = {row.cell_id: row.verdict for row in compared.rows}
    assert list(found) == [*(of.id for of in CELLS), extra.id]
    assert found[CELLS[0].id] is Verdict.FAILED
    assert found[CELLS[2].id] is Verdict.ONLY_IN_BASE
    assert found[extra.id] is Verdict.ONLY_IN_NEW
    assert compared.regressed
    assert compared.rows[0].reason == "3 of 3 trials: it died"


SAYS_NOTHING = {Status.SKIPPED, Status.HARNESS_ERROR}


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.OK, Status.INTERRUPTED} - SAYS_NOTHING))
def test_every_end_that_lies_with_the_cell_is_a_regression_of_a_cell_that_was(
    tmp_path: Path, base: Path, status: Status
) -> None:
    rows = compare_runs(base, other(tmp_path, [failed(CELLS[0], status), again(CELLS[1])])).rows
    assert rows[0].verdict is Verdict.FAILED
    assert rows[0].is_regression
    assert rows[0].figures == {}


@pytest.mark.parametrize("status", sorted(SAYS_NOTHING))
@pytest.mark.parametrize("turned", [False, True])
def test_an_end_that_says_nothing_of_the_cell_decides_nothing(
    tmp_path: Path, base: Path, status: Status, turned: bool
) -> None:
    silent = result(CELLS[0], trials=(), status=status, reason="no time was left")
    new = other(tmp_path, [silent, *map(again, CELLS[1:])])
    compared = compare_runs(new, base) if turned else compare_runs(base, new)

    (row,) = (row for row in compared.rows if row.cell_id == CELLS[0].id)
    assert (row.verdict, row.reason) == (Verdict.UNDECIDED, "no time was left")
    assert notes_text(row, Aim.LATENCY) == "no time was left"
    assert not compared.regressed


@pytest.mark.parametrize("status", sorted(SAYS_NOTHING))
@pytest.mark.parametrize("turned", [False, True])
def test_a_cell_that_failed_beside_an_end_that_says_nothing_did_not_fail_in_both(
    tmp_path: Path, status: Status, turned: bool
) -> None:
    silent = result(CELLS[0], trials=(), status=status, reason="no time was left")
    one, two = write(tmp_path / "a", [silent]), write(tmp_path / "b", [failed(CELLS[0], Status.CRASH)])

    (row,) = (compare_runs(two, one) if turned else compare_runs(one, two)).rows
    assert (row.verdict, row.reason) == (Verdict.UNDECIDED, "no time was left")
    assert row.verdict not in NOT_WORSE


@pytest.mark.parametrize("turned", [False, True])
def test_what_was_skipped_on_one_side_and_faulty_on_the_other_did_not_fail_in_both(
    tmp_path: Path, turned: bool
) -> None:
    ends = [(Status.SKIPPED, "the budget was spent"), (Status.HARNESS_ERROR, "the engine went away")]
    base, new = (
        write(tmp_path / status, [result(CELLS[0], trials=(), status=status, reason=reason)])
        for status, reason in (reversed(ends) if turned else ends)
    )
    assert compare_runs(base, new).rows[0].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("status", sorted(SAYS_NOTHING))
def test_an_end_that_says_nothing_in_both_stays_what_it_is(tmp_path: Path, status: Status) -> None:
    silent = result(CELLS[0], trials=(), status=status, reason="as said")
    base, new = (write(tmp_path / name, [silent, result(CELLS[1])]) for name in "ab")
    expected = Verdict.SKIPPED if status is Status.SKIPPED else Verdict.FAILED_IN_BOTH
    assert compare_runs(base, new).rows[0].verdict is expected


def test_a_cell_that_runs_again_is_fixed_and_one_that_fails_in_both_is_no_news(tmp_path: Path) -> None:
    skipped = result(CELLS[2], trials=(), status=Status.SKIPPED, reason="as said")
    one = write(tmp_path / "a", [failed(CELLS[0]), failed(CELLS[1]), skipped])
    two = write(tmp_path / "b", [result(CELLS[0]), failed(CELLS[1], Status.CRASH), skipped])
    compared = compare_runs(one, two)
    assert [row.verdict for row in compared.rows] == [Verdict.FIXED, Verdict.FAILED_IN_BOTH, Verdict.SKIPPED]
    assert compared.rows[2].reason == "as said"
    assert not compared.regressed


def interrupted(of: Cell, trials: int) -> CellResult:
    return again(of, trials).model_copy(update={"status": Status.INTERRUPTED, "planned_trials": 3})


def test_a_cell_that_was_interrupted_is_compared_as_far_as_it_came_and_has_not_failed(
    tmp_path: Path, base: Path
) -> None:
    new = [interrupted(of, trials) for of, trials in zip(CELLS, (2, 1, 0), strict=True)]
    compared = compare_runs(base, other(tmp_path, new, state=RunState.INTERRUPTED))
    assert compared.rows[0].figures[Aim.LATENCY].difference is not None
    assert compared.rows[1].reason.startswith("3 and 1 trials")
    assert compared.rows[2].verdict is Verdict.UNDECIDED
    assert compared.rows[2].reason == "new interrupted before a trial ended"
    assert not compared.regressed
    assert any("is interrupted" in note for note in compared.notes)


def test_controls_are_not_compared(tmp_path: Path, base: Path) -> None:
    controls = result(CELLS[0].model_copy(update={"twin": True})), result(cell("null", cpus=1))
    with_controls = write(tmp_path / "c", [*map(result, CELLS), *controls])
    assert len(compare_runs(with_controls, base).rows) == len(CELLS)


def other_limits(of: Cell) -> CellResult:
    return again(of, requested=requested(of, cpuset=(0,)))


def test_one_trial_with_other_limits_is_enough(tmp_path: Path, base: Path) -> None:
    mixed = result(
        CELLS[0], [trial(CELLS[0], 0), trial(CELLS[0], 1, requested=requested(CELLS[0], smt=True))]
    )
    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, other(tmp_path, [mixed]))
    assert "smt False against False or True" in caught.value.why


def test_limits_that_were_not_enforced_are_refused(tmp_path: Path, base: Path) -> None:
    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, other(tmp_path, [again(CELLS[0], limits_enforced=False)]))
    assert f"{CELLS[0].id}: limits enforced against not enforced" in caught.value.why
    assert "--allow limits" in caught.value.fix


PLAIN = run([result(of) for of in CELLS])
DIFFERENT: dict[Kind, tuple[dict[str, Any], str]] = {
    Kind.HOST: ({"host": host(fingerprint="other", kernel="7.0")}, "kernel 6.18.5 against 7.0"),
    Kind.LIMITS: ({}, "cpuset (1,) against (0,)"),
    Kind.IMAGES: (
        {"images": {"jax": image("jax").model_copy(update={"fingerprint": "x", "packages": {"jax": "9"}})}},
        "jax 0.10.2 against 9",
    ),
    Kind.MODELS: (
        {"models": {"spam-fnn": PLAIN.models["spam-fnn"].model_copy(update={"hash": "f" * 64})}},
        "against ffffffffffff",
    ),
    Kind.PROTOCOL: (
        {"protocol": PLAIN.protocol.model_copy(update={"budget_s": 9})},
        "budget_s 2.0 against 9",
    ),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_difference_is_refused_with_both_values_unless_it_is_meant(
    tmp_path: Path, base: Path, kind: Kind
) -> None:
    first = other_limits(CELLS[0]) if kind is Kind.LIMITS else again(CELLS[0])
    changes, told = DIFFERENT[kind]
    new = other(tmp_path, [first, *map(again, CELLS[1:])], **changes)

    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, new)
    assert told in caught.value.why
    assert f"--allow {kind}" in caught.value.fix
    with pytest.raises(NotComparableError):
        compare_runs(base, new, CompareOptions(allowed=set(Kind) - {kind}))
    compared = compare_runs(base, new, CompareOptions(allowed={kind}))
    assert any(note.startswith("different as meant") and told in note for note in compared.notes)


@pytest.mark.parametrize("field", ["warmup_s", "budget_s", "min_iterations", "max_iterations"])
def test_what_changes_a_figure_is_refused_and_what_does_not_is_not(
    tmp_path: Path, base: Path, field: str
) -> None:
    value = getattr(PLAIN.protocol, field) + 1
    changed = PLAIN.protocol.model_copy(update={field: value})
    with pytest.raises(NotComparableError, match="not the same measurement"):
        compare_runs(base, other(tmp_path, protocol=changed))
    free = PLAIN.protocol.model_copy(update={"trials": 7, "max_trials": 9, "seed": 2, "timeout_s": 9})
    assert compare_runs(base, other(tmp_path / "free", protocol=free)).rows


def test_an_image_that_no_common_cell_ran_on_may_differ_but_not_that_of_the_probe(
    tmp_path: Path,
) -> None:
    changed = {"fingerprint": "x"}
    plain = {name: image(name) for name in ("pytorch", "jax", "onnxruntime", "null", "prepare")}
    before = write(tmp_path / "b", [again(of) for of in CELLS], images=plain)
    after = other(tmp_path, images=plain | {"prepare": image("prepare").model_copy(update=changed)})
    assert compare_runs(before, after).notes == ()
    moved = plain | {"null": image("null").model_copy(update=changed)}
    with pytest.raises(NotComparableError) as caught:
        compare_runs(before, other(tmp_path / "null", images=moved))
    assert "image null" in caught.value.why


def test_all_differences_are_told_at_once(tmp_path: Path, base: Path) -> None:
    new = other(tmp_path, **DIFFERENT[Kind.HOST][0], **DIFFERENT[Kind.IMAGES][0])
    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, new, CompareOptions(allowed={Kind.MODELS}))
    assert "--allow host --allow images" in caught.value.fix
    assert "kernel" in caught.value.why
    assert "jax" in caught.value.why


def test_runs_without_a_common_cell_are_refused_whatever_is_allowed(tmp_path: Path, base: Path) -> None:
    with pytest.raises(NotComparableError, match="no cell in common") as caught:
        compare_runs(
            base, other(tmp_path, [result(cell("openvino"))]), CompareOptions(allowed=frozenset(Kind))
        )
    assert CELLS[0].id in caught.value.why


def test_a_damaged_cell_is_an_error_of_the_store(tmp_path: Path, base: Path) -> None:
    new = other(tmp_path)
    (new / "cells" / f"{CELLS[0].id}.json").write_text("{}")
    with pytest.raises(StoreError):
        compare_runs(base, new)

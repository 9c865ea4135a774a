"""Trials that were tried again: what counts is told, and what does not stands beside it as such."""

import pytest

from harness.records import Phase
from harness.report.cells.trials import trial_views
from harness.report.doubts import of_cell
from harness.report.endings import ending
from harness.report.failures import failures
from harness.report.formats import EN_DASH
from harness.report.proof import badge, proofs, tally
from harness.results import CellResult, Status
from harness.stats.cell import measure
from tests.factories import cell, failed_trial, limits, result, run, trial
from tests.unit.books import read

OF = cell("jax")


def retried(first: Status, then: Status = Status.CRASH) -> CellResult:
    """A cell whose trials died in `load` and, tried again, in `compile`."""
    old = [failed_trial(OF, first, Phase.LOAD, index, reason="died of OLD") for index in range(3)]
    new = [
        failed_trial(OF, then, Phase.COMPILE, index, attempt=1, order=3 + index, reason="died of NEW")
        for index in range(3)
    ]
    return result(OF, [trial for pair in zip(old, new, strict=True) for trial in pair], status=then)


def test_a_cell_is_told_by_the_attempts_that_count() -> None:
    made = retried(Status.CRASH)
    book, found = read((run([made]), (made,)))
    (failure,) = failures(book, found)

    assert ending(made).sentence == "crashed: died of NEW"
    assert failure.ending.sentence == "crashed: died of NEW"
    facts = dict(failure.facts)
    assert facts["trials"] == "3 crashed"
    assert "load" in facts["phases ended"].split(", ")


def test_an_attempt_that_does_not_count_says_so_beside_its_reason() -> None:
    views = trial_views(*measure([retried(Status.CRASH)]))

    assert [view.reason for view in views[:2]] == [
        "died of OLD; does not count: the next attempt does",
        "died of NEW",
    ]


@pytest.mark.parametrize(("first", "told"), [(Status.CRASH, False), (Status.TIMEOUT, True)])
def test_only_an_attempt_that_ended_otherwise_is_a_doubt(first: Status, told: bool) -> None:
    (measured,) = measure([retried(first)])

    assert ("tried_again" in [kind for kind, *_ in of_cell(measured)]) is told


def test_limits_that_held_when_tried_again_are_proved() -> None:
    lost = [
        trial(
            OF, index, status=Status.LIMITS_NOT_ENFORCED, limits_enforced=False, records=(limits(OF, (0,)),)
        )
        for index in range(3)
    ]
    held = [trial(OF, index, attempt=1, order=3 + index) for index in range(3)]
    made = result(OF, [*lost, *held], status=Status.OK, phase=None, reason="")
    _, found = read((run([made]), (made,)))

    assert badge(tally(found)).text == "Limits proved in all 3 trials"
    assert [(proof.verdict, proof.cpus_found) for proof in proofs(found)] == [
        ("proved", f"cpuset 0{EN_DASH}1")
    ]

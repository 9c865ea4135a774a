"""A cell from its trials."""

import pytest

from harness.derive import derive_cell, is_settled
from harness.records import Phase
from harness.results import CellResult, Status, StoppedBy, Trial
from tests.factories import probe
from tests.unit.stand_in import CELLS
from tests.unit.test_store import a_run, a_trial


def derived(trials: list[Trial]) -> CellResult:
    return derive_cell(CELLS[0], trials, protocol=a_run("r").protocol, probes={}, multiply_adds=7)


def test_a_cell_cut_short_by_a_budget_counts_what_it_has() -> None:
    protocol = a_run("r").protocol
    short = derive_cell(CELLS[0], [a_trial(0)], protocol=protocol, probes={}, multiply_adds=7, cut_short=True)
    assert (short.status, short.stopped_by) == (Status.OK, StoppedBy.TIME)
    failed = [a_trial(index).model_copy(update={"status": Status.OOM, "reason": "r"}) for index in (0, 1)]
    told = derive_cell(CELLS[0], failed, protocol=protocol, probes={}, multiply_adds=7, cut_short=True)
    assert told.reason == "2 of 2 trials: r"


def test_a_cell_is_settled_that_fails_twice_in_the_same_way() -> None:
    good = [a_trial(index) for index in range(2)]
    ooms = [trial.model_copy(update={"status": Status.OOM, "phase": Phase.LOAD}) for trial in good]
    later = ooms[1].model_copy(update={"phase": Phase.STEADY})

    assert is_settled(ooms)
    assert not any(map(is_settled, (good, ooms[:1], [ooms[0], later], [good[0], ooms[1]], [])))


def test_a_cell_is_ok_only_if_all_its_trials_are() -> None:
    good = [a_trial(index) for index in range(3)]
    assert derived(good).status is Status.OK


def test_a_cell_takes_the_worst_status_and_tells_how_many() -> None:
    trials = [a_trial(index) for index in range(3)]
    trials[1] = trials[1].model_copy(
        update={"status": Status.OOM, "phase": Phase.LOAD, "reason": "out of memory in load"}
    )
    trials[2] = trials[2].model_copy(update={"status": Status.TIMEOUT})

    result = derived(trials)

    assert (result.status, result.phase) == (Status.OOM, Phase.LOAD)
    assert result.reason == "1 of 3 trials: out of memory in load"


@pytest.mark.parametrize("count", [0, 2])
def test_a_cell_with_trials_missing_was_interrupted(count: int) -> None:
    result = derived([a_trial(index) for index in range(count)])
    assert (result.status, result.reason) == (Status.INTERRUPTED, f"{count} of 3 trials were run")


def test_a_cell_says_that_its_budget_of_trials_was_spent() -> None:
    assert derived([a_trial(index) for index in range(3)]).stopped_by is StoppedBy.TRIALS
    assert derived([a_trial(0)]).stopped_by is None


@pytest.mark.parametrize(
    ("name", "status", "stop"),
    [
        ("jax", Status.OOM, StoppedBy.TRIALS),
        ("null", Status.OK, StoppedBy.TRIALS),
        ("jax", Status.OK, StoppedBy.TIME),
    ],
)
def test_only_a_cell_that_could_have_had_more_trials_ran_out_of_time(
    name: str, status: Status, stop: StoppedBy
) -> None:
    protocol = a_run("r").protocol.model_copy(update={"precision": 0.01, "max_trials": 9})
    trials = [a_trial(index).model_copy(update={"status": status}) for index in range(3)]
    cell = CELLS[0].model_copy(update={"framework": name})
    made = derive_cell(cell, trials, protocol=protocol, probes={}, multiply_adds=7)
    assert made.stopped_by is stop


def test_the_machines_peak_is_that_of_the_cpus_that_the_cell_ran_on() -> None:
    trials = [a_trial(index) for index in range(3)]
    there = trials[0].requested
    elsewhere = there.model_copy(update={"cpuset": (0, 1)})
    speeds = [(there, 5e10), (elsewhere, 9e10), (there, 7e10), (elsewhere, 9e10)]
    probes = {
        number: probe(number, requested=requested, speed=speed)
        for number, (requested, speed) in enumerate(speeds)
    }
    protocol = a_run("r").protocol
    made = derive_cell(CELLS[0], trials, protocol=protocol, probes=probes, multiply_adds=7)
    assert made.machine_peak == pytest.approx(6e10, rel=1e-6)

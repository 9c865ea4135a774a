"""The chooser's data: figures as the tables print them, and every doubt that these carry."""

from harness.report.chooser import Candidate, subjects
from harness.report.flags import flags
from harness.report.formats import MILLISECONDS, UNKNOWN, rounded
from harness.results import CellResult
from harness.runs import Run
from tests.sample_runs import failures, noisy, sample
from tests.unit.books import read


def candidates(made: tuple[Run, tuple[CellResult, ...]]) -> list[Candidate]:
    book, found = read(made)
    return [
        each for subject in subjects(book, found) for choice in subject.choices for each in choice.candidates
    ]


def test_a_candidate_has_the_flags_and_bounds_of_its_cell() -> None:
    _, found = read(noisy())
    cells = [each for workload in found for each in workload.cells]

    shown = candidates(noisy())

    assert [each.flags for each in shown] == [flags(each) for each in cells]
    assert any("spoiled 1/5" in each.flags for each in shown)
    assert [each.figures[1] for each in shown] == [
        MILLISECONDS.with_bounds(each.stats.p99_ms) for each in cells
    ]
    assert [each.figures[4] for each in shown] == [rounded(each.stats.throughput_per_s) for each in cells]


def test_a_peak_at_the_cap_says_so() -> None:
    peaks = {each.figures[2] for each in candidates(sample()) if each.name == "tensorflow"}

    assert "476\nat the cap" in peaks
    assert len(peaks) > 1


def test_what_did_not_end_well_has_a_reason_and_no_figures() -> None:
    shown = candidates(failures())

    assert all(bool(each.ending) != bool(each.figures) for each in shown)
    assert any(each.figures and each.figures[1] == UNKNOWN for each in shown), "with too few calls"

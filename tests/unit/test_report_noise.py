"""What the page says of noise and doubt: the A/A floor, the twin, the timer, and tags wherever a cell is ranked."""

import re

import pytest

from harness.report.answers import answers
from harness.report.aspects import aspects
from harness.report.aspects.latency import timer_note
from harness.report.book import Book
from harness.report.flags import FLAGS, flags
from harness.report.formats import TIMES
from harness.report.heatmap import heat_map
from harness.report.html import render
from harness.report.noise import noise
from harness.report.view import build_view
from harness.results import NULL_FRAMEWORK, CellResult, CpuMode, TypedWarning
from harness.stats.cell import Measured, measure
from harness.stats.noise import Aim
from tests.factories import cell, result, run, trial
from tests.sample_runs import noisy, one_cpu, sample, slowed
from tests.unit.books import only, page, read
from tests.unit.test_report_view import at


def tagged(framework: str, *kinds: str, trials: int = 3) -> CellResult:
    of = cell(framework)
    doubts = tuple(TypedWarning(kind=kind, text="so it is") for kind in kinds)
    return result(of, [trial(of, index, warnings=doubts if index < trials else ()) for index in range(3)])


def alone(of: CellResult) -> Measured:
    (measured,) = measure([of])
    return measured


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def test_tags_stand_in_one_order_and_say_how_many_trials_carry_them() -> None:
    assert flags(alone(tagged("jax", *reversed(FLAGS)))) == (
        "throttled", "oversubscribed", "memory grows", "not settled", "disturbed",
    )  # fmt: skip
    assert flags(alone(tagged("jax", "not_settled", trials=1))) == ("not settled 1/3",)
    assert flags(alone(tagged("jax", "threads_idle", "figure_unknown"))) == ()


def test_what_only_concerns_speed_is_no_doubt_about_memory() -> None:
    doubted = alone(tagged("jax", "not_settled", "throttled"))

    assert flags(doubted, Aim.MEMORY) == ("throttled",)


def test_figures_that_rest_on_spoiled_trials_are_tagged() -> None:
    moved = (TypedWarning(kind="probe_moved", text="it moved"),)
    of = cell()
    bad, good = trial(of, 0, spoiled=moved), trial(of, 0, attempt=1)

    assert flags(alone(result(of, [bad, trial(of, 1)]))) == ("spoiled 1/2",)
    assert flags(alone(result(of, [bad, good, trial(of, 1)]))) == (), "the repetition counts"


def test_a_throttled_cell_is_tagged_wherever_it_is_ranked() -> None:
    book, (workload,) = read(noisy())
    at = next(index for index, group in enumerate(workload.groups) if group.title == "1 CPU quota, 1 GiB")
    share = flags(workload.groups[at].cells[0])[0]

    fastest = answers(book, workload)[at].picks[0]
    mapped = heat_map(book, workload).rows[0].cells[at]

    assert re.fullmatch(r"throttled \d\d %", share)
    assert fastest.leaders[0].framework == "onnxruntime"
    assert fastest.flags == (share,)
    assert "next: pytorch (throttled" in fastest.note
    assert mapped is not None
    assert mapped.flags == (share,)
    for aspect in aspects(book, workload):
        for table in aspect.tables:
            (group,) = (group for group in table.groups if group.title == "1 CPU quota, 1 GiB")
            assert group.rows[0].flags == (share,), aspect.slug


def test_a_tied_cell_is_named_with_its_doubts() -> None:
    jax, onnxruntime = at("jax", 12, 13, 14), at("onnxruntime", 12, 12.5, 14)
    doubt = (TypedWarning(kind="disturbed", text="the mean is far from the median"),)
    doubted = [each.model_copy(update={"warnings": doubt}) for each in jax.trials]

    given = answers(*only(result(jax.cell, doubted), onnxruntime, at("pytorch", 70, 71, 72)))
    undecided = answers(*only(result(jax.cell, doubted), onnxruntime))

    assert given[0].picks[0].note == "tied with jax (disturbed)"
    assert undecided[0].picks[0].note == "onnxruntime and jax (disturbed) tie"


def test_throttling_is_named_where_a_cell_is_slower_than_on_cores() -> None:
    book, (workload,) = read(noisy())

    causes = {answer.title: answer.cause for answer in answers(book, workload)}

    assert causes["1 core, 1 GiB"] == ""
    named = causes["1 CPU quota, 1 GiB"]
    assert named.startswith("Slower than under 1 core, 1 GiB, and throttled meanwhile: ")
    assert re.search(rf"pytorch takes 3\.00{TIMES} the time, stopped in \d\d % of the periods", named)
    assert "under 1 core, 1 GiB, threads default" in causes["1 CPU quota, 1 GiB, threads default"]


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ("no cpuset beside it", 3.0),
        ("not throttled", 3.0),
        ("not slower", 1.0),
        ("below the A/A floor", 1.001),
    ],
)
def test_throttling_is_not_told_without_proof(change: str, times: float) -> None:
    cores, quota = one_cpu("jax"), one_cpu("jax", cpu_mode=CpuMode.QUOTA)
    stopped = () if change == "not throttled" else (TypedWarning(kind="throttled", text="stopped"),)
    slow = [
        slowed(trial(quota, index, warnings=stopped), trial(cores, index), times, 1) for index in range(5)
    ]
    cells = [result(quota, slow)]
    if change != "no cpuset beside it":
        cells.append(result(cores, [trial(cores, index) for index in range(5)]))

    book, workload = only(*cells)

    assert {answer.cause for answer in answers(book, workload)} == {""}


def test_the_floor_is_told_with_its_pairs_and_its_twin() -> None:
    of, cells = noisy()
    told = noise(Book.of(of, measure(cells)))

    assert re.match(r"Identical cells differ by up to \d+ % in latency, [\d.]+ % in memory", told.line)
    assert [row.aim for row in told.rows] == ["latency", "memory", "start"]
    assert told.rows[0].pairs == "9 pairs"
    assert told.rows[0].twin == "+30.0 %, +30.0 % to +30.0 %"
    assert told.twin_of == "pytorch.spam-fnn.c1.m1g.b1"


def test_a_twin_that_differs_is_an_alert_in_the_head() -> None:
    of, cells = noisy()

    assert build_view(of, measure(cells)).noise.alert.startswith(
        "The twin differs from its original in latency"
    )
    head = text_of(page(of, cells)).partition("The answer")[0]
    assert "The twin differs from its original in latency (+30.0 %" in head
    assert "Identical cells differ by up to" in head


def test_a_twin_that_differs_by_less_than_matters_is_no_alert() -> None:
    of = cell()
    twin = of.model_copy(update={"twin": True})
    cells = (
        result(of, [trial(of, index) for index in range(5)]),
        result(twin, [slowed(trial(twin, index), trial(of, index), 1.005, 0) for index in range(5)]),
    )

    assert noise(Book.of(run(cells), measure(cells))).alert == ""


def test_without_a_twin_there_is_no_alert_and_the_page_says_so() -> None:
    of, cells = sample()

    assert build_view(of, measure(cells)).noise.alert == ""
    assert "this run has no twin" in text_of(page(of, cells))


def test_with_one_trial_each_the_floor_is_unknown_and_said_so() -> None:
    cells = tuple(result(cell(name), [trial(cell(name))]) for name in ("jax", "pytorch"))

    text = text_of(page(run(cells), cells))

    assert "The A/A floor is unknown" in text
    assert text.count("A/A floor unknown") == 3


def test_the_floor_that_counts_stands_beside_each_answer() -> None:
    book, (workload,) = read(noisy())

    for answer in answers(book, workload):
        assert all(re.fullmatch(r"A/A floor [\d.]+ %", pick.floor) for pick in answer.picks)


def test_the_timers_floor_stands_beside_microseconds() -> None:
    book, (workload,) = read(noisy())

    note = timer_note(book, workload)

    assert re.search(r"The timer's floor is 0\.\d+ µs: .*\(1 core, 1 GiB\)", note)
    assert re.search(r"and 1\.5 % of the fastest cell's", note)
    assert note in aspects(book, workload)[0].note


def test_the_timers_floor_is_left_out_where_it_does_not_matter_or_is_unknown() -> None:
    timer = one_cpu(NULL_FRAMEWORK)
    of = one_cpu("jax")
    slow = [slowed(trial(of, index), trial(of, index), 1000, 1) for index in range(3)]

    assert timer_note(*only(result(of, slow), result(timer))) == ""
    assert timer_note(*only(result(of))) == ""


def test_controls_are_shown_and_never_ranked() -> None:
    of, cells = noisy()
    view = build_view(of, measure(cells))

    assert view.total == "8 cells and 2 controls"
    assert [(each.cell_id, each.role) for each in view.fitness.controls] == [
        ("null.spam-fnn.c1.m1g.b1", "timer's floor"), ("pytorch.spam-fnn.c1.m1g.b1.twin", "twin"),
    ]  # fmt: skip
    html = render(of, measure(cells))
    assert all(
        f'<a href="cells/{each.cell_id}.html">{each.cell_id}</a>' in html for each in view.fitness.controls
    )
    ranked = {row.framework for work in view.workloads for row in work.heat_map.rows}
    assert ranked == {"pytorch", "onnxruntime"}


def test_the_page_says_how_ranks_are_proved() -> None:
    text = text_of(page(*sample()))

    for words in (
        "paired differences", "Student's t", "logarithms", "Holm's", "A/A floor", "shown as a tie",
        "too small for cells that are noisier", "too small for noisier ones",
    ):  # fmt: skip
        assert words in text, words
    assert "intervals meet" not in text
    assert "no correction" not in text

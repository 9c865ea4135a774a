"""What the page says: answers, map, tables, charts, endings."""

import pytest

from harness.records import Phase, PhaseEnd
from harness.report.answers import QUESTIONS, Answer, Leader, Pick, answers, headlines
from harness.report.aspects import aspects
from harness.report.doubts import of_cell
from harness.report.endings import ending
from harness.report.failures import failures
from harness.report.formats import EN_DASH, TIMES, UNKNOWN
from harness.report.heatmap import heat_map
from harness.report.view import build_view
from harness.results import CellResult, Evidence, Expectation, Status
from harness.stats.cell import measure
from harness.stats.intervals import Estimate
from harness.stats.noise import Aim
from harness.units import GIB, MIB
from tests.factories import (
    FRAMEWORKS,
    cell,
    failed_trial,
    image,
    limits,
    phase_end,
    result,
    run,
    samples,
    trial,
)
from tests.sample_runs import failures as failed_run
from tests.sample_runs import sample
from tests.unit.books import only, read


def at(framework: str, *medians_us: float, rss_mib: float = 64) -> CellResult:
    """A cell that is ok, with these medians of its trials."""
    of = cell(framework)
    trials = []
    for index, median in enumerate(medians_us):
        ns = round(median * 1000)
        steady = phase_end(Phase.STEADY, 100 * ns, rss_peak_bytes=round(rss_mib * MIB))
        records = (limits(of, (0, 1)), steady, samples([ns] * 100, Phase.STEADY))
        trials.append(trial(of, index).model_copy(update={"records": records}))
    return result(of, trials)


def test_cells_are_grouped_by_workload_then_limit_with_the_fastest_first() -> None:
    _, (workload,) = read(sample())

    assert [group.title for group in workload.groups] == [
        "1 core, 512 MiB", "1 core, 8 GiB", "2 cores, 512 MiB", "2 cores, 8 GiB",
    ]  # fmt: skip
    order = [each.result.cell.framework for each in workload.groups[3].cells]
    assert order == ["onnxruntime", "jax", "pytorch", "openvino", "tensorflow"]


def test_batches_and_models_are_workloads_of_their_own() -> None:
    cells = (
        result(cell(batch=1)),
        result(cell(batch=1000)),
        result(cell(model="resnet50")),
        result(cell(model="distilbert", sequence=128)),
        result(cell(model="distilbert", sequence=64)),
    )

    _, found = read((run(cells), cells))

    assert [each.title for each in found] == [
        "distilbert, batch 1, sequence 64",
        "distilbert, batch 1, sequence 128",
        "resnet50, batch 1",
        "spam-fnn, batch 1",
        "spam-fnn, batch 1000",
    ]


def test_a_proved_first_place_names_the_next() -> None:
    book, workload = only(at("jax", 24, 24.1, 24.2), at("onnxruntime", 12, 12.1, 12.2))

    fastest = answers(book, workload)[0].picks[0]

    assert [each.framework for each in fastest.leaders] == ["onnxruntime"]
    assert (fastest.figure, fastest.note) == ("12.1 µs", f"next: jax, 1.99{TIMES}")


def test_what_is_proved_over_common_rounds_goes_before_figures_over_all() -> None:
    jax = at("jax", 20, 20.2, 19.9, 10, 10.1, 10.1, 10, 10.1, 10.1)
    onnxruntime = at("onnxruntime", 15, 15.1, 14.9)
    book, workload = only(jax, onnxruntime, at("pytorch", 70, 71, 72, 70, 71, 72, 70, 71, 72))

    fastest = answers(book, workload)[0].picks[0]

    assert [each.framework for each in fastest.leaders] == ["onnxruntime"]
    assert fastest.note == f"next: jax, 1.34{TIMES}"


def test_who_is_alone_has_beaten_nobody() -> None:
    book, workload = only(at("jax", 24, 24.1, 24.2))

    given = answers(book, workload)

    assert given[0].picks[0].note == "the only cell that has a figure"
    assert [places for _, places in headlines(given)[0].winners] == ["at 1 of 1 limit (alone)"]


def test_a_figure_that_no_cell_has_is_no_failure() -> None:
    book, workload = only(at("jax", 24, 24.1, 24.2), at("pytorch", 24, 24.1, 24.2))

    assert answers(book, workload)[0].picks[2].verdict == "no figure"


def test_what_the_trials_cannot_tell_apart_is_a_tie() -> None:
    book, workload = only(at("jax", 12, 13, 14), at("onnxruntime", 12, 12.5, 14), at("pytorch", 70, 71, 72))

    given = answers(book, workload)

    assert given[0].picks[0].note == "tied with jax"
    assert [(each.framework, count) for each, count in headlines(given)[0].winners] == [
        ("jax", "tied at 1 of 1 limit"), ("onnxruntime", "tied at 1 of 1 limit"),
    ]  # fmt: skip


def test_what_another_is_proved_to_be_before_ties_with_no_first() -> None:
    noise = (60, 60, 120, 120, 95, 95)
    book, workload = only(
        at("onnxruntime", *noise),
        at("jax", *(1.4 * each for each in noise)),
        at("openvino", 100, 100.5, 100, 100.2, 100, 100),
        at("pytorch", 125, 126, 125, 124, 125, 125),
    )

    fastest = answers(book, workload)[0].picks[0]

    ranking = book.ranking(workload.groups[0].ok, Aim.LATENCY)
    assert (ranking.proved_less(0, 3), ranking.bands()[3]) == (False, (2, 4))
    assert [each.framework for each in fastest.leaders] == ["onnxruntime", "openvino"]
    assert fastest.note == "tied with openvino"


def test_only_proved_first_places_are_counted() -> None:
    tie = (Leader("onnxruntime", 3), Leader("jax", 2))
    leaders = (tie[:1], tie, tie, ())
    picks = [Pick(each.title, "", ()) for each in QUESTIONS[1:]]
    given = [
        Answer("", (), (Pick("Fastest", "" if each else "not decided", each), *picks)) for each in leaders
    ]

    headline = headlines(given)[0]

    assert [(each.framework, count) for each, count in headline.winners] == [
        ("onnxruntime", "at 1 of 4 limits; tied at 2"), ("jax", "tied at 2 of 4 limits"),
    ]  # fmt: skip
    assert headline.rest == "not decided at 1 of 4 limits"


def test_where_all_tie_nothing_is_decided() -> None:
    book, workload = only(at("jax", 24), at("onnxruntime", 12))

    given = answers(book, workload)

    fastest = given[0].picks[0]
    assert (fastest.verdict, fastest.leaders) == ("not decided", ())
    assert fastest.note == "onnxruntime and jax tie"
    assert headlines(given)[0].winners == ()
    assert headlines(given)[0].rest == "not decided at 1 of 1 limit"


def test_the_leanest_has_the_smallest_resident_peak() -> None:
    book, workload = only(at("jax", 12, 12, rss_mib=200), at("onnxruntime", 13, 13, rss_mib=70))

    leanest = answers(book, workload)[0].picks[1]

    assert (leanest.leaders[0].framework, leanest.figure) == ("onnxruntime", "70.0 MiB")


def test_a_peak_that_a_cap_has_cut_is_marked_wherever_it_stands() -> None:
    of = cell(memory_bytes=512 * MIB)
    full = phase_end(Phase.IMPORT, 1, rss_peak_bytes=436 * MIB, cgroup_peak_bytes=512 * MIB)
    book, workload = only(result(of, [trial(of).model_copy(update={"records": (full,)})]))

    memory = aspects(book, workload)[2]

    assert answers(book, workload)[0].picks[1].figure == "436 MiB, at the cap"
    assert memory.panels[0].rows[0].figure == "436 MiB, at the cap"
    assert memory.tables[0].groups[0].rows[0].values[1] == "436 †"
    assert "† at the cap" in memory.note


def at_the_cap(framework: str, rss_mib: float) -> CellResult:
    """A cell whose cgroup filled its cap, of which it kept so much."""
    made = at(framework, 12, 12, 12, rss_mib=rss_mib)
    trials = [
        each.model_copy(
            update={
                "records": tuple(
                    record.model_copy(update={"cgroup_peak_bytes": made.cell.memory_bytes})
                    if isinstance(record, PhaseEnd)
                    else record
                    for record in each.records
                )
            }
        )
        for each in made.trials
    ]
    return made.model_copy(update={"trials": tuple(trials)})


def test_a_peak_that_a_cap_has_cut_is_never_proved_to_be_less() -> None:
    book, workload = only(at_the_cap("jax", 100), at("onnxruntime", 13, 13, 13, rss_mib=70))
    leanest = answers(book, workload)[0].picks[1]
    assert [leader.framework for leader in leanest.leaders] == ["onnxruntime"]
    assert leanest.note == f"next: jax (at the cap), 1.43{TIMES}"

    book, workload = only(at_the_cap("jax", 60), at("onnxruntime", 13, 13, 13, rss_mib=70))
    leanest = answers(book, workload)[0].picks[1]
    assert leanest.verdict == "not decided"
    assert leanest.note == "jax (at the cap) and onnxruntime tie"


def test_where_no_cell_is_ok_nobody_wins() -> None:
    book, found = read(failed_run())

    empty = answers(book, found[0])[2]

    assert empty.title == "8 cores, 32 GiB"
    assert {pick.verdict for pick in empty.picks} == {"no cell is ok"}
    assert headlines([empty])[0].winners == ()


def test_a_harness_fault_says_nothing_about_the_framework() -> None:
    of = cell()
    reason = "the engine failed before the first phase: gone"
    lost = result(of, [trial(of, status=Status.HARNESS_ERROR, reason=reason, records=())])

    found = ending(lost)

    assert found.kind == "idle"
    assert found.sentence.startswith("harness error: the engine failed before the first phase: gone (")
    assert "says nothing about the framework" in found.detail


def test_the_map_has_no_hole() -> None:
    book, (workload,) = read(failed_run())

    drawn = heat_map(book, workload)

    assert len(drawn.rows) == 5
    for row in drawn.rows:
        for each in row.cells:
            assert each is not None
            assert each.ending.kind == "ok" or (each.ending.word and each.ending.detail)


def test_the_map_shades_by_the_ratio_to_the_fastest() -> None:
    book, workload = only(at("jax", 20), at("onnxruntime", 10), at("pytorch", 79), at("tensorflow", 9000))

    cells = {row.framework: row.cells[0] for row in heat_map(book, workload).rows}

    assert {name: each.shade for name, each in cells.items() if each} == {
        "onnxruntime": 0, "jax": 1, "pytorch": 3, "tensorflow": 5,
    }  # fmt: skip
    assert cells["jax"] is not None
    assert (cells["jax"].text, cells["jax"].ratio) == ("20.0", f"2.00{TIMES}")


def test_a_combination_that_the_matrix_leaves_out_is_said() -> None:
    cells = (result(cell("jax")), result(cell("pytorch")), result(cell("jax", cpus=1)))
    book, (workload,) = read((run(cells), cells))

    row = next(row for row in heat_map(book, workload).rows if row.framework == "pytorch")

    assert row.cells[0] is None


def test_what_an_unfinished_run_lacks_may_be_in_its_matrix() -> None:
    cells = (result(cell("jax")), result(cell("pytorch")), result(cell("jax", cpus=1)))
    absent = [build_view(run(cells, state=state), measure(cells)).absent for state in ("complete", "running")]

    assert absent == ["not in the matrix", "not measured yet, or not in the matrix"]


def oom(peak: int | None, cap: int = 256 * MIB) -> CellResult:
    of = cell(memory_bytes=cap)
    evidence = Evidence(oom_kills=1, peak_bytes=peak, cap_bytes=cap)
    return result(of, [failed_trial(of, Status.OOM, Phase.LOAD, reason="out of memory", evidence=evidence)])


@pytest.mark.parametrize(
    ("peak", "sentence"),
    [
        (498 * MIB, "out of memory in load: 498 MiB under a 256 MiB cap"),
        (249 * MIB, "out of memory in load: 249 MiB under a 256 MiB cap"),
        (256 * MIB - 4096, "out of memory in load: filled its 256 MiB cap"),
        (None, "out of memory in load under a 256 MiB cap"),
    ],
)
def test_an_oom_says_where_and_under_which_cap(peak: int | None, sentence: str) -> None:
    assert ending(oom(peak)).sentence == sentence
    early = oom(peak).model_copy(update={"phase": None})
    assert ending(early).sentence == sentence.replace(" in load under", ": under").replace(" in load", "")


@pytest.mark.parametrize(
    ("status", "word"), [(Status.OOM, "as expected"), (Status.TIMEOUT, "expected out of time")]
)
def test_a_failure_that_was_expected_says_so(status: Status, word: str) -> None:
    expected = Expectation(status=status, reason="it is <small>")
    failed = oom(None).model_copy(update={"expected": expected})
    book, workloads = read((run([failed]), (failed,)))
    (failure,) = failures(book, workloads)
    assert failure.facts[0] == (word, "it is <small>")


def test_a_cell_that_ended_well_against_expectation_is_doubted() -> None:
    expected = Expectation(status=Status.OOM, reason="too small")
    well = at("jax", 20).model_copy(update={"expected": expected})
    _, (workload,) = read((run([well]), (well,)))
    ((kind, text, _), *_) = of_cell(workload.cells[0])
    assert (kind, "out of memory: too small" in text) == ("unexpected", True)


def test_what_was_tried_again_until_it_ended_well_is_told() -> None:
    of = cell("jax")
    first = failed_trial(of, Status.OOM, Phase.LOAD)
    again = trial(of).model_copy(update={"attempt": 1})
    tried = result(of, [first, again, trial(of, 1)], status=Status.OK, phase=None, reason="")
    _, (workload,) = read((run([tried]), (tried,)))
    assert ("tried_again", "an earlier attempt ended otherwise: out of memory", 1) in list(
        of_cell(workload.cells[0])
    )


def test_every_ending_has_its_words() -> None:
    _, cells = failed_run()

    found = {each.cell_id: ending(each) for each in cells if each.status is not Status.OK}

    assert found["pytorch.spam-fnn.c1.m256m.b1"].sentence == (
        "thrashing in import: read 13.75 GiB under a 256 MiB cap"
    )
    assert found["tensorflow.spam-fnn.c500m.m1g.b1"].sentence == "out of time in compile after 2 min 00 s"
    assert found["jax.spam-fnn.c500m.m1g.b1"].sentence == "image not built: no wheel of jaxlib 0.10.2"
    assert found["openvino.spam-fnn.c1.m256m.b1"].kind == "doubted"
    assert found["jax.spam-fnn.c8.m32g.b1"].kind == "idle"
    assert found["jax.spam-fnn.c1.m256m.b1"].word == "crashed"


def test_tables_relate_to_the_baseline_and_share_places_between_ties() -> None:
    cells = (at("pytorch", 70, 71, 72), at("jax", 12, 13, 14), at("onnxruntime", 12, 12.5, 14))
    book, (workload,) = read((run(cells, baseline="pytorch"), cells))

    latency = aspects(book, workload)[0]
    rows = {row.framework: row.values for row in latency.tables[0].groups[0].rows}

    assert latency.tables[0].columns[3].title == "against pytorch"
    assert rows["pytorch"][:4] == ("3", "71.0", "[68.6, 73.5]", f"1.00{TIMES}")
    assert {rows["jax"][0], rows["onnxruntime"][0]} == {f"1{EN_DASH}2"}
    assert rows["jax"][3] == f"0.183{TIMES}"


def test_without_its_baseline_a_limit_has_no_relative_figures() -> None:
    cells = (at("jax", 12, 13, 14),)
    book, (workload,) = read((run(cells, baseline="pytorch"), cells))

    for aspect in aspects(book, workload):
        related = [
            value
            for row in aspect.tables[0].groups[0].rows
            for column, value in zip(aspect.tables[0].columns, row.values, strict=True)
            if column.title.startswith("against")
        ]
        assert set(related) == {UNKNOWN}


def test_each_aspect_puts_its_own_best_first() -> None:
    book, (workload,) = read(sample())

    latency, _, memory, start = aspects(book, workload)

    last_group = [
        [row.framework for row in aspect.tables[0].groups[3].rows] for aspect in (latency, memory, start)
    ]
    assert last_group == [
        ["onnxruntime", "jax", "pytorch", "openvino", "tensorflow"],
        ["onnxruntime", "openvino", "jax", "pytorch", "tensorflow"],
        ["onnxruntime", "openvino", "jax", "pytorch", "tensorflow"],
    ]


def test_every_chart_has_a_row_for_every_cell_and_says_it_in_words() -> None:
    book, (workload,) = read(failed_run())

    for aspect in aspects(book, workload):
        groups = {group.title: group for group in workload.groups}
        assert aspect.slug == "throttling" or len(aspect.panels) == len(groups)
        for panel in aspect.panels:
            assert len(panel.rows) == len(groups[panel.title].cells)
            assert all(f"{row.name} {row.figure}" in panel.description for row in panel.rows)


def test_figures_that_are_unknown_are_dashes_and_not_marks() -> None:
    silent = result(cell(), [trial(cell()).model_copy(update={"records": ()})])
    book, workload = only(silent)

    for aspect in aspects(book, workload):
        (row,) = aspect.panels[0].rows
        assert row.figure == UNKNOWN
        assert not row.bars
        assert row.dot is None


def test_the_title_asks_for_the_models() -> None:
    def title(*names: str) -> str:
        cells = tuple(result(cell(model=name), trials=()) for name in names)
        return build_view(run(cells) if cells else sample()[0], measure(cells)).title

    assert title("spam-fnn") == "Which inference runtime for spam-fnn?"
    assert title("a", "b", "c") == "Which inference runtime for a, b and c?"
    assert title("a", "b", "c", "d") == "Which inference runtime for 4 models?"
    assert title() == "Which inference runtime for nothing yet?"


def test_helper_images_have_no_marker_and_take_no_colour() -> None:
    of, cells = sample()
    images = {"probe": image("probe"), "prepare": image("prepare")} | of.images

    view = build_view(of.model_copy(update={"images": images}), measure(cells))

    assert [(each.name, each.slot) for each in view.helpers] == [("probe", None), ("prepare", None)]
    assert [each.name for each in view.images] == list(FRAMEWORKS)
    assert [each.slot for each in view.images] == [
        each.slot for each in build_view(of, measure(cells)).images
    ]


def test_a_run_that_is_not_complete_says_what_is_missing() -> None:
    of, cells = failed_run()

    assert build_view(of, measure(cells[:10])).unfinished == (
        "This run is interrupted: of its 15 cells, 5 are missing here."
    )
    assert build_view(of, measure(cells)).unfinished.endswith("without a part of their trials.")


def test_devices_are_named_beside_their_limits() -> None:
    cells = (result(cell(cpus=2, memory_bytes=8 * GIB)),)
    devices = {"codespace-2c8g": (2.0, 8 * GIB), "other": (1.0, GIB)}

    _, (workload,) = read((run(cells, devices=devices), cells))

    assert workload.groups[0].devices == ("codespace-2c8g",)


def test_a_figure_in_another_unit_keeps_its_bounds() -> None:
    book, workload = only(at("jax", 2_000_000, 2_100_000))

    latency = aspects(book, workload)[0]

    assert latency.tables[0].columns[1].unit == "s"
    assert isinstance(workload.ok[0].stats.p50_ms, Estimate)
    assert latency.tables[0].groups[0].rows[0].values[1] == "2.05"

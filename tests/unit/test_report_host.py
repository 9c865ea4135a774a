"""Whether the host was fit to measure on, as the page says it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records import AnyRecord, Conditions, Moment
from harness.report import write_report
from harness.report.formats import TIMES, UNKNOWN
from harness.report.host import beside, neighbours_line, spoiled, spoiled_line
from harness.report.reference import BOTTOM, TOP, height, probed_cpus, words
from harness.report.view import build_view
from harness.results import CellResult, TypedWarning
from harness.stats.cell import measure
from tests.factories import STARTED, cell, conditions, probe, result, run, trial
from tests.sample_runs import noisy, noisy_probes, one_cpu, sample, write_run
from tests.unit.books import page
from tests.unit.test_report_page import HOSTILE, SCRIPTS, Page

MOVED = TypedWarning(kind="probe_moved", text="the reference probe ran at 0.50 times its speed")
SECOND = 10**9


def with_conditions(*changes: dict[str, object], neighbours: int = 0) -> CellResult:
    """A cell on one core, of whose trials each has these counters at the end of a steady phase of ten seconds."""
    of = cell(cpus=1)
    trials = []
    for index, change in enumerate(changes):
        made = trial(of, index, neighbours=neighbours)
        records: list[AnyRecord] = [each for each in made.records if not isinstance(each, Conditions)]
        records.append(conditions(Moment.STEADY_START, 0, busy_ns=0))
        records.append(conditions(Moment.STEADY_END, 10 * SECOND, **{"busy_ns": 0} | change))
        trials.append(made.model_copy(update={"records": tuple(records)}))
    return result(of, trials)


def test_each_cell_shows_the_worst_of_its_trials() -> None:
    lost = {"steal_ns": SECOND // 2, "busy_ns": 19 * SECOND // 2}
    worst = lost | {"load": 3.5, "swapped_pages": 1200, "cpu_pressure_ns": 3 * SECOND}

    (row,) = beside(measure([with_conditions({}, worst | {"throttle_events": None}, neighbours=2)]))

    assert (row.steal, row.load, row.swapped, row.hot, row.neighbours) == (
        "5.0 %",
        "3.50",
        "1,200",
        UNKNOWN,
        "2",
    )
    assert row.waiting == "20 % / 0 % / 0 %"


def test_time_of_others_is_what_the_cell_itself_did_not_take() -> None:
    (row,) = beside(measure([with_conditions({"busy_ns": 9 * SECOND})]))

    assert row.foreign != UNKNOWN
    assert float(row.foreign.removesuffix(" %")) > 50


def test_under_a_quota_nobody_can_tell_whose_time_it_was() -> None:
    rows = {row.cell_id: row for row in beside(measure(noisy()[1]))}

    assert rows["pytorch.spam-fnn.c1.m1g.b1.quota"].foreign == UNKNOWN


def test_counters_that_did_not_move_on_say_nothing() -> None:
    of = cell()
    still = (conditions(Moment.STEADY_START, 5), conditions(Moment.STEADY_END, 5))
    stuck = trial(of).model_copy(update={"records": still})

    assert beside(measure([result(of, [stuck])])) == ()


def test_spoiled_trials_stand_with_their_reason_and_what_became_of_them() -> None:
    _, cells = noisy()
    measured = measure(cells)

    rows = spoiled(measured)

    assert [(row.kind, row.trials, row.fate) for row in rows] == [
        ("probe moved", 1, "the repetition, counts all the same"),
        ("probe moved", 2, "repeated, does not count"),
    ]
    assert rows[0].cells == ("onnxruntime.spam-fnn.c1.m1g.b1",)
    assert spoiled_line(measured) == (
        "The host spoiled 3 of 52 trials (42 of cells and 10 of controls). Such a trial is repeated once, both are "
        "kept, and the repetition counts. Spoiled among those that count: 1."
    )


def test_a_spoiled_trial_that_nobody_repeated_counts_and_says_so() -> None:
    of = cell()

    (row,) = spoiled(measure([result(of, [trial(of, spoiled=(MOVED,))])]))

    assert row.fate == "not repeated, counts"


def test_a_quiet_run_says_that_it_was() -> None:
    measured = measure(sample()[1])

    assert spoiled_line(measured) == "The host spoiled none of 60 trials."
    assert neighbours_line(measured) == "No other container ran on the engine when a trial began."
    assert spoiled(measured) == ()


def test_neighbours_are_counted() -> None:
    of = cell()
    measured = measure([result(of, [trial(of, 0, neighbours=3), trial(of, 1)])])

    assert (
        neighbours_line(measured) == "1 of 2 trials began with other containers on the engine, 3 at the most."
    )


def test_probes_are_drawn_for_each_set_of_cpus() -> None:
    of, cells = noisy()
    probes = noisy_probes()

    drawn = Page(page(of, cells, probes))

    titles = [each.text[0] for each in drawn.all("title")]
    for cpus in ("CPU 1", "quota of 1 CPU"):
        for figure in ("Matrix product", "Copy in memory", "Interpreter loop"):
            assert f"{figure}, {cpus}" in titles
    dots = [each for each in drawn.all("circle") if each.attributes["r"] == "2.5"]
    assert len(dots) == 3 * len(probes)
    links = {each.attributes["href"] for each in drawn.all("a")}
    assert {f"probes/{each.number}.json" for each in probes} <= links


def test_the_machines_speed_has_units_spread_and_drift() -> None:
    steady, moved = probed_cpus(noisy_probes())

    assert (steady.title, steady.count) == ("CPU 1", "6 probes")
    assert [series.median for series in steady.series] == ["50.5 GMAC/s", "13.4 GB/s", "0.500 ms"]
    assert steady.series[0].words == (
        f"0.990{TIMES} to 1.01{TIMES} its median speed; the last third 1.6 % faster than the first; "
        "no move of more than 15 % between neighbours"
    )
    assert "the last third as fast as the first" in steady.series[1].words
    assert f"0.500{TIMES} to 1.00{TIMES} its median speed" in moved.series[0].words
    assert "2 moves of more than 15 % between neighbours" in moved.series[0].words
    assert moved.rows[3].figures[0] == f"25.0 GMAC/s\n0.500{TIMES}"


def test_a_single_probe_has_no_drift() -> None:
    assert words([1.0]) == (
        f"1.00{TIMES} to 1.00{TIMES} its median speed; no move of more than 15 % between neighbours"
    )
    (alone,) = probed_cpus([probe()])
    assert len(alone.series[0].marks) == 1


def test_the_median_lies_in_the_middle_and_nothing_leaves_the_chart() -> None:
    assert height(1.0, 1.5) == (TOP + BOTTOM) / 2
    assert height(1.5, 1.5) == TOP
    assert height(1 / 1.5, 1.5) == BOTTOM
    assert height(1000, 4.0) == TOP
    assert height(0.001, 4.0) == BOTTOM


def test_probes_at_one_moment_can_be_drawn() -> None:
    pair = [probe(number, started_at=STARTED) for number in range(2)]

    (found,) = probed_cpus(pair)

    assert {mark.x for mark in found.series[0].marks} == {13.0}


def test_probes_with_and_without_a_zone_can_be_drawn() -> None:
    naive = (STARTED + timedelta(seconds=5)).replace(tzinfo=None)

    assert probed_cpus([probe(0), probe(1, started_at=naive)])


def test_a_run_without_probes_is_still_a_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", *noisy())

    text = re.sub(r"\s+", " ", Page(write_report(folder).read_text()).text)

    assert "This run has stored none" in text
    assert "The host spoiled 3 of 52 trials (42 of cells and 10 of controls)." in text


def test_the_report_reads_the_probes_from_their_files(tmp_path: Path) -> None:
    of, cells = noisy()
    folder = write_run(tmp_path / "run", of, cells, noisy_probes())

    html = write_report(folder).read_text()

    assert html == page(of, cells_in_the_reports_order(cells), noisy_probes())
    assert "50.5 GMAC/s" in html


def cells_in_the_reports_order(cells: tuple[CellResult, ...]) -> list[CellResult]:
    return sorted(
        cells,
        key=lambda each: (
            each.cell.twin, each.cell.cpu_mode, str(each.cell.threads), each.cell.framework,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("damage", ["", "{", '{"version": 99}'])
def test_a_damaged_probe_is_named(tmp_path: Path, damage: str) -> None:
    folder = write_run(tmp_path / "run", *noisy(), noisy_probes())
    (folder / "probes" / "3.json").write_text(damage)

    with pytest.raises(StoreError, match=r"3\.json"):
        write_report(folder)

    assert not (folder / "index.html").exists()


def test_hostile_texts_in_reasons_and_warnings_are_inert() -> None:
    of = one_cpu("jax")
    evil = TypedWarning(kind=HOSTILE, text=HOSTILE)
    remark = TypedWarning(kind="threads_idle", text=HOSTILE)
    doubted = TypedWarning(kind="throttled", text=HOSTILE)
    twin = of.model_copy(update={"twin": True})
    trials = [trial(of, index, spoiled=(evil,), warnings=(evil, remark, doubted)) for index in range(3)]
    cells = (result(of, trials), result(twin))

    html = page(run(cells), cells, [probe()])
    drawn = Page(html)

    assert len(drawn.all("script")) == SCRIPTS
    assert not drawn.all("img")
    assert len(drawn.all("style")) == 1
    assert not [name for each in drawn.elements for name in each.attributes if name.startswith("on")]
    assert drawn.text.count("alert(1)") >= 4
    assert build_view(run(cells), measure(cells)).fitness.spoiled[0].text == HOSTILE

"""The sweeps of a report: what a size of a call changes, and who is fastest where."""

from harness.records import Phase
from harness.report.book import Book
from harness.report.formats import UNKNOWN
from harness.report.grouping import workloads
from harness.report.sweeps import SweepStudy, changes, sweeps
from harness.report.tradeoffs import MOST_LIMITS
from harness.results import CellResult, Status
from harness.stats.cell import measure
from harness.units import MIB
from tests.factories import cell, failed_trial, result, run


def made(*cells: CellResult) -> tuple[SweepStudy, ...]:
    record, measured = run(cells), measure(cells)
    return sweeps(Book.of(record, measured), workloads(record, measured))


def test_a_run_with_one_size_has_no_sweep() -> None:
    assert made(result(cell("jax")), result(cell("onnxruntime"))) == ()


def test_batches_of_a_model_under_a_limit_stand_beside_each_other() -> None:
    cells = [result(cell(name, batch=batch)) for name in ("jax", "onnxruntime") for batch in (8, 1)]
    (study,) = made(*cells, result(cell("pytorch", batch=8)), result(cell("jax", cpus=1)))
    (sweep,) = study.sweeps
    assert (study.title, study.axis, study.sizes) == ("spam-fnn by batch", "batch", (1, 8))
    assert sweep.title == "spam-fnn by batch, 2 cores, 8 GiB"
    assert {row.framework: [each is not None for each in row.cells] for row in sweep.rows} == {
        "jax": [True, True],
        "onnxruntime": [True, True],
        "pytorch": [False, True],
    }
    first = next(row for row in sweep.rows if row.framework == "jax").cells[0]
    assert first is not None
    assert (first.ending.kind, float(first.throughput.replace(",", "")) > 0) == ("ok", True)


def test_where_no_framework_is_ok_at_a_size_nobody_is_the_fastest_there() -> None:
    def died(framework: str) -> CellResult:
        of = cell(framework, batch=64)
        return result(of, [failed_trial(of, Status.OOM, Phase.LOAD, index) for index in range(3)])

    (study,) = made(
        *(result(cell(name)) for name in ("jax", "onnxruntime")), died("jax"), died("onnxruntime")
    )

    assert study.sweeps[0].winners[1] == "no cell is ok"


def test_frameworks_that_share_a_colour_stand_in_the_order_of_their_names() -> None:
    names = [f"mine-{letter}" for letter in "fbdaec"]
    (study,) = made(*(result(cell(name, batch=batch)) for name in names for batch in (1, 8)))
    rows = study.sweeps[0].rows
    assert [row.framework for row in rows] == ["mine-a", "mine-d", "mine-b", "mine-e", "mine-c", "mine-f"]
    assert study.sweeps[0].plot is not None
    assert study.sweeps[0].plot.shared == {row.slot for row in rows}


def test_throughput_has_three_digits() -> None:
    cells = [result(cell(name, batch=batch)) for name in ("jax", "onnxruntime") for batch in (1, 100_000)]
    (study,) = made(*cells)
    figures = [
        text
        for row in study.sweeps[0].rows
        for each in row.cells
        if each
        for text in (each.throughput, each.per_cpu)
    ]
    assert max(len(text.replace(",", "")) for text in figures) > 6
    assert all(len(text.replace(",", "").replace(".", "").strip("0")) <= 3 for text in figures)


def test_sequences_are_a_sweep_of_their_own() -> None:
    cells = [result(cell("jax", model="distilbert", sequence=length)) for length in (128, 64)]
    (study,) = made(*cells)
    assert (study.title, study.axis, study.sizes) == (
        "distilbert by sequence, batch 1",
        "sequence",
        (64, 128),
    )


def test_sweeps_that_keep_another_size_are_studies_of_their_own() -> None:
    sizes = [(batch, length) for batch in (1, 8) for length in (64, 128)]
    found = made(*(result(cell("jax", model="distilbert", batch=b, sequence=s)) for b, s in sizes))
    assert [study.title for study in found] == [
        "distilbert by batch, sequence 64",
        "distilbert by batch, sequence 128",
        "distilbert by sequence, batch 1",
        "distilbert by sequence, batch 8",
    ]


def test_a_size_that_one_limit_lacks_is_a_gap_there() -> None:
    small = [result(cell("jax", batch=batch)) for batch in (1, 8, 64)]
    large = [result(cell("jax", cpus=1, batch=batch)) for batch in (1, 64)]
    (study,) = made(*small, *large)
    one_core, two_cores = study.sweeps
    assert study.sizes == (1, 8, 64)
    assert [each is None for each in one_core.rows[0].cells] == [False, True, False]
    assert one_core.winners == ("jax", UNKNOWN, "jax")
    assert one_core.plot is not None
    assert two_cores.plot is not None
    (gapped,), (whole,) = one_core.plot.curves, two_cores.plot.curves
    assert (len(gapped.spots), gapped.path) == (2, "")
    assert (len(whole.spots), whole.path.count("M"), whole.path.count("L")) == (3, 1, 2)


def test_the_chart_shows_what_ran_and_says_it_in_words() -> None:
    of = cell("pytorch", batch=8)
    killed = result(
        of, [failed_trial(of, Status.OOM, Phase.LOAD, index=index, reason="killed") for index in range(3)]
    )
    ran = [result(cell("jax", batch=batch)) for batch in (1, 8)]
    (study,) = made(*ran, killed)
    (sweep,) = study.sweeps
    assert study.axes is not None
    assert study.axes.title == "Items a second by batch, both logarithmic"
    assert [tick.label for tick in study.axes.x_ticks] == ["1", "8"]
    assert [name.framework for name in study.names] == ["pytorch", "jax"], "as in the palette"
    assert sweep.plot is not None
    dead, live = sweep.plot.curves
    assert (len(dead.spots), dead.path, len(live.spots)) == (0, "", 2)
    assert live.spots[1].y < live.spots[0].y, "more items a second stand higher"
    figures = [each.throughput for each in sweep.rows[1].cells if each]
    assert sweep.plot.description == (
        f"Items a second by batch. pytorch has no figure; jax {figures[0]} at 1, {figures[1]} at 8."
    )
    assert (sweep.plot.title, sweep.plot.told) == ("2 cores, 8 GiB", sweep.changes)


def test_nothing_is_drawn_where_nothing_ran_or_the_limits_are_too_many() -> None:
    failed = [cell("jax", batch=batch) for batch in (1, 8)]
    caps = [64 * MIB * step for step in range(1, MOST_LIMITS + 2)]
    (idle,) = made(
        *(result(of, [failed_trial(of, Status.OOM, Phase.LOAD, reason="killed")]) for of in failed)
    )
    (many,) = made(*(result(cell("jax", batch=b, memory_bytes=cap)) for b in (1, 8) for cap in caps))
    assert idle.undrawn == ""
    assert many.undrawn.startswith(
        f"Throughput by size is drawn for up to {MOST_LIMITS} limits of a model, and here are"
    )
    for study in (idle, many):
        assert study.axes is None
        assert {sweep.plot for sweep in study.sweeps} == {None}


def test_where_the_fastest_changes_is_said_in_words() -> None:
    assert changes({"batch 1": ("jax",), "batch 8": ("jax",), "batch 64": ("openvino",)}) == (
        "Between batch 8 and batch 64 the fastest changes: jax, then openvino."
    )
    assert changes({"batch 1": ("jax",), "batch 8": ("jax",)}) == "The same at every size: jax."
    assert changes({"batch 1": (), "batch 8": ()}) == ""


def test_where_nothing_is_decided_nothing_is_said_to_change() -> None:
    undecided = {
        "batch 1": ("jax",),
        "batch 4": (),
        "batch 8": ("jax", "openvino"),
        "batch 16": ("openvino",),
    }
    assert changes(undecided) == "Between batch 1 and batch 16 the fastest changes: jax, then openvino."
    assert changes({"batch 1": ("jax",), "batch 4": ()}) == ""

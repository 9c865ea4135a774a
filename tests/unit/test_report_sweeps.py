"""The sweeps of a report: what a size of a call changes, and who is fastest where."""

from harness.report.book import Book
from harness.report.grouping import workloads
from harness.report.sweeps import Sweep, changes, sweeps
from harness.results import CellResult
from harness.stats.cell import measure
from tests.factories import cell, result, run


def made(*cells: CellResult) -> tuple[Sweep, ...]:
    record, measured = run(cells), measure(cells)
    return sweeps(Book.of(record, measured), workloads(record, measured))


def test_a_run_with_one_size_has_no_sweep() -> None:
    assert made(result(cell("jax")), result(cell("onnxruntime"))) == ()


def test_batches_of_a_model_under_a_limit_stand_beside_each_other() -> None:
    cells = [result(cell(name, batch=batch)) for name in ("jax", "onnxruntime") for batch in (8, 1)]
    (sweep,) = made(*cells, result(cell("pytorch", batch=8)), result(cell("jax", cpus=1)))
    assert (sweep.title, sweep.axis, sweep.sizes) == ("spam-fnn by batch, 2 cores, 8 GiB", "batch", (1, 8))
    assert {row.framework: [each is not None for each in row.cells] for row in sweep.rows} == {
        "jax": [True, True],
        "onnxruntime": [True, True],
        "pytorch": [False, True],
    }
    first = next(row for row in sweep.rows if row.framework == "jax").cells[0]
    assert first is not None
    assert (first.ending.kind, float(first.throughput.replace(",", "")) > 0) == ("ok", True)


def test_throughput_has_three_digits() -> None:
    cells = [result(cell(name, batch=batch)) for name in ("jax", "onnxruntime") for batch in (1, 100_000)]
    (sweep,) = made(*cells)
    figures = [
        text for row in sweep.rows for each in row.cells if each for text in (each.throughput, each.per_cpu)
    ]
    assert max(len(text.replace(",", "")) for text in figures) > 6
    assert all(len(text.replace(",", "").replace(".", "").strip("0")) <= 3 for text in figures)


def test_sequences_are_a_sweep_of_their_own() -> None:
    cells = [result(cell("jax", model="distilbert", sequence=length)) for length in (128, 64)]
    (sweep,) = made(*cells)
    assert (sweep.axis, sweep.sizes) == ("sequence", (64, 128))


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

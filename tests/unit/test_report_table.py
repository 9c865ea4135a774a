"""results.csv."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from harness.columns import COLUMNS
from harness.errors import StoreError
from harness.records import Phase
from harness.report import write_report
from harness.report.table import results_csv, results_frame, results_json, write_parquet
from harness.results import CellResult, Status
from harness.runs import Run
from harness.schemas import FOLDER
from harness.stats.cell import measure
from tests.factories import PROFILES, cell, failed_trial, framework_record, result, trial
from tests.sample_runs import failures, sample, write_run


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_it_has_the_columns_of_the_contract_in_their_order() -> None:
    expected = (
        "cell_id, framework, model, cpus, memory_bytes, batch, sequence, cpu_mode, threads, control, status, phase, "
        "reason, trials, iterations, stopped_by, precision, p50_ms, p50_low_ms, p50_high_ms, p90_ms, p90_low_ms, "
        "p90_high_ms, p95_ms, p95_low_ms, p95_high_ms, p99_ms, p99_low_ms, p99_high_ms, core_p50_ms, "
        "throughput_per_s, throughput_per_cpu_s, cpu_percent, cpu_ms_per_inference, cores_used, system_share, "
        "busy_threads, throttled_fraction, throttled_ms_per_s, peak_share, growth_bytes_per_call, rss_peak_bytes, "
        "anon_peak_bytes, cgroup_peak_bytes, import_ms, load_ms, compile_ms, first_ms, cold_start_ms, "
        "max_abs_error, max_rel_error, limits_enforced, image_digest, framework_version"
    )

    assert results_csv(results_frame([])) == expected.replace(" ", "") + "\n"


def test_there_is_one_row_for_each_cell_in_the_given_order() -> None:
    _, cells = sample()

    found = rows(results_csv(results_frame(measure(cells))))

    assert [row["cell_id"] for row in found] == [each.cell_id for each in cells]
    assert {row["status"] for row in found} == {"ok"}
    assert {row["limits_enforced"] for row in found} == {"True"}


def test_what_is_unknown_is_empty_and_never_zero() -> None:
    skipped = result(cell(), trials=(), reason="larger than the host")

    (row,) = rows(results_csv(results_frame(measure([skipped]))))

    assert row["trials"] == "0"
    assert row["reason"] == "larger than the host"
    after = list(COLUMNS)[list(COLUMNS).index("trials") + 1 :]
    assert {row[name] for name in after} == {""}


def test_sizes_are_whole_and_floats_have_six_digits() -> None:
    (row,) = rows(results_csv(results_frame(measure([result(cell(cpus=0.5))]))))

    assert row["cpus"] == "0.5"
    assert row["memory_bytes"] == str(8 * 1024**3)
    assert row["rss_peak_bytes"].isdigit()
    assert len(row["p50_ms"].replace(".", "").lstrip("0")) <= 6


def test_the_same_cells_give_the_same_bytes() -> None:
    _, cells = failures()

    assert results_csv(results_frame(measure(cells))) == results_csv(results_frame(measure(cells)))


def test_a_failed_cell_keeps_what_it_reached() -> None:
    died = failed_trial(cell(), Status.OOM, Phase.LOAD, reason="out of memory in load")

    (row,) = rows(results_csv(results_frame(measure([result(cell(), [died])]))))

    assert (row["status"], row["phase"], row["reason"]) == (
        "oom",
        "load",
        "1 of 1 trials: out of memory in load",
    )
    assert row["p50_ms"] == ""
    assert float(row["import_ms"]) > 0
    assert row["load_ms"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_from_a_container_is_a_formula(start: str) -> None:
    forged = framework_record(cell(), PROFILES["jax"], version=f'{start}cmd|" /C calc"!A0')
    told = trial(cell()).model_copy(update={"records": (forged,)})

    (row,) = rows(results_csv(results_frame(measure([result(cell(), [told])]))))

    assert row["framework_version"].startswith(f"'{start}")


def test_the_frame_is_typed_and_unrounded() -> None:
    measured = measure([result(cell())])

    frame = results_frame(measured)

    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        name: str(pd.api.types.pandas_dtype(column.kind)) for name, column in COLUMNS.items()
    }
    p50 = measured[0].stats.p50_ms
    assert p50 is not None
    assert frame["p50_ms"][0] == p50.value


def test_json_has_the_same_rows_typed() -> None:
    _, cells = failures()
    frame = results_frame(measure(cells))

    document = json.loads(results_json("a-run", frame))

    printed = rows(results_csv(frame))
    assert (document["version"], document["run_id"]) == (1, "a-run")
    assert [list(cell) for cell in document["cells"]] == [list(COLUMNS)] * len(cells)
    for cell_, row in zip(document["cells"], printed, strict=True):
        assert {name for name, value in cell_.items() if value is None} == {
            name for name, text in row.items() if text == ""
        }
        assert (
            str(cell_["limits_enforced"] if cell_["limits_enforced"] is not None else "")
            == row["limits_enforced"]
        )
        for name in ("p50_ms", "cpus", "rss_peak_bytes", "iterations"):
            assert cell_[name] is None or float(row[name]) == cell_[name]
    assert {type(cell_["memory_bytes"]) for cell_ in document["cells"]} == {int}


def test_json_keeps_a_text_as_it_was_said() -> None:
    told = framework_record(cell(), PROFILES["jax"], version="=1+1")
    died = trial(cell()).model_copy(update={"records": (told,)})

    document = json.loads(results_json("a-run", results_frame(measure([result(cell(), [died])]))))

    assert document["cells"][0]["framework_version"] == "=1+1"


def test_no_cells_are_a_table_too() -> None:
    assert json.loads(results_json("a-run", results_frame([])))["cells"] == []


@pytest.mark.parametrize("made", [sample, failures])
def test_json_keeps_its_schema(made: Callable[[], tuple[Run, tuple[CellResult, ...]]]) -> None:
    schema = json.loads((FOLDER / "results.schema.json").read_text())
    document = json.loads(results_json("a-run", results_frame(measure(made()[1]))))

    jsonschema.Draft202012Validator(schema).validate(document)

    del document["cells"][0]["p50_ms"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


def test_parquet_has_the_typed_rows_unrounded(tmp_path: Path) -> None:
    frame = results_frame(measure(failures()[1]))

    write_parquet(tmp_path / "results.parquet", frame)

    found = pd.read_parquet(tmp_path / "results.parquet")
    pd.testing.assert_frame_equal(found.astype(frame.dtypes.to_dict()), frame)


def test_without_pyarrow_parquet_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> bytes:
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", missing)
    folder = write_run(tmp_path / "run", *sample())

    with pytest.raises(StoreError) as caught:
        write_report(folder, parquet=True)

    assert "pyarrow is missing" in caught.value.what
    assert "pip install pyarrow" in caught.value.fix
    assert not (folder / "index.html").exists(), "all or none"

"""Every variant of the examples: what it changes is in what the framework says of itself, and it answers right."""

from pathlib import Path

import pytest
import yaml

from harness.intake import Options
from harness.records import Framework
from harness.results import CellResult, Status
from harness.session import Finished, run_matrix
from tests.checkout import ROOT

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("variants")
    matrix = yaml.safe_load((ROOT / "examples" / "variants.yaml").read_text())
    matrix |= {"cpus": [1], "protocol": {"trials": 1, "warmup": "0.1s", "budget": "0.1s"}}
    (folder / "matrix.yaml").write_text(yaml.safe_dump(matrix, sort_keys=False))
    return run_matrix(
        Options(matrix=folder / "matrix.yaml", reports=Path(folder / "reports")), lambda _: None
    )


def cell(finished: Finished, framework: str) -> CellResult:
    return next(each for each in finished.cells if each.cell.framework == framework and not each.cell.twin)


def told(finished: Finished, framework: str) -> Framework:
    record = cell(finished, framework).trials[-1].find(Framework)
    assert record is not None
    return record


def test_every_variant_runs_and_answers_right(finished: Finished) -> None:
    assert {each.cell.framework: (each.status, each.reason) for each in finished.cells} == dict.fromkeys(
        (*finished.run.frameworks, "null"), (Status.OK, "")
    )


@pytest.mark.parametrize(
    ("framework", "setting", "value"),
    [
        ("pytorch", "form", "eager"),
        ("pytorch-compile", "form", "compiled"),
        ("tensorflow", "xla", "off"),
        ("tensorflow-xla", "xla", "on"),
        ("onnxruntime", "cpu_memory_arena", "True"),
        ("onnxruntime-no-arena", "cpu_memory_arena", "False"),
        ("openvino", "performance_hint", "LATENCY"),
        ("openvino-throughput", "performance_hint", "THROUGHPUT"),
    ],
)
def test_a_variant_says_what_is_different(
    finished: Finished, framework: str, setting: str, value: str
) -> None:
    assert value in told(finished, framework).settings[setting]


def test_a_version_runs_beside_the_current_one(finished: Finished) -> None:
    assert told(finished, "onnxruntime-1-17").version == "1.17.0"
    assert told(finished, "onnxruntime").version != "1.17.0"
    assert finished.run.images["onnxruntime-1-17"].packages["onnxruntime"] == "1.17.0"

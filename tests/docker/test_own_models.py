"""ONNX files that the project did not export itself, in all frameworks: each cell is ok, or says what keeps it out."""

from pathlib import Path

import docker
import pytest
from onnx import TensorProto, helper

from harness.artefacts import list_artefacts
from harness.intake import Options
from harness.records import Phase
from harness.results import CellResult, Status
from harness.session import run_matrix
from tests.unit.onnx_models import doubled_mean, model, save, value

pytestmark = pytest.mark.docker

FILES = Path(__file__).parents[1] / "byo" / "files"
MATRIX = f"""\
frameworks: [pytorch, tensorflow, jax, onnxruntime, openvino]
models:
  keras: {{onnx: {FILES}/keras-cnn.onnx, task: classification}}
  lstm: {{onnx: {FILES}/lstm.onnx}}
  int8: {{onnx: {FILES}/int8-qdq.onnx}}
  transformer:
    onnx: {FILES}/transformer.onnx
    dims: {{sequence: sequence}}
    inputs: {{tokens: {{low: 0, high: 100}}}}
  external:
    onnx: {FILES}/external.onnx
    dims: {{sequence: 24}}
    inputs: {{tokens: {{low: 0, high: 100}}}}
  trees: {{onnx: {FILES}/sklearn-trees.onnx}}
  mean: {{onnx: model.onnx}}
sequence: [17]
cpus: [1]
memory: [2GiB]
batch: [2]
protocol: {{trials: 1, warmup: 0.1s, budget: 0.1s}}
"""
WITH_TOOLS = ("pytorch", "tensorflow", "jax")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], CellResult]:
    """The volumes of these models stay as a cache for the next time; `edgematrix clean` removes them."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "matrix.yaml").write_text(MATRIX)
    save(doubled_mean(), folder)
    finished = run_matrix(Options(matrix=folder / "matrix.yaml", reports=folder / "reports"), lambda _: None)
    return {
        (each.cell.model, each.cell.framework): each
        for each in finished.cells
        if not each.cell.is_floor and not each.cell.twin
    }


@pytest.mark.parametrize("model", ["keras", "lstm", "transformer", "external", "mean"])
def test_a_file_of_another_exporter_runs_everywhere(
    cells: dict[tuple[str, str], CellResult], model: str
) -> None:
    found = {name: (each.status, each.reason) for (of, name), each in cells.items() if of == model}
    assert found == dict.fromkeys((*WITH_TOOLS, "onnxruntime", "openvino"), (Status.OK, ""))


def test_what_a_converter_does_not_know_is_named(cells: dict[tuple[str, str], CellResult]) -> None:
    assert cells["trees", "onnxruntime"].status is Status.OK
    for framework in (*WITH_TOOLS, "openvino"):
        found = cells["trees", framework]
        assert found.status is Status.UNSUPPORTED
        assert "TreeEnsembleRegressor" in found.reason


def test_a_quantized_file_is_right_or_said_to_be_wrong(cells: dict[tuple[str, str], CellResult]) -> None:
    for framework in (*WITH_TOOLS, "onnxruntime", "openvino"):
        found = cells["int8", framework]
        assert found.status in {Status.OK, Status.INVALID_OUTPUT, Status.UNSUPPORTED}
        assert found.status is not Status.UNSUPPORTED or "Linear" in found.reason


@pytest.mark.usefixtures("cells")
def test_prepared_models_are_listed_with_size_and_hash(client: docker.DockerClient) -> None:
    listed = {
        each["holds"]: each
        for each in list_artefacts(client, listener=lambda _: None)
        if each["model"] == "transformer"
    }
    shape = "batch 2, sequence 17"
    assert {"model transformer", f"inputs of transformer, {shape}", "model transformer for openvino"} <= set(
        listed
    )
    assert f"model transformer for jax, {shape}" in listed
    assert (listed["model transformer"]["size_bytes"] or 0) > (FILES / "transformer.onnx").stat().st_size
    assert all(each["hash"] for each in listed.values())


def test_an_output_whose_shape_depends_on_the_values_is_that_of_the_call(tmp_path: Path) -> None:
    node = helper.make_node("NonZero", ["x"], ["y"])
    outputs = [value("y", [2, None], TensorProto.INT64)]
    save(model([value("x", ["n", 3])], outputs, [node]), tmp_path)
    (tmp_path / "matrix.yaml").write_text(
        "frameworks: [onnxruntime, openvino]\n"
        "models:\n  places: {onnx: model.onnx, inputs: {x: {low: 1, high: 2}}}\n"
        "cpus: [1]\nmemory: [512MiB]\nprotocol: {trials: 1, warmup: 0.1s, budget: 0.1s}\n"
    )
    finished = run_matrix(
        Options(matrix=tmp_path / "matrix.yaml", reports=tmp_path / "reports"), lambda _: None
    )
    found = {each.cell.framework: (each.status, each.reason) for each in finished.cells}
    assert (found["onnxruntime"], found["openvino"]) == ((Status.OK, ""), (Status.OK, ""))


BAD = {
    "not-onnx": (Status.BUILD_FAILED, "no ONNX file"),
    "truncated": (Status.BUILD_FAILED, "no ONNX file, or only a part of one"),
    "external-missing": (Status.BUILD_FAILED, "its weights are in"),
    "external-outside": (Status.BUILD_FAILED, "points outside the directory"),
    "opset-99": (Status.BUILD_FAILED, "it is of opset 99"),
    "dimension-unbound": (Status.BUILD_FAILED, "has no size"),
    "input-string": (Status.BUILD_FAILED, "is of type string"),
    "input-complex": (Status.BUILD_FAILED, "is of type complex"),
    "input-none": (Status.BUILD_FAILED, "it is no valid ONNX model"),
    "operator-foreign": (Status.BUILD_FAILED, ""),
}


def test_a_bad_file_costs_its_own_cells_only(tmp_path: Path) -> None:
    models = "".join(f"  {name}: {{onnx: {FILES.parent}/bad/{name}.onnx}}\n" for name in BAD)
    (tmp_path / "matrix.yaml").write_text(
        f"frameworks: [onnxruntime]\nmodels:\n  spam-fnn:\n{models}cpus: [1]\nmemory: [512MiB]\n"
        "protocol: {trials: 1, warmup: 0.1s, budget: 0.1s}\n"
    )
    finished = run_matrix(
        Options(matrix=tmp_path / "matrix.yaml", reports=tmp_path / "reports"), lambda _: None
    )
    found = {each.cell.model: each for each in finished.cells if each.cell.framework == "onnxruntime"}
    assert found.pop("spam-fnn").status is Status.OK
    for name, each in found.items():
        status, words = BAD[name]
        assert (each.status, words in each.reason) == (status, True), f"{name}: {each.status}: {each.reason}"
        assert "Traceback" not in each.reason


def test_a_model_that_is_larger_than_its_cap_is_out_of_memory(tmp_path: Path) -> None:
    (tmp_path / "matrix.yaml").write_text(
        "frameworks: [onnxruntime]\nmodels: [resnet50]\ncpus: [1]\nmemory: [96MiB]\n"
        "protocol: {trials: 1, warmup: 0.1s, budget: 0.1s}\n"
    )
    finished = run_matrix(
        Options(matrix=tmp_path / "matrix.yaml", reports=tmp_path / "reports"), lambda _: None
    )
    found = next(each for each in finished.cells if each.cell.framework == "onnxruntime")
    assert (found.status, found.phase) == (Status.OOM, Phase.COMPILE)

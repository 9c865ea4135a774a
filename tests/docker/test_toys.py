"""A framework and a model of one's own: a folder each, and nothing else is touched."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from harness.intake import ROOT, Options
from harness.results import Status
from harness.session import run_matrix
from tests.unit.onnx_models import model, value

pytestmark = pytest.mark.docker

TOYS = Path(__file__).parent / "toys"
MATRIX = """\
frameworks:
  toy:
  toy-doubled: {extends: toy, params: {kind: doubled}}
  onnxruntime:
models: [toy-model, spam-fnn]
cpus: [1]
memory: [512MiB]
batch: [3]
protocol: {trials: 1, warmup: 0.1s, budget: 0.1s}
"""


def graph() -> bytes:
    """`scores = values @ weight + bias`, without weights, as `export_graph.py` leaves it."""
    nodes = [
        helper.make_node("MatMul", ["values", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
    ]
    made = model([value("values", ["batch", 4])], [value("scores", ["batch", 3])], nodes)
    for name, dims in (("weight", [4, 3]), ("bias", [3])):
        made.graph.initializer.append(TensorProto(name=name, dims=dims, data_type=TensorProto.FLOAT))
    return bytes(made.SerializeToString())


@pytest.fixture
def toys(root: Path) -> Iterator[None]:
    """The folders put in their places; `jax` lends its lock, which has the same packages among others."""
    framework, toy = root / "images" / "toy", root / "harness" / "models" / "toy-model"
    shutil.copytree(TOYS / "framework", framework)
    for lock in (ROOT / "images" / "jax").glob("requirements.*.lock"):
        shutil.copy(lock, framework / lock.name)
    shutil.copytree(TOYS / "model", toy)
    (toy / "graph.onnx").write_bytes(graph())
    yield
    shutil.rmtree(framework)
    shutil.rmtree(toy)


@pytest.mark.usefixtures("toys", "own_root")
def test_a_folder_makes_a_framework_and_a_folder_makes_a_model(tmp_path: Path) -> None:
    (tmp_path / "matrix.yaml").write_text(MATRIX)
    options = Options(matrix=tmp_path / "matrix.yaml", reports=tmp_path / "reports")
    finished = run_matrix(options, lambda _: None)
    found = {
        (each.cell.framework, each.cell.model): each
        for each in finished.cells
        if not each.cell.is_floor and not each.cell.twin
    }
    assert {key: each.status for key, each in found.items()} == {
        ("toy", "toy-model"): Status.OK,
        ("toy-doubled", "toy-model"): Status.INVALID_OUTPUT,
        ("onnxruntime", "toy-model"): Status.OK,
        ("toy", "spam-fnn"): Status.UNSUPPORTED,
        ("toy-doubled", "spam-fnn"): Status.UNSUPPORTED,
        ("onnxruntime", "spam-fnn"): Status.OK,
    }
    assert "no definition for Toy" in found["toy", "spam-fnn"].reason
    assert "largest relative error" in found["toy-doubled", "toy-model"].reason
    assert finished.run.models["toy-model"].reference.startswith("ONNX's reference implementation")

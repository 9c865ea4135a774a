"""Frameworks and models of a user's own: folders beside the matrix, and nothing else is touched."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from onnx import TensorProto, helper

from harness.build.lockfile import read_asked, read_pins
from harness.intake import Options
from harness.results import Status
from harness.session import run_matrix
from harness.starts import write_framework, write_model
from tests.checkout import ROOT
from tests.docker.conftest import remove_images
from tests.unit.onnx_models import model, value

pytestmark = pytest.mark.docker

TOYS = Path(__file__).parent / "toys"
MATRIX = """\
frameworks:
  toy:
  toy-doubled: {extends: toy, params: {kind: doubled}}
  started:
  onnxruntime:
models: [toy-model, started-model, spam-fnn]
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
def folder(tmp_path: Path, client: docker.DockerClient) -> Iterator[Path]:
    """A user's folder: the toys, of which `jax` lends the lock, and what `edgematrix new` writes."""
    shutil.copytree(TOYS / "framework", tmp_path / "frameworks" / "toy")
    for lock in (ROOT / "images" / "jax").glob("requirements.*.lock"):
        shutil.copy(lock, tmp_path / "frameworks" / "toy" / lock.name)
    shutil.copytree(TOYS / "model", tmp_path / "models" / "toy-model")
    (tmp_path / "models" / "toy-model" / "graph.onnx").write_bytes(graph())
    write_framework("started", tmp_path)
    write_model("started-model", tmp_path)
    (tmp_path / "matrix.yaml").write_text(MATRIX)
    yield tmp_path
    remove_images(client, ["toy", "started"])


def test_a_folder_makes_a_framework_and_a_folder_makes_a_model(folder: Path) -> None:
    options = Options(matrix=folder / "matrix.yaml", reports=folder / "reports")
    finished = run_matrix(options, lambda _: None)
    found = {
        (each.cell.framework, each.cell.model): each
        for each in finished.cells
        if not each.cell.is_floor and not each.cell.twin
    }
    assert {key: each.status for key, each in found.items()} == {
        ("toy", "toy-model"): Status.OK,
        ("toy-doubled", "toy-model"): Status.INVALID_OUTPUT,
        ("toy", "started-model"): Status.UNSUPPORTED,
        ("toy-doubled", "started-model"): Status.UNSUPPORTED,
        ("toy", "spam-fnn"): Status.UNSUPPORTED,
        ("toy-doubled", "spam-fnn"): Status.UNSUPPORTED,
        **{
            (framework, name): Status.OK
            for framework in ("started", "onnxruntime")
            for name in ("toy-model", "started-model", "spam-fnn")
        },
    }
    assert "no definition for Toy" in found["toy", "spam-fnn"].reason
    assert "largest relative error" in found["toy-doubled", "toy-model"].reason
    assert finished.run.models["toy-model"].reference.startswith("ONNX's reference implementation")
    # What has no lock gets one, beside its requirements; what somebody locked stays as it is.
    (lock,) = (folder / "frameworks" / "started").glob("requirements.*.lock")
    assert "onnxruntime==1.32.0" in (read_asked(lock) or ())
    assert read_pins(lock) == finished.run.images["started"].packages
    assert read_asked(next((folder / "frameworks" / "toy").glob("requirements.*.lock"))) is None

"""What `edgematrix new framework` and `new model` write: it works as it is, and takes nothing's place."""

import importlib.util
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from runner.model import Tensor
from weights_in_graph import fill

from harness.build.lockfile import PIN
from harness.build.versions import is_lock_wanted, read_requirements
from harness.catalog import load_catalog
from harness.errors import ExitCode
from tests.checkout import ROOT
from tests.unit.commands import exit_code

MATRIX = "frameworks: [mine]\nmodels: [small]\ncpus: [1]\nmemory: [512MiB]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's, in which both are written."""
    monkeypatch.chdir(tmp_path)
    assert exit_code("new", "framework", "mine") == ExitCode.OK
    assert exit_code("new", "model", "small") == ExitCode.OK
    return tmp_path


def test_both_are_planned_beside_the_matrix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "matrix.yaml").write_text(MATRIX)
    assert exit_code("plan", "--ids") == ExitCode.OK
    assert "mine.small.c1.m512m.b1" in capsys.readouterr().out


def test_they_are_called_by_their_names(folder: Path) -> None:
    catalog = load_catalog(folder)
    assert catalog.frameworks["mine"].title == "mine"
    assert catalog.models["small"].title == "small"
    for path in (*folder.glob("*/*/*.py"), *folder.glob("*/*/*.yaml"), *folder.glob("*/*/Dockerfile")):
        assert "NAME" not in path.read_text(), path


def test_the_framework_drives_the_runtime_of_the_project_s_own_lock(folder: Path) -> None:
    started = folder / "frameworks" / "mine" / "requirements.in"
    shipped = ROOT / "images" / "onnxruntime" / "requirements.in"
    (pin,) = (line for line in read_requirements(started) if PIN.match(line))
    assert pin in read_requirements(shipped)
    assert is_lock_wanted(started, "x86_64")
    assert len((started.parent / "adapter.py").read_text().splitlines()) <= 90


def test_the_graph_is_what_its_program_makes(folder: Path) -> None:
    model = folder / "models" / "small"
    made = runpy.run_path(str(model / "make_graph.py"))["make_graph"]()
    assert made.SerializeToString(deterministic=True) == (model / "graph.onnx").read_bytes()


def prepare(folder: Path, seed: int) -> dict[str, Any]:
    """Put `model.onnx` into a model's folder, as its preparation does, and return the weights."""
    weights: dict[str, Any] = runpy.run_path(str(folder / "weights.py"))["make"](np.random.default_rng(seed))
    onnx.save(fill(onnx.load(folder / "graph.onnx"), weights), folder / "model.onnx")
    return weights


def test_the_framework_answers_right_on_the_model(folder: Path) -> None:
    spec = load_catalog(folder).models["small"]
    weights = prepare(spec.folder, spec.seed)
    assert sum(array.size for array in weights.values()) == spec.parameters
    source = importlib.util.spec_from_file_location("adapter", folder / "frameworks" / "mine" / "adapter.py")
    assert source is not None
    assert source.loader is not None
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)

    adapter = module.Adapter(threads=1, params={"arena": True})
    adapter.load(SimpleNamespace(common=spec.folder, outputs=(Tensor("scores", (5, 4), "float32"),)))
    adapter.compile()
    features = np.random.default_rng(0).uniform(-1, 1, (5, 32)).astype(np.float32)
    (scores,) = adapter.run({"features": features})

    hidden = np.maximum(features @ weights["hidden.weight"].T + weights["hidden.bias"], 0)
    expected = hidden @ weights["output.weight"].T + weights["output.bias"]
    assert np.abs(scores - expected).max() <= spec.tolerance * np.abs(expected).max()
    assert np.ptp(expected, axis=0).min() > 0.1
    adapter.infer(adapter.to_native({"features": features}))
    assert adapter.describe()["threads"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("framework", "mine"), "is there already"),
        (("model", "small"), "is there already"),
        (("framework", "pytorch"), "there is a framework 'pytorch' already"),
        (("framework", "probe"), "there is a framework 'probe' already"),
        (("framework", "my-tools"), "ends in -tools"),
        (("model", "resnet50"), "there is a model 'resnet50' already"),
        (("framework", "../mine"), "is no valid name"),
        (("framework", "mine-"), "is no valid name of a framework"),
        (("model", "Mine"), "is no valid name"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_nothing_s_place_is_taken(
    words: tuple[str, ...], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert exit_code("new", *words) == ExitCode.CONFIG
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    printed = capsys.readouterr().err
    assert told in printed
    assert "fix: " in printed


@pytest.mark.parametrize("kind", ["framework", "model"])
@pytest.mark.parametrize("name", ["null", "123", "true", "0x1f", "1e3", "m" * 65])
def test_no_start_gets_a_name_that_a_matrix_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("new", kind, name) == ExitCode.CONFIG
    assert not list(tmp_path.iterdir())


def test_a_word_that_only_yaml_1_1_reads_otherwise_is_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code("new", "model", "off") == ExitCode.OK
    assert load_catalog(tmp_path).models["off"].title == "off"

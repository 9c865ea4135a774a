"""Every model folder: what holds for all of them, and what the spam classifier computes."""

import hashlib
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.catalog import ModelSpec, load_models

FOLDER = Path(__file__).parents[2] / "harness" / "models"
MODELS = load_models(FOLDER)
DEFINITIONS = {"pytorch.py": "build", "tensorflow.py": "build", "jax.py": "apply"}


@pytest.fixture(params=list(MODELS.values()), ids=list(MODELS))
def spec(request: pytest.FixtureRequest) -> ModelSpec:
    return request.param  # type: ignore[no-any-return]


def make(spec: ModelSpec) -> dict[str, NDArray[Any]]:
    made = runpy.run_path(str(spec.folder / "weights.py"))["make"](np.random.default_rng(spec.seed))
    assert isinstance(made, dict)
    return made


def forward(spec: ModelSpec, weights: Any, inputs: Any) -> dict[str, Any]:
    outputs = runpy.run_path(str(spec.folder / "numpy.py"))["forward"](weights, inputs)
    assert isinstance(outputs, dict)
    return outputs


def test_the_weights_have_the_stated_number_of_parameters(spec: ModelSpec) -> None:
    weights = make(spec)
    counted = [
        array for name, array in weights.items() if not name.endswith((".running_mean", ".running_var"))
    ]
    assert sum(array.size for array in counted) == spec.parameters
    assert all(np.isfinite(array).all() for array in weights.values())
    assert {array.dtype.name for array in weights.values()} == {"float32"}


def test_the_same_seed_makes_the_same_weights(spec: ModelSpec) -> None:
    first, second = make(spec), make(spec)
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_a_model_has_a_definition_for_each_framework(spec: ModelSpec) -> None:
    for file, function in DEFINITIONS.items():
        assert f"\ndef {function}(" in (spec.folder / file).read_text(), file


def test_the_graph_was_exported_from_this_very_definition(spec: ModelSpec) -> None:
    """If this fails: python harness/models/export_graph.py NAME, in an environment with PyTorch."""
    source = hashlib.sha256((spec.folder / "pytorch.py").read_bytes()).hexdigest()
    assert source.encode() in (spec.folder / "graph.onnx").read_bytes()


def test_the_graph_carries_names_but_no_weights_and_no_paths(spec: ModelSpec) -> None:
    graph = (spec.folder / "graph.onnx").read_bytes()
    assert all(name.encode() in graph for name in make(spec))
    assert len(graph) < spec.parameters
    assert b'File "' not in graph
    assert b"site-packages" not in graph


def test_the_first_input_dimension_is_the_batch(spec: ModelSpec) -> None:
    for entry in (*spec.inputs, *spec.outputs):
        assert entry.shape[0] == "batch"
        assert "batch" not in entry.shape[1:]


class TestSpamFnn:
    spec = MODELS["spam-fnn"]

    def test_it_counts_its_multiply_adds(self) -> None:
        matrices = [array for array in make(self.spec).values() if array.ndim == 2]
        assert sum(array.size for array in matrices) == self.spec.multiply_adds == 36_488

    def test_its_weights_are_the_same_on_every_processor(self) -> None:
        """Single float32 operations only; a changed digest makes every stored result incomparable."""
        digest = hashlib.sha256(b"".join(array.tobytes() for array in make(self.spec).values())).hexdigest()
        assert digest == "665d7bc33324d89f338849560beff858b11ebee79d5a3b2d215b387fb3890d31"

    def test_its_answers_depend_on_the_input_and_spread_over_the_sigmoid(self) -> None:
        rng = np.random.default_rng(0)
        rows = {"features": rng.random((1024, 200), dtype=np.float32)}
        answers = forward(self.spec, make(self.spec), rows)["probability"]
        assert answers.shape == (1024, 1)
        assert answers.dtype == np.float64
        assert answers.min() < 0.1
        assert answers.max() > 0.9
        assert answers.std() > 0.15

    def test_its_reference_computes_a_case_done_by_hand(self) -> None:
        weights: dict[str, NDArray[np.float32]] = {}
        for layer in range(5):
            weights[f"hidden.{layer}.weight"] = np.eye(2, dtype=np.float32)
            weights[f"hidden.{layer}.bias"] = np.zeros(2, dtype=np.float32)
        weights["hidden.0.weight"] = np.array([[1, -1, 0], [0, 0, 2]], dtype=np.float32)
        weights["hidden.1.bias"] = np.array([0, -1], dtype=np.float32)
        weights["output.weight"] = np.array([[0.5, 1]], dtype=np.float32)
        weights["output.bias"] = np.array([-3], dtype=np.float32)
        # Row 0: hidden 0 is (3 - 1, 2 * 1) = (2, 2), hidden 1 (2, 1), output 1 + 1 - 3 = -1.
        # Row 1: hidden 0 is (relu(1 - 3), 2 * 0) = (0, 0), output -3.
        features = np.array([[3, 1, 1], [1, 3, 0]], dtype=np.float32)

        answers = forward(self.spec, weights, {"features": features})["probability"]

        assert answers == pytest.approx(1 / (1 + np.exp(np.array([[1.0], [3.0]]))), rel=1e-15)

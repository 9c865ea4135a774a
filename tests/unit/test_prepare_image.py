"""The decisions of `images/prepare/prepare.py`; its packages are not installed here and stand in as empty modules."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

PREPARE = Path(__file__).parents[2] / "images" / "prepare" / "prepare.py"
FEATURES = {"name": "x", "shape": ["batch", 3], "dtype": "float32", "low": -2.0, "high": 5.0}
TOKENS = {"name": "ids", "shape": ["batch", 4, 2], "dtype": "int64", "low": 7, "high": 9}


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    for name, attributes in {
        "onnx": ["numpy_helper"],
        "safetensors": [],
        "safetensors.numpy": ["save_file"],
    }.items():
        module = ModuleType(name)
        for attribute in attributes:
            setattr(module, attribute, None)
        monkeypatch.setitem(sys.modules, name, module)
    return runpy.run_path(str(PREPARE))


def spec(*inputs: dict[str, Any], multiply_adds: int = 10**6) -> dict[str, Any]:
    return {
        "multiply_adds": multiply_adds,
        "tolerance": 1e-5,
        "inputs": inputs,
        "outputs": [{"name": "y", "shape": ["batch", 2], "dtype": "float32"}],
    }


def test_inputs_are_drawn_from_their_range_in_their_dtype(prepare: dict[str, Callable[..., Any]]) -> None:
    drawn = prepare["draw_inputs"](spec(FEATURES, TOKENS), np.random.default_rng(0))

    assert {name: (array.shape, array.dtype.name) for name, array in drawn.items()} == {
        "x": ((1024, 3), "float32"),
        "ids": ((1024, 4, 2), "int64"),
    }
    assert drawn["x"].min() < -1.9
    assert 4.9 < drawn["x"].max() < 5
    assert set(np.unique(drawn["ids"])) == {7, 8}


@pytest.mark.parametrize(
    ("multiply_adds", "rows"), [(0, 1024), (36_488, 1024), (10**8, 100), (4 * 10**9, 8), (10**12, 8)]
)
def test_a_dear_model_has_fewer_rows(
    prepare: dict[str, Callable[..., Any]], multiply_adds: int, rows: int
) -> None:
    drawn = prepare["draw_inputs"](spec(FEATURES, multiply_adds=multiply_adds), np.random.default_rng(0))
    assert len(drawn["x"]) == rows


def good() -> dict[str, Any]:
    return {"y": np.arange(16, dtype=np.float64).reshape(8, 2)}


def test_a_sound_reference_is_taken(prepare: dict[str, Callable[..., Any]]) -> None:
    prepare["check_reference"](spec(FEATURES), {"x": np.zeros((8, 3))}, good())


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ({}, "no finite float64 y"),
        ({"y": good()["y"].astype(np.float32)}, "no finite float64 y"),
        ({"y": good()["y"][:7]}, "no finite float64 y"),
        ({"y": good()["y"] * np.nan}, "no finite float64 y"),
        ({"y": np.ones((8, 2))}, "same for all inputs"),
    ],
    ids=["missing", "float32", "too short", "not finite", "constant"],
)
def test_a_reference_that_checks_nothing_is_refused(
    prepare: dict[str, Callable[..., Any]], reference: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        prepare["check_reference"](spec(FEATURES), {"x": np.zeros((8, 3))}, reference)

"""`python make_sklearn.py OUT`: a perceptron and boosted trees of scikit-learn, exported by skl2onnx.

Needs scikit-learn and skl2onnx 1.20.0. The trees are one `TreeEnsembleRegressor` of the domain ai.onnx.ml,
which none of the converters to a tensor framework knows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx  # type: ignore[import-not-found]
from sklearn.ensemble import GradientBoostingRegressor  # type: ignore[import-not-found]
from sklearn.neural_network import MLPRegressor  # type: ignore[import-not-found]


def make(out: Path) -> None:
    """Write `sklearn-mlp.onnx` and `sklearn-trees.onnx`: input (batch, 12), output (batch, 1)."""
    rng = np.random.default_rng(20260102)
    rows = rng.standard_normal((400, 12)).astype(np.float32)
    values = np.sin(rows[:, 0]) + rows[:, 1] * rows[:, 2]
    perceptron = MLPRegressor(hidden_layer_sizes=(32, 16), random_state=0, max_iter=500)
    trees = GradientBoostingRegressor(n_estimators=20, max_depth=3, random_state=0)
    for name, estimator in (("mlp", perceptron), ("trees", trees)):
        model = to_onnx(estimator.fit(rows, values), rows[:1], target_opset={"": 18, "ai.onnx.ml": 3})
        (out / f"sklearn-{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    make(Path(sys.argv[1]))

"""How the tensors of an exported graph follow from a model's weights.

PyTorch's exporter does at export what a runtime would else do at load: it folds every batch normalisation into the
convolution before it, and lays the matrices of linear layers out as (in, out). `graph.onnx` says of such a tensor what
it was made of, as its metadata `made_by`: an operation, and the names of the weights and numbers that it takes.

| operation | tensor |
|---|---|
| `transpose WEIGHT` | the transpose |
| `scale FILTERS WEIGHT VARIANCE EPSILON` | the convolution's filters, times weight / sqrt(variance + epsilon) |
| `shift BIAS MEAN WEIGHT VARIANCE EPSILON` | bias - mean * weight / sqrt(variance + epsilon) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MADE_BY = "made_by"
"""Key of the tensor's metadata."""


def fold(made_by: str, weights: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Compute one tensor; single float32 operations only, so with the same bits on every processor.

    Raises:
        KeyError: there is no such weight.
        ValueError: there is no such operation.
    """
    match made_by.split():
        case ["transpose", weight]:
            return np.ascontiguousarray(weights[weight].T)
        case ["scale", filters, *rest]:
            return weights[filters] * _scale(weights, *rest)[:, None, None, None]
        case ["shift", bias, mean, *rest]:
            return weights[bias] - weights[mean] * _scale(weights, *rest)
    raise ValueError(f"no tensor is made by {made_by!r}")


def _scale(
    weights: Mapping[str, NDArray[np.float32]], weight: str, variance: str, epsilon: str
) -> NDArray[np.float32]:
    scale: NDArray[np.float32] = weights[weight] / np.sqrt(weights[variance] + np.float32(epsilon))
    return scale

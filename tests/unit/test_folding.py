"""How the tensors of an exported graph follow from a model's weights."""

import folding
import numpy as np
import pytest

WEIGHTS = {
    "linear.weight": np.array([[1, 2, 3], [4, 5, 6]], np.float32),
    "conv.weight": np.arange(8, dtype=np.float32).reshape(2, 2, 1, 2),
    "bn.weight": np.array([2, 3], np.float32),
    "bn.bias": np.array([0.5, -1], np.float32),
    "bn.running_mean": np.array([1, 10], np.float32),
    "bn.running_var": np.array([3, 8], np.float32),
}
SCALE = "bn.weight bn.running_var 1.0"  # 2 / sqrt(3 + 1) = 1 and 3 / sqrt(8 + 1) = 1


def test_a_matrix_is_laid_out_as_in_and_out() -> None:
    made = folding.fold("transpose linear.weight", WEIGHTS)
    assert made.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert made.flags.c_contiguous


def test_filters_take_the_scale_of_their_normalisation() -> None:
    weights = WEIGHTS | {"bn.weight": np.array([2, 6], np.float32)}
    made = folding.fold(f"scale conv.weight {SCALE}", weights)
    assert made[0].tolist() == WEIGHTS["conv.weight"][0].tolist()
    assert made[1].tolist() == (2 * WEIGHTS["conv.weight"][1]).tolist()
    assert made.dtype == np.float32


def test_the_bias_takes_what_a_normalisation_shifts_by() -> None:
    made = folding.fold(f"shift bn.bias bn.running_mean {SCALE}", WEIGHTS)
    assert made.tolist() == [0.5 - 1, -1 - 10]
    assert made.dtype == np.float32


def test_folding_is_normalising_what_the_convolution_made() -> None:
    rng = np.random.default_rng(0)
    weights = {
        name: np.abs(rng.normal(size=array.shape)).astype(np.float32) for name, array in WEIGHTS.items()
    }
    filters, bias = (
        folding.fold(made_by.format("bn.weight bn.running_var 1e-05"), weights)
        for made_by in ("scale conv.weight {}", "shift bn.bias bn.running_mean {}")
    )
    patch = rng.normal(size=(2, 1, 2))

    plain = np.einsum("oikl,ikl->o", weights["conv.weight"], patch)
    normal = (plain - weights["bn.running_mean"]) / np.sqrt(weights["bn.running_var"] + 1e-5)

    expected = normal * weights["bn.weight"] + weights["bn.bias"]
    assert np.einsum("oikl,ikl->o", filters, patch) + bias == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("made_by", ["", "linear.weight", "rotate linear.weight", "transpose"])
def test_another_operation_is_refused(made_by: str) -> None:
    with pytest.raises(ValueError, match="no tensor is made by"):
        folding.fold(made_by, WEIGHTS)


def test_a_missing_weight_is_named() -> None:
    with pytest.raises(KeyError, match=r"other\.weight"):
        folding.fold("transpose other.weight", WEIGHTS)

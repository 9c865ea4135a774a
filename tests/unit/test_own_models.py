"""What `images/prepare/own.py` makes of a user's own ONNX file."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import own
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper
from onnx.numpy_helper import from_array
from own import describe_own
from telling import RefusedError

from harness.config.matrix import OwnModel
from harness.errors import BuildError
from harness.sources import external_files, own_source, write_tar
from tests.unit.onnx_models import linear, model, save, value, with_external_data


def describe(folder: Path, **told: object) -> Mapping[str, Any]:
    usual: dict[str, object] = {
        "title": "mine.onnx",
        "dims": {},
        "ranges": {},
        "tolerance": None,
        "task": "other",
    }
    (folder / "own.json").write_text(json.dumps(usual | told))
    spec: dict[str, Any] = describe_own(folder)
    return spec


def refusal(folder: Path, **told: object) -> str:
    with pytest.raises(RefusedError) as caught:
        describe(folder, **told)
    return " | ".join(caught.value.said.values())


def test_what_a_file_takes_and_gives_is_found_in_it(tmp_path: Path) -> None:
    save(linear(), tmp_path)
    spec = describe(tmp_path)
    assert spec["inputs"] == [{"name": "x", "shape": ["n", 3], "dtype": "float32", "low": 0.0, "high": 1.0}]
    assert spec["outputs"] == [{"name": "y", "shape": ["n", 2], "dtype": "float32"}]
    assert (spec["dims"], spec["parameters"], spec["tolerance"]) == ({"n": "batch"}, 6, 1e-4)
    assert not spec["independent_rows"]


def test_a_fixed_file_has_no_dimensions_to_bind(tmp_path: Path) -> None:
    save(linear(rows=4), tmp_path)
    assert describe(tmp_path)["dims"] == {}


def test_a_dimension_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    save(linear(rows=None), tmp_path)
    assert describe(tmp_path)["dims"] == {"x.0": "batch"}
    assert describe(tmp_path, dims={"x.0": 7})["dims"] == {"x.0": 7}


def tokens() -> Any:
    node = helper.make_node("Cast", ["ids"], ["y"], to=TensorProto.FLOAT)
    return model([value("ids", ["b", "seq"], TensorProto.INT64)], [value("y", ["b", "seq"])], [node])


def test_sequences_and_ranges_are_as_told(tmp_path: Path) -> None:
    save(tokens(), tmp_path)
    spec = describe(tmp_path, dims={"seq": "sequence"}, ranges={"ids": [5, 9]})
    assert spec["dims"] == {"b": "batch", "seq": "sequence"}
    assert (spec["inputs"][0]["low"], spec["inputs"][0]["high"]) == (5, 9)


def test_the_batch_may_stand_on_any_axis(tmp_path: Path) -> None:
    save(tokens(), tmp_path)
    assert describe(tmp_path, dims={"seq": "batch", "b": 3}, ranges={"ids": [0, 2]})["dims"] == {
        "seq": "batch",
        "b": 3,
    }


def test_a_dimension_that_is_called_batch_is_it_wherever_it_stands(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    save(model([value("x", [7, "Batch_size"])], [value("y", [7, "Batch_size"])], [node]), tmp_path)
    assert describe(tmp_path)["dims"] == {"Batch_size": "batch"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"ranges": {"ids": [0, 2]}},
            "dimension 'seq' has no size | it is dynamic in ids | say in the matrix",
        ),
        ({"dims": {"sq": 3}}, "no dynamic dimension 'sq' | its dynamic dimensions are b, seq"),
        ({"dims": {"seq": 3}}, "from where to draw its input 'ids'"),
        ({"dims": {"seq": 3}, "ranges": {"idx": [0, 2]}}, "no input 'idx' | its inputs are ids"),
    ],
)
def test_what_the_matrix_says_must_fit_the_file(tmp_path: Path, told: dict[str, Any], words: str) -> None:
    save(tokens(), tmp_path)
    assert words in refusal(tmp_path, **told)


@pytest.mark.parametrize("content", [b"# a text\n", b"\x00" * 64, b"PK\x03\x04 a zip"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    assert "no ONNX file" in refusal(tmp_path)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.99])
def test_a_part_of_a_file_is_refused(tmp_path: Path, part: float) -> None:
    path = save(linear(), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert "ONNX" in refusal(tmp_path)


def test_an_opset_of_the_future_is_refused(tmp_path: Path) -> None:
    made = linear()
    made.opset_import[0].version = 99
    save(made, tmp_path)
    assert "it is of opset 99, and the newest that is known here is" in refusal(tmp_path)


def test_a_graph_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    made = linear()
    made.graph.node[0].input[0] = "nobody"
    save(made, tmp_path)
    assert "no valid ONNX model" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TensorProto.STRING, "string"),
        (TensorProto.COMPLEX64, "complex64"),
        (TensorProto.BFLOAT16, "bfloat16"),
    ],
)
def test_a_type_that_nobody_can_be_fed_is_refused(tmp_path: Path, kind: int, name: str) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    save(model([value("x", [1], kind)], [value("y", [1], kind)], [node]), tmp_path)
    assert f"'x' is of type {name}, which nobody can be fed" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("taken", "given", "name"),
    [(TensorProto.DOUBLE, TensorProto.FLOAT, "x"), (TensorProto.FLOAT, TensorProto.DOUBLE, "y")],
)
def test_an_input_or_output_in_float64_is_refused(tmp_path: Path, taken: int, given: int, name: str) -> None:
    node = helper.make_node("Cast", ["x"], ["y"], to=given)
    save(model([value("x", [1], taken)], [value("y", [1], given)], [node]), tmp_path)
    assert (
        f"it computes in float64: {name!r} is of that type | JAX and OpenVINO would compute in float32, "
        "and so do less than the others | convert it to float32 first"
    ) in refusal(tmp_path)


def widened(weights: NDArray[np.float64], *, inside: bool = False) -> ModelProto:
    """`y = x * weights` in float64, between casts from and to float32; `inside`, the weights lie in an operator."""
    size = weights.size
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["wide", "w"], ["product"]),
        helper.make_node("Cast", ["product"], ["y"], to=TensorProto.FLOAT),
    ]
    if inside:
        constant = helper.make_node("Constant", [], ["w"], "the_weights", value=from_array(weights))
        return model([value("x", [size])], [value("y", [size])], [constant, *nodes])
    return model([value("x", [size])], [value("y", [size])], nodes, {"w": weights})


@pytest.mark.parametrize(("inside", "name"), [(False, "w"), (True, "the_weights")])
def test_weights_in_float64_are_refused(tmp_path: Path, inside: bool, name: str) -> None:
    save(widened(np.ones(17), inside=inside), tmp_path)
    assert f"it computes in float64: {name!r} is of that type" in refusal(tmp_path)


def test_weights_in_float64_are_found_in_a_branch(tmp_path: Path) -> None:
    branch = widened(np.ones(17)).graph
    del branch.input[:]  # a branch sees the names around it
    node = helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch)
    inputs = [value("x", [17]), value("yes", [], TensorProto.BOOL)]
    save(model(inputs, [value("z", [17])], [node]), tmp_path)
    assert "it computes in float64: 'w' is of that type" in refusal(tmp_path)


def test_a_few_numbers_in_float64_are_let_through(tmp_path: Path) -> None:
    save(widened(np.ones(16)), tmp_path)
    assert describe(tmp_path)["inputs"][0]["dtype"] == "float32"


def test_an_output_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    sequence = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, [1])
    node = helper.make_node("SequenceConstruct", ["x"], ["y"])
    save(model([value("x", [1])], [sequence], [node]), tmp_path)
    assert "'y' is a sequence, not a tensor" in refusal(tmp_path)


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["w"], ["y"])
    save(model([], [value("y", [2])], [node], {"w": np.ones(2, np.float32)}), tmp_path)
    assert "it has no inputs" in refusal(tmp_path)


def test_weights_that_lie_outside_are_found_and_missed(tmp_path: Path) -> None:
    path = with_external_data(tmp_path)
    assert list(external_files(path)) == [("weights.bin", tmp_path / "weights.bin")]
    assert describe(tmp_path)["parameters"] == 6
    (tmp_path / "weights.bin").unlink()
    assert list(external_files(path)) == []
    assert "its weights are in 'weights.bin', which is not beside it" in refusal(tmp_path)


def test_a_link_beside_the_file_is_followed_under_its_own_name(tmp_path: Path) -> None:
    """As in a cache of Hugging Face, where all files are links to blobs."""
    folder, blobs = tmp_path / "models", tmp_path / "blobs"
    folder.mkdir()
    blobs.mkdir()
    path = with_external_data(folder)
    (folder / "weights.bin").rename(blobs / "0f3a")
    (folder / "weights.bin").symlink_to(blobs / "0f3a")
    assert [name for name, _ in external_files(path)] == ["weights.bin"]


def test_a_long_name_of_external_data_is_read_whole(tmp_path: Path) -> None:
    name = "w" * 200 + ".bin"
    path = tmp_path / "model.onnx"
    onnx.save_model(linear(), path, save_as_external_data=True, location=name, size_threshold=0)
    assert [found for found, _ in external_files(path)] == [name]


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "nowhere", ".", "we\0ird", "pytorch.py", "spec.json", "own.json"]
)
def test_no_file_outside_the_folder_is_ever_packed(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "models").mkdir()
    for taken in ("pytorch.py", "spec.json", "own.json"):
        (tmp_path / "models" / taken).write_text("s")
    path = tmp_path / "models" / "model.onnx"
    path.write_bytes(b"\x0a\x08location\x12" + bytes([len(name)]) + name.encode() + b"rest")
    assert list(external_files(path)) == []


def test_a_file_that_changes_before_it_is_packed_is_no_other_volume_s(tmp_path: Path) -> None:
    path = with_external_data(tmp_path)
    source = own_source("mine", OwnModel(file=path, dims={}, ranges={}, tolerance=None, task="other"))
    write_tar(source, io.BytesIO())
    (tmp_path / "weights.bin").write_bytes(b"others")
    with pytest.raises(BuildError, match="changed while the run was being prepared"):
        write_tar(source, io.BytesIO())


def test_a_source_changes_with_all_that_goes_into_it(tmp_path: Path) -> None:
    def own(**changes: object) -> OwnModel:
        values: dict[str, Any] = {"dims": {}, "ranges": {}, "tolerance": None, "task": "other"}
        return OwnModel(file=tmp_path / "model.onnx", **(values | changes))

    with_external_data(tmp_path)
    sources = [own_source("mine", own()), own_source("mine", own(dims={"n": 4}))]
    assert [name for name, *_ in sources[0].files] == ["model.onnx", "weights.bin"]
    (tmp_path / "weights.bin").write_bytes(b"others")
    sources.append(own_source("mine", own()))
    assert len({source.hash for source in sources}) == 3


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [(TensorProto.FLOAT16, 1e-2), (TensorProto.FLOAT, 1e-4)],
)
def test_the_tolerance_is_what_the_coarsest_type_justifies(
    tmp_path: Path, kind: int, tolerance: float
) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    save(model([value("x", [1], kind)], [value("y", [1], kind)], [node]), tmp_path)
    assert describe(tmp_path)["tolerance"] == tolerance
    assert describe(tmp_path, tolerance=0.3)["tolerance"] == 0.3


def images(kind: int = TensorProto.UINT8) -> Any:
    """Whole numbers that are turned into real ones at once, as an image model takes them."""
    nodes = [
        helper.make_node("Cast", ["x"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["real", "w"], ["y"]),
    ]
    weights = {"w": np.ones((3, 2), np.float32)}
    return model([value("x", ["n", 3], kind)], [value("y", ["n", 2])], nodes, weights)


def test_pixels_do_not_make_a_model_a_quantized_one(tmp_path: Path) -> None:
    save(images(), tmp_path)
    assert describe(tmp_path, ranges={"x": [0, 256]})["tolerance"] == 1e-4


def test_a_quantized_model_has_the_tolerance_of_one(tmp_path: Path) -> None:
    nodes = [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])]
    save(model([value("x", [1])], [value("y", [1], TensorProto.UINT8)], nodes), tmp_path)
    assert describe(tmp_path)["tolerance"] == 2e-2


def test_a_cast_to_half_precision_has_the_tolerance_of_that(tmp_path: Path) -> None:
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16)]
    save(model([value("x", [1])], [value("y", [1], TensorProto.FLOAT16)], nodes), tmp_path)
    assert describe(tmp_path)["tolerance"] == 1e-2


@pytest.mark.parametrize("span", [[0.2, 0.8], [250, 260], [-5, 3], [0, 1e300]])
def test_a_range_that_a_type_cannot_hold_is_refused(tmp_path: Path, span: list[float]) -> None:
    save(images(), tmp_path)
    assert "the range of its input 'x' holds what uint8 cannot" in refusal(tmp_path, ranges={"x": span})


@pytest.mark.parametrize(
    ("kind", "dims"), [(TensorProto.INT64, ["n"]), (TensorProto.FLOAT, ["n", 1]), (TensorProto.FLOAT, ["n"])]
)
def test_what_scores_no_classes_is_no_classifier(tmp_path: Path, kind: int, dims: list[Any]) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    save(model([value("x", dims, kind)], [value("y", dims, kind)], [node]), tmp_path)
    told = {"ranges": {"x": [0, 9]}, "task": "classification"}
    assert "its first output 'y' scores no classes" in refusal(tmp_path, **told)


def test_a_type_that_does_not_exist_is_refused_by_its_number() -> None:
    with pytest.raises(RefusedError, match="of type number 99"):
        own.tensor(value("x", [1], 99))

"""The decisions of the programs in `images/prepare/`, on small models made by hand."""

import importlib
import io
import json
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import draw
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from own import describe_own
from runner.manifest import is_complete
from runner.model import ModelFiles
from telling import REFUSED, RefusedError, refusals
from weights_in_graph import fill

from harness.catalog import load_models
from harness.sources import folder_source, write_tar
from tests.checkout import ROOT
from tests.unit.onnx_models import linear, model, save, value

FEATURES = {"name": "x", "shape": ["batch", 3], "dtype": "float32", "low": -2.0, "high": 5.0}
TOKENS = {"name": "ids", "shape": ["batch", "sequence", 2], "dtype": "int64", "low": 7, "high": 9}


def spec(*inputs: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {
        "title": "t", "seed": 1, "multiply_adds": 10**6, "tolerance": 1e-5, "task": "other", "independent_rows": True,
        "dims": {"batch": "batch", "sequence": "sequence"}, "inputs": inputs,
        "outputs": [{"name": "y", "shape": ["batch", 2], "dtype": "float32"}],
    } | changes  # fmt: skip


def files(root: Path, told: dict[str, Any], **dims: int) -> ModelFiles:
    for name in ("model", "data"):
        (root / name).mkdir(exist_ok=True)
    (root / "model" / "spec.json").write_text(json.dumps(told))
    return ModelFiles({"batch": 1, "sequence": 4, **dims}, root)


def test_inputs_are_drawn_from_their_range_in_their_dtype(tmp_path: Path) -> None:
    drawn = draw.draw_inputs(files(tmp_path, spec(FEATURES, TOKENS)), 1024)

    assert {name: (array.shape, array.dtype.name) for name, array in drawn.items()} == {
        "x": ((1024, 3), "float32"),
        "ids": ((1024, 4, 2), "int64"),
    }
    assert drawn["x"].min() < -1.9
    assert 4.9 < drawn["x"].max() < 5
    assert set(np.unique(drawn["ids"])) == {7, 8}


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint8", "int32", "bool"])
def test_inputs_of_all_types_can_be_drawn(tmp_path: Path, dtype: str) -> None:
    entry = FEATURES | {"dtype": dtype, "low": 0, "high": 2}
    drawn = draw.draw_inputs(files(tmp_path, spec(entry)), 50)["x"]
    assert drawn.dtype.name == dtype
    assert len(np.unique(drawn)) > 1


def test_whole_calls_are_drawn_where_rows_may_depend_on_each_other(tmp_path: Path) -> None:
    told = spec(FEATURES, TOKENS, independent_rows=False)
    drawn = draw.draw_inputs(files(tmp_path, told, batch=5), 8)
    assert [drawn[name].shape for name in ("x", "ids")] == [(8, 5, 3), (8, 5, 4, 2)]


@pytest.mark.parametrize(
    ("multiply_adds", "rows"), [(0, 1024), (36_488, 1024), (10**8, 50), (4 * 10**9, 8), (10**12, 8)]
)
def test_a_dear_model_has_fewer_rows(multiply_adds: int, rows: int) -> None:
    assert draw.rows_of({"multiply_adds": multiply_adds}) == rows


def good() -> dict[str, NDArray[np.float64]]:
    return {"y": np.arange(16, dtype=np.float64).reshape(8, 2)}


def test_a_sound_reference_is_taken() -> None:
    draw.check_reference(spec(FEATURES), good())
    draw.check_reference(spec(FEATURES, task="classification"), good())


@pytest.mark.parametrize(
    ("reference", "task", "complaint"),
    [
        ({"y": good()["y"] * np.nan}, "other", "is not finite"),
        ({"y": np.ones((8, 2))}, "other", "same for all inputs"),
        ({"y": np.arange(8.0)[:, None] + np.array([0, 1e-6])}, "classification", "leads by"),
    ],
    ids=["not finite", "constant", "hardly ahead"],
)
def test_a_reference_that_checks_nothing_is_refused(
    reference: dict[str, Any], task: str, complaint: str
) -> None:
    with pytest.raises(RefusedError, match=complaint):
        draw.check_reference(spec(FEATURES, task=task), reference)


def test_a_users_model_may_answer_all_alike() -> None:
    draw.check_reference(spec(FEATURES, independent_rows=False), {"y": np.ones((8, 1, 2))})


def own(root: Path, rows: int | str) -> dict[str, Any]:
    (root / "model").mkdir()
    save(linear(rows), root / "model")
    told: dict[str, object] = {
        "title": "mine.onnx",
        "dims": {},
        "ranges": {},
        "tolerance": None,
        "task": "other",
    }
    (root / "model" / "own.json").write_text(json.dumps(told))
    spec: dict[str, Any] = describe_own(root / "model")
    return spec


def test_inputs_and_reference_of_a_users_file_are_drawn_and_sealed(tmp_path: Path) -> None:
    found = files(tmp_path, own(tmp_path, "n"), batch=5)
    draw.draw(found, tmp_path / "data")
    assert is_complete(tmp_path / "data")
    x = np.load(tmp_path / "data" / "inputs.npz")["x"]
    (y,) = map(np.load, found.references)
    assert (x.shape, y.shape, y.dtype) == ((8, 5, 3), (8, 5, 2), np.float64)
    assert y == pytest.approx(x.astype(np.float64) @ np.arange(6).reshape(3, 2), rel=1e-15)
    assert json.loads((tmp_path / "data" / "facts.json").read_text())["reference"].endswith("float64")


def test_scores_that_are_all_zero_lead_nowhere() -> None:
    with np.errstate(invalid="ignore"), pytest.raises(RefusedError, match="leads by"):
        draw.check_reference(
            spec(FEATURES, task="classification", independent_rows=False), {"y": np.zeros((8, 1, 2))}
        )


def test_a_model_that_draws_random_numbers_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("RandomNormalLike", ["x"], ["y"])
    path = save(model([value("x", [4])], [value("y", [4])], [node]), tmp_path)
    with pytest.raises(RefusedError, match="changes from call to call"):
        draw.compute(path, [{"x": np.zeros(4, np.float32)}] * 2)


def test_a_model_that_nobody_can_evaluate_is_refused_in_one_line(tmp_path: Path) -> None:
    path = save(linear(), tmp_path)
    with pytest.raises(RefusedError, match="cannot be evaluated") as caught:
        draw.compute(path, [{"x": np.zeros((1, 4), np.float32)}])
    assert "\n" not in caught.value.said["why"]


def test_a_fixed_batch_is_told_from_another(tmp_path: Path) -> None:
    found = files(tmp_path, own(tmp_path, 4))
    for batch in (1, 4):
        draw.check_batch(found, batch)
    with pytest.raises(NotImplementedError, match="its batch is fixed at 4"):
        draw.check_batch(found, 2)


def test_a_refusal_is_one_line_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, refusals():
        raise RefusedError("it is bad", why="w", fix="f")
    assert ended.value.code == REFUSED
    assert json.loads(capsys.readouterr().out) == {"what": "it is bad", "why": "w", "fix": "f"}
    with pytest.raises(SystemExit), refusals():
        raise NotImplementedError("operator Foo")
    assert json.loads(capsys.readouterr().out) == {"unsupported": "operator Foo"}


def bare() -> Any:
    """`y = x @ w`, the weight taken out as the exporter leaves it, transposed."""
    made = model(
        [value("x", ["batch", 3])],
        [value("y", ["batch", 2])],
        [helper.make_node("MatMul", ["x", "w.T"], ["y"])],
    )
    place = TensorProto(name="w.T", dims=[3, 2], data_type=TensorProto.FLOAT)
    place.metadata_props.add(key="made_by", value="transpose w")
    made.graph.initializer.append(place)
    return made


def test_what_was_made_of_weights_is_filled_into_a_graph() -> None:
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    filled = fill(bare(), {"w": weight})
    assert numpy_helper.to_array(filled.graph.initializer[0]).tolist() == weight.T.tolist()


@pytest.mark.parametrize(
    "weights",
    [{"w": np.ones((3, 3), np.float32)}, {"w": np.ones((2, 3), np.float32), "more": np.ones(1, np.float32)}],
)
def test_weights_that_do_not_fit_the_graph_are_refused(weights: dict[str, NDArray[np.float32]]) -> None:
    with pytest.raises(ValueError, match="export it again"):
        fill(bare(), weights)


@pytest.mark.parametrize(
    ("written", "key", "read"),
    [("tolerance: 1e-5", "tolerance", 1e-5), ("title: no", "title", "no"), ("task: other", "sequence", None)],
)
def test_a_model_s_specification_is_what_the_harness_has_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, key: str, read: object
) -> None:
    shipped = ROOT / "harness" / "starts" / "model"
    started = tmp_path / "models" / "small"
    started.mkdir(parents=True)
    for name in ("graph.onnx", "weights.py"):
        (started / name).write_bytes((shipped / name).read_bytes())
    lines = (shipped / "model.yaml").read_text().splitlines()
    mended = [written if line.partition(":")[0] == written.partition(":")[0] else line for line in lines]
    (started / "model.yaml").write_text("\n".join(mended))
    with tarfile.open(fileobj=packed(started), mode="r") as archive:
        archive.extractall(tmp_path / "model", filter="data")
    # The image has it, and the tests need none of what it does.
    monkeypatch.setitem(sys.modules, "safetensors", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "safetensors.numpy", SimpleNamespace(save_file=lambda *_: None))
    prepare = importlib.import_module("prepare")

    prepare.prepare(tmp_path / "model")

    spec = json.loads((tmp_path / "model" / "spec.json").read_text())
    assert spec[key] == read
    assert spec["dims"] == {"batch": "batch"}
    assert is_complete(tmp_path / "model")


def packed(folder: Path) -> io.BytesIO:
    archive = io.BytesIO()
    write_tar(folder_source(load_models(folder.parent)[folder.name]), archive)
    archive.seek(0)
    return archive

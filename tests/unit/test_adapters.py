"""Every adapter keeps the contract of `docs/contracts/adapter.md`; only that of `null` can be run here as it is."""

import ast
import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import numpy as np
import pytest
from runner.batches import load_batches
from runner.model import ModelFiles, Tensor

from harness.catalog import load_frameworks

IMAGES = Path(__file__).parents[2] / "images"
FRAMEWORKS = load_frameworks(IMAGES)
CONVERTING = [name for name, spec in FRAMEWORKS.items() if spec.has_convert]
SHAPES = {"x": (4, 2), "y": (4,), "p": (4, 1), "q": (4,)}
METHODS = {
    "__init__": ["self", "threads", "params"],
    "load": ["self", "model"],
    "compile": ["self"],
    "run": ["self", "inputs"],
    "to_native": ["self", "inputs"],
    "infer": ["self", "native"],
    "describe": ["self"],
}


def parse(name: str, file: str = "adapter.py") -> ast.Module:
    return ast.parse((IMAGES / name / file).read_text())


def signatures(body: list[ast.stmt]) -> dict[str, list[str]]:
    """Argument names by function, keyword-only ones last."""
    return {
        node.name: [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
        for node in body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_has_the_methods_of_the_contract(name: str) -> None:
    (adapter,) = [
        node for node in parse(name).body if isinstance(node, ast.ClassDef) and node.name == "Adapter"
    ]
    found = signatures(adapter.body)
    assert {name: names for name, names in found.items() if not name.startswith("_look")} == METHODS


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_is_short(name: str) -> None:
    assert len((IMAGES / name / "adapter.py").read_text().splitlines()) <= 90


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_imports_nothing_of_the_runner_when_it_runs(name: str) -> None:
    """Only under `if TYPE_CHECKING:`, which is no statement of the module's own level."""
    imported = set()
    for node in parse(name).body:
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    assert "runner" not in imported


@pytest.mark.parametrize("name", CONVERTING)
def test_a_convert_program_has_its_one_function(name: str) -> None:
    assert signatures(parse(name, "convert.py").body) == {"convert": ["model", "out", "params"]}


def import_adapter(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"{name}_adapter", IMAGES / name / "adapter.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(params=[True, False], ids=["rows", "calls"])
def null_model(tmp_path: Path, request: pytest.FixtureRequest) -> SimpleNamespace:
    """A prepared model with two inputs and two outputs: ten rows, or ten calls of four rows."""
    rows = np.arange(10, dtype=np.float32)
    x, p = np.stack([rows, -rows], axis=1), rows.astype(np.float64)[:, None] / 3
    if not request.param:
        x, p, rows = (
            np.repeat(x[:, None], 4, axis=1),
            np.repeat(p[:, None], 4, axis=1),
            rows[:, None].repeat(4, 1),
        )
    np.savez(tmp_path / "inputs.npz", x=x, y=rows)
    references = [tmp_path / f"reference-{number}.npy" for number in range(2)]
    for file, values in zip(references, (p, rows.astype(np.float64)), strict=True):
        np.save(file, values)
    tensors = {name: Tensor(name, shape, "float32") for name, shape in SHAPES.items()}
    return SimpleNamespace(
        data=tmp_path,
        references=references,
        spec={"independent_rows": request.param},
        inputs=(tensors["x"], tensors["y"]),
        outputs=(tensors["p"], tensors["q"]),
    )


@pytest.mark.parametrize("threads", [1, None])
def test_null_hands_out_the_reference_of_what_it_is_given(
    null_model: SimpleNamespace, threads: int | None
) -> None:
    adapter = import_adapter("null").Adapter(threads=threads, params={})
    adapter.load(null_model)
    adapter.compile()
    kept, expected = load_batches(cast(ModelFiles, null_model), kinds=12)
    assert len(kept) == 10, "different ones alone"
    for inputs, references in zip(kept, expected, strict=True):
        assert [inputs[name].shape for name in ("x", "y")] == [(4, 2), (4,)]
        outputs = adapter.run(inputs)
        assert [output.tolist() for output in outputs] == [reference.tolist() for reference in references]
        assert adapter.run(inputs) is outputs  # looked up once: no work is left in the clock
        assert adapter.infer(adapter.to_native(inputs)) is outputs
    assert adapter.describe()["threads"] is None


class InferRequest:
    """OpenVINO's, of a model that finds `places` where `x` is not zero, a new array each call, and their `count`."""

    def __init__(self) -> None:
        self.arrays = {
            name: np.zeros(size, np.float32) for name, size in (("x", 3), ("places", 0), ("count", 1))
        }
        self.asked: Counter[str] = Counter()

    def get_tensor(self, of: SimpleNamespace | str) -> SimpleNamespace:
        name = of if isinstance(of, str) else of.any_name
        self.asked[name] += 1
        return SimpleNamespace(data=self.arrays[name], byte_size=self.arrays[name].nbytes)

    def infer(self, *, share_outputs: bool) -> None:
        assert share_outputs
        places = np.flatnonzero(self.arrays["x"]).astype(np.float32)
        self.arrays["places"] = places
        self.arrays["count"][...] = places.size


def stand_in_openvino(request: InferRequest) -> SimpleNamespace:
    def output(name: str) -> SimpleNamespace:
        return SimpleNamespace(partial_shape=SimpleNamespace(is_dynamic=name == "places"))

    compiled = SimpleNamespace(
        inputs=[SimpleNamespace(any_name="x")], output=output, create_infer_request=lambda: request
    )
    core = SimpleNamespace(
        get_versions=lambda _: {},
        read_model=lambda _: SimpleNamespace(reshape=lambda _: None),
        compile_model=lambda *_: compiled,
    )
    return SimpleNamespace(Core=lambda: core)


def test_openvino_reads_an_output_of_changing_shape_after_each_call_and_looks_up_others_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = InferRequest()
    monkeypatch.setitem(sys.modules, "openvino", stand_in_openvino(request))
    adapter = import_adapter("openvino").Adapter(threads=1, params={"hint": "latency"})
    tensors = {name: Tensor(name, (3,), "float32") for name in ("x", "count", "places")}
    outputs = (tensors["count"], tensors["places"])
    adapter.load(SimpleNamespace(native=Path(), inputs=(tensors["x"],), outputs=outputs))
    adapter.compile()
    results = [adapter.run({"x": np.array(x, np.float32)}) for x in ([0, 5, 5], [5, 5, 5])]
    assert [[output.tolist() for output in result] for result in results] == [
        [[2], [1, 2]],
        [[3], [0, 1, 2]],
    ]
    assert request.asked["count"] == 1

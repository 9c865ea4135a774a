"""Every adapter keeps the contract of `docs/contracts/adapter.md`; only that of `null` can be run here."""

import ast
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from harness.catalog import load_frameworks

IMAGES = Path(__file__).parents[2] / "images"
FRAMEWORKS = load_frameworks(IMAGES)
CONVERTING = [name for name, spec in FRAMEWORKS.items() if spec.has_convert]
METHODS = {
    "__init__": ["self", "threads", "batch"],
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
    assert signatures(parse(name, "convert.py").body) == {"convert": ["model", "out"]}


@pytest.fixture
def null_model(tmp_path: Path) -> SimpleNamespace:
    """A prepared model of ten rows, two inputs and two outputs."""
    rows = np.arange(10, dtype=np.float32)
    np.savez(tmp_path / "inputs.npz", x=np.stack([rows, -rows], axis=1), y=rows)
    np.savez(tmp_path / "reference.npz", p=rows.astype(np.float64)[:, None] / 3, q=rows.astype(np.float64))
    spec = {"inputs": [{"name": "x"}, {"name": "y"}], "outputs": [{"name": "p"}, {"name": "q"}]}
    return SimpleNamespace(common=tmp_path, native=tmp_path, spec=spec)


@pytest.mark.parametrize("threads", [1, None])
def test_null_hands_out_the_reference_of_what_it_is_given(
    null_model: SimpleNamespace, threads: int | None
) -> None:
    path = IMAGES / "null" / "adapter.py"
    found = importlib.util.spec_from_file_location("null_adapter", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    adapter = module.Adapter(threads=threads, batch=4)
    adapter.load(null_model)
    adapter.compile()
    with np.load(null_model.common / "inputs.npz") as stored:
        whole = dict(stored)
    batches = [(first + np.arange(4)) % 10 for first in (0, 4, 8)]  # the third goes around the end
    kept = [{name: values[rows] for name, values in whole.items()} for rows in batches]
    for rows, inputs in zip(batches, kept, strict=True):
        outputs = adapter.run(inputs)
        assert [output.tolist() for output in outputs] == [(rows / 3)[:, None].tolist(), rows.tolist()]
        assert adapter.run(inputs) is outputs  # looked up once: no work is left in the clock
        assert adapter.infer(adapter.to_native(inputs)) is outputs
    assert adapter.describe()["threads"] is None

"""Every adapter keeps the contract of `docs/contracts/adapter.md`; their frameworks are not installed here."""

import ast
from pathlib import Path

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
    assert signatures(adapter.body) == METHODS


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_is_short(name: str) -> None:
    assert len((IMAGES / name / "adapter.py").read_text().splitlines()) <= 80


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

"""The prepared model, as an adapter sees it: read-only volumes, and the sizes that this cell gives its dimensions."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


OWN_FILE = "own.json"
"""Beside an ONNX file of a user's own: what the matrix says of it."""


class Tensor(NamedTuple):
    """One input or output of a call.

    All sizes are numbers, but those of an output of a user's own file that are no sizes of its inputs.
    """

    name: str
    shape: tuple[Any, ...]
    dtype: str


class ModelFiles:
    """Where the artefacts of one model are, and the shapes of one call.

    Attributes:
        common: what all frameworks share: specification, definitions, weights, ONNX.
        data: inputs and the reference of their outputs, for these shapes.
        native: what this framework's `convert.py` made; empty for a framework without one.
        spec: the model's specification as data.
        sizes: of each dynamic dimension, by the ONNX file's own name for it.
        inputs: of a call, in the specification's order.
        outputs: likewise.
    """

    def __init__(self, dims: Mapping[str, int], root: Path = Path("/")) -> None:
        self.common = common = root / "model"
        self.data = root / "data"
        self.native = root / "native"
        self.spec: dict[str, Any] = json.loads((common / "spec.json").read_text(encoding="utf-8"))
        # A dimension stands for the batch, the sequence length, or one number throughout.
        self.sizes: dict[str, int] = {
            name: dims[bound] if isinstance(bound, str) else bound
            for name, bound in self.spec["dims"].items()
        }
        self.inputs = tuple(map(self._tensor, self.spec["inputs"]))
        self.outputs = tuple(map(self._tensor, self.spec["outputs"]))

    @property
    def references(self) -> list[Path]:
        """The files of the reference outputs, in the order of `outputs`; their first axis counts what was drawn."""
        return [self.data / f"reference-{number}.npy" for number in range(len(self.spec["outputs"]))]

    def has_definition(self, framework: str) -> bool:
        """Whether the model's folder defines it for a framework; an ONNX file of a user's own has no folder."""
        return not (self.common / OWN_FILE).exists() and (self.common / f"{framework}.py").exists()

    def define(self, framework: str) -> ModuleType:
        """Import the model's definition for one framework.

        By path and under a private name: a folder with a `jax.py` must not come before `jax` itself.

        Raises:
            NotImplementedError: the model has none for this framework.
        """
        path = self.common / f"{framework}.py"
        if not self.has_definition(framework):
            raise NotImplementedError(f"{self.spec['title']} has no definition for {framework}")
        spec = importlib.util.spec_from_file_location(f"_model_{framework}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _tensor(self, entry: dict[str, Any]) -> Tensor:
        shape = tuple(self.sizes.get(size, size) for size in entry["shape"])
        return Tensor(entry["name"], shape, entry["dtype"])

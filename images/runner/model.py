"""The prepared model, as an adapter sees it: two read-only volumes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


class ModelFiles:
    """Where the artefacts of one model are.

    Attributes:
        common: what all frameworks share: specification, definitions, weights, ONNX, inputs and reference.
        native: what this framework's `convert.py` made; empty for a framework without one.
        spec: the model's specification, `model.yaml` as data.
    """

    def __init__(self, common: Path = Path("/model"), native: Path = Path("/native")) -> None:
        self.common = common
        self.native = native
        self.spec: dict[str, Any] = json.loads((common / "spec.json").read_text(encoding="utf-8"))

    def define(self, framework: str) -> ModuleType:
        """Import the model's definition for one framework.

        By path and under a private name: a folder with a `jax.py` must not come before `jax` itself.

        Raises:
            NotImplementedError: the model has none for this framework.
        """
        path = self.common / f"{framework}.py"
        if not path.exists():
            raise NotImplementedError(f"{self.spec['title']} has no definition for {framework}")
        spec = importlib.util.spec_from_file_location(f"_model_{framework}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

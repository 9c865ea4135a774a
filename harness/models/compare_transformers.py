"""Prove that the PyTorch definitions compute the same as transformers' own models with the same weights.

    python harness/models/compare_transformers.py

Run by hand after a change of a `pytorch.py`, in an environment with the PyTorch version of `images/pytorch` and with
transformers and pyyaml. Prints the largest difference over the largest logit of each model; fails above 1e-5.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import (
    DistilBertConfig,
    DistilBertForSequenceClassification,
    MobileNetV2Config,
    MobileNetV2ForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
)

MODELS = Path(__file__).parent
SEQUENCE = 128


def models() -> dict[str, torch.nn.Module]:
    """Build transformers' models as the definitions have them; their own defaults differ where something is told."""
    mobilenet = MobileNetV2Config(num_labels=1000, tf_padding=False, layer_norm_eps=1e-5)
    return {
        "resnet50": ResNetForImageClassification(ResNetConfig(num_labels=1000)),
        "mobilenet-v2": MobileNetV2ForImageClassification(mobilenet),
        "distilbert": DistilBertForSequenceClassification(DistilBertConfig()),
    }


def difference(name: str, theirs: torch.nn.Module) -> float:
    """Compute the largest difference of the logits of two rows, over the largest logit."""
    spec = yaml.safe_load((MODELS / name / "model.yaml").read_text(encoding="utf-8"))
    rng = np.random.default_rng(spec["seed"])
    drawn = runpy.run_path(str(MODELS / name / "weights.py"))["make"](rng)
    weights = {key: torch.from_numpy(array) for key, array in drawn.items()}
    ours = runpy.run_path(str(MODELS / name / "pytorch.py"))["build"]().eval()
    ours.load_state_dict(weights)
    places = [key for key in theirs.state_dict() if not key.endswith("num_batches_tracked")]
    order = [key for key in ours.state_dict() if key in weights]
    named = zip(places, _in_their_order(order), strict=True)
    theirs.eval().load_state_dict({place: weights[key] for place, key in named}, strict=False)
    inputs = [_draw(entry, rng) for entry in spec["inputs"]]
    with torch.inference_mode():
        own, other = ours(*inputs), theirs(*inputs).logits
    return float((own - other).abs().max() / other.abs().max())


def _in_their_order(names: list[str]) -> list[str]:
    """Put a block's way around first, as transformers' ResNet has it; else both are in the order of computation."""

    def place(name: str) -> tuple[int, bool]:
        block = re.match(r"layer\d\.\d+\.", name)
        prefix = block[0] if block else name
        first = next(index for index, other in enumerate(names) if other.startswith(prefix))
        return first, "downsample" not in name

    return sorted(names, key=place)


def _draw(entry: dict[str, object], rng: np.random.Generator) -> torch.Tensor:
    shape = [{"batch": 2, "sequence": SEQUENCE}.get(size, size) for size in entry["shape"]]
    if entry["dtype"] == "int64":
        return torch.from_numpy(rng.integers(entry["low"], entry["high"], shape))
    return torch.from_numpy(rng.uniform(entry["low"], entry["high"], shape).astype(np.float32))


def main() -> int:
    """Compare all of them."""
    found = {name: difference(name, theirs) for name, theirs in models().items()}
    for name, value in found.items():
        print(f"{name}: {value:.1e}")  # noqa: T201
    return int(max(found.values()) > 1e-5)


if __name__ == "__main__":
    sys.exit(main())

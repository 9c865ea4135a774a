"""PyTorch, from the article's call to the fair one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from work import INPUT

if TYPE_CHECKING:
    from work import Call, Work

PACKAGE = "torch"


def make(work: Work) -> Call:
    """A module, called on a tensor: with gradients until they are gone."""
    if work.threads is not None:
        torch.set_num_threads(work.threads)
        torch.set_num_interop_threads(1)
    module = work.model.define("pytorch").build()
    module.load_state_dict(load_file(work.model.common / "weights.safetensors"))
    module.eval()
    if work.is_gone("gradients"):
        # Entered for good: the process does nothing but inference from here on.
        torch.inference_mode().__enter__()
    if not work.is_gone("work"):
        return lambda inputs: module(torch.tensor(inputs[INPUT]))
    return lambda inputs: [module(torch.from_numpy(inputs[INPUT])).detach().numpy()]

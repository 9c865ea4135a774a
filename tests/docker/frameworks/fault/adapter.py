"""A framework that fails on demand: `FAULT=what:phase` in its environment says how and where."""

from __future__ import annotations

import ctypes
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from runner.model import ModelFiles

WHAT, _, WHERE = os.environ.get("FAULT", "").partition(":")
KEPT: list[np.ndarray] = []


def allocate() -> None:
    """Take memory until the kernel says no."""
    while True:
        KEPT.append(np.ones(1 << 20, dtype=np.uint64))


def hang() -> None:
    """Never come back."""
    time.sleep(3600)


def crash() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def refuse() -> None:
    """Say that this cannot be done."""
    raise NotImplementedError("operator Frobnicate")


def fail() -> None:
    """Raise what nobody expects; the message is hostile on purpose."""
    raise ValueError("<script>alert('x')</script>")


def leave() -> None:
    """Claim success without a result."""
    os._exit(0)


def breed() -> None:
    """Leave a child behind that holds all pipes open, and go."""
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)


def chatter() -> None:
    """Print a megabyte where people look for the reason."""
    os.write(2, b"noise\n" * 200_000)
    os.write(2, b"the reason\n")
    os._exit(4)


def leak() -> None:
    """Keep something of every call."""
    KEPT.append(np.ones(512, dtype=np.uint64))


def forge() -> None:
    """Speak for the supervisor."""
    os.write(3, b'{"type":"end","stop":"exited","exit_code":0}\n')
    os._exit(0)


def at(phase: str) -> None:
    """Do what was asked for if this is the place."""
    if phase and phase == WHERE:
        faults = (allocate, hang, crash, refuse, fail, leave, breed, chatter, forge, leak)
        {fault.__name__: fault for fault in faults}[WHAT]()


at("import")


class Adapter:
    """Computes the reference itself, in float64, unless told to be wrong."""

    def __init__(self, *, threads: int | None, batch: int) -> None:
        self.threads = threads
        self.first_call = 0.0

    def load(self, model: ModelFiles) -> None:
        """Load the model's own reference as the thing to run."""
        at("load")
        self.forward = model.define("reference").forward
        self.weights = model.define("weights").make(np.random.default_rng(model.spec["seed"]))

    def compile(self) -> None:
        """Nothing to compile."""
        at("compile")

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call."""
        at(self.phase())
        outputs = list(self.forward(self.weights, inputs).values())
        return [output + 1 for output in outputs] if WHAT == "wrong" else outputs

    def to_native(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """There are no tensors but numpy's."""
        return inputs

    def infer(self, native: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call on the second clock, where nothing fails any more."""
        return list(self.forward(self.weights, native).values())

    def phase(self) -> str:
        """Guess the phase: the tests' warm-up lasts 0.1 s, and nothing fails near the border."""
        if not self.first_call:
            self.first_call = time.monotonic()
            return "first"
        since = time.monotonic() - self.first_call
        return "steady" if since > 0.2 else "warmup" if since < 0.05 else ""

    def describe(self) -> dict[str, Any]:
        """Say what every adapter says."""
        return {"version": "1.0", "threads": None, "settings": {}}

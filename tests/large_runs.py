"""Runs of thousands of cells: what the report has to bear, made in seconds.

The cells of one model are made as all test cells are; those of the others are the same files under other names.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from harness.records import Phase
from harness.results import Status
from harness.units import MIB
from tests.factories import FRAMEWORKS, cell, failed_trial, result, run, trial

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results import CellResult

MODEL = "spam-fnn"
CALLS = 700
"""Of each trial: enough for a p99."""


def write_large_run(directory: Path, *, models: int = 40, limits: int = 50) -> Path:
    """Store a run of five frameworks on so many models under so many limits: 10,000 cells if not told otherwise."""
    caps = [(cpus, 64 * MIB * step) for step, cpus in product(range(1, limits // 2 + 1), (1, 2))]
    made = [_result(name, cpus, memory) for name, (cpus, memory) in product(FRAMEWORKS, caps)]
    names = [f"model-{number:02}" for number in range(1, models + 1)]
    one = run(made)
    whole = one.model_copy(
        update={
            "cells": tuple(each.cell_id.replace(MODEL, name) for name in names for each in made),
            "models": dict.fromkeys(names, one.models[MODEL]),
            "matrix": one.matrix | {"models": names},
        }
    )
    (directory / "cells").mkdir(parents=True)
    (directory / "run.json").write_text(whole.model_dump_json(indent=1))
    for each in made:
        text = each.model_dump_json()
        for name in names:
            path = directory / "cells" / f"{each.cell_id.replace(MODEL, name)}.json"
            path.write_text(text.replace(MODEL, name))
    return directory


def _result(framework: str, cpus: float, memory_bytes: int) -> CellResult:
    of = cell(framework, model=MODEL, cpus=cpus, memory_bytes=memory_bytes)
    if framework == "tensorflow" and memory_bytes <= 128 * MIB:
        return result(
            of,
            [failed_trial(of, Status.OOM, Phase.IMPORT, index, reason="out of memory") for index in range(3)],
        )
    return result(of, [trial(of, index, iterations=CALLS) for index in range(3)])

"""How long the reference probe has to be to be worth reading: `harness/reference.py` follows from it.

    python -m tests.bench.probe_length --cpus 1

In one container on a cell's CPUs, in turn and many times over: the probe's matrix product for some seconds, and a
framework's call for one. The probe is then cut to shorter lengths after the fact, and told is how far it wanders from
turn to turn, how well it foretells the call, and how far two probes on either side of a call differ.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.results import Cell
from tests.bench.place import prepare

HERE = Path(__file__).parent
LENGTHS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0)


def collect(cell: Cell, turns: int) -> list[tuple[list[int], list[int]]]:
    """Run the turns.

    Returns:
        Of each turn the times of the products and of the calls, nanoseconds.
    """
    with prepare(cell, purpose="tests.bench.probe_length") as place:
        found = place.inside(
            (HERE / "probe_inside.py").read_text(), turns, max(LENGTHS),
            env={"OPENBLAS_NUM_THREADS": str(cell.thread_count)},
        )  # fmt: skip
    return [(products, calls) for products, calls in found]


def cut(times: list[int], seconds: float, *, last: bool) -> float:
    """The median of a probe that had been shorter: its first or its last part."""
    found: NDArray[np.float64] = np.asarray(times[::-1] if last else times, float)
    count = int(np.searchsorted(np.cumsum(found), seconds * 1e9)) + 1
    return float(np.median(found[:count]))


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--turns", type=int, default=40)
    told = parser.parse_args()
    cell = Cell(framework="onnxruntime", model="spam-fnn", cpus=told.cpus, memory_bytes=1024**3, batch=16_384)
    turns = collect(cell, told.turns)
    calls = np.log([np.median(found) for _, found in turns])
    print(f"{cell.id}, {told.turns} turns; spread of the call from turn to turn {calls.std():.3f} (log)")
    print("length s   spread   correlation with the call   neighbours differ: 95 %    most")
    for length in LENGTHS:
        before = np.log([cut(found, length, last=True) for found, _ in turns])
        after = np.log([cut(found, length, last=False) for found, _ in turns])
        gaps = np.abs(after[1:] - before[:-1])
        together = np.corrcoef(before, calls)[0, 1]
        print(
            f"{length:8.2f}   {before.std():6.3f}   {together:25.2f}   "
            f"{np.percentile(gaps, 95):23.3f}   {gaps.max():5.3f}"
        )


if __name__ == "__main__":
    main()

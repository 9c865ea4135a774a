"""What a framework's call gained over the other ways to make it: `docs/images.md` has the table.

    python -m tests.bench.calls onnxruntime --model resnet50 --cpus 2 --batch 1
    python -m tests.bench.calls tensorflow --env TF_ENABLE_ONEDNN_OPTS=0

In the framework's own image, on the cores that a trial would get: first the shipped adapter and the alternatives of
`tests/bench/alternatives/`, interleaved in one process; then the shipped adapter under other variables, in containers
that take turns with the first. Ratios are to the shipped call, below one is quicker.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from pathlib import Path

from harness.results import Cell
from tests.bench.place import Place, prepare, usual_cell

HERE = Path(__file__).parent
SHIPPED = "shipped"
NONE = "def alternatives(*_, **__): return {}"
MEMORY = 12 * 1024**3
"""Each alternative may hold a model of its own."""


def measure(place: Place, env: dict[str, str]) -> dict[str, float]:
    """Time all calls in one fresh container; under other variables only the shipped one.

    Returns:
        Median latency by call, microseconds.
    """
    framework = place.scheduled.cell.framework
    alternatives = NONE if env else (HERE / "alternatives" / f"with_{framework}.py").read_text()
    found: dict[str, float] = place.inside((HERE / "inside.py").read_text(), alternatives, env=env)
    return found


def compare(cell: Cell, env: dict[str, str], rounds: int) -> None:
    """Run the rounds and print the table."""
    ratios: dict[str, list[float]] = defaultdict(list)
    shipped: list[float] = []
    with prepare(cell, purpose="tests.bench.calls") as place:
        for _ in range(rounds):
            medians = measure(place, {})
            if env:
                other = " ".join(f"{name}={text}" for name, text in env.items())
                medians[other] = measure(place, env)[SHIPPED]
            shipped.append(medians[SHIPPED])
            for name, median in medians.items():
                ratios[name].append(median / medians[SHIPPED])
        cpuset = place.scheduled.requested.cpuset
    print(
        f"{cell.framework}, {cell.model}, {cell.thread_count} threads on CPUs {cpuset}, batch {cell.batch}, "
        f"{rounds} containers"
    )
    print(f"{SHIPPED}: {statistics.median(shipped):.1f} us")
    for name, values in ratios.items():
        low, high = min(values), max(values)
        print(f"  {statistics.median(values):6.2f}  ({low:.2f} to {high:.2f})  {name}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("framework")
    parser.add_argument("--model", default="spam-fnn")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--env", action="append", default=[], metavar="NAME=TEXT")
    told = parser.parse_args()
    cell = usual_cell(told.framework, told.model, cpus=told.cpus, memory_bytes=MEMORY, batch=told.batch)
    compare(cell, dict(text.split("=", 1) for text in told.env), told.rounds)


if __name__ == "__main__":
    main()

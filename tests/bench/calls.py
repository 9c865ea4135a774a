"""What a framework's call gained over the other ways to make it: `docs/images.md` has the table.

    python -m tests.bench.calls onnxruntime --cpus 1 --batch 1
    python -m tests.bench.calls tensorflow --env TF_ENABLE_ONEDNN_OPTS=1

In the framework's own image, on the cores that a trial would get: first the shipped adapter and the alternatives of
`tests/bench/alternatives/`, interleaved in one process; then the shipped adapter under other variables, in containers
that take turns with the first. Ratios are to the shipped call, below one is quicker.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path

from harness.cores import request_limits
from harness.engine import Engine
from harness.engine_connection import connect
from harness.intake import ROOT
from harness.results import Cell
from harness.session import hold_engine
from harness.supplies import Supplies, build_supplies, fill_volumes
from harness.trial import worker_env

HERE = Path(__file__).parent
SHIPPED = "shipped"
MEMORY = 4 * 1024**3


def measure(supplies: Supplies, cell: Cell, cpuset: str, env: dict[str, str]) -> dict[str, float]:
    """Time all calls in one fresh container.

    Returns:
        Median latency by call, microseconds.
    """
    variables = supplies.frameworks[cell.framework].env | env
    command = [
        "docker", "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", f"--cpuset-cpus={cpuset}",
        *(f"--env={name}={text}" for name, text in worker_env(variables, cell.thread_count).items()),
        *(f"--volume={mount}" for mount in supplies.mounts(cell)),
        "--entrypoint=python3", supplies.images[cell.framework].id, "-c", (HERE / "inside.py").read_text(),
        (HERE / "alternatives" / f"with_{cell.framework}.py").read_text(), str(cell.thread_count), str(cell.batch),
    ]  # fmt: skip
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return {name: float(median) for name, median in json.loads(output).items()}


def compare(cell: Cell, env: dict[str, str], rounds: int) -> None:
    """Run the rounds and print the table."""
    engine = Engine(connect(), owner="tests.bench.calls")
    supplies = build_supplies(connect(), [cell], root=ROOT, listener=lambda _: None)
    ratios: dict[str, list[float]] = defaultdict(list)
    shipped: list[float] = []
    with hold_engine(engine, supplies) as survey:
        supplies = fill_volumes(engine, supplies, survey(), lambda _: None)
        facts = survey()
        requested = request_limits(cell, topology=facts.topology, memory_bytes=facts.memory_bytes)
        cpuset = ",".join(str(cpu) for cpu in requested.cpuset or ())
        for _ in range(rounds):
            medians = measure(supplies, cell, cpuset, {})
            if env:
                other = " ".join(f"{name}={text}" for name, text in env.items())
                medians[other] = measure(supplies, cell, cpuset, env)[SHIPPED]
            shipped.append(medians[SHIPPED])
            for name, median in medians.items():
                ratios[name].append(median / medians[SHIPPED])
    print(
        f"{cell.framework}, {cell.thread_count} threads on cpuset {cpuset}, batch {cell.batch}, {rounds} containers"
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
    cell = Cell(
        framework=told.framework, model=told.model, cpus=told.cpus, memory_bytes=MEMORY, batch=told.batch
    )
    compare(cell, dict(text.split("=", 1) for text in told.env), told.rounds)


if __name__ == "__main__":
    main()

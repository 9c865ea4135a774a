"""Whether the harness's figures agree with the runtimes' own benchmark tools.

    make agree
    python -m tests.bench.agree --only onnxruntime

For each framework, at 1 and 2 cores, the harness's own loop and the other tool's take turns in short blocks inside one
container under the limits of a trial (`agreement/alternate.py`). Of a call of at least five milliseconds the 95 %
interval of the median ratio has to lie within 0.97 and 1.03. Of a call of some microseconds the difference has to be
within the timer's floor, which the `null` framework shows, and 3 %.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.results import Cell
from harness.stats.samples import steady_latencies_ns
from harness.trial import worker_env
from harness.units import GIB
from tests.bench.place import Place, prepare
from tests.bench.ratios import median_interval

HERE = Path(__file__).parent / "agreement"
NAMES = ("onnxruntime", "openvino", "pytorch", "jax", "tensorflow")
LARGE, SMALL = 16_384, 1
LOW, HIGH = 0.97, 1.03
PAIRS_AT_ONCE = 150
SECONDS_AT_ONCE = 45.0
ROUNDS = 4
"""Containers at most; as many as it takes to be sure."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One comparison: how the harness's median relates to another tool's."""

    framework: str
    cpus: int
    batch: int
    clock: str
    tool: str
    own_us: float
    tool_us: float
    low: float
    ratio: float
    high: float
    pairs: int
    floor_us: float | None
    """Of a small call."""

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        if self.floor_us is None:
            return self.low >= LOW and self.high <= HIGH
        allowed = self.floor_us / self.tool_us + HIGH - 1
        return abs(self.ratio - 1) <= allowed

    @property
    def decided(self) -> bool:
        """Whether more pairs could not change the verdict: the interval lies inside, or outside."""
        return self.holds or self.low > HIGH or self.high < LOW


def alternate(place: Place) -> list[dict[str, object]]:
    """Run one container of alternating blocks."""
    cell, requested, supplies = place.scheduled.cell, place.scheduled.requested, place.bench.supplies
    variables = worker_env(supplies.frameworks[cell.framework].env, cell.thread_count)
    program = (HERE / "bare_loop.py").read_text() + (HERE / f"with_{cell.framework}.py").read_text()
    command = [
        "docker", "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--env=HOME=/tmp",
        f"--memory={cell.memory_bytes}", f"--memory-swap={cell.memory_bytes}",
        f"--cpuset-cpus={','.join(map(str, requested.cpuset or ()))}",
        *(f"--env={name}={text}" for name, text in variables.items()),
        *(f"--volume={mount}" for mount in supplies.mounts(cell)),
        "--entrypoint=python3", supplies.images[cell.framework].id, "-c", (HERE / "alternate.py").read_text(),
        program, str(cell.thread_count), str(cell.batch), str(PAIRS_AT_ONCE), str(SECONDS_AT_ONCE),
    ]  # fmt: skip
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: list[dict[str, object]] = json.loads(output.splitlines()[-1])
    return found


def measure(framework: str, cpus: int, batch: int, floor_us: float | None) -> list[Claim]:
    """Compare one framework at one size, over as many pairs as it takes."""
    cell = Cell(framework=framework, model="spam-fnn", cpus=cpus, memory_bytes=4 * GIB, batch=batch)
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    claims: list[Claim] = []
    with prepare(cell, owner="make agree") as place:
        for _ in range(ROUNDS):
            for told in alternate(place):
                found = told["pairs_ns"]
                assert isinstance(found, list)
                pairs.setdefault((str(told["tool"]), str(told["clock"])), []).extend(found)
            claims = [summarize(cell, *key, found, floor_us) for key, found in pairs.items()]
            if all(claim.decided for claim in claims):
                break
    return claims


def summarize(
    cell: Cell, tool: str, clock: str, pairs: list[tuple[float, float]], floor_us: float | None
) -> Claim:
    """What the pairs of one comparison say."""
    low, ratio, high = median_interval([own / other for own, other in pairs])
    own, other = (float(np.median(side)) / 1000 for side in zip(*pairs, strict=True))
    return Claim(
        framework=cell.framework,
        cpus=int(cell.cpus),
        batch=cell.batch,
        clock=clock,
        tool=tool,
        own_us=own,
        tool_us=other,
        low=low,
        ratio=ratio,
        high=high,
        pairs=len(pairs),
        floor_us=floor_us,
    )


def timers_floor_us() -> float:
    """The null framework's median latency, in microseconds."""
    cell = Cell(framework="null", model="spam-fnn", cpus=1, memory_bytes=GIB, batch=SMALL)
    with prepare(cell, owner="make agree") as place:
        trials = [place.harness_trial() for _ in range(3)]
    return float(np.median([np.median(steady_latencies_ns(trial.records)) for trial in trials])) / 1000


def main() -> None:
    """Run all comparisons and print the table; exits with 1 where one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=NAMES, action="append", help="one framework; repeatable")
    names = parser.parse_args().only or NAMES
    floor = timers_floor_us()
    print(f"timer's floor (null): {floor:.3f} us")
    print(
        f"{'framework':<12} cores  batch  {'clock':<10}  {'against':<25} harness us  tool us   ratio 95 %  pairs"
    )
    failed = 0
    for name in names:
        for cpus in (1, 2):
            for batch in (LARGE, SMALL):
                for claim in measure(name, cpus, batch, floor if batch == SMALL else None):
                    failed += not claim.holds
                    print(line(claim), flush=True)
    sys.exit(1 if failed else 0)


def line(claim: Claim) -> str:
    """A row of the table."""
    return (
        f"{claim.framework:<12} {claim.cpus:>5}  {claim.batch:>5}  {claim.clock:<10}  {claim.tool:<25} "
        f"{claim.own_us:>10.2f} {claim.tool_us:>8.2f}  {claim.ratio:.4f} {claim.low:.4f} to {claim.high:.4f} "
        f"{claim.pairs:>6}  {'agrees' if claim.holds else 'DIFFERS'}"
    )


if __name__ == "__main__":
    main()

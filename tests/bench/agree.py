"""Whether the harness's figures agree with the runtimes' own benchmark tools.

    make agree
    python -m tests.bench.agree --model resnet50 --only onnxruntime

For each framework and model the harness's own loop and the other tool's take turns in short blocks inside one container
under the limits of a trial (`agreement/alternate.py`), and several containers take part: how a process lies in memory
alone can make its calls half as slow again, for both sides alike. Of a call of milliseconds the 95 % interval of the
median ratio has to lie within 0.97 and 1.03. Of a call of some microseconds it has to lie within 3 % and the timer's
floor, which the `null` framework shows.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.errors import EdgematrixError
from harness.results import Cell
from harness.stats.samples import steady_latencies_ns
from harness.units import GIB
from tests.bench.place import Place, prepare, usual_cell
from tests.bench.ratios import median_interval

HERE = Path(__file__).parent / "agreement"
NAMES = ("onnxruntime", "openvino", "pytorch", "jax", "tensorflow")
TINY = "spam-fnn"
"""A call of it takes some microseconds at batch 1, and so little memory that a batch of thousands is another sort."""
SIZES = {
    TINY: ((1, 16_384), (1, 1), (2, 16_384), (2, 1)),
    "mobilenet-v2": ((2, 1),),
    "resnet50": ((2, 1),),
    "distilbert": ((2, 1),),
}
"""Of each model the cores and batches."""
LOW, HIGH = 0.97, 1.03
MARGIN = 0.002
"""How far inside or outside the interval lies before no more pairs are asked for: stopping at the first glimpse of an
agreement would find too many."""
PAIRS_AT_ONCE = 50
SECONDS_AT_ONCE = 12.0
LEAST_CONTAINERS = 3
MOST_CONTAINERS = 9
BUDGET_S = 90.0
"""Of one cell, past its least containers."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One comparison: how the harness's median relates to another tool's."""

    framework: str
    model: str
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
    def bounds(self) -> tuple[float, float]:
        """Where the whole interval has to lie."""
        floor = 0.0 if self.floor_us is None else self.floor_us / self.tool_us
        return LOW - floor, HIGH + floor

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        low, high = self.bounds
        return low <= self.low and self.high <= high

    @property
    def differs(self) -> bool:
        """Whether they certainly do not; an interval that lies astride a bound says neither."""
        low, high = self.bounds
        return self.high < low or self.low > high

    @property
    def decided(self) -> bool:
        """Whether the interval lies so clearly inside, or outside, that more pairs could hardly change the verdict."""
        low, high = self.bounds
        inside = low + MARGIN <= self.low and self.high <= high - MARGIN
        return inside or self.high < low - MARGIN or self.low > high + MARGIN

    @property
    def verdict(self) -> str:
        """In one word."""
        return "agrees" if self.holds else "DIFFERS" if self.differs else "UNSURE"


def alternate(place: Place) -> list[dict[str, object]]:
    """Run one container of alternating blocks."""
    cell = place.scheduled.cell
    tool = (HERE / "bare_loop.py").read_text() + (HERE / f"with_{cell.framework}.py").read_text()
    found: list[dict[str, object]] = place.inside(
        (HERE / "alternate.py").read_text(),
        tool,
        PAIRS_AT_ONCE,
        SECONDS_AT_ONCE,
    )
    return found


def measure(cell: Cell, floor_us: float | None) -> list[Claim]:
    """Compare one framework at one size of a model, over as many pairs as it takes."""
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    claims: list[Claim] = []
    with prepare(cell, purpose="make agree") as place:
        begin = time.monotonic()
        for number in range(1, MOST_CONTAINERS + 1):
            for told in alternate(place):
                found = told["pairs_ns"]
                assert isinstance(found, list)
                pairs.setdefault((str(told["tool"]), str(told["clock"])), []).extend(found)
            claims = [summarize(cell, *key, found, floor_us) for key, found in pairs.items()]
            spent = time.monotonic() - begin > BUDGET_S
            if number >= LEAST_CONTAINERS and (spent or all(claim.decided for claim in claims)):
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
        model=cell.model,
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


def timers_floor_us(cpus: int) -> float:
    """The null framework's median latency, in microseconds."""
    cell = usual_cell("null", TINY, cpus=cpus, memory_bytes=GIB, batch=1)
    with prepare(cell, purpose="make agree") as place:
        trials = [place.harness_trial() for _ in range(3)]
    return float(np.median([np.median(steady_latencies_ns(trial.records)) for trial in trials])) / 1000


def main() -> None:
    """Read the command line; exits with 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=NAMES, action="append", help="one framework; repeatable")
    parser.add_argument("--model", choices=tuple(SIZES), action="append", help="one model; repeatable")
    told = parser.parse_args()
    try:
        claims = compare(told.only or NAMES, told.model or tuple(SIZES))
    except EdgematrixError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    failed = [claim for claim in claims if not claim.holds]
    print(f"{len(claims) - len(failed)} of {len(claims)} agree")
    if any(not claim.differs for claim in failed):
        print("UNSURE: the interval is too wide; run it again while nothing else uses the cores")
    sys.exit(1 if failed else 0)


def compare(frameworks: Sequence[str], models: Sequence[str]) -> list[Claim]:
    """Run all comparisons and print the table."""
    floors = {cpus: timers_floor_us(cpus) for cpus in dict(SIZES[TINY])} if TINY in models else {}
    for cpus, us in floors.items():
        print(f"timer's floor (null) at {cpus} cores: {us:.3f} us")
    print(
        f"{'framework':<12} {'model':<12} cores  batch  {'clock':<10}  {'against':<27} harness us    tool us   "
        "ratio 95 %  pairs"
    )
    claims = []
    for model, framework in itertools.product(models, frameworks):
        for cpus, batch in SIZES[model]:
            cell = usual_cell(framework, model, cpus=cpus, memory_bytes=4 * GIB, batch=batch)
            for claim in measure(cell, floors[cpus] if (model, batch) == (TINY, 1) else None):
                claims.append(claim)
                print(line(claim), flush=True)
    return claims


def line(claim: Claim) -> str:
    """A row of the table."""
    return (
        f"{claim.framework:<12} {claim.model:<12} {claim.cpus:>5}  {claim.batch:>5}  {claim.clock:<10}  "
        f"{claim.tool:<27} {claim.own_us:>10.2f} {claim.tool_us:>10.2f}  "
        f"{claim.ratio:.4f} {claim.low:.4f} to {claim.high:.4f} {claim.pairs:>6}  {claim.verdict}"
    )


if __name__ == "__main__":
    main()

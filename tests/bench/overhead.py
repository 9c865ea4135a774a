"""What the harness costs: over a bare `docker run` of the same image and worker, and while a cell is measured.

    make bench

Both are measured in one interleaved run, harness and bare container in turn, and told as the median over pairs. The
bare container drops the page cache as well, since the worker's imports would not be comparable otherwise; what that
takes stands on its own line. Then the same pairs with a call of some milliseconds: whether a latency inside the harness
is the same as in the bare container.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from harness.events import PhaseReached, RunStarted, TrialStarted
from harness.progress.live import LiveStatus
from harness.records import MAX_SAMPLES, AnyRecord, PageCache, Phase
from harness.results import Cell
from harness.stats.samples import steady_latencies_ns
from harness.store import RunStore
from harness.trial import run_trial
from tests.bench.place import Place, prepare
from tests.bench.ratios import median_interval

SHORT = {"warmup_s": 0.1, "budget_s": 0.2}
LONG_S = 12.0
QUICK = Cell(framework="onnxruntime", model="spam-fnn", cpus=1, memory_bytes=512 * 1024**2, batch=1)
SLOW = Cell(framework="onnxruntime", model="spam-fnn", cpus=1, memory_bytes=1024**3, batch=16_384)
"""A call of at least five milliseconds."""


def own_cpu_share(place: Place) -> float:
    """The harness's CPU time over the wall time of one long steady phase, its live display included."""
    place = place.with_protocol(warmup_s=0.1, budget_s=LONG_S, max_iterations=MAX_SAMPLES)
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        marks.append((time.perf_counter(), time.process_time()))

    with (
        Path("/dev/null").open("w") as nowhere,
        LiveStatus(Console(file=nowhere, force_terminal=True)) as show,
    ):
        cell = place.scheduled.cell
        show(RunStarted(run_id="bench", trials=60, done=0))
        show(TrialStarted(cell_id=cell.id, framework=cell.framework, index=0, trials=1, number=1, total=60))

        def listen(event: object) -> None:
            show(event)  # type: ignore[arg-type]
            if (isinstance(event, PhaseReached) and event.phase is Phase.STEADY) or (
                len(marks) == 1 and time.perf_counter() - marks[0][0] > LONG_S - 2
            ):
                mark()

        run_trial(place.scheduled, engine=place.engine, bench=place.bench, listener=listen)
    (start, before), (end, after) = marks
    return (after - before) / (end - start)


def measure_cost(pairs: int) -> None:
    """What the harness adds to a container's life."""
    with prepare(QUICK, purpose="make bench") as prepared, tempfile.TemporaryDirectory() as folder:
        place = prepared.with_protocol(**SHORT, max_iterations=MAX_SAMPLES)
        store = RunStore(Path(folder))
        costs, drops, bare = [], [], []
        for number in range(pairs + 1):
            start = time.perf_counter()
            trial = place.harness_trial()
            store.write_trial(trial.model_copy(update={"index": number}))
            middle = time.perf_counter()
            place.bare_trial()
            plain = time.perf_counter() - middle
            if number:  # the first pair warms both ways up
                dropped = trial.find(PageCache)
                costs.append(middle - start - plain)
                bare.append(plain)
                drops.append((dropped.wall_ns if dropped else 0) / 1e9)
        print(f"cell {QUICK.id}, {pairs} interleaved pairs")
        print(f"bare docker run             {statistics.median(bare):7.3f} s  (median)")
        print(f"harness over bare           {statistics.median(costs):+7.3f} s  (median of differences)")
        print(f"  as a ratio                {statistics.median(costs) / statistics.median(bare) + 1:7.3f}")
        print(f"dropping the page cache     {statistics.median(drops):7.3f} s  (in both)")
        print(f"harness CPU, steady phase   {own_cpu_share(place):7.2%} of a core, over {LONG_S - 2:.0f} s")


def measure_quiet(pairs: int) -> None:
    """Whether a call takes as long inside the harness as in the bare container; the order within a pair alternates."""
    with prepare(SLOW, purpose="make bench") as prepared:
        place = prepared.with_protocol(warmup_s=0.1, budget_s=0.5, max_iterations=MAX_SAMPLES)
        ratios, calls = [], []
        for number in range(pairs):
            if number % 2:
                bare, inside = median_ms(place.bare_trial()), median_ms(place.harness_trial().records)
            else:
                inside, bare = median_ms(place.harness_trial().records), median_ms(place.bare_trial())
            ratios.append(inside / bare)
            calls.append(bare)
        low, middle, high = median_interval(ratios)
        print(f"cell {SLOW.id}, {pairs} interleaved pairs, a call of {statistics.median(calls):.1f} ms")
        print(f"latency, harness over bare  {middle:7.4f}  (median of ratios, 95 % {low:.4f} to {high:.4f})")


def median_ms(records: list[AnyRecord] | tuple[AnyRecord, ...]) -> float:
    """Median latency of the steady phase."""
    return float(np.median(steady_latencies_ns(records))) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10, help="for the cost of a trial")
    parser.add_argument("--quiet-pairs", type=int, default=150, help="for the latency inside")
    told = parser.parse_args()
    measure_cost(told.pairs)
    measure_quiet(told.quiet_pairs)

"""A stand-in for the engine that replays records, and what the real loop needs around it."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from harness.container import ContainerSpec, Outcome
from harness.deadline import Deadline
from harness.engine import Engine
from harness.events import Event
from harness.execute import Measuring
from harness.host import LogicalCpu
from harness.records import AnyRecord, Phase
from harness.results import Cell, Status
from harness.runs import Framework, Image, Model
from harness.schedule import ScheduledTrial, Scheduler
from harness.stopping import Stop
from harness.store import RunStore
from harness.supplies import Supplies
from harness.trial import Bench
from tests.factories import samples
from tests.unit.test_store import a_run
from tests.unit.trials import CAP, OUTCOME, whole

CELLS = [
    Cell(framework=name, model="spam-fnn", cpus=1, memory_bytes=CAP, batch=1) for name in ("jax", "pytorch")
]
HOST = [LogicalCpu(cpu=cpu, core=cpu, socket=0, node=0) for cpu in (0, 1)]


SCHEDULER = Scheduler(seed=0, rounds=3, topology=HOST, memory_bytes=8 * CAP)
REFERENCE = {
    "multiply_adds": 1000, "matmul_ns": [100], "copy_bytes": 1000, "copy_ns": [50], "loop_ns": [10],
}  # fmt: skip


class FakeEngine:
    """Replays recorded lines instead of running containers."""

    def __init__(self, records: list[AnyRecord], outcome: Outcome = OUTCOME) -> None:
        self.lines = [record.model_dump_json().encode() for record in records]
        self.outcome = outcome
        self.specs: list[ContainerSpec] = []
        self.jobs: list[dict[str, object]] = []
        self.interrupt_at: int | None = None
        self.probes = 0
        self.speeds: list[float] = []
        """Of the next reference probes."""

    def neighbours(self) -> int:
        return 0

    def check_held(self) -> None:
        """Nobody takes it away."""

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes,
        on_line: Callable[[bytes], None],
        deadline: Deadline,
        on_tick: Callable[[], None],
    ) -> Outcome:
        deadline.start()
        assert deadline.left_s() > 0
        if spec.module == "runner.reference":
            self.probes += 1
            speed = self.speeds.pop(0) if self.speeds else 1.0
            on_line(json.dumps(REFERENCE | {"matmul_ns": [round(100 / speed)]}).encode())
            return OUTCOME
        if len(self.specs) == self.interrupt_at:
            raise KeyboardInterrupt
        self.specs.append(spec)
        self.jobs.append(json.loads(stdin))
        on_tick()
        for line in self.lines:
            on_line(line)
        return self.outcome


class Imprecise(FakeEngine):
    """Its trials' medians are far apart, so that no cell is ever precise."""

    def __init__(self) -> None:
        super().__init__([])

    def records(self, number: int) -> list[AnyRecord]:
        """What the trial says that so many were before."""
        return [*whole()[:-3], samples([1000 * (1 + number % 3)] * 20, Phase.STEADY), *whole()[-3:]]

    def run(self, spec: ContainerSpec, **words: Any) -> Outcome:
        if spec.module is None:
            self.lines = [record.model_dump_json().encode() for record in self.records(len(self.specs))]
        return super().run(spec, **words)


class Spec:
    def __init__(self) -> None:
        self.env = {"OMP_NUM_THREADS": "{threads}"}


def a_bench() -> Bench:
    image = Image(tag="t", id="sha256:1", fingerprint="f", size_bytes=1, base="b", packages={})
    run = a_run("r1").model_copy(
        update={
            "models": {
                "spam-fnn": Model(
                    hash="h",
                    data={},
                    title="t",
                    parameters=1,
                    multiply_adds=7,
                    sequence=None,
                    task="other",
                    tolerance=1e-5,
                    reference="",
                    size_bytes=1,
                )
            }
        }
    )
    supplies = Supplies(
        frameworks={
            name: Framework(extends=name, version="", params={}) for name in ("jax", "pytorch", "null")
        },
        specs=dict.fromkeys(("jax", "pytorch", "null"), Spec()),  # type: ignore[arg-type]
        images=dict.fromkeys(("jax", "pytorch", "null"), image),
        needs={},
        failures={},
    )
    return Bench(run=run, supplies=supplies)


def scheduled(trials: int = 3) -> list[ScheduledTrial]:
    rounds = (SCHEDULER.round(CELLS, index) for index in range(trials))
    return [trial for blocks in rounds for block in blocks for trial in block]


def play(
    engine: FakeEngine,
    store: RunStore,
    bench: Bench,
    *,
    stop: Stop | None = None,
    retry: Collection[Status] = (),
    cells: Sequence[Cell] = CELLS,
) -> list[Event]:
    events: list[Event] = []
    Measuring(
        engine=cast("Engine", engine),
        store=store,
        bench=bench,
        listener=events.append,
        stop=stop or Stop(),
        retry=retry,
    ).run(cells, SCHEDULER)
    return events

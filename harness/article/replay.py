"""The article beside the matrix: in every round one sitting of each edition and rung, next to the ordinary trials."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

from harness.article.ladder import load_ladder
from harness.article.readings import Edition, Readings
from harness.article.sitting import Desk, sit
from harness.cores import request_limits
from harness.events import Step
from harness.prepare import COMMON, DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.article.ladder import Rung
    from harness.engine import Engine
    from harness.events import Listener
    from harness.host import ProbeFacts
    from harness.plan import Plan
    from harness.runs import Protocol
    from harness.stopping import Stop
    from harness.store import RunStore
    from harness.trial import Bench

Turn = tuple[Edition, "Rung"]


class Replay:
    """Runs the sittings that are not on disk yet.

    Args:
        desk: what all sittings share.
        readings: where they are kept.
        rounds: how many there are.
        seed: of the order within a round.
    """

    def __init__(self, desk: Desk, readings: Readings, *, rounds: int, seed: int) -> None:
        self._desk = desk
        self._readings = readings
        self._rounds = rounds
        self._seed = seed

    @contextlib.contextmanager
    def beside(self, index: int, stop: Stop) -> Iterator[None]:
        """Run a round's sittings before its ordinary trials or, every second time, behind them.

        The last rung at the current versions, which is held against the ordinary trials, is always their neighbour.

        Raises:
            EngineError: the engine does not answer any more.
        """
        turns = self._turns(index)
        if index % 2 == 0:
            self._sit(turns, index, stop)
        yield
        if index % 2:
            self._sit(turns[::-1], index, stop)

    @property
    def is_complete(self) -> bool:
        """Whether every sitting is on disk."""
        return not any(self._missing(self._turns(index), index) for index in range(self._rounds))

    def _turns(self, index: int) -> Sequence[Turn]:
        """All rungs of both editions in an order drawn anew each round, the fair one at the current versions last."""
        top = Edition.CURRENT, self._desk.ladder.rungs[-1]
        turns = [(edition, rung) for edition in Edition for rung in self._desk.ladder.rungs]
        turns.remove(top)
        drawn = random.Random(f"{self._seed} article {index}")  # noqa: S311 - an order, not a secret
        return [*drawn.sample(turns, len(turns)), top]

    def _missing(self, turns: Sequence[Turn], index: int) -> list[Turn]:
        return [turn for turn in turns if not self._readings.path(turn[0], turn[1].name, index).exists()]

    def _sit(self, turns: Sequence[Turn], index: int, stop: Stop) -> None:
        due = self._missing(turns, index)
        for number, (edition, rung) in enumerate(due, start=1):
            if stop.now:
                return
            text = f"{rung.title.lower()}, {edition.words}"
            subject = f"article, round {index + 1} of {self._rounds}, sitting {number} of {len(due)}"
            self._desk.listener(Step(subject=subject, text=text))
            sitting = sit(self._desk, edition, rung, index)
            self._readings.write(sitting)
            failed = [reading.framework for reading in sitting.readings if reading.error]
            ending = f", failed: {', '.join(failed)}" if failed else ""
            self._desk.listener(Step(subject=subject, text=text + ending, done=1.0))


def count_sittings(protocol: Protocol, images: Path) -> int:
    """How many a run of this protocol has beside its trials."""
    return protocol.trials * len(Edition) * len(load_ladder(images).rungs) if protocol.article else 0


def make_replay(
    plan: Plan,
    facts: ProbeFacts,
    *,
    images: Path,
    engine: Engine,
    store: RunStore,
    bench: Bench,
    listener: Listener,
) -> Replay | None:
    """The replay that a run has beside its cells, all of which are under one limit; `None` where it has none."""
    protocol, supplies = bench.run.protocol, bench.supplies
    if not protocol.article:
        return None
    cell = plan.cells[0].cell
    assert cell.thread_count is not None, "`check_replay` sees to it"
    desk = Desk(
        engine=engine,
        ladder=load_ladder(images),
        images={edition: supplies.images[edition.image] for edition in Edition},
        mounts=tuple(mount for mount in supplies.mounts(cell) if mount.path in {COMMON, DATA}),
        requested=request_limits(cell, topology=facts.topology, memory_bytes=facts.memory_bytes),
        threads=cell.thread_count,
        run_id=bench.run.run_id,
        session=bench.run.session,
        listener=listener,
    )
    readings = Readings(store.folder)
    readings.write_ladder(desk.ladder)
    return Replay(desk, readings, rounds=protocol.trials, seed=protocol.seed)

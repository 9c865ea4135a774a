"""The loop: round by round and block by block, run each trial, keep its result, and watch the machine beside it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from harness.derive import is_settled
from harness.events import Probing, RunStarted, Tick, TrialEnded, TrialSpoiled, TrialStarted
from harness.fitness import is_spoiled, judged, same_cpus
from harness.reference import run_reference
from harness.results import NULL_FRAMEWORK, Status, last_attempts
from harness.stats.precision import choose_cells
from harness.stats.samples import median_us
from harness.store import FAULTS
from harness.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from harness.engine import Engine
    from harness.events import Listener
    from harness.results import Cell, ReferenceProbe, Requested, Trial
    from harness.schedule import Block, ScheduledTrial, Scheduler
    from harness.stopping import Stop
    from harness.store import RunStore
    from harness.trial import Bench

    Beside = Callable[[int, Stop], AbstractContextManager[None]]
    """Called with the number of a round."""


TRIES: Final = 3
"""How often a trial is run that ends by a fault of the engine or the harness."""


def alone(index: int, stop: Stop) -> AbstractContextManager[None]:  # noqa: ARG001 - like every `Beside`
    """Nothing is measured beside a round."""
    return contextlib.nullcontext()


class Measuring:
    """One session of measuring: runs blocks of trials with reference probes around them, and keeps every result.

    Each result is on disk before the next trial starts. An interrupt leaves at once: the running trial's container
    is removed by its owner, and its result, which would be of no use, is not kept.

    Args:
        engine: where the containers run.
        store: of the run; what it holds already is not measured again.
        bench: what all trials share.
        listener: gets every event.
        stop: true once no further trial shall begin.
        retry: a trial that an earlier session left with one of these endings is run once more.
        beside: entered around each planned round, for what is measured beside the cells.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        store: RunStore,
        bench: Bench,
        listener: Listener,
        stop: Stop,
        retry: Collection[Status] = (),
        beside: Beside = alone,
    ) -> None:
        self._engine = engine
        self._store = store
        self._bench = bench
        self._listener = listener
        self._stop = stop
        self._retry = store.ended_as(retry)
        self._beside = beside
        self._begin = time.monotonic()
        self._order = store.next_order()
        self._probes = {number: probe.condensed() for number, probe in store.read_probes().items()}
        self._last_probe: ReferenceProbe | None = None
        self._number = 0
        self._total = 0
        self._ended = False

    @property
    def spent_s(self) -> float:
        """Time of measuring, over all sessions, seconds."""
        return self._bench.run.run_s + time.monotonic() - self._begin

    def run(self, cells: Sequence[Cell], scheduler: Scheduler) -> None:
        """Give every cell its planned trials, then spend further ones where a precision is asked for.

        Args:
            cells: the cells to measure, in the plan's order.
            scheduler: makes the rounds.

        Raises:
            EngineError: the engine does not answer any more; called again, this goes on from there.
        """
        self._ended = False
        self._last_probe = None  # the engine was away since
        protocol = self._bench.run.protocol
        rounds = [scheduler.round(cells, index) for index in range(protocol.trials)]
        planned = [trial for blocks in rounds for block in blocks for trial in block]
        self._number = sum(self._store.has_trial(trial.cell.id, trial.index, 0) for trial in planned)
        ids = {cell.id for cell in cells}
        self._total = len(planned) + sum(cell_id in ids for cell_id, _ in self._retry)
        self._listener(
            RunStarted(
                run_id=self._bench.run.run_id,
                trials=self._total,
                done=self._number,
                budget_left_s=self._stop.left_s,
            )
        )
        for index, blocks in enumerate(rounds):
            with self._beside(index, self._stop):
                self._run_round(blocks)
        for index in sorted({index for _, index in self._retry if index >= protocol.trials}):
            self._run_round(
                scheduler.round([cell for cell in cells if (cell.id, index) in self._retry], index)
            )
        index = max(protocol.trials, 1 + self._store.last_round())
        while not self._stop.now and (chosen := self._imprecise(cells)):
            blocks = scheduler.round(chosen, index)
            self._total += len(chosen)
            self._run_round(blocks)
            index += 1
        self._ended = not self._stop.now

    def is_complete(self, cells: Sequence[Cell], cut_off: Sequence[Cell]) -> bool:
        """Whether nothing is left to do, whatever ended `run`.

        Under a budget a cell that fails always alike gets no more trials, and nothing of it is left to do.

        Args:
            cells: those that `run` was given.
            cut_off: those of which an earlier session has trials, and whose image or model cannot be made today.
        """
        due = [
            cell
            for cell in (*cells, *cut_off)
            if self._stop.budget_s is None or not is_settled(self._store.read_trials(cell.id))
        ]
        planned = self._store.has_all(due, self._bench.run.protocol.trials)
        ended = self._ended or not self._is_anything_left(cells)
        return planned and ended and not self._is_anything_left(cut_off)

    def _is_anything_left(self, cells: Sequence[Cell]) -> bool:
        """Whether some trial is to be tried again or repeated, or a cell is to get further ones."""
        ids, trials = {cell.id for cell in cells}, self._bench.run.protocol.trials
        return (
            any(cell_id in ids for cell_id, _ in self._retry)
            or any(self._has_to_repeat(cell_id, index) for cell_id in ids for index in range(trials))
            or bool(self._imprecise(cells))
        )

    def _run_round(self, blocks: Sequence[Block]) -> None:
        if self._beside is not alone:
            self._last_probe = None  # much was measured since
        for block in blocks:
            self._run_block(block)

    def _run_block(self, block: Block) -> None:
        """Run what has no result yet, with a probe on either side; repeat once what the host spoiled."""
        for is_due in (self._is_missing, self._is_spoiled):
            due = [trial for trial in block if not self._stop.now and is_due(trial)]
            if not due:
                continue
            self._engine.check_held()
            before = self._probe(due[0].requested, again=False)
            for scheduled in due:
                if not self._stop.now:
                    self._run_trial(scheduled, before)
            self._probe(due[0].requested, again=True)

    def _is_missing(self, scheduled: ScheduledTrial) -> bool:
        """Whether it has no result yet, or one that is to be tried again; not where a budget is better spent."""
        cell_id, index = scheduled.cell.id, scheduled.index
        if self._store.has_trial(cell_id, index, 0):
            return (cell_id, index) in self._retry
        return self._stop.budget_s is None or not is_settled(self._store.read_trials(cell_id))

    def _is_spoiled(self, scheduled: ScheduledTrial) -> bool:
        """Whether the host spoiled it; a repetition that is spoiled as well stands."""
        cell_id, index = scheduled.cell.id, scheduled.index
        if not self._has_to_repeat(cell_id, index):
            return False
        self._total += 1
        reason = "; ".join(doubt.text for doubt in self._judged(cell_id, index)[-1].spoiled)
        self._listener(TrialSpoiled(cell_id=cell_id, index=index, reason=reason))
        return True

    def _has_to_repeat(self, cell_id: str, index: int) -> bool:
        spoiled = [is_spoiled(trial) for trial in self._judged(cell_id, index)]
        return spoiled[-2:] in ([True], [False, True])

    def _judged(self, cell_id: str, index: int) -> tuple[Trial, ...]:
        return judged(self._store.read_attempts(cell_id, index), self._probes)

    def _probe(self, requested: Requested, *, again: bool) -> ReferenceProbe | None:
        """The reference probe on some CPUs: a new one, or the last where nothing ran since and it was there."""
        last = self._last_probe
        if not again and last is not None and same_cpus(last.requested, requested):
            return last
        self._listener(Probing())
        self._last_probe = run_reference(
            self._engine,
            self._bench.supplies.images[NULL_FRAMEWORK],
            requested,
            run_id=self._bench.run.run_id,
            number=len(self._probes),
            session=self._bench.run.session,
            on_tick=self._tick,
        )
        if self._last_probe is not None:
            self._store.write_probe(self._last_probe)
            self._probes[self._last_probe.number] = self._last_probe.condensed()
        return self._last_probe

    def _run_trial(self, scheduled: ScheduledTrial, before: ReferenceProbe | None) -> None:
        cell, trials = scheduled.cell, self._bench.run.protocol.trials
        self._number += 1
        self._listener(
            TrialStarted(
                cell_id=cell.id,
                framework=cell.framework,
                index=scheduled.index,
                trials=trials,
                number=self._number,
                total=self._total,
            )
        )
        trial = self._without_faults(scheduled, None if before is None else before.number)
        self._order += 1
        self._store.write_trial(trial)
        self._retry.discard((cell.id, scheduled.index))
        self._listener(
            TrialEnded(
                cell_id=cell.id,
                framework=cell.framework,
                index=scheduled.index,
                status=trial.status,
                reason=trial.reason,
                p50_us=median_us(trial),
                engine_s=trial.engine_s,
                number=self._number,
                total=self._total,
            )
        )

    def _without_faults(self, scheduled: ScheduledTrial, probe: int | None) -> Trial:
        """Run a trial, some times if need be: one that the engine or the harness spoiled says nothing of its cell."""
        cell_id, index = scheduled.cell.id, scheduled.index
        attempt = len(self._store.read_attempts(cell_id, index))
        for left in reversed(range(TRIES)):
            trial = run_trial(
                scheduled,
                engine=self._engine,
                bench=self._bench,
                listener=self._listener,
                order=self._order,
                attempt=attempt,
                probe=probe,
            )
            if trial.status not in FAULTS or self._stop.now or not left:
                break
            self._engine.check_held()  # what took the trial may have taken the lock
            self._listener(TrialSpoiled(cell_id=cell_id, index=index, reason=trial.reason))
        return trial

    def _imprecise(self, cells: Sequence[Cell]) -> tuple[Cell, ...]:
        """Those that get a further trial where a precision is asked for; the floor never does."""
        medians = self._medians([cell for cell in cells if not cell.is_floor])
        return choose_cells(medians, self._bench.run.protocol, self.spent_s)

    def _medians(self, cells: Sequence[Cell]) -> dict[Cell, list[float]]:
        """The medians that each cell has so far; cells with a failed trial are left out, as more will not help them."""
        if self._bench.run.protocol.precision is None:
            return {}
        found = {}
        for cell in cells:
            trials = last_attempts(self._store.read_trials(cell.id))
            medians = [median for trial in trials if (median := median_us(trial)) is not None]
            if trials and all(trial.status is Status.OK for trial in trials):
                found[cell] = medians
        return found

    def _tick(self) -> None:
        self._listener(Tick())

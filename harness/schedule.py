"""Which trial runs when: pure functions of the cells, the host's topology and the seed.

A run is made of rounds, and a round holds every cell once. A round is made of blocks: neighbours in time on the same
CPUs, before and after which the reference probe runs.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from harness.cores import request_limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.host import LogicalCpu
    from harness.results import Cell, Requested

T = TypeVar("T")

BLOCK_TRIALS: Final = 10
"""Trials between two reference probes, at most: about half a minute."""

CpuSet = tuple[tuple[int, ...] | None, float | None]
"""What trials of one block have in common: cpuset and quota."""


@dataclass(frozen=True, kw_only=True)
class ScheduledTrial:
    """One trial to run: that of one cell in one round."""

    cell: Cell
    index: int
    """The round."""
    requested: Requested


Block = tuple[ScheduledTrial, ...]
"""Trials that follow each other on the same CPUs."""


@dataclass(frozen=True, kw_only=True)
class Scheduler:
    """Makes rounds.

    Attributes:
        seed: of the order; the same seed gives the same rounds.
        rounds: how many rounds every cell takes part in: what the order is balanced over.
        topology: the host's logical CPUs.
        memory_bytes: the host's memory.
    """

    seed: int
    rounds: int
    topology: Sequence[LogicalCpu]
    memory_bytes: int

    def round(self, cells: Sequence[Cell], index: int) -> tuple[Block, ...]:
        """The blocks of one round, each cell once.

        Cells on the same CPUs stand together, so that those that are ranked against each other are measured close to
        each other. Among them the order is balanced: they are dealt into as many parts as there are rounds, or as there
        are cells where these are fewer, and the parts take turns so that each cell stands once in every part of a round
        and follows others in turn. Within a part the order is drawn anew in every round.

        Args:
            cells: the cells that take part, in the plan's order.
            index: the round, from 0.
        """
        groups: dict[CpuSet, list[ScheduledTrial]] = defaultdict(list)
        for cell in cells:
            limits = request_limits(cell, topology=self.topology, memory_bytes=self.memory_bytes)
            trial = ScheduledTrial(cell=cell, index=index, requested=limits)
            groups[limits.cpuset, limits.quota_cpus].append(trial)
        ordered = rotated(list(groups.values()), index)
        return tuple(block for group in ordered for block in _blocks(self._balanced(group, index)))

    def _balanced(self, group: list[ScheduledTrial], index: int) -> list[ScheduledTrial]:
        fixed = random.Random(self.seed)  # noqa: S311 - an order, not a secret
        shuffled = fixed.sample(group, len(group))
        count = min(self.rounds, len(group))
        parts = [shuffled[start::count] for start in range(count)]
        drawn = random.Random(f"{self.seed} {index}")  # noqa: S311
        turns = (parts[place] for place in williams_row(count, index))
        return [trial for part in turns for trial in drawn.sample(part, len(part))]


def williams_row(count: int, row: int) -> list[int]:
    """A row of a design that is balanced for what comes before each item (Williams 1949).

    In `count` rows each of so many items stands once in every place; in as many, or twice as many where their number is
    odd, each follows every other equally often.
    """
    zigzag = [place // 2 if place % 2 == 0 else count - (place + 1) // 2 for place in range(count)]
    found = [(item + row) % count for item in zigzag]
    return found[::-1] if row // count % 2 else found


def rotated(items: list[T], by: int) -> list[T]:
    """The same items, beginning with another one."""
    start = by % len(items) if items else 0
    return items[start:] + items[:start]


def _blocks(trials: Sequence[ScheduledTrial]) -> Iterator[Block]:
    """Cut into blocks of about equal length."""
    count = -(-len(trials) // BLOCK_TRIALS)
    for number in range(count):
        yield tuple(trials[len(trials) * number // count : len(trials) * (number + 1) // count])

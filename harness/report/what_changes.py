"""What would change the answer: the nearest measured limits between which another framework is the fastest."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.report.answers import fastest
from harness.report.formats import cpus
from harness.report.sweeps import turns
from harness.units import counted, format_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.report.book import Book
    from harness.report.grouping import Limit, Workload

MOST: Final = 4
"""Changes that are told; further ones are counted."""


def what_changes(book: Book, workload: Workload) -> str:
    """Where the fastest framework changes, in words; empty where the cells have less than two limits.

    Only limits at which somebody is proved faster than all others count, and none between them is made up.
    """
    if len(workload.groups) < 2:
        return ""
    picks = {group.limit: fastest(book, group) for group in workload.groups if len(group.cells) > 1}
    decided = {limit: pick.leaders[0].framework for limit, pick in picks.items() if len(pick.leaders) == 1}
    found = [*_by_memory(decided), *_by_cpus(decided)]
    if found:
        more = f" And {counted(len(found) - MOST, 'change')} more." if len(found) > MOST else ""
        return f"What would change the answer: {'; '.join(found[:MOST])}.{more}"
    names = list(dict.fromkeys(decided.values()))
    if len(names) != 1:
        return ""
    rest = Counter(pick.verdict or "tied" for limit, pick in picks.items() if limit not in decided)
    told = [f"it is {names[0]} at {len(decided)} of {counted(len(picks), 'limit')}"]
    told += [f"{verdict} at {count}" for verdict, count in rest.items()]
    return f"No measured limit changes who is fastest: {', '.join(told)}."


def _by_memory(decided: Mapping[Limit, str]) -> Iterator[str]:
    """Changes between neighbouring caps with the same CPUs."""
    for limits in _series(decided, lambda limit: limit._replace(memory_bytes=0)):
        for before, after, first, second in turns({limit: decided[limit] for limit in limits}):
            low, high = (format_memory(limit.memory_bytes) for limit in (before, after))
            held = cpus(before.cpus, before.cpu_mode) + _told(before)
            yield f"with {held}, {first} at {low} but {second} at {high}"


def _by_cpus(decided: Mapping[Limit, str]) -> Iterator[str]:
    """Changes between neighbouring numbers of CPUs with the same cap."""
    for limits in _series(decided, lambda limit: limit._replace(cpus=0)):
        for before, after, first, second in turns({limit: decided[limit] for limit in limits}):
            few, many = (cpus(limit.cpus, limit.cpu_mode) for limit in (before, after))
            held = format_memory(before.memory_bytes) + _told(before)
            yield f"with {held}, {first} on {few} but {second} on {many}"


def _series(decided: Mapping[Limit, str], held: Callable[[Limit], Limit]) -> list[list[Limit]]:
    """Limits of which the same is held, from small to large."""
    found: dict[Limit, list[Limit]] = {}
    for limit in sorted(decided, key=lambda limit: limit[:2]):
        found.setdefault(held(limit), []).append(limit)
    return list(found.values())


def _told(limit: Limit) -> str:
    return "" if limit.threads == "match" else f" and threads {limit.threads}"

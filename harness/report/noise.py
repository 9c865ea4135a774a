"""The A/A floor in words: how far apart identical cells of this run are found, and what its twin says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.formats import UNKNOWN, clip, number, share
from harness.stats.differences import counts, holm
from harness.stats.noise import Aim
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.book import Book
    from harness.stats.differences import Difference
    from harness.stats.floor import Floor

LEAST_ALARM: Final = 0.01
"""A smaller difference between a cell and its twin changes no answer, however well it is proved."""
WORDS: Final = {Aim.LATENCY: "latency", Aim.MEMORY: "memory", Aim.START: "start"}


@dataclass(frozen=True)
class NoiseRow:
    """The floor of one figure."""

    aim: str
    floor: str
    pairs: str
    twin: str
    """The difference that the twin shows, with its interval."""
    differs: bool
    """The twin is proved to differ from its original."""


@dataclass(frozen=True)
class Noise:
    """What a run says of its own noise."""

    line: str
    """In a sentence."""
    alert: str
    """Where two measurements of one cell are proved to differ; else empty."""
    twin_of: str
    """Id of the cell that was measured twice; empty where none was."""
    rows: tuple[NoiseRow, ...]


def noise(book: Book, *, of_run: bool = True) -> Noise:
    """The floors of a run or, where a page shows one of its models, of that one's cells."""
    found = {aim: floor for aim, floor in book.floors.items() if floor is not None}
    known = [f"{share(floor.ratio)} in {WORDS[aim]}" for aim, floor in found.items()]
    twins = _differing({aim: floor.twin for aim, floor in found.items() if floor.twin is not None})
    whose = "the run's A/A floor" if of_run else "the A/A floor of this model's cells"
    of = next((floor.twin_of for floor in found.values() if floor.twin_of), "")
    told = " and ".join(f"{WORDS[aim]} ({_difference(twin)})" for aim, twin in twins.items())
    return Noise(
        line=f"Identical cells differ by up to {', '.join(known)} (95 %): {whose}."
        if known
        else "The A/A floor is unknown, as no cell that is ok has two trials: nothing can be proved.",
        alert=f"The twin differs from its original in {told}, though both are {clip(of)}: something in this run "
        "depends on the order of its trials or on the moment. Doubt small differences in it."
        if twins
        else "",
        twin_of=clip(of),
        rows=tuple(_row(aim, book.floors[aim], differs=aim in twins) for aim in Aim),
    )


def _differing(twins: Mapping[Aim, Difference]) -> dict[Aim, Difference]:
    """The figures in which the twin differs by more than chance, corrected for their number, and than matters."""
    adjusted = holm([twin.p_value for twin in twins.values()])
    return {
        aim: twin
        for (aim, twin), p_value in zip(twins.items(), adjusted, strict=True)
        if counts(twin, p_value, math.log1p(LEAST_ALARM))
    }


def floor_note(floor: Floor | None) -> str:
    """The floor of the cells under one limit."""
    return "A/A floor unknown" if floor is None else f"A/A floor {share(floor.ratio)}"


def _row(aim: Aim, floor: Floor | None, *, differs: bool) -> NoiseRow:
    if floor is None:
        return NoiseRow(WORDS[aim], UNKNOWN, UNKNOWN, UNKNOWN, differs=False)
    return NoiseRow(
        aim=WORDS[aim],
        floor=share(floor.ratio),
        pairs=counted(floor.pairs, "pair"),
        twin=_difference(floor.twin) if floor.twin is not None else UNKNOWN,
        differs=differs,
    )


def _difference(twin: Difference) -> str:
    low, high = twin.interval()
    return f"{_signed(twin.ratio)}, {_signed(low)} to {_signed(high)}"


def _signed(ratio: float) -> str:
    """A ratio as a change, such as `+4.1 %`; `0 %` where there is none."""
    change = 100 * (ratio - 1)
    return f"{'+' if change > 0 else ''}{number(change)} %"

"""Which of the article's conclusions stand, and whether the ladder ends where the matrix is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.article.figures import agreement
from harness.report.article.words import bounds_of, order_of, place_of, ratio_of
from harness.report.formats import listed, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.article.figures import Standing
    from harness.article.ladder import Ladder
    from harness.stats.cell import Measured
    from harness.stats.floor import Floor


@dataclass(frozen=True)
class Conclusion:
    """One of the article's conclusions, and what became of it."""

    text: str
    verdict: str
    kind: str
    """CSS class of the verdict."""
    why: str


def conclusion(ladder: Ladder, name: str, fair: Mapping[str, Standing], floor: Floor | None) -> Conclusion:
    """Whether one of the article's conclusions stands in the fair measurement."""
    text = ladder.published[name].conclusion
    band = fair[name].band
    if band is None or floor is None:
        return Conclusion(text, "not known", "idle", "It was not measured often enough.")
    if name == ladder.baseline:
        return _about_baseline(ladder, text, fair)
    ratio = ratio_of(fair, ladder.baseline, name)
    assert ratio is not None
    published = ladder.published[name].latency_ms / ladder.published[ladder.baseline].latency_ms
    base, own = ladder.published[ladder.baseline].title, ladder.published[name].title
    measured = f"{number(ratio.value)} times {bounds_of(ratio)}"
    slack = 1 + floor.ratio
    low, high = ratio.low or ratio.value, ratio.high or ratio.value
    if low / slack <= published <= high * slack:
        return Conclusion(text, "stands", "proved", f"Measured fairly it takes {measured} as long.")
    if band[0] > _worst(fair, ladder.baseline):
        why = f"{own} is slower than {base}, but takes {measured} as long, not {number(published)}."
        return Conclusion(text, "stands in order, not in size", "broken", why)
    if band[1] < _best(fair, ladder.baseline):
        why = f"{own} is the faster one: it takes {measured} as long as {base}."
        return Conclusion(text, "falls: it is the other way round", "bad", why)
    why = f"The two are not told apart here: {own} takes {measured} as long as {base}."
    return Conclusion(text, "falls", "bad", why)


def _about_baseline(ladder: Ladder, text: str, fair: Mapping[str, Standing]) -> Conclusion:
    """Whether the first one is still the first."""
    best, worst = _best(fair, ladder.baseline), _worst(fair, ladder.baseline)
    if worst == 1:
        return Conclusion(text, "stands", "proved", "No other is proved as fast.")
    if best == 1:
        return Conclusion(text, "not decided", "broken", f"It ties for places 1 to {worst}.")
    faster = [
        ladder.published[name].title
        for name in order_of(fair)
        if (band := fair[name].band) is not None and band[1] < best
    ]
    why = f"Measured fairly it is at {place_of(fair[ladder.baseline])} of {len(fair)}"
    return Conclusion(text, "falls", "bad", f"{why}; {listed(faster)} faster." if faster else f"{why}.")


def _best(fair: Mapping[str, Standing], name: str) -> int:
    return (fair[name].band or (1, len(fair)))[0]


def _worst(fair: Mapping[str, Standing], name: str) -> int:
    return (fair[name].band or (1, len(fair)))[1]


def agreements(
    ladder: Ladder, fair: Mapping[str, Standing], ordinary: Mapping[str, Measured], floor: Floor | None
) -> Iterator[str]:
    """Whether the ladder's end is the ordinary matrix."""
    for name in ladder.frameworks:
        medians = ordinary[name].stats.medians_ms if name in ordinary else {}
        found = agreement(fair[name].latencies, medians, floor)
        title = ladder.published[name].title
        if found.difference is None:
            yield f"{title}: not measured often enough to tell."
            continue
        low, high = found.difference.interval()
        words = "agrees" if found.agrees else "differs"
        yield f"{title}: {number(found.difference.ratio)} [{number(low)}, {number(high)}], {words}."

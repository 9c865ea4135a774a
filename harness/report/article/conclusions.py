"""Which of the article's conclusions stand, and whether the ladder ends where the matrix is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.article.figures import agreement
from harness.report.article.words import bounds_of, names_of, order_of, place_of, proved_pairs, ratio_of
from harness.report.formats import listed, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.article.figures import Standing
    from harness.article.ladder import Ladder
    from harness.stats.cell import Measured
    from harness.stats.floor import Floor
    from harness.stats.intervals import Estimate


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
    if fair[name].band is None:
        return _not_known(text, f"{ladder.published[name].title} has no figure here.")
    if floor is None:
        return _not_known(text, "It was not measured often enough.")
    if name == ladder.baseline:
        return _about_baseline(ladder, text, fair, floor)
    ratio = ratio_of(fair, ladder.baseline, name)
    if ratio is None:
        return _not_known(text, f"{ladder.published[ladder.baseline].title} has no figure here.")
    return _about_ratio(ladder, name, ratio, fair, floor)


def _not_known(text: str, why: str) -> Conclusion:
    return Conclusion(text, "not known", "idle", why)


def _about_ratio(
    ladder: Ladder, name: str, ratio: Estimate, fair: Mapping[str, Standing], floor: Floor
) -> Conclusion:
    """Whether one still takes as many times as long as the baseline."""
    own, base = ladder.published[name], ladder.published[ladder.baseline]
    if ratio.low is None or ratio.high is None:
        return _not_known(own.conclusion, f"Too few rounds have both {own.title} and {base.title}.")
    published = own.latency_ms / base.latency_ms
    measured = f"{number(ratio.value)} times {bounds_of(ratio)}"
    slack = 1 + floor.ratio
    proved = proved_pairs(fair, floor)
    slower, faster = (ladder.baseline, name) in proved, (name, ladder.baseline) in proved
    if ratio.low / slack <= published <= ratio.high * slack:
        # An interval that is wide enough holds any ratio: it bears a claim out only where the two are proved apart.
        if not (slower or faster):
            why = f"The rounds leave it open: measured fairly it takes {measured} as long."
            return Conclusion(own.conclusion, "not decided", "broken", why)
        return Conclusion(own.conclusion, "stands", "proved", f"Measured fairly it takes {measured} as long.")
    if slower:
        why = (
            f"{own.title} is slower than {base.title}, but takes {measured} as long, not {number(published)}."
        )
        return Conclusion(own.conclusion, "stands in order, not in size", "broken", why)
    if faster:
        why = f"{own.title} is the faster one: it takes {measured} as long as {base.title}."
        return Conclusion(own.conclusion, "falls: it is the other way round", "bad", why)
    why = f"The two are not told apart here: {own.title} takes {measured} as long as {base.title}."
    return Conclusion(own.conclusion, "falls", "bad", why)


def _about_baseline(ladder: Ladder, text: str, fair: Mapping[str, Standing], floor: Floor) -> Conclusion:
    """Whether the first one is still the first."""
    own, proved = ladder.baseline, proved_pairs(fair, floor)
    others = [name for name in order_of(fair) if name != own]
    missing = [name for name in ladder.frameworks if name != own and name not in others]
    if not others:
        return _not_known(text, "No other has a figure here.")
    if faster := [ladder.published[name].title for name in others if (name, own) in proved]:
        why = f"Measured fairly it is at {place_of(fair[own])} of {len(others) + 1}"
        return Conclusion(text, "falls", "bad", f"{why}; {listed(faster)} faster.")
    if not all((own, name) in proved for name in others):
        worst = (fair[own].band or (1, len(fair)))[1]
        return Conclusion(text, "not decided", "broken", f"It ties for places 1 to {worst}.")
    if missing:
        why = f"It is proved faster than each other one that has a figure; not measured: {names_of(ladder, missing)}."
        return Conclusion(text, "not decided", "broken", why)
    return Conclusion(text, "stands", "proved", "It is proved faster than each other one.")


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

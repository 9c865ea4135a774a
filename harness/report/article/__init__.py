"""The article's page: published, reproduced and fair side by side, the ladder, and which conclusions stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.article.figures import climb
from harness.article.readings import Edition, Reading, Readings, Sitting
from harness.report.article.conclusions import Conclusion, agreements, conclusion
from harness.report.article.rungs import LadderView, ladder_view
from harness.report.article.tables import Pin, Table, pins, tables
from harness.report.article.words import names_of, order_of, place_of, proved_pairs, ratio_of
from harness.report.formats import clip, number
from harness.report.html import PICTURES, fill_page
from harness.report.palette import slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from harness.article.figures import Climb, Standing
    from harness.article.ladder import Ladder
    from harness.runs import Run
    from harness.stats.cell import Measured

PAGE: Final = "article.html"


@dataclass(frozen=True)
class ArticleView:
    """Everything on the page."""

    title: str
    run_id: str
    lede: tuple[str, ...]
    tables: tuple[Table, ...]
    conclusions: tuple[Conclusion, ...]
    agreements: tuple[str, ...]
    names: tuple[tuple[str, int], ...]
    ladders: tuple[LadderView, ...]
    pins: tuple[Pin, ...]
    failures: tuple[str, ...]
    host: str
    rounds: int


def render_article(run_dir: Path, run: Run, measured: Sequence[Measured]) -> dict[str, str]:
    """The page `article.html` by its name, for a reader who has only seen the article; none where a run replays none.

    Raises:
        StoreError: a stored file is damaged.
    """
    readings = Readings(run_dir)
    ladder = readings.read_ladder()
    if ladder is None:
        return {}
    view = build_article(run, measured, ladder, readings.read_all())
    return {PAGE: fill_page("article.html.j2", scripts=[PICTURES], view=view)}


def build_article(
    run: Run, measured: Sequence[Measured], ladder: Ladder, sittings: Sequence[Sitting]
) -> ArticleView:
    """All that stands on the page."""
    ordinary = {
        each.result.cell.framework: each
        for each in measured
        if not each.result.cell.twin and each.result.cell.framework in ladder.published
    }
    colours = slots(ladder.frameworks)
    # What the ordinary matrix measures are the current versions: it is the top of that edition's ladder only.
    ladders = {Edition.ARTICLE: ladder, Edition.CURRENT: ladder.whole}
    every = (*sittings, *as_sittings(ladder, ordinary))
    climbs = {edition: climb(ladders[edition], edition, every) for edition in Edition}
    fair = climbs[Edition.CURRENT].rungs[ladder.rungs[-1].name]
    floor = climbs[Edition.CURRENT].floor
    return ArticleView(
        title=ladder.title,
        run_id=run.run_id,
        lede=tuple(_lede(ladder, climbs, fair)),
        tables=tuple(tables(ladder, climbs, ordinary, colours)),
        conclusions=tuple(conclusion(ladder, name, fair, floor) for name in ladder.frameworks),
        agreements=tuple(agreements(ladder, fair, ordinary, floor)),
        names=tuple((ladder.published[name].title, colours[name]) for name in ladder.frameworks),
        ladders=tuple(ladder_view(ladders[edition], climbs[edition], colours) for edition in Edition),
        pins=tuple(pins(run, ladder)),
        failures=tuple(_failures(ladder, climbs)),
        host=f"{run.host.cpu_model}, {len(run.host.logical_cpus)} logical CPUs",
        rounds=run.protocol.trials,
    )


def as_sittings(ladder: Ladder, ordinary: Mapping[str, Measured]) -> tuple[Sitting, ...]:
    """The ordinary trials as sittings of the top rung: one a round, of the frameworks that were measured in it."""
    rounds = sorted({each for cell in ordinary.values() for each in cell.stats.medians_ms})
    return tuple(
        Sitting(
            edition=Edition.CURRENT,
            rung=ladder.top.name,
            index=found.round,
            session=found.session,
            started_at=min(trial.started_at for each in ordinary.values() for trial in each.result.trials),
            readings=tuple(
                Reading(
                    framework=name,
                    version=each.stats.framework_version,
                    latency_ms=each.stats.medians_ms[found],
                    max_rel_error=each.stats.max_rel_error,
                )
                for name, each in ordinary.items()
                if found in each.stats.medians_ms
            ),
        )
        for found in rounds
    )


def _lede(ladder: Ladder, climbs: Mapping[Edition, Climb], fair: Mapping[str, Standing]) -> Iterator[str]:
    """The answer, before anything else."""
    first = ladder.rungs[0].name
    last, base = (ladder.published[name].title for name in (ladder.order[-1], ladder.baseline))
    yield f"The article's order, the fastest first: {names_of(ladder, ladder.order)}."
    for edition, found in climbs.items():
        rung = found.rungs[first]
        ratio = ratio_of(rung, ladder.baseline, ladder.order[-1])
        factor = "" if ratio is None else f"; {last} takes {number(ratio.value)} times as long as {base}"
        yield (
            f"Its protocol, repeated here with {edition.words}, "
            f"{_order_told(ladder, rung, proved_pairs(rung, found.floor))}{factor}."
        )
    order = _with_places(ladder, fair)
    yield f"With every flaw taken away the order {f'is {order}' if order else 'was not measured'}."


def _order_told(ladder: Ladder, rung: Mapping[str, Standing], proved: AbstractSet[tuple[str, str]]) -> str:
    """Whether a rung has the article's order; another one only where two that are proved apart changed places."""
    order = order_of(rung)
    if not order:
        return "was not measured"
    missing = [name for name in ladder.order if name not in order]
    without = f" (not measured: {names_of(ladder, missing)})" if missing else ""
    place = ladder.order.index
    if any(place(faster) > place(slower) for faster, slower in proved):
        return f"gives another order: {_with_places(ladder, rung)}{without}"
    if not proved:
        return f"gives no order that is proved{without}"
    same = order == tuple(name for name in ladder.order if name in order)
    return f"gives the same order{'' if same else ' as far as it is proved'}{without}"


def _with_places(ladder: Ladder, rung: Mapping[str, Standing]) -> str:
    """The order with its ties: who may have which place."""
    return ", ".join(f"{ladder.published[name].title} ({place_of(rung[name])})" for name in order_of(rung))


def _failures(ladder: Ladder, climbs: Mapping[Edition, Climb]) -> Iterator[str]:
    for edition, found in climbs.items():
        for rung in ladder.rungs:
            for name, each in found.rungs[rung.name].items():
                if each.error:
                    title = ladder.published[name].title
                    yield f"{title} on “{rung.title}” with {edition.words}: {clip(each.error)}"

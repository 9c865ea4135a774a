"""The plan for people: the cells of each model as a grid, and how long they will take, as far as earlier runs tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.config.checks import SECOND_CLOCK
from harness.names import SUPPORT_IMAGES
from harness.results import NULL_FRAMEWORK
from harness.runs import RunState
from harness.units import counted, format_duration, format_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.plan import Plan, PlannedCell
    from harness.results import Cell
    from harness.runs import Protocol, Run

GAP: Final = 2
SKIPPED: Final = "-"
USUAL_S: Final = 2.5
"""Of a trial beyond the time that the protocol measures, before anything is known: a container, an import, a model."""


def grid_lines(plan: Plan, width: int) -> Iterator[str]:
    """The cells by framework and by what else makes up their ids, and why some are skipped.

    A column is what follows framework and model in the ids, and an entry the number of trials.

    Args:
        plan: the cells.
        width: of the terminal, characters; wider grids are cut into several.
    """
    models = dict.fromkeys(planned.cell.model for planned in plan.cells)
    for model in models:
        yield from _grid([each for each in plan.cells if each.cell.model == model], plan, width)
    reasons: dict[str, list[str]] = {}
    for planned in plan.cells:
        if planned.skip_reason is not None:
            reasons.setdefault(planned.skip_reason, []).append(planned.cell.id)
    for reason, ids in reasons.items():
        yield f"skipped, {reason}: {', '.join(ids)}"


def _grid(cells: Sequence[PlannedCell], plan: Plan, width: int) -> Iterator[str]:
    model = cells[0].cell.model
    rows = dict.fromkeys(planned.cell.framework for planned in cells)
    columns = dict.fromkeys(_column(planned.cell) for planned in cells)
    entries = {
        (planned.cell.framework, _column(planned.cell)): str(plan.protocol.trials)
        if planned.skip_reason is None
        else SKIPPED
        for planned in cells
    }
    first = max(len(model), *map(len, rows)) + GAP
    each = max(map(len, columns)) + GAP
    names, most = list(columns), max(1, (width - first) // each)
    for part in (names[start : start + most] for start in range(0, len(names), most)):
        yield (model.ljust(first) + "".join(name.ljust(each) for name in part)).rstrip()
        for row in rows:
            line = "".join(entries.get((row, column), "").ljust(each) for column in part)
            if line.strip():
                yield (row.ljust(first) + line).rstrip()
        yield ""


def _column(cell: Cell) -> str:
    """The end of an id."""
    return cell.id.removeprefix(f"{cell.framework}.{cell.model}.")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long a plan will take to measure, without what is built and prepared before."""

    cells: int
    trials: int
    seconds: float
    at_most_s: float | None = None
    """Where a precision is asked for, and more trials may follow."""
    budget_s: float | None = None
    """After which no trial begins, as in a quick look."""
    uncounted: int = 0
    """Sittings of the article that come on top, as no run tells how long they take."""
    run_id: str | None
    """The run whose trials it goes by; `None` for the protocol alone."""
    image_bytes: int | None
    """Of all images that it needs on the engine, which share layers; `None` where no run here has them all."""

    def __str__(self) -> str:
        """For people, with what it rests on."""
        source = (
            f"as in run {self.run_id}" if self.run_id else "by the protocol alone, as no run here is like it"
        )
        sittings = counted(self.uncounted, "sitting")
        on_top = f", and on top {sittings} of the article" if self.uncounted else ""
        room = f"; images up to {format_memory(self.image_bytes)}" if self.image_bytes else ""
        what = f"{counted(self.cells, 'cell')} to measure, {counted(self.trials, 'trial')}"
        return f"{what}: {self._time()}{on_top}, {source}{room}"

    def _time(self) -> str:
        about = f"about {format_duration(round(self.seconds))}"
        if self.budget_s is not None and self.budget_s < self.seconds:
            return f"{format_duration(self.budget_s)}, after which no trial begins, of {about} for all"
        if self.at_most_s is not None and self.at_most_s > self.seconds:
            return f"{about}, and up to {format_duration(round(self.at_most_s))} to reach the precision"
        return about


def estimate(
    plan: Plan, runs: Iterable[Run], *, budget_s: float | None = None, sittings: int = 0
) -> Estimate:
    """Estimate from what a trial took in the first of some runs that measured half of the cells or more.

    Args:
        plan: the cells.
        runs: earlier ones, the newest first.
        budget_s: after which no trial begins.
        sittings: of the article, beside the trials.
    """
    protocol, known = plan.protocol, list(runs)
    image_bytes = _image_bytes(plan, known)
    cells = {planned.cell.id for planned in plan.cells if planned.skip_reason is None}
    trials = len(cells) * protocol.trials
    usual = protocol.warmup_s + (1 + SECOND_CLOCK) * protocol.budget_s + USUAL_S
    like = next((run for run in known if _tells_of(run, cells, protocol)), None)
    each = usual if like is None else like.run_s / like.trials
    return Estimate(
        cells=len(cells),
        trials=trials,
        seconds=trials * each,
        at_most_s=_at_most(protocol, len(cells) * each),
        budget_s=budget_s,
        uncounted=sittings if like is None else 0,
        run_id=None if like is None else like.run_id,
        image_bytes=image_bytes,
    )


def _tells_of(run: Run, cells: set[str], protocol: Protocol) -> bool:
    """Whether a run's trials tell how long those of these cells take."""
    same = (
        run.state is RunState.COMPLETE
        and run.protocol.article == protocol.article
        and measured_alike(run.protocol, protocol)
    )
    return same and run.trials > 0 and 2 * len(cells.intersection(run.cells)) >= len(cells)


def _at_most(protocol: Protocol, round_s: float) -> float | None:
    """The time that the trials for a precision may take with all before them; a round is a trial of each cell."""
    if protocol.precision is None:
        return None
    longest = protocol.max_trials * round_s
    return longest if protocol.max_time_s is None else min(longest, protocol.max_time_s)


def _image_bytes(plan: Plan, runs: Iterable[Run]) -> int | None:
    wanted = {planned.cell.framework for planned in plan.cells if planned.skip_reason is None}
    found = next((run.images for run in runs if wanted <= run.images.keys()), None)
    if found is None:
        return None
    names = wanted.union(SUPPORT_IMAGES, [NULL_FRAMEWORK]) & found.keys()
    return sum({found[name].id: found[name].size_bytes for name in names}.values())


def measured_alike(one: Protocol, other: Protocol) -> bool:
    """Whether a trial takes as long under both."""
    return (one.warmup_s, one.budget_s, one.page_cache) == (other.warmup_s, other.budget_s, other.page_cache)

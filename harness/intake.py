"""From the command line's words and the matrix file to the plan: needs no engine and starts nothing."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.article.ladder import check_replay, load_ladder
from harness.catalog import load_catalog
from harness.config import load_matrix
from harness.places import PLACES
from harness.plan import against_host, make_plan, select, take_shard, with_controls
from harness.quick import at_the_ends, shortened

if TYPE_CHECKING:
    from harness.config import Matrix
    from harness.host import ProbeFacts
    from harness.plan import Plan
    from harness.results import Cell, Status


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says about one run.

    Attributes:
        matrix: the matrix file.
        reports: the folder of all runs.
        only: globs over cell ids; empty means all.
        skip: globs over cell ids to leave out.
        run_id: the unfinished run to go on with; by default the newest that fits.
        force: start a new run even if an unfinished one fits.
        retry: endings of trials that are to be tried once more.
        budget_s: time of measuring, seconds, after which no trial begins.
        shard: which part of the cells, from 1, and of how many.
        quick: only a quick look.
    """

    matrix: Path
    reports: Path
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    run_id: str | None = None
    force: bool = False
    retry: frozenset[Status] = frozenset()
    budget_s: float | None = None
    shard: tuple[int, int] = (1, 1)
    quick: bool = False


def plan_matrix(options: Options) -> tuple[Matrix, Plan]:
    """Read the matrix and list its cells; needs no engine.

    Raises:
        ConfigError: the file or a selector is wrong.
    """
    matrix = load_matrix(options.matrix, catalog=load_catalog(options.matrix.parent))
    if options.quick:
        matrix = shortened(matrix)
    if matrix.protocol.article:
        check_replay(matrix, load_ladder(PLACES.images))
    whole = make_plan(matrix)
    return matrix, _choose(options, whole, whole)


def _choose(options: Options, whole: Plan, fitting: Plan) -> Plan:
    """The cells that the command line asks for.

    Args:
        options: of the command line.
        whole: the matrix's cells.
        fitting: the same, held against the host; `whole` again where that is not known.
    """
    plan = at_the_ends(whole, fitting) if options.quick else fitting
    selected = select(plan, only=options.only, skip=options.skip, quick_of=whole if options.quick else None)
    return take_shard(selected, *options.shard)


def on_host(options: Options, matrix: Matrix, plan: Plan, facts: ProbeFacts) -> Plan:
    """The cells that the command line asks for on this host.

    Args:
        options: of the command line.
        matrix: as it was read.
        plan: its cells before the host was known.
        facts: of the host.

    Raises:
        EdgematrixError: some ask for more than the host has, and the matrix says to refuse that.
    """
    hold = functools.partial(against_host, topology=facts.topology, host_memory_bytes=facts.memory_bytes)
    if _depends_on_host(options, matrix):
        whole = make_plan(matrix)
        return _choose(options, whole, hold(whole, over_host="skip"))
    return hold(plan, over_host=matrix.over_host)


def on_any_host(options: Options, matrix: Matrix, plan: Plan) -> tuple[Cell, ...]:
    """All cells that might run, before the host is known: what they need is built first.

    Args:
        options: of the command line.
        matrix: as it was read.
        plan: its cells.
    """
    plans = [with_controls(plan, matrix.baseline)]
    if _depends_on_host(options, matrix):
        plans.append(select(make_plan(matrix), only=options.only, skip=options.skip))
    cells = (planned.cell for each in plans for planned in each.cells if planned.skip_reason is None)
    return tuple(dict.fromkeys(cells))


def _depends_on_host(options: Options, matrix: Matrix) -> bool:
    """Whether a small host gets other cells: those of a quick look whose ends it skips."""
    return options.quick and matrix.over_host == "skip"


def path_below(folder: Path, file: Path) -> str | None:
    """How a file is named from a folder, with slashes; `None` where it does not lie below it."""
    root, named = (Path(os.path.normpath(path)) for path in (folder, folder / file))
    return named.relative_to(root).as_posix() if named.is_relative_to(root) else None

"""From the command line's words and the matrix file to the plan: needs no engine and starts nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.article.ladder import check_replay, load_ladder
from harness.catalog import load_catalog
from harness.config import load_matrix
from harness.places import PLACES
from harness.plan import make_plan, select, take_shard
from harness.quick import at_the_ends, shortened

if TYPE_CHECKING:
    from harness.config import Matrix
    from harness.plan import Plan
    from harness.results import Status


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
    plan = at_the_ends(whole) if options.quick else whole
    selected = select(plan, only=options.only, skip=options.skip, quick_of=whole if options.quick else None)
    return matrix, take_shard(selected, *options.shard)


def path_below(folder: Path, file: Path) -> str | None:
    """How a file is named from a folder, with slashes; `None` where it does not lie below it."""
    root, named = (Path(os.path.normpath(path)) for path in (folder, folder / file))
    return named.relative_to(root).as_posix() if named.is_relative_to(root) else None

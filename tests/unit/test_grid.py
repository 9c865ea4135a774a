from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from harness.grid import estimate, grid_lines
from harness.plan import Plan, PlannedCell
from harness.runs import Protocol, Run, RunState
from harness.store import RunStore, readable_runs
from harness.units import format_duration
from tests.factories import FRAMEWORKS, cell, result, run
from tests.sample_runs import sample

MADE, CELLS = sample()


def plan(protocol: Protocol = MADE.protocol, skipped: str = "") -> Plan:
    cells = (
        PlannedCell(cell=each.cell, skip_reason="no board" if each.cell_id == skipped else None)
        for each in CELLS
    )
    return Plan(cells=tuple(cells), protocol=protocol)


def test_the_grid_has_every_cell_once_by_what_its_id_is_made_of() -> None:
    head, *rows = list(grid_lines(plan(), 200))
    columns = head.split()[1:]
    assert head.split()[0] == "spam-fnn"
    found = {f"{row.split()[0]}.spam-fnn.{column}" for row in rows if row for column in columns}
    assert found == {each.cell_id for each in CELLS}
    assert all(set(row.split()[1:]) == {str(MADE.protocol.trials)} for row in rows if row)


@pytest.mark.parametrize("width", [1, 40, 60, 100])
def test_a_wide_grid_is_cut_and_loses_nothing(width: int) -> None:
    lines = list(grid_lines(plan(), width))
    heads = [line.split()[1:] for line in lines if line.startswith("spam-fnn")]
    assert len({column for head in heads for column in head}) == 4
    assert sum(len(head) for head in heads) == 4
    assert all(len(line) <= max(width, 30) for line in lines)
    assert all(before or after for before, after in pairwise(lines))


def test_what_is_skipped_is_a_dash_with_its_reason_below() -> None:
    skipped = CELLS[0].cell_id
    lines = list(grid_lines(plan(skipped=skipped), 200))
    assert lines[-1] == f"skipped, no board: {skipped}"
    assert sum(line.split()[1:].count("-") for line in lines[:-1]) == 1


def test_the_estimate_goes_by_the_newest_run_that_is_like_it() -> None:
    took = MADE.model_copy(update={"run_id": "took", "run_s": 600.0, "trials": 60})
    other = took.model_copy(update={"run_id": "other", "cells": ("jax.another.c1.m8g.b1",)})
    begun = took.model_copy(update={"run_id": "begun", "state": RunState.INTERRUPTED})
    longer = took.protocol.model_copy(update={"budget_s": 60.0})
    slower = took.model_copy(update={"run_id": "slower", "protocol": longer})
    found = estimate(plan(), [other, begun, slower, took])
    assert found.run_id == "took"
    assert found.seconds == pytest.approx(found.trials * 10), "what was skipped took no time"
    assert "as in run took" in str(found)


def test_without_such_a_run_it_goes_by_the_protocol_and_says_so() -> None:
    found = estimate(plan(skipped=CELLS[0].cell_id), [])
    assert (found.cells, found.trials) == (len(CELLS) - 1, (len(CELLS) - 1) * MADE.protocol.trials)
    assert found.seconds > found.trials * MADE.protocol.budget_s
    assert "by the protocol alone" in str(found)


@pytest.mark.parametrize(("max_time_s", "words"), [(900.0, "15 min 00 s"), (None, "20 min 00 s")])
def test_what_a_precision_may_take_is_told(max_time_s: float | None, words: str) -> None:
    took = MADE.model_copy(update={"run_s": 20.0, "trials": 10})
    rounds = 20 * 60 // (2 * len(CELLS))
    changes = {"precision": 0.02, "max_trials": rounds, "max_time_s": max_time_s}
    found = estimate(plan(MADE.protocol.model_copy(update=changes)), [took])
    assert f", and up to {words} to reach the precision, as in run" in str(found)


def test_a_quick_look_ends_when_its_time_is_over() -> None:
    took = MADE.model_copy(update={"run_s": 100.0, "trials": 10})
    found = estimate(plan(), [took], budget_s=120.0)
    assert (
        f"trials: 2 min 00 s, after which no trial begins, of about {format_duration(found.seconds)} for"
        in str(found)
    )
    assert "after which" not in str(estimate(plan(), [took], budget_s=found.seconds + 1))


def test_sittings_of_the_article_are_in_the_time_of_a_run_that_had_them_and_told_without() -> None:
    article = MADE.protocol.model_copy(update={"article": True})
    replayed = MADE.model_copy(update={"protocol": article, "run_id": "replayed", "trials": 60})
    without = estimate(plan(article), [MADE], sittings=90)
    assert ", and on top 90 sittings of the article, by the protocol alone" in str(without)
    found = estimate(plan(article), [MADE, replayed], sittings=90)
    assert (found.run_id, "sittings" in str(found)) == ("replayed", False)


def test_the_disk_that_images_take_is_that_of_a_run_that_had_them_all() -> None:
    without = MADE.model_copy(update={"images": {}})
    assert estimate(plan(), [without]).image_bytes is None
    found = estimate(plan(), [without, MADE])
    wanted = {each.cell.framework for each in CELLS} | {"probe", "prepare"}
    expected = sum(image.size_bytes for name, image in MADE.images.items() if name in wanted)
    assert found.image_bytes == expected
    assert "; images up to " in str(found)


def test_a_run_of_another_version_is_no_help_and_no_harm(tmp_path: Path) -> None:
    cells = tuple(result(cell(name)) for name in FRAMEWORKS)
    made: Run = run(cells, started_at=datetime(2026, 1, 1, tzinfo=UTC))
    RunStore(tmp_path / "1").write_run(made)
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "run.json").write_text("{}")
    assert [each.run_id for each in readable_runs(tmp_path)] == [made.run_id]
    assert list(readable_runs(tmp_path / "nothing")) == []


def test_one_is_told_as_one() -> None:
    one = Plan(cells=plan().cells[:1], protocol=MADE.protocol.model_copy(update={"trials": 1}))
    assert str(estimate(one, [], sittings=1)).startswith("1 cell to measure, 1 trial: about ")
    assert "and on top 1 sitting of the article" in str(estimate(one, [], sittings=1))

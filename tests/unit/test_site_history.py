"""Which runs are compared, and what the trends show of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from harness.compare import CompareOptions, compare_runs
from harness.compare.judge import Side, read_side
from harness.compare.refuse import Kind
from harness.compare.rows import Verdict
from harness.report.html import fill_page
from harness.site.changes import Change, judge_pair, predecessor
from harness.site.entry import Entry, describe
from harness.site.history import MOST_RUNS, history
from harness.site.index import UNFOLDED, UNFOLDED_HOSTS, index
from harness.site.trends import BOTTOM, ENDED, TOP
from tests.compared import failed
from tests.factories import host, image, run
from tests.published import CELLS, OTHER_HOST, measured, run_id, write_day
from tests.unit.test_report_page import Page

QUICK = run([measured(CELLS[0], 0)]).protocol.model_copy(update={"budget_s": 0.5})
OTHER_IMAGES = {
    of.framework: image(of.framework).model_copy(update={"fingerprint": "f" * 64}) for of in CELLS
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Seven days: jax twice as slow from day 2 on, quick again from day 4 on; a failure on the last."""
    reports = tmp_path_factory.mktemp("history")
    slower = [{"jax": 2.0} if number in (2, 3) else {} for number in range(6)]
    last = [failed(CELLS[0]), *(measured(of, 6) for of in CELLS[1:])]
    return [
        *(write_day(reports, number, slower=how) for number, how in enumerate(slower)),
        write_day(reports, 6, results=last),
    ]


@pytest.fixture(scope="module")
def sides(folders: list[Path]) -> list[Side]:
    return [read_side(folder) for folder in folders]


@pytest.fixture(scope="module")
def entries(folders: list[Path], sides: list[Side]) -> list[Entry]:
    return [describe(folder.name, side) for folder, side in zip(folders, sides, strict=True)]


@pytest.fixture(scope="module")
def changes(entries: list[Entry], sides: list[Side]) -> dict[str, Change]:
    found = {}
    for number in range(1, len(entries)):
        names = entries[number - 1].run_id, entries[number].run_id
        found[names[1]], _ = judge_pair(names, (sides[number - 1], sides[number]))
    return found


def test_signs_stand_exactly_where_compare_says_so(
    folders: list[Path], entries: list[Entry], changes: dict[str, Change]
) -> None:
    said = set()
    for base, new in pairwise(folders):
        compared = compare_runs(base, new, CompareOptions(allowed={Kind.IMAGES}))
        for row in compared.rows:
            if row.verdict in {Verdict.WORSE, Verdict.FAILED}:
                said.add((new.name, row.cell_id, "worse"))
            if row.verdict in {Verdict.BETTER, Verdict.FIXED}:
                said.add((new.name, row.cell_id, "better"))

    found = history(entries, changes)

    assert {(run_id(2), CELLS[1].id, "worse"), (run_id(4), CELLS[1].id, "better")} <= said
    assert (run_id(6), CELLS[0].id, "worse") in said
    trends = [trend for part in found.parts for trend in part.trends]
    drawn = {(mark.run_id, trend.cell_id, mark.kind) for trend in trends for mark in trend.marks if mark.kind}
    assert drawn == said
    assert {(event.run_id, event.cell_id, event.kind) for event in found.events} == said
    assert [event.run_id for event in found.events] == sorted(
        (event.run_id for event in found.events), reverse=True
    )


def test_a_trend_has_a_mark_for_each_run_within_its_plot(
    entries: list[Entry], changes: dict[str, Change]
) -> None:
    trends = {trend.cell_id: trend for part in history(entries, changes).parts for trend in part.trends}

    assert trends.keys() == {of.id for of in CELLS}
    for trend in trends.values():
        assert [mark.run_id for mark in trend.marks] == [entry.run_id for entry in entries]
        xs = [mark.x for mark in trend.marks]
        assert xs == sorted(set(xs))
        for mark in trend.marks:
            if mark.ok:
                assert mark.high is not None
                assert mark.low is not None
                assert TOP <= mark.high <= mark.y <= mark.low <= BOTTOM
    dead = trends[CELLS[0].id]
    assert (dead.marks[-1].ok, dead.marks[-1].y, len(dead.joints)) == (False, ENDED, 5)
    assert "out of memory" in dead.newest
    assert len(trends[CELLS[1].id].joints) == 6
    slow, quick = trends[CELLS[1].id].marks[2:4], trends[CELLS[1].id].marks[:2]
    assert max(mark.y for mark in slow) < min(mark.y for mark in quick), "slower is higher"


def test_no_line_joins_runs_that_were_not_compared(entries: list[Entry], changes: dict[str, Change]) -> None:
    found = {key: change for key, change in changes.items() if key != run_id(3)}
    trend = history(entries, found).parts[0].trends[1]
    ends = {(joint.x1, joint.x2) for joint in trend.joints}
    xs = [mark.x for mark in trend.marks]
    assert (xs[2], xs[3]) not in ends
    assert (xs[1], xs[2]) in ends


def test_a_run_is_compared_with_the_newest_before_it_that_is_like_it(entries: list[Entry]) -> None:
    first, second, third = entries[:3]
    elsewhere = replace(second, run=second.run.model_copy(update={"host": OTHER_HOST}))
    quick = replace(second, run=second.run.model_copy(update={"protocol": QUICK}))
    other_cells = replace(second, points={"elsewhere": next(iter(second.points.values()))})

    assert predecessor([first, second], third) is second
    assert predecessor([first, elsewhere], third) is first
    assert predecessor([first, quick], third) is first
    assert predecessor([first, other_cells], third) is first
    assert predecessor([elsewhere], third) is None


def test_new_images_are_compared_and_named_and_other_models_are_not(sides: list[Side]) -> None:
    base = sides[0]
    rebuilt = replace(base, run=base.run.model_copy(update={"images": OTHER_IMAGES}))
    change, page = judge_pair(("a", "b"), (base, rebuilt))
    assert change.folder == "a..b"
    assert "different as meant: image jax" in page

    models = {"spam-fnn": base.run.models["spam-fnn"].model_copy(update={"hash": "0" * 64})}
    change, page = judge_pair(
        ("a", "b"), (base, replace(base, run=base.run.model_copy(update={"models": models})))
    )
    assert (change.folder, page, change.kind) == ("", "", "")
    assert change.text.startswith("not compared: ")
    assert "model spam-fnn" in change.text


def many(entries: list[Entry], count: int) -> list[Entry]:
    return [replace(entries[0], run_id=f"run-{number:03}") for number in range(count)]


def test_two_hundred_runs_stay_readable(entries: list[Entry]) -> None:
    view = index(many(entries, 200)[::-1], {}, ())
    (part,) = view.hosts
    assert [row.run_id for row in part.newest] == [
        f"run-{number:03}" for number in range(199, 199 - UNFOLDED, -1)
    ]
    assert len(part.older) == 200 - UNFOLDED

    html = fill_page("site.html.j2", sheets=("site.css",), view=view)
    assert len(html) < 250_000
    assert len(Page(html).all("details")) == 1

    hosts = [
        replace(each, run=each.run.model_copy(update={"host": host(fingerprint=f"host{number:03}")}))
        for number, each in enumerate(many(entries, 50))
    ]
    view = index(hosts[::-1], {}, ())
    assert (len(view.hosts), len(view.older_hosts)) == (UNFOLDED_HOSTS, 50 - UNFOLDED_HOSTS)
    assert view.hosts[0].slug == "host049"

    drawn = history(many(entries, 200), {})
    assert len(drawn.parts[0].trends[0].marks) == MOST_RUNS
    assert drawn.notes == (f"The newest {MOST_RUNS} of 200 runs are drawn.",)


def test_a_page_of_too_many_cells_says_that_it_leaves_some_out(entries: list[Entry]) -> None:
    point = next(iter(entries[0].points.values()))
    wide = replace(entries[0], points={f"cell-{number:03}": point for number in range(500)})
    found = history([wide], {})
    assert sum(len(part.trends) for part in found.parts) == 400
    assert found.notes == ("400 of 500 cells are drawn.",)


def test_where_nothing_was_compared_nothing_is_said_to_have_stayed(
    entries: list[Entry], changes: dict[str, Change]
) -> None:
    one = history(entries[:1], {})
    assert (one.unchanged, one.last) == ("There is one run of this host, and nothing to compare it with.", "")
    assert one.unchanged in fill_page("host.html.j2", sheets=("site.css",), view=one)

    assert history(entries[:2], {}).unchanged == "No two of these runs were compared."
    assert history(entries[:2], changes).unchanged.startswith("No cell is proved")


def test_runs_of_one_day_have_their_times_at_the_ends_of_the_axis(entries: list[Entry]) -> None:
    first = entries[0]
    later = first.run.model_copy(update={"started_at": first.run.started_at.replace(hour=23, minute=59)})

    days, times = history(entries, {}), history([first, replace(first, run_id="later", run=later)], {})

    assert (len(days.first), len(days.last)) == (10, 10)
    assert (times.first, times.last) == (
        f"{first.run.started_at:%Y-%m-%d %H:%M}", f"{later.started_at:%Y-%m-%d %H:%M}",
    )  # fmt: skip

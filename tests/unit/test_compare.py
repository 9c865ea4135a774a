"""What counts as better and worse between two runs, by simulation and property."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compare import CompareOptions, Verdict, compare_runs
from harness.compare.judge import LEAST_PAIRS, judge
from harness.compare.machine import Shift, machine_shift
from harness.compare.rows import Row, pair_up
from harness.compare.words import notes_text
from harness.errors import ConfigError
from harness.results import Cell
from harness.stats.noise import Aim
from tests.compared import CELLS, FRAMEWORKS, MODELS, again, judged, other, side, write
from tests.factories import cell, probe, requested, result

QUIET = [1.0, 1.01, 0.99, 1.005, 0.995]
EXCHANGED = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
FIGURES = st.lists(st.floats(0.5, 2), min_size=1, max_size=6)


def verdicts(rows: Sequence[Row]) -> list[Verdict]:
    return [row.verdict for row in rows]


def one(base: Sequence[float], new: Sequence[float], options: CompareOptions | None = None) -> Row:
    """A quiet run in which one cell has these figures."""
    return judged(FRAMEWORKS, [base, *[QUIET] * 9], [new, *[QUIET] * 9], options)[0]


@settings(max_examples=40)
@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=4))
def test_exchanging_the_runs_exchanges_better_and_worse(pairs: list[tuple[list[float], list[float]]]) -> None:
    base, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    cells = FRAMEWORKS[: len(pairs)]
    forth, back = judged(cells, base, new), judged(cells, new, base)

    assert verdicts(back) == [EXCHANGED.get(verdict, verdict) for verdict in verdicts(forth)]
    for ahead, behind in zip(forth, back, strict=True):
        one, other = ahead.figures[Aim.LATENCY].difference, behind.figures[Aim.LATENCY].difference
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.ratio * other.ratio == pytest.approx(1)
            assert one.interval()[0] * other.interval()[1] == pytest.approx(1)


@settings(max_examples=40)
@given(st.floats(1.1, 10), st.booleans(), st.integers(3, 8), st.integers(3, 8))
def test_tight_trials_scaled_by_more_than_the_floor_are_told(
    factor: float, slower: bool, first: int, second: int
) -> None:
    tight = np.exp(np.random.default_rng(5).normal(0, 0.002, 16)).tolist()
    scaled = [each * factor for each in tight[8 : 8 + second]]
    base, new = (tight[:first], scaled) if slower else (scaled, tight[:first])
    assert one(base, new).verdict is (Verdict.WORSE if slower else Verdict.BETTER)


def test_a_significant_difference_below_the_floor_does_not_count() -> None:
    quiet = [1.0, 1.001, 0.999, 1.0005, 0.9995]
    assert one(quiet, [1.03 * each for each in quiet]).verdict is Verdict.SAME
    row = one(QUIET, [1.055 * each for each in QUIET], CompareOptions(threshold=0.06))
    assert row.verdict is Verdict.UNDECIDED
    assert row.reason == "significant, but not larger than it needs"


def test_noise_that_hides_a_difference_is_undecided() -> None:
    row = one([1.0, 1.5, 0.7], [1.1, 0.8, 1.6])
    assert (row.verdict, row.reason) == (Verdict.UNDECIDED, "not significant")


@pytest.mark.parametrize(("base", "new"), [([1.0], [1.0, 1.1]), ([1.0, 1.1], [2.0]), ([], [1.0, 2.0])])
def test_fewer_than_two_trials_decide_nothing_and_say_so(base: list[float], new: list[float]) -> None:
    row = one(base, new)
    assert row.verdict is Verdict.UNDECIDED
    assert row.reason.startswith(f"{len(base)} and {len(new)} trials")


LESS, MORE = [1.0, 1.01, 1.0, 1.0], [2.0, 2.01, 2.0, 2.0]


@pytest.mark.parametrize(
    ("base", "new", "cut", "verdict"),
    [
        (LESS, MORE, {"new"}, Verdict.WORSE),
        (LESS, MORE, {"base"}, Verdict.UNDECIDED),
        (LESS, MORE, {"base", "new"}, Verdict.UNDECIDED),
        (MORE, LESS, {"base"}, Verdict.BETTER),
        (MORE, LESS, {"new"}, Verdict.UNDECIDED),
        (LESS, LESS, {"base", "new"}, Verdict.UNDECIDED),
        (LESS, LESS, {"new"}, Verdict.UNDECIDED),
        (LESS, LESS, set(), Verdict.SAME),
    ],
)
def test_a_peak_that_a_cap_has_cut_is_never_the_smaller_one(
    base: list[float], new: list[float], cut: set[str], verdict: Verdict
) -> None:
    cells = [cell("jax", cpus=1)]
    sides = [
        replace(
            made,
            cells=tuple(replace(one, stats=replace(one.stats, at_cap=name in cut)) for one in made.cells),
        )
        for name, made in (("base", side(cells, [base], 0)), ("new", side(cells, [new], 1)))
    ]
    for aim, expected in ((Aim.MEMORY, verdict), (Aim.START, None)):
        (row,) = judge(
            pair_up(*(each.cells for each in sides)), (sides[0], sides[1]), CompareOptions(aim=aim)
        )
        assert expected is None or row.verdict is expected
        assert ("at the cap" in row.reason) is (expected is Verdict.UNDECIDED)


def test_a_figure_of_0_has_no_ratio() -> None:
    row = one([0.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    assert (row.verdict, row.reason) == (Verdict.UNDECIDED, "a figure of 0 has no ratio")


@pytest.mark.parametrize("cells", [FRAMEWORKS, MODELS], ids=["of one kind", "each of its own kind"])
def test_identical_runs_are_hardly_ever_told_apart(cells: list[Cell]) -> None:
    rng = np.random.default_rng(3)
    counts: Counter[Verdict] = Counter()
    for _ in range(200):
        base, new = np.exp(rng.normal(0, 0.05, (2, 10, 5)))
        counts.update(verdicts(judged(cells, base.tolist(), new.tolist())))
    assert counts[Verdict.BETTER] + counts[Verdict.WORSE] <= 20  # of 2000


@pytest.mark.parametrize("cells", [FRAMEWORKS, MODELS], ids=["of one kind", "each of its own kind"])
def test_a_slowdown_of_a_fifth_is_found(cells: list[Cell]) -> None:
    """Also where a matrix has one framework: the A/A floor of a cell alone would hide two of three."""
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(50):
        base, new = np.exp(rng.normal(0, 0.03, (2, 10, 5)))
        new[0] *= 1.2
        found += judged(cells, base.tolist(), new.tolist())[0].verdict is Verdict.WORSE
    assert found >= 48


def test_the_floor_is_that_of_the_kind_where_it_rests_on_enough_pairs() -> None:
    noisy, kind = [1.0, 1.3, 0.8, 1.2], FRAMEWORKS[:LEAST_PAIRS]
    cells, figures = [*kind, MODELS[0]], [*[QUIET] * len(kind), noisy]
    rows = judged(cells, figures, figures)
    floors = [row.figures[Aim.LATENCY].floor for row in rows]
    assert floors[0] == pytest.approx(math.log(1.05))
    assert (floors[-1] or 0) > math.log(1.1)  # that of all six
    few = judged([kind[0], MODELS[0]], [QUIET, noisy], [QUIET, noisy])
    assert few[0].figures[Aim.LATENCY].floor == few[1].figures[Aim.LATENCY].floor


@pytest.mark.parametrize("threshold", [math.nan, math.inf, -0.1])
def test_a_threshold_that_would_never_fire_is_refused(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(ConfigError):
        compare_runs(tmp_path, tmp_path, CompareOptions(threshold=threshold))


@pytest.mark.parametrize("aim", list(Aim))
def test_the_figure_that_was_asked_for_is_judged_and_all_have_verdicts(tmp_path: Path, aim: Aim) -> None:
    base = write(tmp_path / "a", [result(of) for of in CELLS])
    rows = compare_runs(base, other(tmp_path), CompareOptions(aim=aim)).rows
    for row in rows:
        assert set(row.figures) == set(Aim)
        assert row.verdict is row.figures[aim].verdict


def test_a_run_is_the_same_as_itself_however_noisy(tmp_path: Path) -> None:
    base = write(tmp_path / "a", [result(CELLS[0]), again(CELLS[1], 1), again(CELLS[2], 2)])
    compared = compare_runs(base, base)
    assert verdicts(compared.rows) == [Verdict.SAME] * 3
    assert compared.notes == ("run a is compared with itself",)


def test_what_the_machine_changed_is_added_to_the_floor_of_times_only(tmp_path: Path) -> None:
    slow = {0: probe(0, of=CELLS[0], speed=4e10)}
    base = write(tmp_path / "a", [result(of) for of in CELLS], {0: probe(0, of=CELLS[0])})
    still = compare_runs(base, other(tmp_path / "still", probes={0: probe(0, of=CELLS[0])}))
    moved = compare_runs(base, other(tmp_path / "moved", probes=slow))
    for before, after in zip(still.rows, moved.rows, strict=True):
        assert after.shift is not None
        assert after.shift.size == pytest.approx(math.log(5 / 4))
        for aim, added in ((Aim.LATENCY, after.shift.size), (Aim.START, after.shift.size), (Aim.MEMORY, 0)):
            floor = before.figures[aim].floor
            assert floor is not None
            assert after.figures[aim].floor == pytest.approx(floor + added)


def on_a_machine_of(speed: float, factor: float) -> Row:
    """A cell whose time is multiplied by `factor` on a machine whose speed is."""
    here = requested(FRAMEWORKS[0])
    before, after = probe(0, requested=here), probe(0, requested=here, speed=5e10 * speed)
    base, new = ([[each * scale for each in QUIET]] * 10 for scale in (1.0, factor))
    sides = side(FRAMEWORKS, base, 0, probes={0: before}), side(FRAMEWORKS, new, 1, probes={0: after})
    return judge(pair_up(sides[0].cells, sides[1].cells), sides, CompareOptions())[0]


@pytest.mark.parametrize(
    ("speed", "factor"), [(1.25, 1.0), (0.8, 1.0), (1.25, 0.97), (0.8, 1.03)], ids=lambda value: f"{value:g}"
)
def test_what_the_machine_could_hide_is_not_called_the_same(speed: float, factor: float) -> None:
    row = on_a_machine_of(speed, factor)
    assert (row.verdict, row.reason) == (Verdict.UNDECIDED, "the machine changed by 25.0 %")
    assert notes_text(row, Aim.LATENCY) == row.reason
    assert row.figures[Aim.MEMORY].verdict is Verdict.SAME  # which does not follow the machine


def test_a_change_of_the_machine_that_hides_no_difference_leaves_a_cell_the_same() -> None:
    assert on_a_machine_of(1.02, 1.0).verdict is Verdict.SAME
    assert on_a_machine_of(0.97, 1.03).verdict is Verdict.SAME  # it followed the machine, or changed by 3 %


def test_where_identical_cells_differ_by_more_than_the_threshold_none_is_the_same() -> None:
    steady = [QUIET, [1.5 * each for each in QUIET]]
    wild = [[1.0, 1.3, 0.8, 1.2, 0.9]] * 8
    row = judged(FRAMEWORKS, [*steady, *wild], [*steady, *wild])[0]
    figure = row.figures[Aim.LATENCY]
    assert figure.difference is not None
    assert figure.difference.interval()[1] < 1.05
    assert figure.floor is not None
    assert row.verdict is Verdict.UNDECIDED
    assert row.reason == f"identical cells differ by {100 * math.expm1(figure.floor):.1f} %"
    assert notes_text(row, Aim.LATENCY) == row.reason


def test_of_an_undecided_figure_whose_columns_say_it_the_notes_are_silent() -> None:
    row = one([1.0, 1.5, 0.7], [1.1, 0.8, 1.6])
    assert row.verdict is Verdict.UNDECIDED
    assert notes_text(row, Aim.LATENCY) == ""


@pytest.mark.parametrize("planned", [(5, 4), (4, 5), (4, 4)])
def test_a_side_with_further_trials_pays_for_them_in_latency_alone(planned: tuple[int, int]) -> None:
    base, new = [QUIET], [[1.01 * each for each in QUIET]]
    (plain,) = judged(FRAMEWORKS[:1], base, new)
    sides = (
        side(FRAMEWORKS[:1], base, 0, planned=planned[0]),
        side(FRAMEWORKS[:1], new, 1, planned=planned[1]),
    )
    (further,) = judge(pair_up(sides[0].cells, sides[1].cells), sides, CompareOptions())
    p_values = [row.figures[Aim.LATENCY].adjusted_p for row in (plain, further)]
    assert p_values[1] == pytest.approx(2 * (p_values[0] or 0))
    for aim in (Aim.MEMORY, Aim.START):
        assert further.figures[aim] == plain.figures[aim]


def test_the_shift_is_that_of_the_same_cpus_and_of_the_larger_part() -> None:
    here, elsewhere = requested(CELLS[0]), requested(cell(cpus=2))
    base = {0: probe(0, requested=here), 1: probe(1, requested=elsewhere)}
    new = {
        0: probe(0, requested=here, loop_ns=(750_000,)),
        1: probe(1, requested=elsewhere, speed=1e9),
        2: probe(2, requested=here, loop_ns=(750_000,)),
    }
    assert machine_shift((here, here), base, new) == Shift(product=0.0, loop=math.log(1.5))
    back = machine_shift((here, here), new, base)
    assert back is not None
    assert back.size == pytest.approx(math.log(1.5))
    moved = machine_shift((here, elsewhere), base, new)  # limits that differ as meant: each has its own CPUs
    assert moved is not None
    assert moved.product == pytest.approx(math.log(50))


def test_without_a_probe_on_these_cpus_the_shift_is_unknown() -> None:
    here = requested(CELLS[0])
    there = {0: probe(0, requested=here)}
    assert machine_shift((here, here), there, {}) is None
    assert machine_shift((here, here), {}, there) is None

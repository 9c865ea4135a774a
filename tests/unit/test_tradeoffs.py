"""The trade-offs of a workload: frontier, break-even, percentiles and scaling, as far as they are proved."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import COLD_START_PHASES, Phase, PhaseEnd, Samples
from harness.report.charts import scale_over
from harness.report.formats import TIMES, rounded
from harness.report.html import render
from harness.report.plots import BOTTOM, LEFT, RIGHT, TOP, Frame, decades, short
from harness.report.tradeoffs import MOST_LIMITS, tradeoffs, undrawn
from harness.report.tradeoffs.breakeven import breakeven
from harness.report.tradeoffs.common import Study
from harness.report.tradeoffs.frontier import frontier
from harness.report.tradeoffs.percentiles import percentiles
from harness.report.tradeoffs.scaling import scaling
from harness.results import CellResult, CpuMode, Trial
from harness.schedule import rotated
from harness.stats.cell import measure
from harness.stats.ranking import Ranking, beaten_by
from harness.units import GIB, MIB
from tests.factories import cell, phase_end, result, run, samples, trial
from tests.sample_runs import failures, noisy, sample
from tests.unit.books import only, read

JITTER = [1.0, 1.004, 0.997, 1.002, 0.999]


def measured(
    framework: str, *, p50_us: float, rss_mib: float = 64, start_ms: float = 400, **limits: float
) -> CellResult:
    """A cell of five trials that hardly differ, each framework in other rounds."""
    of = cell(framework, **limits)  # type: ignore[arg-type]
    trials = [
        _trial(trial(of, index), p50_us * each, rss_mib * each, start_ms * each)
        for index, each in enumerate(rotated(JITTER, len(framework)))
    ]
    return result(of, trials)


def _trial(like: Trial, p50_us: float, rss_mib: float, start_ms: float) -> Trial:
    kept = [each for each in like.records if not isinstance(each, PhaseEnd | Samples)]
    starts = [
        phase_end(phase, round(start_ms / len(COLD_START_PHASES) * 1e6), rss_peak_bytes=round(rss_mib * MIB))
        for phase in COLD_START_PHASES
    ]
    latencies = np.rint(np.linspace(0.9, 1.1, 101) * p50_us * 1000).astype(int).tolist()
    steady = phase_end(Phase.STEADY, sum(latencies), rss_peak_bytes=round(rss_mib * MIB))
    return like.model_copy(update={"records": (*kept, *starts, steady, samples(latencies, Phase.STEADY))})


def told(study: Study | None) -> str:
    assert study is not None
    return study.plots[0].told


def rankings(*orders: list[float]) -> list[Ranking]:
    """Rankings in which figures that are further apart than 1 are proved to differ."""
    return [
        Ranking(
            len(order),
            frozenset(
                (one, other)
                for one, other in product(range(len(order)), repeat=2)
                if order[one] < order[other] - 1
            ),
        )
        for order in orders
    ]


FIGURES = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8)


@given(FIGURES)
def test_a_beaten_cell_is_really_beaten_and_an_unbeaten_one_is_not(
    figures: list[tuple[float, float]],
) -> None:
    beaten = beaten_by(rankings([one for one, _ in figures], [other for _, other in figures]))

    for own, others in enumerate(beaten):
        worse = [
            place
            for place, (speed, size) in enumerate(figures)
            if speed < figures[own][0] - 1 and size < figures[own][1] - 1
        ]
        assert list(others) == worse
    assert not all(beaten), "somebody is always on the frontier"


def test_who_is_slower_and_larger_is_behind() -> None:
    study = frontier(
        *only(
            measured("onnxruntime", p50_us=10, rss_mib=60),
            measured("jax", p50_us=20, rss_mib=40),
            measured("pytorch", p50_us=30, rss_mib=90),
        )
    )

    assert told(study) == (
        "On the frontier: onnxruntime and jax. Beaten in both: pytorch (by onnxruntime and jax)."
    )
    assert study is not None
    assert [curve.spots[0].ringed for curve in study.plots[0].curves] == [True, True, False]
    rows = study.tables[0].groups[0].rows
    assert [row.values[2] for row in rows] == [
        "on the frontier",
        "on the frontier",
        "behind onnxruntime and jax",
    ]


def test_a_tie_is_not_drawn_as_a_win() -> None:
    study = frontier(
        *only(
            measured("onnxruntime", p50_us=10, rss_mib=60),
            measured("jax", p50_us=10.01, rss_mib=90),
            measured("pytorch", p50_us=20, rss_mib=60.01),
        )
    )

    assert told(study) == "On the frontier: onnxruntime, jax and pytorch. Nobody is proved worse in both."


def test_a_slow_starter_overtakes_a_fast_one() -> None:
    study = breakeven(
        *only(
            measured("onnxruntime", p50_us=100, start_ms=500),
            measured("jax", p50_us=20, start_ms=2500),
            measured("pytorch", p50_us=200, start_ms=3000),
        )
    )

    assert study is not None
    (row,) = study.tables[0].groups[0].rows
    assert (row.framework, *row.values[:2]) == ("jax", "onnxruntime", "25,000")
    plot = study.plots[0]
    assert [each.name for each in plot.rows] == ["jax overtakes onnxruntime"]
    assert "jax overtakes onnxruntime at request 25,000" in plot.description
    assert plot.rows[0].dot is not None
    assert plot.rows[0].dot.x == plot.meetings[0].x


@pytest.mark.parametrize(
    "rival", [{"p50_us": 20, "start_ms": 500.1}, {"p50_us": 99.99, "start_ms": 2500}], ids=["starts", "calls"]
)
def test_no_crossing_is_told_where_something_ties(rival: dict[str, float]) -> None:
    study = breakeven(*only(measured("onnxruntime", p50_us=100, start_ms=500), measured("jax", **rival)))

    assert told(study) == "No slow starter is proved to overtake a fast one."
    assert study is not None
    assert not study.tables
    assert not study.plots[0].meetings


def test_a_number_of_requests_has_three_digits() -> None:
    assert [rounded(each) for each in (0.4, 12.34, 28_266, 1_234_567)] == [
        "0.400",
        "12.3",
        "28,300",
        "1,230,000",
    ]


def test_more_cores_are_measured_against_the_ideal() -> None:
    limits = ({"cpus": 1.0}, {"cpus": 2.0}, {"cpus": 4.0})
    speeds = {"jax": (80.0, 44.0, 25.0), "onnxruntime": (20.0, 20.01, 30.0)}
    study = scaling(
        *only(
            *(
                measured(name, p50_us=p50, memory_bytes=8 * GIB, **limit)
                for name, found in speeds.items()
                for limit, p50 in zip(limits, found, strict=True)
            )
        )
    )

    assert told(study) == "On 4 cores, against 1, proved faster: jax; proved slower: onnxruntime."
    assert study is not None
    rows = {
        row.framework: [each.split("\n")[0] for each in row.values] for row in study.tables[0].groups[0].rows
    }
    assert rows["jax"] == [f"1.82{TIMES}", "90.9 %", f"3.20{TIMES}", "80.0 %"]
    assert rows["onnxruntime"] == [f"1.00{TIMES}", "50.0 %", f"0.667{TIMES}", "16.7 %"]
    assert [curve.slot for curve in study.plots[0].curves] == [3, 2]
    assert study.plots[0].guide


def test_a_quota_is_no_number_of_cores() -> None:
    study = scaling(
        *only(
            measured("jax", p50_us=80, cpus=1),
            result(cell("jax", cpus=2, cpu_mode=CpuMode.QUOTA)),
        )
    )

    assert study is None


def test_without_the_fewest_cores_there_is_nothing_to_compare_with() -> None:
    assert (
        scaling(*only(measured("jax", p50_us=80, cpus=1), measured("onnxruntime", p50_us=9, cpus=2))) is None
    )


def test_percentiles_say_how_far_the_rare_calls_are_from_the_common_ones() -> None:
    study = percentiles(*only(measured("jax", p50_us=80), measured("onnxruntime", p50_us=10)))

    assert told(study) == f"p90 over median: jax 1.08{TIMES} and onnxruntime 1.08{TIMES}."
    assert study is not None
    assert [head.title for head in study.tables[0].columns] == ["p10", "p50", "p90"]
    assert [tick.label for tick in study.axes.x_ticks] == ["p50", "p90"]
    assert f"1.08{TIMES} its median at p90" in study.plots[0].description


def test_one_trial_has_no_range() -> None:
    one = percentiles(*only(result(cell(), [trial(cell())])))
    three = percentiles(*only(result(cell())))

    assert one is not None
    assert three is not None
    assert not any("\n" in value for value in one.tables[0].groups[0].rows[0].values)
    assert all("\n" in value for value in three.tables[0].groups[0].rows[0].values)


def test_what_cannot_be_said_is_left_out() -> None:
    silent = result(cell(), [trial(cell()).model_copy(update={"records": ()})])

    assert tradeoffs(*only(silent)) == ()
    assert [study.slug for study in tradeoffs(*only(result(cell())))] == ["percentiles"]


@pytest.mark.parametrize("made", [sample, failures, noisy])
def test_every_mark_lies_in_its_plot_and_every_limit_has_one(made: type) -> None:
    book, found = read(made())

    for workload, study in ((each, study) for each in found for study in tradeoffs(book, each)):
        assert study.names
        assert study.slug == "scaling" or len(study.plots) == sum(bool(group.ok) for group in workload.groups)
        assert all(LEFT <= tick.x <= RIGHT for tick in study.axes.x_ticks)
        for plot in study.plots:
            spots = [spot for curve in plot.curves for spot in curve.spots]
            assert all(LEFT <= spot.x <= RIGHT and TOP <= spot.y <= BOTTOM for spot in spots)


@given(st.floats(min_value=1, max_value=1e12))
def test_an_axis_of_counts_holds_them_and_has_few_labels(count: float) -> None:
    scale = decades(count)

    assert scale.high >= count * (1 - 1e-9)
    assert 2 <= len(scale.ticks) <= 5


def test_large_counts_are_short() -> None:
    assert [short(10.0**exponent) for exponent in (0, 2, 3, 5, 6, 9)] == [
        "1",
        "100",
        "1 k",
        "100 k",
        "1 M",
        "1 G",
    ]


def test_labels_of_large_figures_fit_before_the_plot() -> None:
    tall = Frame(scale_over((1, 8)), scale_over((5_000, 20_000, 2_000_000)))
    assert [label for _, label in tall.axes("items", ()).y_ticks] == ["5,000", "20 k", "2 M"]


def test_frameworks_that_share_a_colour_have_their_names_at_their_lines() -> None:
    names = [f"mine-{letter}" for letter in "abcd"]  # more than the palette has room for
    cells = [result(cell(name)) for name in names]
    page = render(run(cells), measure(cells))
    for study in tradeoffs(*only(*cells)):
        for plot in study.plots:
            beside = {curve.name for curve in plot.curves if curve.slot in plot.shared}
            assert beside == {"mine-a", "mine-d"}
    beside = set(re.findall(r'text-anchor="(?:end|start)">(mine-.)</text>', page))
    assert beside == {"mine-a", "mine-d"}


@pytest.mark.parametrize("places", [(1, 8, 64), (1, 2)])
def test_an_axis_of_measured_places_labels_each(places: tuple[int, ...]) -> None:
    assert scale_over(places).ticks == places


def test_places_that_crowd_are_labelled_by_round_numbers() -> None:
    scale = scale_over((1, 2, 3, 4, 5, 6, 7, 8))
    assert (scale.low, scale.high, scale.ticks) == (1, 8, (1, 2, 5, 8))


def test_more_limits_than_a_picture_bears_are_not_drawn_and_the_page_says_so() -> None:
    few, many = (
        [result(cell(memory_bytes=(64 + number) * MIB)) for number in range(count)]
        for count in (MOST_LIMITS, MOST_LIMITS + 1)
    )
    book, workload = only(*few)
    assert tradeoffs(book, workload)
    assert undrawn(workload) == ""
    book, workload = only(*many)
    assert tradeoffs(book, workload) == ()
    assert f"here are {MOST_LIMITS + 1}" in undrawn(workload)

"""From stored trials to a cell's figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.records import Clock, Phase, PhaseEnd, Samples
from harness.results import CpuMode, Status, Trial, TypedWarning
from harness.stats.cell import cell_stats, measure
from harness.stats.samples import steady_latencies_ms
from harness.units import MIB
from tests.factories import cell, end_record, failed_trial, output_record, phase_end, result, samples, trial

CELL = cell()


def steady(latencies_ns: list[int], index: int = 0, **counters: object) -> Trial:
    """A trial that is nothing but its steady phase."""
    wall = max(1, sum(latencies_ns))
    records = (phase_end(Phase.STEADY, wall, **counters), samples(latencies_ns, Phase.STEADY))
    return trial(CELL, index).model_copy(update={"records": records})


def test_the_median_is_the_geometric_mean_of_the_trials_medians() -> None:
    found = cell_stats(result(CELL, [steady([1_000_000] * 5), steady([4_000_000] * 5, 1)]))

    assert found.p50_ms is not None
    assert found.p50_ms.value == pytest.approx(2.0)
    assert found.iterations == 10


def test_one_trial_has_no_interval() -> None:
    found = cell_stats(result(CELL, [steady([1_000_000] * 5)]))

    assert found.p50_ms is not None
    assert (found.p50_ms.low, found.p50_ms.high) == (None, None)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (63, (False, False, False)),
        (64, (True, False, False)),
        (130, (True, True, False)),
        (662, (True, True, True)),
    ],
)
def test_a_percentile_needs_its_samples_in_every_trial(count: int, expected: tuple[bool, ...]) -> None:
    found = cell_stats(result(CELL, [steady([10_000] * 700), steady([10_000] * count, 1)]))

    assert tuple(figure is not None for figure in (found.p90_ms, found.p95_ms, found.p99_ms)) == expected


@settings(max_examples=20)  # 662 items take a while to draw
@given(st.lists(st.integers(1, 10**12), min_size=662, max_size=700))
def test_percentiles_rise(latencies: list[int]) -> None:
    found = cell_stats(result(CELL, [steady(latencies)]))

    assert found.p50_ms is not None
    assert found.p90_ms is not None
    assert found.p95_ms is not None
    assert found.p99_ms is not None
    slack = 1 + 1e-9
    assert found.p50_ms.value <= found.p90_ms.value * slack
    assert found.p90_ms.value <= found.p95_ms.value * slack
    assert found.p95_ms.value <= found.p99_ms.value * slack
    assert found.p99_ms.value == pytest.approx(np.percentile(latencies, 99) / 1e6, rel=1e-9)


def test_throughput_counts_items_not_calls() -> None:
    thousand = cell(batch=1000)
    one = steady([2_000_000] * 5)

    found = cell_stats(result(thousand, [one]))

    assert found.throughput_per_s == pytest.approx(500_000)


def test_cpu_use_is_cpu_time_over_wall_time_and_over_calls() -> None:
    latencies = [1_000_000] * 100
    found = cell_stats(result(CELL, [steady(latencies, cpu_ns=150_000_000)]))

    assert found.cpu_percent == pytest.approx(150)
    assert found.cpu_ms_per_inference == pytest.approx(1.5)


def test_a_kernel_that_does_not_count_leaves_figures_empty() -> None:
    silent = steady(
        [1000] * 5,
        cpu_ns=None,
        rss_peak_bytes=None,
        rss_anon_bytes=None,
        cgroup_peak_bytes=None,
        periods=None,
    )

    found = cell_stats(result(CELL, [silent]))

    assert found.cpu_percent is None
    assert found.cpu_ms_per_inference is None
    assert found.rss_peak_bytes is None
    assert found.anon_peak_bytes is None
    assert found.cgroup_peak_bytes is None
    assert found.throttled_fraction is None


def test_throttling_is_the_share_of_periods_over_all_trials() -> None:
    shared = cell(cpus=1, cpu_mode=CpuMode.QUOTA)
    one = steady([1000], periods=10, throttled_periods=9, throttled_ns=600)
    other = steady([3000], 1, periods=30, throttled_periods=1, throttled_ns=400)

    found = cell_stats(result(shared, [one, other]))
    assert found.throttled_fraction == pytest.approx(0.25)
    assert found.throttled_ms_per_s == pytest.approx(250)
    # Some kernels count periods without a quota.
    assert cell_stats(result(CELL, [one, other])).throttled_fraction is None


def test_a_spoiled_trial_does_not_count_and_its_repetition_does() -> None:
    doubt = TypedWarning(kind="probe_moved", text="x")
    first = steady([1_000_000] * 5).model_copy(update={"spoiled": (doubt,)})
    again = steady([4_000_000] * 5).model_copy(update={"attempt": 1})

    found = cell_stats(result(CELL, [first, again, steady([4_000_000] * 5, 1)]))

    assert found.p50_ms is not None
    assert found.p50_ms.value == pytest.approx(4.0)
    assert found.trials == 2


def test_the_second_clock_has_a_figure_of_its_own() -> None:
    one = steady([2_000_000] * 5)
    core = samples([1_000_000] * 5, Phase.STEADY, Clock.CORE)

    found = cell_stats(result(CELL, [one.model_copy(update={"records": (*one.records, core)})]))

    assert found.core_p50_ms is not None
    assert found.p50_ms is not None
    assert (found.core_p50_ms.value, found.p50_ms.value) == pytest.approx((1.0, 2.0))


def test_the_share_of_the_peak_is_work_over_time_over_the_machines_own() -> None:
    made = result(CELL, [steady([1_000_000] * 5)], multiply_adds=10**6, machine_peak=1e10)
    assert cell_stats(made).peak_share == pytest.approx(0.1)
    assert cell_stats(result(CELL, [steady([1_000_000] * 5)], machine_peak=None)).peak_share is None


def test_system_time_is_a_share_of_the_workers_own() -> None:
    one = steady([1000], user_ns=600, system_ns=200)
    assert cell_stats(result(CELL, [one])).system_share == pytest.approx(0.25)


def test_precision_is_the_wider_half_of_the_interval() -> None:
    found = cell_stats(result(CELL, [steady([1_000_000] * 5), steady([1_100_000] * 5, 1)]))
    assert found.p50_ms is not None
    assert found.p50_ms.high is not None
    assert found.precision == pytest.approx(found.p50_ms.high / found.p50_ms.value - 1)


def test_the_memory_peak_is_the_largest_of_any_phase_and_trial() -> None:
    def peaking(index: int, *peaks: int) -> Trial:
        ends = zip(Phase, peaks, strict=False)
        records = tuple(phase_end(phase, 1, rss_peak_bytes=peak * MIB) for phase, peak in ends)
        return trial(CELL, index).model_copy(update={"records": records})

    found = cell_stats(result(CELL, [peaking(0, 90, 70), peaking(1, 40, 80)]))

    assert found.rss_peak_bytes is not None
    assert found.rss_peak_bytes.value == 90 * MIB
    assert (found.rss_peak_bytes.low, found.rss_peak_bytes.high) == (80 * MIB, 90 * MIB)


def test_a_cold_start_is_the_median_over_trials_of_the_phases_sum() -> None:
    def starting(index: int, *walls_ms: int) -> Trial:
        phases = (Phase.IMPORT, Phase.LOAD, Phase.COMPILE, Phase.FIRST)
        records = tuple(phase_end(phase, ms * 1_000_000) for phase, ms in zip(phases, walls_ms, strict=False))
        return trial(CELL, index).model_copy(update={"records": records})

    trials = [starting(0, 100, 1, 1, 1), starting(1, 200, 2, 2, 2), starting(2, 900, 3, 3, 3), starting(3, 5)]
    found = cell_stats(result(CELL, trials))

    assert found.cold_start_ms is not None
    assert found.cold_start_ms.value == pytest.approx(206)
    assert found.cold_start_ms.low is not None
    assert found.cold_start_ms.low < 206
    assert found.phase_ms[Phase.IMPORT] == pytest.approx(150)
    assert found.phase_ms[Phase.LOAD] == pytest.approx(2)


def test_failed_trials_give_memory_and_phases_but_no_speed() -> None:
    died = failed_trial(CELL, Status.OOM, Phase.LOAD, reason="out of memory in load")
    found = cell_stats(result(CELL, [died]))

    assert found.p50_ms is None
    assert found.throughput_per_s is None
    assert found.cpu_percent is None
    assert found.iterations is None
    assert found.rss_peak_bytes is not None
    assert set(found.phase_ms) == {Phase.IMPORT}
    assert (found.trials, found.ok_trials) == (1, 0)


def test_a_cell_that_never_ran_has_no_figure() -> None:
    found = cell_stats(result(CELL, trials=()))

    assert found.trials == 0
    assert found.limits_enforced is None
    assert found.image_digest is None
    assert found.framework_version is None
    assert found.cold_start_ms is None
    assert found.phase_ms == {}


def test_one_trial_without_its_limits_spoils_the_proof() -> None:
    trials = [trial(CELL, 0), trial(CELL, 1, limits_enforced=False)]

    assert cell_stats(result(CELL, trials)).limits_enforced is False


def test_a_trial_that_never_started_proves_and_disproves_nothing() -> None:
    lost = trial(CELL, 1, limits_enforced=False, records=())

    assert cell_stats(result(CELL, [trial(CELL), lost])).limits_enforced is True
    assert cell_stats(result(CELL, [lost])).limits_enforced is None


@pytest.mark.parametrize(("short_of_cap", "expected"), [(0, True), (4096, True), (8 * MIB, False)])
def test_a_cgroup_that_met_its_cap_is_known(short_of_cap: int, expected: bool) -> None:
    peak = CELL.memory_bytes - short_of_cap

    assert cell_stats(result(CELL, [steady([1000] * 5, cgroup_peak_bytes=peak)])).at_cap is expected


def test_a_peak_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 bytes"):
        cell_stats(result(CELL, [steady([1000] * 5, rss_peak_bytes=0)]))


def test_an_error_that_is_no_number_is_not_hidden_by_the_others() -> None:
    good = trial(CELL).model_copy(update={"records": (output_record(),)})
    bad = trial(CELL, 1).model_copy(update={"records": (output_record(max_abs_error=None),)})

    assert cell_stats(result(CELL, [good])).max_abs_error == pytest.approx(2.4e-7)
    assert cell_stats(result(CELL, [good, bad])).max_abs_error is None


def test_latencies_of_zero_are_no_figure() -> None:
    assert cell_stats(result(CELL, [steady([0, 0, 0])])).p50_ms is None


def test_samples_that_do_not_decode_are_an_error() -> None:
    broken = Samples(type="samples", phase=Phase.STEADY, clock="end_to_end", count=3, data="AAAA")

    with pytest.raises(ValueError, match="do not decode"):
        steady_latencies_ms(trial(CELL).model_copy(update={"records": (broken,)}))


def test_several_images_are_all_named() -> None:
    trials = [trial(CELL, 0, image_id="sha256:a"), trial(CELL, 1, image_id="sha256:b"), trial(CELL, 2)]
    trials[2] = trials[2].model_copy(update={"image_id": "sha256:a"})

    assert cell_stats(result(CELL, trials)).image_digest == "sha256:a sha256:b"


def test_cells_are_measured_in_their_order() -> None:
    cells = [result(cell(name)) for name in ("jax", "pytorch")]

    assert [each.result for each in measure(cells)] == cells
    assert all(each.ok for each in measure(cells))


def test_only_a_trials_own_records_are_read() -> None:
    """Records of other kinds and phases leave the figures alone."""
    noise = (end_record(), phase_end(Phase.WARMUP, 7, cpu_ns=999))
    alone = steady([1_000_000] * 5, cpu_ns=5_000_000)
    found = cell_stats(result(CELL, [alone.model_copy(update={"records": (*alone.records, *noise)})]))

    assert found.cpu_percent == pytest.approx(100)
    assert sum(1 for _ in alone.all(PhaseEnd)) == 1


def test_trials_beyond_the_planned_ones_widen_every_interval_of_latencies() -> None:
    """Stopping when an interval looks narrow costs coverage, and the percentiles stop with the medians."""
    trials = [steady([10_000 + 100 * index] * 700, index) for index in range(4)]
    planned, more = (cell_stats(result(CELL, trials, planned_trials=count)) for count in (4, 3))
    for name in ("p50_ms", "p90_ms", "p99_ms"):
        narrow, wide = (getattr(stats, name).half_width for stats in (planned, more))
        assert wide > 1.2 * narrow

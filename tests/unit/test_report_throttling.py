"""The throttling section: where there is one, and what it shows."""

from harness.report.aspects import aspects
from harness.report.aspects.common import Aspect
from harness.report.formats import TIMES, UNKNOWN
from harness.results import CellResult, CpuMode
from tests.factories import result, trial
from tests.sample_runs import noisy, one_cpu, slowed
from tests.unit.books import only, read


def throttling(*cells: CellResult) -> Aspect | None:
    found = {aspect.slug: aspect for aspect in aspects(*only(*cells))}
    return found.get("throttling")


def test_without_a_quota_there_is_no_such_section() -> None:
    cores = one_cpu("jax")
    assert throttling(result(cores, [trial(cores, index) for index in range(3)])) is None


def test_every_quota_has_a_chart_and_whole_cores_have_none() -> None:
    book, (workload,) = read(noisy())
    found = {aspect.slug: aspect for aspect in aspects(book, workload)}["throttling"]
    quotas = [group.title for group in workload.groups if group.limit.cpu_mode is CpuMode.QUOTA]
    assert [panel.title for panel in found.panels] == quotas
    assert [group.title for group in found.tables[0].groups] == quotas
    for panel, group in zip(found.panels, found.tables[0].groups, strict=True):
        drawn = [(row.name, row.figure) for row in panel.rows if not row.failed]
        assert drawn == [(row.framework, row.values[0]) for row in group.rows if row.values]
    assert [tick.label for tick in found.axis.ticks] == ["0", "20", "40", "60", "80", "100"]


def test_a_quota_is_held_against_as_many_whole_cores_round_by_round() -> None:
    cores, quota = one_cpu("jax"), one_cpu("jax", cpu_mode=CpuMode.QUOTA)
    slow = [slowed(trial(quota, index), trial(cores, index), 2.0, 1) for index in range(5)]
    beside = throttling(result(quota, slow), result(cores, [trial(cores, index) for index in range(5)]))
    alone = throttling(result(quota, slow))
    assert beside is not None
    assert alone is not None
    assert beside.tables[0].columns[-1].title == "against whole cores"
    assert beside.tables[0].groups[0].rows[0].values[-1].startswith(f"2.00{TIMES}\n[")
    assert alone.tables[0].groups[0].rows[0].values[-1] == UNKNOWN

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.host import LogicalCpu
from harness.results import Cell, CpuMode
from harness.schedule import choose_cpus, make_schedule, request_limits

GIB = 1024**3


def machine(sockets: int, cores: int, threads: int, *, gap: int = 0) -> list[LogicalCpu]:
    """An invented host: siblings numbered as Linux does, all first threads before all second ones."""
    return [
        LogicalCpu(
            cpu=(thread * sockets * cores + socket * cores + core) * (1 + gap),
            core=core,
            socket=socket,
            node=socket,
        )
        for thread in range(threads)
        for socket in range(sockets)
        for core in range(cores)
    ]


def cell(name: str = "jax", cpus: float = 1, memory: int = GIB) -> Cell:
    return Cell(framework=name, model="spam-fnn", cpus=cpus, memory_bytes=memory, batch=1)


MACHINES = st.builds(
    machine,
    st.integers(1, 4),
    st.integers(1, 8),
    st.integers(1, 2),
    gap=st.integers(0, 2),
)


@given(MACHINES, st.integers(1, 80))
def test_a_cpuset_has_the_size_that_was_asked_or_the_whole_host(host: list[LogicalCpu], count: int) -> None:
    chosen = choose_cpus(host, count)
    assert len(set(chosen)) == len(chosen) == min(count, len(host))
    assert set(chosen) <= {entry.cpu for entry in host}


@given(MACHINES, st.integers(1, 80))
def test_siblings_are_used_only_where_there_are_too_few_cores(host: list[LogicalCpu], count: int) -> None:
    cores = {entry.cpu: (entry.socket, entry.core) for entry in host}
    used = Counter(cores[cpu] for cpu in choose_cpus(host, count))
    if count <= len(set(cores.values())):
        assert set(used.values()) == {1}


@given(MACHINES, st.integers(1, 8))
def test_a_cell_that_fits_one_memory_node_stays_in_it(host: list[LogicalCpu], count: int) -> None:
    nodes = {entry.cpu: entry.node for entry in host}
    cores_per_node = Counter(node for node, _ in {(entry.node, (entry.socket, entry.core)) for entry in host})
    if count <= min(cores_per_node.values()):
        assert len({nodes[cpu] for cpu in choose_cpus(host, count)}) == 1


@given(MACHINES, st.integers(1, 80))
def test_the_first_core_is_used_last(host: list[LogicalCpu], count: int) -> None:
    cores = len({(entry.socket, entry.core) for entry in host})
    if count < cores and count <= cores - 1:
        per_node = Counter(node for node, _ in {(entry.node, (entry.socket, entry.core)) for entry in host})
        fits_elsewhere = count <= max(per_node.values()) - (len(per_node) == 1)
        if fits_elsewhere:
            assert min(entry.cpu for entry in host) not in choose_cpus(host, count)


def test_two_cores_without_siblings() -> None:
    host = machine(1, 2, 1)
    assert choose_cpus(host, 1) == (1,)
    assert choose_cpus(host, 2) == (0, 1)


def test_one_core_with_two_siblings_is_labelled_so() -> None:
    requested = request_limits(cell(cpus=2), topology=machine(1, 1, 2), memory_bytes=8 * GIB)
    assert (requested.cpuset, requested.smt, requested.uses_all_cores) == ((0, 1), True, True)


def test_a_fraction_of_a_cpu_is_a_quota_without_a_cpuset() -> None:
    requested = request_limits(cell(cpus=0.5), topology=machine(1, 2, 1), memory_bytes=8 * GIB)
    assert (requested.cpu_mode, requested.cpuset, requested.quota_cpus) == (CpuMode.QUOTA, None, 0.5)


@pytest.mark.parametrize(
    ("cpus", "memory", "over"), [(2, 8 * GIB, False), (3, GIB, True), (1, 9 * GIB, True)]
)
def test_a_cell_larger_than_the_host_is_marked(cpus: int, memory: int, over: bool) -> None:
    requested = request_limits(
        cell(cpus=cpus, memory=memory), topology=machine(1, 2, 1), memory_bytes=8 * GIB
    )
    assert requested.over_host is over


@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 10))
def test_every_cell_stands_once_in_every_round(cells: int, trials: int, seed: int) -> None:
    schedule = make_schedule(
        [cell(f"f{number}") for number in range(cells)],
        trials=trials,
        seed=seed,
        topology=machine(1, 2, 1),
        memory_bytes=8 * GIB,
    )

    assert [trial.order for trial in schedule] == list(range(cells * trials))
    for index in range(trials):
        in_round = schedule[index * cells : (index + 1) * cells]
        assert {trial.index for trial in in_round} == {index}
        assert len({trial.cell for trial in in_round}) == cells


@given(st.integers(0, 50))
def test_each_cell_stands_once_in_every_third_of_three_rounds(seed: int) -> None:
    cells = 21
    schedule = make_schedule(
        [cell(f"f{number}") for number in range(cells)],
        trials=3,
        seed=seed,
        topology=machine(1, 2, 1),
        memory_bytes=8 * GIB,
    )

    thirds = Counter((trial.cell.framework, trial.order % cells * 3 // cells) for trial in schedule)

    assert set(thirds.values()) == {1}


def test_the_seed_alone_decides_the_order() -> None:
    cells = [cell(f"f{number}") for number in range(20)]
    first, again, other = (
        make_schedule(cells, trials=3, seed=seed, topology=machine(1, 2, 1), memory_bytes=GIB)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other

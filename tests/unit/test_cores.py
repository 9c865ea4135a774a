from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cores import choose_cpus, cores_by_preference, excess_of_kind, request_limits
from harness.host import LogicalCpu
from harness.results import Cell, CpuMode

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


def test_a_cell_on_several_memory_nodes_is_told_whose_memory_it_may_use() -> None:
    host = machine(2, 4, 2)
    one = request_limits(cell(cpus=2), topology=host, memory_bytes=8 * GIB)
    both = request_limits(cell(cpus=6), topology=host, memory_bytes=8 * GIB)
    assert (one.memory_nodes, both.memory_nodes) == ((1,), (0, 1))


def test_a_host_with_one_memory_node_needs_no_word_about_it() -> None:
    assert request_limits(cell(), topology=machine(1, 4, 1), memory_bytes=8 * GIB).memory_nodes is None


def without_memory(host: list[LogicalCpu], *nodes: int) -> list[LogicalCpu]:
    """The host with nothing plugged into the channels of these nodes."""
    return [entry.model_copy(update={"has_memory": entry.node not in nodes}) for entry in host]


def test_a_node_without_memory_is_not_asked_for_any() -> None:
    host = without_memory(machine(2, 4, 1), 1)
    requested = request_limits(cell(cpus=6), topology=host, memory_bytes=8 * GIB)
    assert (requested.cpuset, requested.memory_nodes) == ((1, 2, 3, 4, 5, 6), (0,))


def test_a_cell_that_fits_only_a_node_without_memory_may_use_that_of_all_nodes() -> None:
    host = [entry for entry in without_memory(machine(2, 4, 1), 1) if entry.cpu not in {2, 3}]
    requested = request_limits(cell(cpus=4), topology=host, memory_bytes=8 * GIB)
    assert (requested.cpuset, requested.memory_nodes) == ((4, 5, 6, 7), None)


def test_cores_of_nodes_without_memory_come_last_but_for_the_host_s_own() -> None:
    host = without_memory(machine(3, 2, 1), 1)
    assert cores_by_preference(host) == [(4,), (5,), (1,), (2,), (3,), (0,)]
    assert choose_cpus(without_memory(machine(2, 2, 1), 1), 1) == (1,)


def test_a_first_node_without_memory_stays_the_last() -> None:
    assert cores_by_preference(without_memory(machine(2, 2, 1), 0)) == [(2,), (3,), (1,), (0,)]


@given(MACHINES, st.integers(1, 80))
def test_a_core_in_use_leaves_its_siblings_idle_while_others_are_free(
    host: list[LogicalCpu], count: int
) -> None:
    requested = request_limits(cell(cpus=count), topology=host, memory_bytes=8 * GIB)
    cores = len({(entry.socket, entry.core) for entry in host})
    assert requested.smt == (min(count, len(host)) > cores)


def hybrid(large: int, small: int) -> list[LogicalCpu]:
    """Large cores with two siblings each, then small ones with one, as hybrid x86 numbers them."""
    first = [
        LogicalCpu(cpu=number, core=number // 2, socket=0, node=0, kind="performance")
        for number in range(2 * large)
    ]
    return first + [
        LogicalCpu(cpu=2 * large + number, core=large + number, socket=0, node=0, kind="efficiency")
        for number in range(small)
    ]


def test_on_a_hybrid_host_a_cell_gets_large_cores_only_and_says_so() -> None:
    requested = request_limits(cell(cpus=3), topology=hybrid(4, 8), memory_bytes=8 * GIB)
    assert (requested.cpuset, requested.core_kind) == ((2, 4, 6), "performance")


def test_on_big_little_the_largest_capacity_is_the_large_kind() -> None:
    host = [
        LogicalCpu(cpu=number, core=number, socket=0, node=0, kind=f"capacity {200 if number < 4 else 1024}")
        for number in range(8)
    ]
    requested = request_limits(cell(cpus=2), topology=host, memory_bytes=8 * GIB)
    assert (requested.cpuset, requested.core_kind) == ((5, 6), "capacity 1024")


def test_a_cell_that_would_mix_kinds_of_cores_is_refused_with_both_figures() -> None:
    reason = excess_of_kind(cell(cpus=9), hybrid(4, 8))
    assert reason is not None
    assert "9 cores" in reason
    assert "8 of kind 'performance'" in reason
    assert excess_of_kind(cell(cpus=8), hybrid(4, 8)) is None
    assert excess_of_kind(cell(cpus=9), machine(1, 16, 1)) is None


def test_a_cell_on_cores_of_several_kinds_is_labelled_as_mixed() -> None:
    requested = request_limits(cell(cpus=6), topology=hybrid(2, 8), memory_bytes=8 * GIB)
    assert (len(requested.cpuset or ()), requested.core_kind) == (6, "mixed")


def test_a_quota_on_a_hybrid_host_is_labelled_as_mixed() -> None:
    requested = request_limits(cell(cpus=0.5), topology=hybrid(4, 8), memory_bytes=8 * GIB)
    assert requested.core_kind == "mixed"


def test_a_core_of_which_only_some_siblings_are_allowed_is_used_after_whole_ones() -> None:
    host = machine(1, 4, 1)
    allowed = [entry.model_copy(update={"whole_core": entry.core != 1}) for entry in host]
    assert choose_cpus(allowed, 2) == (2, 3)
    assert choose_cpus(allowed, 3) == (1, 2, 3)

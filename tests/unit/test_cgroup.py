from pathlib import Path

import pytest
from runner.cgroup import UNLIMITED, CgroupV1, CgroupV2, open_cgroup

V1 = {
    "cpu/cpu.cfs_quota_us": "50000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "cpu/cpu.stat": "nr_periods 7\nnr_throttled 3\nthrottled_time 1234567\nwait_sum 9\n",
    "cpuacct/cpuacct.usage": "987654321\n",
    "memory/memory.limit_in_bytes": "536870912\n",
    "memory/memory.memsw.limit_in_bytes": "536870912\n",
    "memory/memory.max_usage_in_bytes": "104857600\n",
    "memory/memory.stat": (
        "cache 5\nrss 6\nhierarchical_memory_limit 536870912\nhierarchical_memsw_limit 536870912\n"
        "total_cache 4096\ntotal_rss 8192\ntotal_mapped_file 2048\n"
    ),
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "pids/pids.max": "256\n",
}
V2 = {
    "cgroup.controllers": "cpuset cpu io memory pids\n",
    "cpu.max": "50000 100000\n",
    "cpu.stat": (
        "usage_usec 987654\nuser_usec 900000\nsystem_usec 87654\n"
        "nr_periods 7\nnr_throttled 3\nthrottled_usec 1234\n"
    ),
    "memory.max": "536870912\n",
    "memory.swap.max": "0\n",
    "memory.peak": "104857600\n",
    "memory.stat": "anon 8192\nfile 4096\nkernel 1\nfile_mapped 2048\n",
    "memory.events": "low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\noom_group_kill 0\n",
    "pids.max": "256\n",
}


def plant(root: Path, tree: dict[str, str], *, without: str = "") -> str:
    for name, text in tree.items():
        if name != without:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return str(root)


def test_version_1_is_read_in_bytes_and_nanoseconds(tmp_path: Path) -> None:
    cgroup = open_cgroup(plant(tmp_path, V1))

    assert isinstance(cgroup, CgroupV1)
    assert cgroup.limits() == {
        "quota_cpus": 0.5,
        "memory_bytes": 536870912,
        "swap_bytes": 0,
        "pids_max": 256,
    }
    assert cgroup.cpu() == {
        "cpu_ns": 987654321,
        "periods": 7,
        "throttled_periods": 3,
        "throttled_ns": 1234567,
    }
    assert cgroup.memory() == {
        "cgroup_anon_bytes": 8192,
        "cgroup_file_bytes": 4096,
        "cgroup_mapped_bytes": 2048,
        "cgroup_peak_bytes": 104857600,
    }
    assert cgroup.oom_kills() == 1


def test_version_2_is_read_in_bytes_and_nanoseconds(tmp_path: Path) -> None:
    cgroup = open_cgroup(plant(tmp_path, V2))

    assert isinstance(cgroup, CgroupV2)
    assert cgroup.limits() == {
        "quota_cpus": 0.5,
        "memory_bytes": 536870912,
        "swap_bytes": 0,
        "pids_max": 256,
    }
    assert cgroup.cpu() == {
        "cpu_ns": 987654000,
        "periods": 7,
        "throttled_periods": 3,
        "throttled_ns": 1234000,
    }
    assert cgroup.memory() == {
        "cgroup_anon_bytes": 8192,
        "cgroup_file_bytes": 4096,
        "cgroup_mapped_bytes": 2048,
        "cgroup_peak_bytes": 104857600,
    }
    assert cgroup.oom_kills() == 1


def test_no_limit_is_told_apart_from_no_figure_in_both_versions(tmp_path: Path) -> None:
    free_v1 = V1 | {
        "cpu/cpu.cfs_quota_us": "-1\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/memory.memsw.limit_in_bytes": "9223372036854771712\n",
        "memory/memory.stat": "hierarchical_memory_limit 9223372036854771712\n",
        "pids/pids.max": "max\n",
    }
    free_v2 = V2 | {
        "cpu.max": "max 100000\n",
        "memory.max": "max\n",
        "memory.swap.max": "max\n",
        "pids.max": "max\n",
    }
    nothing = {"quota_cpus": None, "memory_bytes": None, "swap_bytes": UNLIMITED, "pids_max": None}

    assert open_cgroup(plant(tmp_path / "1", free_v1)).limits() == nothing
    assert open_cgroup(plant(tmp_path / "2", free_v2)).limits() == nothing


def test_a_smaller_limit_of_an_ancestor_is_the_one_in_effect(tmp_path: Path) -> None:
    stat = V1["memory/memory.stat"].replace(
        "hierarchical_memory_limit 536870912", "hierarchical_memory_limit 99"
    )
    assert open_cgroup(plant(tmp_path, V1 | {"memory/memory.stat": stat})).limits()["memory_bytes"] == 99


def test_swap_that_is_not_accounted_is_unknown(tmp_path: Path) -> None:
    v1 = plant(tmp_path / "1", V1, without="memory/memory.memsw.limit_in_bytes")
    v2 = plant(tmp_path / "2", V2, without="memory.swap.max")
    assert [open_cgroup(root).limits()["swap_bytes"] for root in (v1, v2)] == [None, None]


def test_a_kernel_without_a_peak_gives_none_and_never_zero(tmp_path: Path) -> None:
    old = open_cgroup(plant(tmp_path / "2", V2, without="memory.peak"))
    bare = open_cgroup(plant(tmp_path / "1", V1, without="memory/memory.max_usage_in_bytes"))

    assert old.memory()["cgroup_peak_bytes"] is None
    assert bare.memory()["cgroup_peak_bytes"] is None


@pytest.mark.parametrize("version", [V1, V2])
def test_each_missing_file_leaves_only_its_own_figures_out(tmp_path: Path, version: dict[str, str]) -> None:
    for number, gone in enumerate(name for name in version if name != "cgroup.controllers"):
        cgroup = open_cgroup(plant(tmp_path / str(number), version, without=gone))
        figures = cgroup.limits() | cgroup.cpu() | cgroup.memory() | {"oom_kills": cgroup.oom_kills()}
        lost = {name for name, value in figures.items() if value is None}
        assert lost
        assert len(lost) <= 4
        assert 0 not in {value for name, value in figures.items() if name != "swap_bytes"}

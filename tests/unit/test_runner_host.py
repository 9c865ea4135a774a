"""What the runner reads of its host, its cgroup, its threads and its files, on recorded and invented trees."""

import io
import json
import os
from pathlib import Path

import pytest
from runner import page_cache, probe
from runner.cgroup import CgroupV2, missing
from runner.conditions import TICK_NS, conditions
from runner.growth import Growth
from runner.reference import main, repeat
from runner.threads import run_times, threads_record
from runner.warmup import warm_up

from harness.cores import cores_by_preference
from harness.host import LogicalCpu
from harness.records import parse_record
from tests.unit.test_reference import Answering, measured_by

STAT = "cpu  9 9 9 9\ncpu0 10 1 5 100 7 2 3 4 0 0\ncpu1 20 0 5 100 7 0 0 6 0 0\nprocs_running 3\n"
PSI = "some avg10=0.00 avg60=0.00 avg300=0.00 total={}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"


def plant(root: Path, tree: dict[str, str]) -> str:
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


@pytest.fixture
def two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


@pytest.mark.usefixtures("two_cpus")
def test_conditions_are_read_over_the_cells_own_cpus(tmp_path: Path) -> None:
    proc = plant(
        tmp_path / "proc",
        {
            "stat": STAT,
            "loadavg": "0.50 0.40 0.30 2/300 77\n",
            "vmstat": "pswpin 4\npswpout 5\n",
            **{
                f"pressure/{name}": PSI.format(number)
                for number, name in enumerate(("cpu", "memory", "io"), 1)
            },
        },
    )
    cpus = plant(
        tmp_path / "cpu",
        {
            f"cpu{number}/{name}": f"{value}\n"
            for number in (0, 1)
            for name, value in (
                ("cpufreq/scaling_cur_freq", 2000 + number),
                ("thermal_throttle/core_throttle_count", 3),
            )
        },
    )
    found = conditions("before", proc, cpus)
    assert (found["busy_ns"], found["steal_ns"]) == ((21 + 25) * TICK_NS, 10 * TICK_NS)
    assert (found["runnable"], found["load"], found["swapped_pages"]) == (3, 0.5, 9)
    assert (found["cpu_pressure_ns"], found["memory_pressure_ns"], found["io_pressure_ns"]) == (
        1000,
        2000,
        3000,
    )
    assert (found["frequency_khz"], found["throttle_events"]) == (2000, 6)


@pytest.mark.usefixtures("two_cpus")
def test_what_a_host_does_not_show_is_none_and_never_zero(tmp_path: Path) -> None:
    found = conditions("before", str(tmp_path), str(tmp_path))
    del found["type"], found["moment"], found["at_ns"]
    assert set(found.values()) == {None}


@pytest.mark.usefixtures("two_cpus")
@pytest.mark.parametrize(
    ("tree", "known"),
    [
        ({"stat": STAT}, {"busy_ns", "steal_ns", "runnable"}),
        ({"stat": STAT.replace("procs_running 3\n", "")}, {"busy_ns", "steal_ns"}),
        ({"loadavg": "0.00 0.00 0.00 1/1 1\n"}, {"load"}),
        ({"pressure/memory": PSI.format(0)}, {"memory_pressure_ns"}),
        ({"vmstat": "pswpin 0\npswpout 0\n"}, {"swapped_pages"}),
        ({"vmstat": "pswpin 4\n"}, set()),
        ({"loadavg": "", "vmstat": "", "stat": "", "pressure/cpu": ""}, set()),
    ],
)
def test_each_file_of_the_kernel_gives_its_own_figures_and_no_others(
    tmp_path: Path, tree: dict[str, str], known: set[str]
) -> None:
    found = conditions("after", plant(tmp_path, tree), str(tmp_path))
    assert {key for key, value in found.items() if value is not None} == known | {"type", "moment", "at_ns"}


@pytest.mark.usefixtures("two_cpus")
def test_a_counter_that_is_zero_is_told_as_zero(tmp_path: Path) -> None:
    plant(tmp_path, {"vmstat": "pswpin 0\npswpout 0\n", "loadavg": "0.00 0.00 0.00 1/1 1\n"})
    plant(tmp_path, {"pressure/io": PSI.format(0), "stat": "cpu0 0 0 0 9 9 0 0 0 0 0\nprocs_running 0\n"})
    plant(tmp_path, {f"cpu{number}/thermal_throttle/core_throttle_count": "0\n" for number in (0, 1)})
    found = conditions("after", str(tmp_path), str(tmp_path))
    keys = ("busy_ns", "steal_ns", "runnable", "load", "io_pressure_ns", "swapped_pages", "throttle_events")
    assert [found[key] for key in keys] == [0] * len(keys)


@pytest.mark.usefixtures("two_cpus")
def test_what_the_runner_reads_is_a_record(tmp_path: Path) -> None:
    read = [conditions("before", str(tmp_path), str(tmp_path)), threads_record(None, None), Growth().record()]
    read += [threads_record({"1": 5}, {"1": 9}), warm_up(lambda _: None, [0], seconds=0)[1]]
    for record in read:
        assert parse_record(json.dumps(record).encode()).model_dump(mode="json") == record


def test_missing_files_of_a_cgroup_are_named(tmp_path: Path) -> None:
    root = plant(tmp_path, dict.fromkeys(CgroupV2.files, "0\n"))
    assert missing(CgroupV2(root)) == []
    (tmp_path / "memory.peak").unlink()
    assert missing(CgroupV2(root)) == ["memory.peak"]


def test_threads_are_told_by_their_run_time_the_busiest_first(tmp_path: Path) -> None:
    before = run_times(plant(tmp_path / "a", {"1/schedstat": "100 0 1\n", "2/schedstat": "50 0 1\n"}))
    later = {"1/schedstat": "400 0 1\n", "2/schedstat": "950 0 1\n", "3/schedstat": "7 0 1\n"}
    after = run_times(plant(tmp_path / "b", later))
    assert threads_record(before, after) == {"type": "threads", "total": 3, "busy_ns": [900, 300, 7]}


MANY = 1040
"""More threads than are named."""


def test_a_thread_that_ended_in_between_is_not_seen_and_of_many_the_busiest_are_named() -> None:
    before = {str(thread): 10 for thread in range(MANY - 10)}
    after = {str(thread): 10 + thread for thread in range(5, MANY)}
    record = threads_record(before, after)
    assert record["total"] == MANY - 5
    busy = record["busy_ns"]
    assert isinstance(busy, list)
    assert len(busy) == 1024
    assert busy == sorted(busy, reverse=True)
    assert busy[0] == 10 + MANY - 1  # it is new, and all of its time is of this phase


def test_a_kernel_without_run_times_gives_none(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    assert run_times(str(tmp_path)) is None
    plant(tmp_path, {"1/schedstat": "0 0 0\n", "2/schedstat": "0 0 0\n"})  # compiled without its accounting
    assert run_times(str(tmp_path)) is None
    assert threads_record(None, None) == {"type": "threads", "total": None, "busy_ns": None}


def test_everything_of_the_model_leaves_the_page_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, dict.fromkeys(("model/model.onnx", "native/deep/model.bin", "data/inputs.npz"), "x"))
    (tmp_path / "large_files.txt").write_text("/opt/lib.so\n")
    walk = os.walk
    monkeypatch.setattr("runner.page_cache.os.walk", lambda folder: walk(f"{tmp_path}{folder}"))
    monkeypatch.setattr("runner.page_cache.LARGE_FILES", str(tmp_path / "large_files.txt"))
    found = page_cache.measured_files()
    assert found == ["/opt/lib.so", f"{tmp_path}/model/model.onnx", f"{tmp_path}/native/deep/model.bin"]


def test_what_the_reference_prints_is_what_the_harness_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # it sets the variable: this puts it back
    monkeypatch.setattr("runner.reference.SIDE", 8)
    monkeypatch.setattr("runner.reference.COPY_BYTES", 4096)
    monkeypatch.setattr("sys.stdin", io.StringIO('{"threads": 2, "seconds": 0}\n'))
    main()
    engine = Answering(capsys.readouterr().out.encode())
    found = measured_by(engine)
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"
    assert found is not None
    assert (found.multiply_adds, found.copy_bytes) == (8**3, 4096)
    assert all(len(times) == 1 for times in (found.matmul_ns, found.copy_ns, found.loop_ns))


def test_a_piece_of_work_is_repeated_at_least_once() -> None:
    done: list[int] = []
    times = repeat(lambda: done.append(1), seconds=0)
    assert len(times) >= 1
    assert len(done) == len(times) + 2  # it is warmed up first


@pytest.fixture
def sys_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(probe, "CPUS", str(tmp_path / "cpu"))
    monkeypatch.setattr(probe, "DEVICES", str(tmp_path))
    monkeypatch.setattr(probe, "NODES", str(tmp_path / "node"))
    return tmp_path


def test_a_uniform_host_has_no_kinds(sys_tree: Path) -> None:
    plant(sys_tree, {f"cpu/cpu{number}/cpu_capacity": "1024\n" for number in range(4)})
    assert probe.core_kinds([0, 1, 2, 3]) == dict.fromkeys(range(4), "")


def test_hybrid_x86_is_told_by_its_two_devices(sys_tree: Path) -> None:
    plant(sys_tree, {"cpu_core/cpus": "0-1\n", "cpu_atom/cpus": "2-3\n"})
    assert probe.core_kinds([0, 1, 2, 3]) == {
        0: "performance",
        1: "performance",
        2: "efficiency",
        3: "efficiency",
    }
    assert probe.core_kinds([2, 3]) == {2: "", 3: ""}  # all that may be used are alike


def test_big_little_is_told_by_capacity(sys_tree: Path) -> None:
    plant(sys_tree, {f"cpu/cpu{number}/cpu_capacity": f"{size}\n" for number, size in enumerate((400, 1024))})
    assert probe.core_kinds([0, 1]) == {0: "capacity 400", 1: "capacity 1024"}


@pytest.mark.parametrize(
    ("tree", "kinds"),
    [
        ({}, ["", ""]),
        ({"cpu/cpu0/cpu_capacity": "1024\n"}, ["capacity 1024", "capacity 0"]),
        ({"cpu_core/cpus": "0-1\n", "cpu_atom/cpus": "\n"}, ["", ""]),
        ({"cpu_core/cpus": "0\n", "cpu_atom/cpus": "1\n"}, ["performance", "efficiency"]),
    ],
)
def test_kinds_are_told_only_where_they_differ(
    sys_tree: Path, tree: dict[str, str], kinds: list[str]
) -> None:
    plant(sys_tree, tree)
    assert list(probe.core_kinds([0, 1]).values()) == kinds


def test_an_invented_hybrid_host_is_read_whole(sys_tree: Path) -> None:
    """One large core with two threads on node 0, two small ones on node 1."""
    cores = {0: "0-1", 1: "0-1", 2: "2", 3: "3"}
    plant(sys_tree, {"cpu_core/cpus": "0-1\n", "cpu_atom/cpus": "2-3\n"})
    plant(sys_tree, {"node/node0/cpulist": "0-1\n", "node/node1/cpulist": "2-3\n", "node/possible": "0-1\n"})
    for cpu, siblings in cores.items():
        names = {"physical_package_id": 0, "thread_siblings_list": siblings}
        plant(sys_tree, {f"cpu/cpu{cpu}/topology/{name}": f"{value}\n" for name, value in names.items()})
    found = [tuple(entry.values()) for entry in probe.topology([0, 1, 2, 3])]
    assert found == [
        (0, 0, 0, 0, "performance", True, True), (1, 0, 0, 0, "performance", True, True),
        (2, 2, 0, 1, "efficiency", True, True), (3, 3, 0, 1, "efficiency", True, True),
    ]  # fmt: skip
    assert [LogicalCpu.model_validate(entry).cpu for entry in probe.topology([0, 1, 2, 3])] == [0, 1, 2, 3]


def test_cores_of_two_clusters_with_the_same_numbers_are_cores_of_their_own(sys_tree: Path) -> None:
    """A board with a device tree: Linux begins again at core 0 in each cluster, all of them in package 0."""
    for cpu in range(4):
        names = {"core_id": cpu % 2, "physical_package_id": 0, "thread_siblings_list": cpu}
        plant(sys_tree, {f"cpu/cpu{cpu}/topology/{name}": f"{value}\n" for name, value in names.items()})
    host = [LogicalCpu.model_validate(entry) for entry in probe.topology([0, 1, 2, 3])]
    assert cores_by_preference(host) == [(1,), (2,), (3,), (0,)]


def test_a_host_that_tells_nothing_of_its_cores_has_one_for_each_cpu(sys_tree: Path) -> None:
    plant(sys_tree, {"cpu/cpu1/topology/core_id": "-1\n", "cpu/cpu1/topology/physical_package_id": "-1\n"})
    assert [tuple(entry.values()) for entry in probe.topology([0, 1])] == [
        (0, 0, 0, 0, "", True, True),
        (1, 1, 0, 0, "", True, True),
    ]


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"node/has_memory": "0,2-3\n"}, [True, False, True]),
        ({"node/has_memory": "1\n"}, [False, True, False]),
        ({}, [True, True, True]),  # an old kernel
    ],
)
def test_nodes_without_memory_are_told(sys_tree: Path, tree: dict[str, str], found: list[bool]) -> None:
    plant(sys_tree, {f"node/node{number}/cpulist": f"{number}\n" for number in range(3)} | tree)
    assert [entry["has_memory"] for entry in probe.topology([0, 1, 2])] == found


def test_a_core_of_which_a_sibling_is_not_allowed_is_not_whole(sys_tree: Path) -> None:
    tree = {
        f"cpu/cpu{number}/topology/thread_siblings_list": siblings
        for number, siblings in ((0, "0,2"), (1, "1,3"))
    }
    plant(sys_tree, tree)
    found = {entry["cpu"]: entry["whole_core"] for entry in probe.topology([0, 1, 2])}
    assert (found[0], found[1]) == (True, False)

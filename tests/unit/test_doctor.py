import pytest

from harness.doctor.checks import Check, Verdict
from harness.doctor.engine import (
    Proof,
    check_cgroup,
    check_engine,
    check_limits,
    check_quota,
    check_swap,
    check_trouble,
)
from harness.doctor.examine import MACHINE, places_of
from harness.doctor.machine import check_cores, check_disk, check_kinds, check_machine, check_memory
from harness.doctor.quiet import (
    check_heat,
    check_load,
    check_neighbours,
    check_pressure,
    check_steal,
)
from harness.errors import BuildError, BusyError, EngineError
from harness.host import LogicalCpu
from harness.records import UNLIMITED
from harness.results import CpuMode
from tests.unit.invented_hosts import GIB, INFO, PLAIN, SECOND, conditions, host
from tests.unit.trials import LIMITS, REQUESTED

START = conditions()


def proof(**changes: object) -> Proof:
    return Proof(requested=REQUESTED, limits=LIMITS.model_copy(update=changes), trouble="")


def judged(**changes: object) -> dict[str, Check]:
    """All checks of a machine, by name."""
    return {check.name: check for check in (judge(host(**changes)) for judge in MACHINE)}


def test_a_good_machine_is_good_in_everything_and_needs_no_cure() -> None:
    checks = judged()
    assert {check.verdict for check in checks.values()} == {Verdict.GOOD}
    assert not any(check.cure for check in checks.values())


@pytest.mark.parametrize(
    ("changes", "name", "verdict"),
    [
        ({"governor": "powersave"}, "governor", Verdict.POOR),
        ({"governor": "schedutil"}, "governor", Verdict.NOTE),
        ({"governor": None}, "governor", Verdict.NOTE),
        ({"turbo": True}, "turbo", Verdict.NOTE),
        ({"turbo": None}, "turbo", Verdict.NOTE),
        ({"clock_source": "hpet"}, "clock", Verdict.POOR),
        ({"clock_source": "arch_sys_counter"}, "clock", Verdict.GOOD),
        ({"clock_source": None}, "clock", Verdict.NOTE),
        ({"available_bytes": GIB}, "memory", Verdict.POOR),
        ({"available_bytes": 6 * GIB}, "memory", Verdict.NOTE),
        ({"available_bytes": None}, "memory", Verdict.NOTE),
        ({"disk_free_bytes": GIB}, "disk", Verdict.POOR),
        ({"disk_free_bytes": 5 * GIB}, "disk", Verdict.NOTE),
        ({"cpu_flags": ("hypervisor",)}, "machine", Verdict.NOTE),
        ({"topology": PLAIN[:2]}, "cores", Verdict.NOTE),
        ({"topology": PLAIN[:1]}, "cores", Verdict.POOR),
    ],
)
def test_what_is_wrong_with_a_machine_is_told(
    changes: dict[str, object], name: str, verdict: Verdict
) -> None:
    checks = judged(**changes)
    assert checks[name].verdict is verdict


def test_what_can_be_cured_has_a_cure() -> None:
    assert "performance" in judged(governor="powersave")["governor"].cure
    assert "docker system df" in check_disk(host(disk_free_bytes=GIB)).cure
    assert check_memory(host(available_bytes=GIB)).cure
    assert check_machine(host(cpu_flags=("hypervisor",))).cure


def test_which_cpus_a_cell_gets_is_told() -> None:
    assert check_cores(host()).found == (
        "4 physical cores; 4 logical CPUs; a 1-core cell gets CPU 1; a 2-core cell gets CPU 1, 2"
    )
    assert "a 2-core cell gets CPU 0, 1 (every core)" in check_cores(host(topology=PLAIN[:2])).found
    one_core = [LogicalCpu(cpu=cpu, core=0, socket=0, node=0) for cpu in (0, 1)]
    assert (
        "a 2-core cell gets CPU 0, 1 (every core and siblings)" in check_cores(host(topology=one_core)).found
    )


def test_siblings_and_memory_nodes_are_told() -> None:
    topology = [LogicalCpu(cpu=cpu, core=cpu % 4, socket=cpu % 4 // 2, node=cpu % 4 // 2) for cpu in range(8)]
    checks = judged(topology=topology)
    assert checks["cores"].found.startswith("4 physical cores; 8 logical CPUs")
    assert "leave them idle" in checks["siblings"].found
    assert checks["memory nodes"].found == "2; a cell of up to 2 cores stays within one"


def test_a_part_of_a_core_is_a_note() -> None:
    topology = [*PLAIN[:3], LogicalCpu(cpu=3, core=3, socket=0, node=0, whole_core=False)]
    assert check_cores(host(topology=topology)).verdict is Verdict.NOTE


def test_a_hybrid_processor_is_a_note_and_only_its_large_cores_are_probed() -> None:
    kinds = ("performance", "performance", "efficiency", "efficiency")
    topology = [entry.model_copy(update={"kind": kind}) for entry, kind in zip(PLAIN, kinds, strict=True)]
    facts = host(topology=topology)
    assert check_kinds(facts).verdict is Verdict.NOTE
    assert "2 CPUs of kind 'performance', 2 CPUs of kind 'efficiency'" in check_kinds(facts).found
    assert {cell: limits.cpuset for cell, limits in places_of(facts).items()} == {
        "1 core": (1,),
        "all 2 cores": (0, 1),
    }


def test_a_machine_of_one_core_is_probed_once() -> None:
    assert list(places_of(host(topology=PLAIN[:1]))) == ["1 core"]


def test_an_engine_is_told_without_the_name_of_its_host() -> None:
    found = check_engine(INFO, "DOCKER_HOST").found
    assert found.startswith("Docker 27.3.1 on Debian GNU/Linux 13, x86_64, 4 CPUs, 16 GiB, storage overlay2")
    assert "a-host-name" not in found
    assert "rootless" in check_engine({**INFO, "SecurityOptions": ["name=rootless"]}, "DOCKER_HOST").found


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("docker context 'colima'", "the docker context 'colima'"),
        ("docker context 'alices-board'", "a docker context"),
        ("well-known socket", "a well-known socket"),
    ],
)
def test_only_contexts_that_everybody_has_are_named(origin: str, told: str) -> None:
    assert check_engine(INFO, origin).found.endswith(f"from {told}")


def test_version_1_of_cgroups_is_a_note() -> None:
    assert check_cgroup(INFO).verdict is Verdict.GOOD
    assert check_cgroup({"CgroupVersion": "1"}).verdict is Verdict.NOTE
    assert "unknown" in check_cgroup({}).found


def test_limits_that_hold_are_good() -> None:
    assert check_limits(proof()).verdict is Verdict.GOOD


@pytest.mark.parametrize(
    "changes", [{"cpuset": (0, 1)}, {"memory_bytes": None}, {"swap_bytes": UNLIMITED}, {"quota_cpus": 0.5}]
)
def test_limits_that_do_not_hold_make_measuring_impossible(changes: dict[str, object]) -> None:
    check = check_limits(proof(**changes))
    assert check.verdict is Verdict.BAD
    assert "controllers" in check.cure


def test_limits_that_the_engine_refuses_are_told_in_its_words() -> None:
    check = check_limits(Proof(requested=REQUESTED, limits=None, trouble="no cpuset here"))
    assert check.verdict is Verdict.BAD
    assert check.found.endswith("the limits in effect were never reported (no cpuset here)")


def test_a_quota_is_needed_by_some_cells_only() -> None:
    requested = REQUESTED.model_copy(update={"cpu_mode": CpuMode.QUOTA, "quota_cpus": 0.5, "cpuset": None})
    held = LIMITS.model_copy(update={"quota_cpus": 0.5})
    assert check_quota(Proof(requested=requested, limits=held, trouble="")).verdict is Verdict.GOOD
    assert check_quota(Proof(requested=requested, limits=LIMITS, trouble="")).verdict is Verdict.POOR


def test_swap_is_a_note_and_poor_where_no_cap_covers_it() -> None:
    unaccounted = LIMITS.model_copy(update={"cgroup_version": 1, "swap_bytes": None})
    assert check_swap(0, unaccounted).verdict is Verdict.GOOD
    assert check_swap(2 * GIB, LIMITS).verdict is Verdict.NOTE
    assert check_swap(2 * GIB, unaccounted).verdict is Verdict.POOR
    assert check_swap(None, LIMITS).verdict is Verdict.NOTE


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (EngineError("No engine answers.", fix="start it"), "engine"),
        (BusyError("alice@board measures"), "quiet"),
        (BuildError("no wheel", why="no index"), "images"),
    ],
)
def test_trouble_makes_measuring_impossible_and_has_a_cure(error: EngineError, name: str) -> None:
    check = check_trouble(error)
    assert (check.name, check.verdict) == (name, Verdict.BAD)
    assert check.cure
    assert "alice" not in check.found + check.cure


@pytest.mark.parametrize(
    ("busy", "verdict"), [(0.01, Verdict.GOOD), (0.1, Verdict.NOTE), (0.5, Verdict.POOR)]
)
def test_load_is_what_others_take_of_all_cpus(busy: float, verdict: Verdict) -> None:
    end = conditions(at_ns=SECOND, busy_ns=round(busy * 4 * SECOND))
    check = check_load(START, end, 4)
    assert check.verdict is verdict
    assert f"{busy:.1%}" in check.found
    assert "0 tasks runnable" in check.found


def test_a_load_that_is_not_shown_is_a_note() -> None:
    end = conditions(at_ns=SECOND, busy_ns=None)
    assert check_load(START, end, 4).verdict is Verdict.NOTE


def test_pressure_is_the_worst_of_the_three() -> None:
    assert check_pressure(START, conditions(at_ns=SECOND)).verdict is Verdict.GOOD
    check = check_pressure(START, conditions(at_ns=SECOND, io_pressure_ns=SECOND // 2))
    assert check.verdict is Verdict.POOR
    assert "for disk 50.0%" in check.found


def test_a_kernel_without_psi_is_a_note() -> None:
    nothing = dict.fromkeys(("cpu_pressure_ns", "memory_pressure_ns", "io_pressure_ns"))
    check = check_pressure(conditions(**nothing), conditions(at_ns=SECOND, **nothing))
    assert (check.verdict, check.cure) == (Verdict.NOTE, "boot with psi=1")


@pytest.mark.parametrize(
    ("stolen", "verdict"), [(0, Verdict.GOOD), (0.02, Verdict.NOTE), (0.1, Verdict.POOR)]
)
def test_steal_is_graded(stolen: float, verdict: Verdict) -> None:
    lost = round(stolen * SECOND)
    check = check_steal(START, conditions(at_ns=SECOND, steal_ns=lost, busy_ns=SECOND - lost))
    assert check.verdict is verdict
    assert f"{stolen:.1%}" in check.found


def test_heat_counts_most_while_it_happens() -> None:
    hot = conditions(throttle_events=3)
    assert check_heat(START, START).verdict is Verdict.GOOD
    assert check_heat(hot, hot).verdict is Verdict.NOTE
    assert check_heat(START, hot).verdict is Verdict.POOR
    assert check_heat(START, conditions(throttle_events=None)).verdict is Verdict.NOTE


def test_neighbours_are_a_note() -> None:
    assert check_neighbours(0).verdict is Verdict.GOOD
    assert check_neighbours(2).found == "2 other containers running on the engine"

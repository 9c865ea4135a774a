import json
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import Limits, Matrix
from harness.config.load import parse_matrix
from harness.errors import ConfigError, EdgematrixError, ExitCode
from harness.plan import Plan, against_host, describe, make_plan, select, take_shard, with_controls
from harness.units import GIB, MIB
from tests.factories import catalog
from tests.unit.test_cores import hybrid, machine

SHORT = "frameworks: [pytorch, jax]\nmodels: [spam-fnn]\ncpus: [1, 2]\nmemory: [512MiB, 8GiB]\n"


def matrix(more: str = "") -> Matrix:
    known = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")
    return parse_matrix("m.yaml", SHORT + more, name="m", folder=Path(), catalog=catalog(known, ["spam-fnn"]))


def plan(more: str = "") -> Plan:
    return make_plan(matrix(more))


def ids(of: Plan, *, running: bool = False) -> list[str]:
    return [planned.cell.id for planned in of.cells if not (running and planned.skip_reason)]


def reasons(of: Plan) -> list[str | None]:
    return [planned.skip_reason for planned in of.cells]


def test_cells_come_by_model_then_limits_then_framework() -> None:
    assert ids(plan()) == [
        "pytorch.spam-fnn.c1.m512m.b1", "jax.spam-fnn.c1.m512m.b1",
        "pytorch.spam-fnn.c1.m8g.b1", "jax.spam-fnn.c1.m8g.b1",
        "pytorch.spam-fnn.c2.m512m.b1", "jax.spam-fnn.c2.m512m.b1",
        "pytorch.spam-fnn.c2.m8g.b1", "jax.spam-fnn.c2.m8g.b1",
    ]  # fmt: skip


def test_excluded_cells_keep_their_place_and_get_the_reason() -> None:
    planned = plan("exclude: [{framework: jax, memory: 512MiB, reason: no build}]\n")
    assert ids(planned) == ids(plan())
    assert reasons(planned) == [None, "no build", None, None, None, "no build", None, None]


def test_included_cells_follow_and_none_comes_twice() -> None:
    planned = plan("include: [{framework: [jax, openvino], cpus: 1}, {cpus: 0.5}]\n")
    assert ids(planned)[8:] == [
        "openvino.spam-fnn.c1.m512m.b1", "openvino.spam-fnn.c1.m8g.b1",
        "pytorch.spam-fnn.c500m.m512m.b1", "jax.spam-fnn.c500m.m512m.b1",
        "pytorch.spam-fnn.c500m.m8g.b1", "jax.spam-fnn.c500m.m8g.b1",
    ]  # fmt: skip
    assert len(set(ids(planned))) == len(planned.cells)


def test_an_excluded_cell_that_is_included_runs() -> None:
    rules = "exclude: [{framework: jax, reason: x}]\ninclude: [{framework: jax, cpus: 2, memory: 8GiB}]\n"
    assert [name for name in ids(plan(rules), running=True) if name.startswith("jax")] == [
        "jax.spam-fnn.c2.m8g.b1"
    ]


def test_the_hash_follows_what_is_measured_and_not_the_words() -> None:
    rule = "exclude: [{{framework: jax, cpus: 1, reason: {}}}]\n"
    assert plan().plan_hash == plan("batch: [1]\n").plan_hash
    assert plan(rule.format("one")).plan_hash == plan(rule.format("another")).plan_hash
    different = [plan(), plan(rule.format("x")), plan("batch: [2]\n"), plan("protocol: {seed: 1}\n")]
    assert len({each.plan_hash for each in different}) == len(different)


def test_a_cell_larger_than_the_host_is_skipped_with_its_reason() -> None:
    small = against_host(
        plan(), topology=machine(1, 1, 1), host_memory_bytes=int(7.7 * GIB), over_host="skip"
    )
    assert reasons(small) == [
        None, None, *["asks for 8 GiB, the host has 7.7 GiB"] * 2,
        *["asks for 2 CPUs, the host has 1"] * 2,
        *["asks for 2 CPUs, the host has 1; asks for 8 GiB, the host has 7.7 GiB"] * 2,
    ]  # fmt: skip


def test_a_host_that_is_short_by_a_few_bytes_is_told_in_bytes() -> None:
    small = against_host(plan(), topology=machine(1, 2, 1), host_memory_bytes=8 * GIB - 1, over_host="skip")
    assert reasons(small)[3] == "asks for 8589934592 bytes, the host has 8589934591"


def test_an_excluded_cell_keeps_its_own_reason_on_a_small_host() -> None:
    excluded = plan("exclude: [{framework: jax, reason: no build}]\n")
    small = against_host(excluded, topology=machine(1, 1, 1), host_memory_bytes=GIB, over_host="skip")
    assert reasons(small)[1::2] == ["no build"] * 4


def test_a_host_that_is_large_enough_changes_nothing() -> None:
    for over_host in ("skip", "refuse", "run"):
        assert (
            against_host(plan(), topology=machine(1, 2, 1), host_memory_bytes=8 * GIB, over_host=over_host)
            == plan()
        )


def test_a_small_host_can_refuse_the_run() -> None:
    with pytest.raises(EdgematrixError, match="6 of 8 cells ask for more than the host has") as caught:
        against_host(plan(), topology=machine(1, 1, 1), host_memory_bytes=GIB, over_host="refuse")
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert "pytorch.spam-fnn.c1.m8g.b1 asks for 8 GiB, the host has 1 GiB" in caught.value.why


def test_a_small_host_can_run_all_the_same() -> None:
    assert against_host(plan(), topology=machine(1, 1, 1), host_memory_bytes=GIB, over_host="run") == plan()


@pytest.mark.parametrize(
    ("only", "skip", "left"),
    [
        ([], [], 8),
        (["jax.*"], [], 4),
        (["jax.*", "*.c1.*"], [], 6),
        ([], ["*.m8g.*"], 4),
        (["jax.*"], ["*.m8g.*"], 2),
        (["jax.spam-fnn.c2.m8g.b1"], [], 1),
    ],
)
def test_cells_are_selected_by_glob_over_their_ids(only: list[str], skip: list[str], left: int) -> None:
    assert len(select(plan(), only=only, skip=skip).cells) == left


@pytest.mark.parametrize(("only", "skip"), [(["onnx*"], []), ([], ["*.c4.*"]), (["jax.*", "ONNX*"], [])])
def test_a_selector_that_matches_nothing_names_the_nearest_ids(only: list[str], skip: list[str]) -> None:
    with pytest.raises(ConfigError, match="matches no cell") as caught:
        select(plan(), only=only, skip=skip)
    assert caught.value.why.count("spam-fnn") == 3


@pytest.mark.parametrize(
    ("pattern", "why", "fix"),
    [
        ("", "the pattern is empty", "leave --only out"),
        ("*.c[12", "its `[` is never closed", "close it"),
        ("JAX.*", "ids are in lower case", "write 'jax.*'"),
        ("JAX.spam-fnn.c1.m8g.b2", "ids are jax.spam-fnn.c1.m8g.b1, ", "lists all ids"),
    ],
)
def test_a_selector_that_cannot_match_is_told_why(pattern: str, why: str, fix: str) -> None:
    with pytest.raises(ConfigError, match="matches no cell") as caught:
        select(plan(), only=[pattern], skip=[])
    assert why in caught.value.why
    assert fix in caught.value.fix


def test_a_long_selector_is_cut_in_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        select(plan(), only=[], skip=["x" * 10_000])
    assert len(str(caught.value)) < 500


def test_two_cells_never_share_an_id() -> None:
    crossed = matrix().crossed
    twins = replace(matrix(), crossed=replace(crossed, limits=(Limits(1, GIB), Limits(1.0000000001, GIB))))
    with pytest.raises(AssertionError, match="two cells have one id"):
        make_plan(twins)


def test_many_rules_over_many_cells_are_matched_quickly() -> None:
    batch = f"batch: {list(range(1, 1001))}\n"
    rules = "".join(f"  - {{batch: {size}, reason: x}}\n" for size in range(1, 129))
    start = time.process_time()
    planned = plan(f"{batch}exclude:\n{rules}")
    assert sum(reason is not None for reason in reasons(planned)) == 8 * 128
    assert time.process_time() - start < 3  # a million matches; cells against cells would be 64 million


def test_selectors_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="leave no cell"):
        select(plan(), only=["jax.*"], skip=["*.b1"])


def test_rows_are_json_with_units_in_their_names() -> None:
    planned = plan("include: [{framework: jax, cpus: 1.5, memory: 64MiB}]\n")
    assert json.loads(json.dumps(describe(planned)))[-1] == {
        "id": "jax.spam-fnn.c1500m.m64m.b1",
        "framework": "jax",
        "model": "spam-fnn",
        "cpus": 1.5,
        "memory_bytes": 64 * MIB,
        "batch": 1,
        "sequence": None,
        "cpu_mode": "quota",
        "threads": 2,
        "skip_reason": None,
    }


@given(
    st.lists(st.integers(1, 8), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["64MiB", "1GiB", "1GB", "2g"]), min_size=1, unique=True),
    st.integers(1, 8),
    st.integers(64 * MIB, 4 * GIB),
)
def test_a_plan_holds_the_whole_product_once_and_skips_what_does_not_fit(
    cpus: list[int], memory: list[str], host_cpus: int, host_memory: int
) -> None:
    text = f"frameworks: [jax]\nmodels: [spam-fnn]\ncpus: {cpus}\nmemory: [{', '.join(memory)}]\n"
    made = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["jax"], ["spam-fnn"]))
    )
    assert len(set(ids(made))) == len(made.cells) == len(list(product(cpus, memory)))
    placed = against_host(
        made, topology=machine(1, host_cpus, 1), host_memory_bytes=host_memory, over_host="skip"
    )
    for planned in placed.cells:
        fits = planned.cell.cpus <= host_cpus and planned.cell.memory_bytes <= host_memory
        assert (planned.skip_reason is None) == fits


def measured_ids(made: Plan) -> list[str]:
    return [planned.cell.id for planned in made.cells if planned.skip_reason is None]


def test_every_run_gets_a_floor_per_model_and_batch_and_one_twin() -> None:
    controlled = with_controls(plan("batch: [1, 32]\n"), "jax")
    assert measured_ids(controlled)[-3:] == [
        "null.spam-fnn.c1.m512m.b1",
        "null.spam-fnn.c1.m512m.b32",
        "jax.spam-fnn.c1.m8g.b1.twin",
    ]


def test_the_twin_is_of_the_baseline_if_that_runs_at_all() -> None:
    without = plan("exclude: [{framework: jax, reason: no build}]\n")
    assert measured_ids(with_controls(without, "jax"))[-1] == "pytorch.spam-fnn.c1.m8g.b1.twin"


def test_the_controls_stand_on_whole_cores_where_a_cell_does() -> None:
    text = SHORT.replace("cpus: [1, 2]", "cpus: [0.5, 1]")
    made = make_plan(
        parse_matrix(
            "m.yaml", text, name="m", folder=Path(), catalog=catalog(["pytorch", "jax"], ["spam-fnn"])
        )
    )
    assert ids(made)[0] == "pytorch.spam-fnn.c500m.m512m.b1"
    assert measured_ids(with_controls(made, "jax"))[-2:] == [
        "null.spam-fnn.c1.m512m.b1",
        "jax.spam-fnn.c1.m8g.b1.twin",
    ]


def test_one_trial_has_no_twin_and_a_floor_that_is_asked_for_is_not_added() -> None:
    single = with_controls(plan("protocol: {trials: 1}\n"), "jax")
    assert not any(planned.cell.twin for planned in single.cells)
    text = 'frameworks: ["null", jax]\nmodels: [spam-fnn]\ncpus: [2]\nmemory: [1GiB]\n'
    asked = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["null", "jax"], ["spam-fnn"]))
    )
    floors = [planned for planned in with_controls(asked, "jax").cells if planned.cell.is_floor]
    assert len(floors) == 1


@pytest.mark.parametrize("threads", ["match", "4"])
def test_a_floor_that_is_excluded_is_not_added_again(threads: str) -> None:
    text = (
        'frameworks: [jax, "null"]\nmodels: [spam-fnn]\ncpus: [1]\nmemory: [1GiB]\nbatch: [1, 32]\n'
        f"threads: [{threads}]\n"
        'exclude: [{framework: "null", batch: 32, reason: not needed}]\n'
    )
    asked = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["null", "jax"], ["spam-fnn"]))
    )
    controlled = with_controls(asked, "jax")
    assert [planned.cell.twin for planned in controlled.cells[len(asked.cells) :]] == [True]
    floors = [(each.cell.batch, each.skip_reason) for each in controlled.cells if each.cell.is_floor]
    assert floors == [(1, None), (32, "not needed")]


def test_controls_never_share_an_id_with_a_cell() -> None:
    controlled = with_controls(plan(), "jax")
    with pytest.raises(AssertionError, match="two cells have one id"):
        with_controls(controlled, "jax")  # the twin would be there twice


def test_a_plan_of_nothing_but_skipped_cells_has_no_controls() -> None:
    nothing = against_host(plan(), topology=machine(1, 1, 1), host_memory_bytes=MIB, over_host="skip")
    assert with_controls(nothing, "jax") == nothing


def test_whole_cpus_are_crossed_with_both_modes_and_fractions_are_a_quota_once() -> None:
    text = (
        "frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [1, 0.5]\ncpu_mode: [cpuset, quota]\nmemory: [1GiB]\n"
    )
    made = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["jax"], ["spam-fnn"]))
    )
    assert measured_ids(made) == [
        "jax.spam-fnn.c1.m1g.b1",
        "jax.spam-fnn.c1.m1g.b1.quota",
        "jax.spam-fnn.c500m.m1g.b1",
    ]


def test_options_stand_in_the_id_in_a_fixed_order_and_can_be_excluded() -> None:
    rules = (
        "cpu_mode: [quota]\nthreads: [4, default]\nexclude: [{threads: default, framework: jax, reason: x}]\n"
    )
    assert set(measured_ids(plan(rules))) == {
        f"{name}.spam-fnn.c{cpus}.m{memory}.b1.quota.{threads}"
        for cpus, memory in product((1, 2), ("512m", "8g"))
        for name, threads in (("pytorch", "t4"), ("pytorch", "tdefault"), ("jax", "t4"))
    }


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("cpu_mode: quota", [""]),
        ("cpu_mode: cpuset", [".quota"]),
        ("cpu_mode: [quota], cpus: 2", ["", ".quota"]),
    ],
)
def test_cells_are_excluded_by_their_cpu_mode(rule: str, left: list[str]) -> None:
    planned = plan(f"cpu_mode: [cpuset, quota]\nexclude: [{{{rule}, reason: x}}]\n")
    small = [name for name in measured_ids(planned) if name.startswith("jax.spam-fnn.c1.m512m")]
    assert small == [f"jax.spam-fnn.c1.m512m.b1{option}" for option in left]
    assert len(planned.cells) == 16


@pytest.mark.parametrize("mode", ["cpuset", "quota"])
def test_a_fraction_is_a_quota_whatever_the_mode(mode: str) -> None:
    text = f"frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [0.5, 1]\ncpu_mode: [{mode}]\nmemory: [1GiB]\n"
    made = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["jax"], ["spam-fnn"]))
    )
    assert [row["cpu_mode"] for row in describe(made)] == ["quota", mode]
    assert measured_ids(made)[0] == "jax.spam-fnn.c500m.m1g.b1"


def test_rows_tell_what_each_framework_is_told() -> None:
    rows = describe(plan("threads: [match, 4, default]\n"))
    assert [row["threads"] for row in rows if row["id"].startswith("jax.spam-fnn.c2.m8g.b1")] == [2, 4, None]


def test_the_hash_follows_the_options() -> None:
    more = [
        "",
        "cpu_mode: [quota]\n",
        "threads: [default]\n",
        "threads: [4]\n",
        "protocol: {precision: 2%}\n",
    ]
    assert len({plan(each).plan_hash for each in more}) == len(more)


def test_the_twin_has_the_fewest_cpus_and_the_most_memory_of_the_baseline_and_its_own_options() -> None:
    options = plan("cpu_mode: [quota]\nthreads: [default]\nbatch: [32, 1]\n")
    assert measured_ids(with_controls(options, "pytorch"))[-3:] == [
        "null.spam-fnn.c1.m512m.b32.quota",
        "null.spam-fnn.c1.m512m.b1.quota",
        "pytorch.spam-fnn.c1.m8g.b32.quota.tdefault.twin",
    ]


def test_controls_come_after_all_cells_and_change_none_of_them() -> None:
    made = plan("exclude: [{framework: jax, reason: no build}]\n")
    controlled = with_controls(made, "pytorch")
    assert controlled.cells[: len(made.cells)] == made.cells
    assert all(planned.skip_reason is None for planned in controlled.cells[len(made.cells) :])
    assert len(set(ids(controlled))) == len(controlled.cells)


def test_a_floor_that_is_asked_for_serves_its_own_batch_and_needs_no_twin() -> None:
    known = ("null", "jax")
    text = 'frameworks: ["null"]\nmodels: [spam-fnn]\ncpus: [1]\nmemory: [1GiB]\n'
    only = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(known, ["spam-fnn"]))
    )
    assert with_controls(only, "null") == only
    wider = make_plan(
        parse_matrix(
            "m.yaml",
            text + "include: [{framework: jax, batch: [1, 8]}]\n",
            name="m",
            folder=Path(),
            catalog=catalog(known, ["spam-fnn"]),
        )
    )
    assert measured_ids(with_controls(wider, "null"))[3:] == [
        "null.spam-fnn.c1.m1g.b8",
        "jax.spam-fnn.c1.m1g.b1.twin",
    ]


def test_a_hybrid_host_skips_a_cell_that_would_mix_its_cores() -> None:
    placed = against_host(plan(), topology=hybrid(1, 4), host_memory_bytes=64 * GIB, over_host="skip")
    assert reasons(placed) == [None] * 8  # two siblings of one large core are of one kind
    text = "frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [3]\nmemory: [1GiB]\n"
    made = make_plan(
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(["jax"], ["spam-fnn"]))
    )
    placed = against_host(made, topology=hybrid(1, 4), host_memory_bytes=64 * GIB, over_host="skip")
    assert "one kind" in (reasons(placed)[0] or "")


@pytest.mark.parametrize("parts", [1, 2, 3, 4])
def test_shards_hold_every_cell_once_and_keep_together_what_is_ranked_together(parts: int) -> None:
    whole = plan()
    shards = [take_shard(whole, part, parts) for part in range(1, parts + 1)]
    assert sorted(cell_id for shard in shards for cell_id in ids(shard)) == sorted(ids(whole))
    for shard in shards:
        limits = [(planned.cell.cpus, planned.cell.memory_bytes) for planned in shard.cells]
        assert all(limits.count(limit) == 2 for limit in limits)


def test_more_shards_than_groups_are_refused() -> None:
    with pytest.raises(ConfigError, match="only 4 groups of cells"):
        take_shard(plan(), 5, 5)


def test_an_expectation_speaks_of_crossed_and_included_cells_and_the_first_wins() -> None:
    of = matrix(
        "include: [{framework: jax, cpus: 4, memory: 64MiB}]\n"
        "expect:\n"
        "  - {framework: jax, memory: 64MiB, status: oom, reason: too small}\n"
        "  - {framework: jax, status: crash, reason: known}\n"
    )
    told = {
        planned.cell.id: found.status
        for planned in make_plan(of).cells
        if (found := of.expectation(planned.cell)) is not None
    }
    assert told["jax.spam-fnn.c4.m64m.b1"] == "oom"
    assert told["jax.spam-fnn.c1.m8g.b1"] == "crash"
    assert not any(name.startswith("pytorch") for name in told)
    assert (
        make_plan(of).plan_hash
        == make_plan(matrix("include: [{framework: jax, cpus: 4, memory: 64MiB}]\n")).plan_hash
    )

"""What a matrix file means."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.config import Limits
from harness.config.load import parse_matrix
from harness.runs import Protocol
from harness.units import GIB, MIB
from tests.factories import catalog
from tests.unit.matrices import DEVICES, FRAMEWORKS, MODELS, ROOT, SHORT, parse


def test_the_short_form_gets_every_default() -> None:
    matrix = parse(SHORT)
    assert matrix.name == "m"
    assert matrix.crossed.frameworks == ("pytorch", "jax")
    assert matrix.crossed.limits == (
        Limits(1, 512 * MIB), Limits(1, 8 * GIB), Limits(2, 512 * MIB), Limits(2, 8 * GIB),
    )  # fmt: skip
    assert matrix.crossed.batch == (1,)
    assert (matrix.over_host, matrix.baseline, matrix.devices) == ("skip", "pytorch", {})
    assert matrix.protocol == Protocol(
        trials=5, max_trials=5, precision=None, max_time_s=None, warmup_s=0.3, budget_s=1.0,
        min_iterations=10, max_iterations=1_000_000, timeout_s=120.0, page_cache="cold", seed=0,
    )  # fmt: skip


def test_devices_are_named_limits() -> None:
    matrix = parse(DEVICES)
    assert matrix.devices == {"pi": (4, 4 * GIB), "hub": (1, 512 * MIB)}
    assert matrix.crossed.limits == ((4, 4 * GIB), (1, 512 * MIB))


def test_what_is_resolved_is_a_matrix_file_that_means_the_same() -> None:
    text = (ROOT / "tests/data/matrix.yaml").read_text()
    matrix = parse(text)
    resolved = matrix.resolved()
    assert resolved["over_host"] == "skip"
    assert resolved["protocol"]["min_iterations"] == 20
    assert parse(yaml.safe_dump(resolved)) == matrix


def test_everything_left_out_is_written_out() -> None:
    assert parse(SHORT).resolved() == {
        "frameworks": ["pytorch", "jax"],
        "models": ["spam-fnn"],
        "cpus": [1.0, 2.0],
        "memory": ["512MiB", "8GiB"],
        "batch": [1],
        "cpu_mode": ["cpuset"],
        "threads": ["match"],
        "over_host": "skip",
        "baseline": "pytorch",
        "protocol": {
            "trials": 5, "warmup": "0.3s", "budget": "1s", "min_iterations": 10, "max_iterations": 1_000_000,
            "timeout": "120s", "page_cache": "cold", "seed": 0,
        },
    }  # fmt: skip


@given(st.integers(10, 4_096_000))
def test_every_number_of_millicores_is_accepted(millis: int) -> None:
    (limits,) = parse(
        f"frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [{millis / 1000!r}]\nmemory: [1g]\n"
    ).crossed.limits
    assert round(limits.cpus * 1000) == millis


def test_an_included_cell_may_have_values_that_the_matrix_has_not() -> None:
    matrix = parse(SHORT + "include: [{framework: openvino, model: resnet50, cpus: 0.5, memory: 1GB}]\n")
    (block,) = matrix.included
    assert [cell.id for cell in block.cells()] == ["openvino.resnet50.c500m.m1000000000b.b1"]


def test_an_included_cell_may_have_options_that_the_matrix_has_not() -> None:
    matrix = parse(
        SHORT + "include: [{framework: jax, cpus: 2, memory: 8GiB, cpu_mode: quota, threads: [default, 1]}]\n"
    )
    (block,) = matrix.included
    assert [cell.id for cell in block.cells()] == [
        "jax.spam-fnn.c2.m8g.b1.quota.tdefault", "jax.spam-fnn.c2.m8g.b1.quota.t1",
    ]  # fmt: skip


def test_a_precision_brings_its_budget_with_it() -> None:
    protocol = parse(SHORT + "protocol: {precision: 0.5 %}\n").protocol
    assert (protocol.trials, protocol.max_trials) == (5, 20)
    assert (protocol.precision, protocol.max_time_s) == (0.005, 1800.0)
    own = parse(SHORT + "protocol: {trials: 3, precision: 50%, max_trials: 3, max_time: 90s}\n").protocol
    assert (own.trials, own.max_trials, own.precision, own.max_time_s) == (3, 3, 0.5, 90.0)


def test_a_thousand_iterations_exactly_are_a_thousand_at_both_ends() -> None:
    protocol = parse(SHORT + "protocol: {min_iterations: 1000, max_iterations: 1000}\n").protocol
    assert (protocol.min_iterations, protocol.max_iterations) == (1000, 1000)


@pytest.mark.parametrize(
    "lines",
    [
        "cpu_mode: [quota, cpuset]\nthreads: [default, 4, match]\n",
        "protocol: {precision: 2%, max_time: 10m}\n",
        "cpu_mode: [cpuset, quota]\nexclude: [{cpu_mode: quota, cpus: 2, reason: x}]\n",
        "threads: [match, default]\ninclude: [{threads: 7, cpus: 0.5}]\n",
    ],
)
def test_options_survive_being_resolved(lines: str) -> None:
    matrix = parse(SHORT + lines)
    again = parse(yaml.safe_dump(matrix.resolved()))
    assert list(again.crossed.cells()) == list(matrix.crossed.cells())
    assert again.excluded_cells == matrix.excluded_cells
    assert again.protocol == matrix.protocol
    assert again.resolved() == matrix.resolved()


def test_null_is_a_name_when_it_is_quoted() -> None:
    text = SHORT.replace("[pytorch, jax]", '["null", jax]')
    known = ("null", *FRAMEWORKS)
    matrix = parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(known, MODELS))
    assert matrix.crossed.frameworks == ("null", "jax")
    resolved = yaml.safe_dump(matrix.resolved())
    again = parse_matrix("m.yaml", resolved, name="m", folder=Path(), catalog=catalog(known, MODELS))
    assert (again.crossed, again.baseline) == (matrix.crossed, "null")


def test_a_rule_may_refer_to_a_device() -> None:
    matrix = parse(DEVICES + "exclude: [{framework: jax, device: hub, reason: no build}]\n")
    assert [(cell.id, rule) for cell, rule in matrix.excluded_cells.items()] == [
        ("jax.spam-fnn.c1.m512m.b1", 0)
    ]


def test_the_first_of_two_matching_excludes_counts() -> None:
    rules = "exclude: [{framework: jax, cpus: 1, reason: first}, {framework: jax, reason: second}]\n"
    assert list(parse(SHORT + rules).excluded_cells.values()) == [0, 0, 1, 1]

"""Two runs side by side: what counts as better and worse, what is refused, and how it is told."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli import main
from harness.compare import CompareOptions, Verdict, compare_runs
from harness.compare.judge import machine_shift
from harness.compare.refuse import Kind
from harness.compare.render import as_document, as_lines, as_markdown
from harness.compare.rows import decide, pair_up
from harness.errors import ExitCode, NotComparableError
from harness.results import Cell, CellResult, ReferenceProbe, RunState, Status
from harness.stats.cell import Measured, cell_stats
from harness.stats.noise import Aim
from tests.factories import cell, host, image, probe, requested, result, run, trial

CELLS = [cell(framework, cpus=1) for framework in ("pytorch", "jax", "onnxruntime")]
THRESHOLD = math.log(1.05)


def measured(of: Cell, medians: Sequence[float]) -> Measured:
    """A cell whose trials have these medians, in milliseconds."""
    made = result(of, [trial(of, 0, iterations=10)])
    stats = replace(cell_stats(made), medians_ms=dict(enumerate(medians)))
    return Measured(result=made, stats=stats)


def verdicts(base: Sequence[Sequence[float]], new: Sequence[Sequence[float]]) -> list[Verdict]:
    cells = [cell(f"f{number}") for number in range(len(base))]
    rows = pair_up(
        [measured(of, medians) for of, medians in zip(cells, base, strict=True)],
        [measured(of, medians) for of, medians in zip(cells, new, strict=True)],
        Aim.LATENCY,
    )
    return [
        row.verdict
        for row in decide(rows, dict.fromkeys((row.cell_id for row in rows), THRESHOLD), THRESHOLD)
    ]


MEDIANS = st.lists(st.floats(0.9, 1.1), min_size=3, max_size=6)


@settings(max_examples=30)
@given(st.lists(st.tuples(MEDIANS, MEDIANS), min_size=1, max_size=3))
def test_exchanging_the_runs_exchanges_better_and_worse(pairs: list[tuple[list[float], list[float]]]) -> None:
    exchanged = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    forth = verdicts([base for base, _ in pairs], [new for _, new in pairs])
    back = verdicts([new for _, new in pairs], [base for base, _ in pairs])
    assert back == [exchanged.get(verdict, verdict) for verdict in forth]


def test_a_cell_that_is_clearly_slower_is_worse_and_one_that_is_not_is_the_same() -> None:
    quiet = [1.0, 1.01, 0.99, 1.005, 0.995]
    assert verdicts([quiet, quiet], [[1.2 * each for each in quiet], quiet]) == [Verdict.WORSE, Verdict.SAME]


def test_a_significant_difference_below_the_floor_does_not_count() -> None:
    quiet = [1.0, 1.001, 0.999, 1.0005, 0.9995]
    assert verdicts([quiet], [[1.03 * each for each in quiet]]) == [Verdict.SAME]


def test_noise_that_hides_a_difference_is_undecided() -> None:
    assert verdicts([[1.0, 1.5, 0.7]], [[1.1, 0.8, 1.6]]) == [Verdict.UNDECIDED]


@pytest.mark.parametrize("trials", [([1.0], [1.0, 1.1]), ([1.0, 1.1], [2.0])])
def test_one_trial_decides_nothing(trials: tuple[list[float], list[float]]) -> None:
    assert verdicts([trials[0]], [trials[1]]) == [Verdict.UNDECIDED]


def test_identical_runs_are_hardly_ever_told_apart() -> None:
    rng = np.random.default_rng(3)
    counts: Counter[Verdict] = Counter()
    for _ in range(40):
        base, new = np.exp(rng.normal(0, 0.05, (2, 10, 5)))
        counts.update(verdicts(base.tolist(), new.tolist()))
    assert counts[Verdict.BETTER] + counts[Verdict.WORSE] <= 4  # of 400


def test_a_slowdown_of_a_fifth_is_found() -> None:
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(20):
        base, new = np.exp(rng.normal(0, 0.03, (2, 10, 5)))
        new[0] *= 1.2
        found += verdicts(base.tolist(), new.tolist())[0] is Verdict.WORSE
    assert found >= 18


def write(
    folder: Path,
    results: Sequence[CellResult],
    probes: Mapping[int, ReferenceProbe] | None = None,
    **changes: object,
) -> Path:
    """Store a run."""
    of = run(results, **{"run_id": folder.name} | changes)
    (folder / "cells").mkdir(parents=True)
    (folder / "run.json").write_text(of.model_dump_json())
    for each in results:
        (folder / "cells" / f"{each.cell_id}.json").write_text(each.model_dump_json())
    for number, made in (probes or {}).items():
        (folder / "probes").mkdir(exist_ok=True)
        (folder / "probes" / f"{number}.json").write_text(made.model_dump_json())
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "20260101-000000-aaaa", [result(of) for of in CELLS])


def other(tmp_path: Path, results: Sequence[CellResult] | None = None, **changes: Any) -> Path:
    return write(tmp_path / "20260102-000000-bbbb", results or [result(of) for of in CELLS], **changes)


def test_a_run_is_the_same_as_itself_or_not_decided(base: Path) -> None:
    found = {row.verdict for row in compare_runs(base, base).rows}
    assert found <= {Verdict.SAME, Verdict.UNDECIDED}


def failed(of: Cell) -> CellResult:
    died = [trial(of, index).model_copy(update={"status": Status.OOM}) for index in range(3)]
    return result(of, died)


def test_missing_and_failed_cells_stay_visible(tmp_path: Path, base: Path) -> None:
    extra = cell("openvino", cpus=1)
    new = other(tmp_path, [failed(CELLS[0]), result(CELLS[1]), result(extra)])
    compared = compare_runs(base, new)
    assert {row.cell_id: row.verdict for row in compared.rows if row.verdict is not Verdict.SAME} == {
        CELLS[0].id: Verdict.FAILED,
        CELLS[2].id: Verdict.ONLY_IN_BASE,
        extra.id: Verdict.ONLY_IN_NEW,
    } | {
        row.cell_id: row.verdict
        for row in compared.rows
        if row.cell_id == CELLS[1].id and row.verdict is not Verdict.SAME
    }
    assert compared.regressed


def test_a_cell_that_runs_again_is_fixed_and_one_that_fails_in_both_is_no_news(tmp_path: Path) -> None:
    one = write(
        tmp_path / "a",
        [failed(CELLS[0]), failed(CELLS[1]), result(CELLS[2], trials=(), status=Status.SKIPPED)],
    )
    two = write(
        tmp_path / "b",
        [result(CELLS[0]), failed(CELLS[1]), result(CELLS[2], trials=(), status=Status.SKIPPED)],
    )
    rows = compare_runs(one, two).rows
    assert [row.verdict for row in rows] == [Verdict.FIXED, Verdict.FAILED_IN_BOTH, Verdict.SKIPPED]
    assert not any(row.is_regression for row in rows)


def with_other_limits(of: Cell) -> CellResult:
    limits = requested(of, cpuset=(0,))
    trials = tuple(each.model_copy(update={"requested": limits}) for each in result(of).trials)
    return result(of, trials)


DIFFERENT: dict[Kind, dict[str, Any]] = {
    Kind.HOST: {"host": host(fingerprint="other", kernel="7.0")},
    Kind.IMAGES: {
        "images": {"jax": image("jax").model_copy(update={"fingerprint": "x", "packages": {"jax": "9"}})}
    },
    Kind.MODELS: {},
    Kind.PROTOCOL: {},
}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_difference_is_refused_with_both_values_unless_it_is_meant(
    tmp_path: Path, base: Path, kind: Kind
) -> None:
    results = [
        with_other_limits(CELLS[0]) if kind is Kind.LIMITS else result(CELLS[0]),
        *map(result, CELLS[1:]),
    ]
    plain = run(results)
    changes = dict(DIFFERENT.get(kind, {}))
    if kind is Kind.MODELS:
        changes["models"] = {"spam-fnn": plain.models["spam-fnn"].model_copy(update={"hash": "f" * 64})}
    if kind is Kind.PROTOCOL:
        changes["protocol"] = plain.protocol.model_copy(update={"budget_s": 9.0})
    new = other(tmp_path, results, **changes)

    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, new)
    assert f"--allow {kind}" in caught.value.fix
    assert "against" in caught.value.why
    compared = compare_runs(base, new, CompareOptions(allowed={kind}))
    assert any(note.startswith("different as meant") for note in compared.notes)


def test_all_differences_are_told_at_once(tmp_path: Path, base: Path) -> None:
    new = other(tmp_path, **DIFFERENT[Kind.HOST], **DIFFERENT[Kind.IMAGES])
    with pytest.raises(NotComparableError) as caught:
        compare_runs(base, new, CompareOptions(allowed={Kind.MODELS}))
    assert "--allow host --allow images" in caught.value.fix
    assert "kernel" in caught.value.why
    assert "jax" in caught.value.why


def test_runs_without_a_common_cell_are_refused(tmp_path: Path, base: Path) -> None:
    with pytest.raises(NotComparableError, match="no cell in common"):
        compare_runs(base, other(tmp_path, [result(cell("openvino", cpus=2))]))


def test_a_run_that_is_not_complete_is_compared_with_a_notice(tmp_path: Path, base: Path) -> None:
    compared = compare_runs(base, other(tmp_path, state=RunState.INTERRUPTED))
    assert any("is interrupted" in note for note in compared.notes)


def test_what_the_machine_moved_is_added_to_the_floor(tmp_path: Path) -> None:
    slow = {0: probe(0, of=CELLS[0], speed=4e10)}
    one = write(tmp_path / "a", [result(of) for of in CELLS], {0: probe(0, of=CELLS[0])})
    two = write(tmp_path / "b", [result(of) for of in CELLS], slow)
    still, moved = compare_runs(one, one), compare_runs(one, two)
    for before, after in zip(still.rows, moved.rows, strict=True):
        assert before.floor is not None
        assert after.floor == pytest.approx(before.floor + math.log(5 / 4))


def test_the_shift_is_that_of_the_same_cpus_and_of_the_larger_part() -> None:
    here, elsewhere = CELLS[0], cell(cpus=2)
    base_probes = {0: probe(0, of=here), 1: probe(1, of=elsewhere)}
    new_probes = {0: probe(0, of=here, loop_ns=(750_000,)), 1: probe(1, of=elsewhere, speed=1e9)}
    assert machine_shift(requested(here), base_probes, new_probes) == pytest.approx(math.log(1.5))
    assert machine_shift(requested(here), base_probes, {}) == 0


def test_controls_are_not_compared(tmp_path: Path, base: Path) -> None:
    twin = CELLS[0].model_copy(update={"twin": True})
    floor = cell("null", cpus=1)
    with_controls = write(tmp_path / "c", [*map(result, CELLS), result(twin), result(floor)])
    assert len(compare_runs(with_controls, base).rows) == len(CELLS)


def test_the_document_is_json_and_has_every_cell(base: Path) -> None:
    compared = compare_runs(base, base)
    document = json.loads(json.dumps(as_document(compared)))
    assert [row["cell_id"] for row in document["cells"]] == [row.cell_id for row in compared.rows]
    assert document["cells"][0]["base"]["trials"]
    assert document["regressed"] is False


def test_the_last_line_counts_the_verdicts(tmp_path: Path, base: Path) -> None:
    lines = list(as_lines(compare_runs(base, other(tmp_path, [failed(CELLS[0]), *map(result, CELLS[1:])]))))
    assert "3 cells by latency: 1 failed" in lines[-1]
    assert lines[4].startswith("failed")  # the worst first


def test_markdown_keeps_hostile_text_inert(tmp_path: Path) -> None:
    hostile = cell("onnxruntime", cpus=1)
    doubt = {"kind": "<img src=x> | `rm`", "text": "t"}
    bad = [trial(hostile, index).model_dump() | {"warnings": [doubt]} for index in range(3)]
    made = result(hostile, [type(trial(hostile)).model_validate(each) for each in bad])
    folder = write(tmp_path / "a", [made])
    text = as_markdown(compare_runs(folder, folder))
    assert "<img" not in text
    assert "\\| \\`rm\\`" in text


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_exit_codes(tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = other(tmp_path, [failed(CELLS[0]), *map(result, CELLS[1:])])
    reports = ("--reports", str(tmp_path))
    assert call("compare", base.name, base.name, *reports) == ExitCode.OK
    assert call("compare", base.name, new.name, *reports) == ExitCode.REGRESSION
    assert call("compare", str(base), str(new), "--json") == ExitCode.REGRESSION
    assert call("compare", base.name, "nothing", *reports) == ExitCode.ENVIRONMENT
    assert call("compare", base.name, new.name, "--threshold", "much", *reports) == ExitCode.CONFIG
    capsys.readouterr()
    (tmp_path / "other").mkdir()
    away = write(tmp_path / "other" / "x", [result(of) for of in CELLS], host=host(fingerprint="z"))
    assert call("compare", str(base), str(away)) == ExitCode.NOT_COMPARABLE
    assert "--allow host" in capsys.readouterr().err

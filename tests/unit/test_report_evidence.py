"""What the page says of proofs, warnings, memory by phase, failures and provenance."""

from harness.records import Phase, Threads
from harness.report.doubts import warnings
from harness.report.failures import LOG_LIMIT, failures, tail
from harness.report.formats import UNKNOWN
from harness.report.ledger import LedgerRow, ledger
from harness.report.proof import badge, proofs, tally
from harness.report.provenance import images, method, models, variant
from harness.results import CellResult, Status, TypedWarning
from harness.runs import Framework
from harness.stats.cell import measure
from harness.units import MIB
from tests.factories import FRAMEWORKS, cell, limits, phase_end, result, run, trial
from tests.sample_runs import failures as failed_run
from tests.sample_runs import sample
from tests.unit.books import read


def test_a_runs_proof_is_summed_up() -> None:
    _, found = read(sample())
    assert (badge(tally(found)).text, badge(tally(found)).kind) == (
        "Limits proved in all 60 trials",
        "proved",
    )

    _, found = read(failed_run())
    assert (badge(tally(found)).text, badge(tally(found)).kind) == (
        "Limits proved in 24 of 27 trials",
        "broken",
    )

    assert badge(tally(())).kind == "idle"


def test_trials_that_never_started_prove_and_disprove_nothing() -> None:
    of, lost = cell(cpus=1), cell()
    gone = [
        trial(lost, index, status=Status.HARNESS_ERROR, limits_enforced=False, records=())
        for index in range(2)
    ]
    cells = (result(of), result(lost, gone))

    _, found = read((run(cells), cells))

    assert badge(tally(found)).text == "Limits proved in all 3 trials that started; 2 never started"
    assert badge(tally(found)).kind == "proved"
    assert {each.cell_id: each.verdict for each in proofs(found)} == {
        of.id: "proved", lost.id: "not started",
    }  # fmt: skip


def test_swap_without_a_limit_is_said_so() -> None:
    of = cell(cpus=1)
    trials = [
        trial(of, index).model_copy(update={"records": (limits(of, (1,), swap_bytes=swap),)})
        for index, swap in enumerate((0, 2**62, None))
    ]

    (proof,) = proofs(read((run([result(of)]), (result(of, trials),)))[1])

    assert proof.swap == "0 B | unlimited | not counted"


def test_asked_stands_beside_read_back() -> None:
    _, found = read(failed_run())

    proof = {each.cell_id: each for each in proofs(found)}

    quota = proof["onnxruntime.spam-fnn.c500m.m1g.b1"]
    assert (quota.cpus_asked, quota.cpus_found, quota.threads) == ("quota 0.5", "quota 0.5", "1 / 1 / 1 / 2")
    broken = proof["openvino.spam-fnn.c500m.m1g.b1"]
    assert (broken.memory_asked, broken.memory_found, broken.verdict) == ("1 GiB", "no limit", "not proved")
    assert proof["jax.spam-fnn.c8.m32g.b1"].verdict == "not started"


def test_trials_that_differ_are_all_shown() -> None:
    of = cell(cpus=1)
    moved = trial(of, 1)
    records = tuple(limits(of, (0,)) if record.type == "limits" else record for record in moved.records)
    cells = (result(of, [trial(of), moved.model_copy(update={"records": records})]),)

    (proof,) = proofs(read((run(cells), cells))[1])

    assert proof.cpus_found == "cpuset 1 | cpuset 0"


def warned(framework: str, *kinds: str, text: str = "said so", trials: int = 2) -> CellResult:
    of = cell(framework)
    doubts = tuple(TypedWarning(kind=kind, text=text) for kind in kinds)
    return result(of, [trial(of, index, warnings=doubts if index < trials else ()) for index in range(3)])


def test_warnings_are_counted_over_the_trials_that_count() -> None:
    (doubt,) = warnings(measure([warned("jax", "page_cache_shared")])).doubts

    assert (doubt.kind, doubt.trials, doubt.cells) == (
        "page cache shared", "2 of 3", ("jax.spam-fnn.c2.m8g.b1",),
    )  # fmt: skip


def test_remarks_stand_apart_and_are_no_doubts() -> None:
    told = warnings(
        measure([warned("jax", "threads_idle", "throttled"), warned("pytorch", "figure_unknown")])
    )

    assert [each.kind for each in told.doubts] == ["throttled"]
    assert [each.kind for each in told.remarks] == ["figure unknown", "threads idle"]
    assert told.count == 1


def test_a_spoiled_trial_that_counts_is_a_doubt_and_a_repeated_one_is_none() -> None:
    of = cell("jax")
    reason = (TypedWarning(kind="stolen", text="taken"),)
    repeated = [trial(of, 0, spoiled=reason), trial(of, 0, attempt=1), trial(of, 1)]

    told = warnings(measure([result(of, [*repeated, trial(of, 2, spoiled=reason)])]))

    (doubt,) = told.doubts
    assert (doubt.kind, doubt.text, doubt.trials, told.count) == ("spoiled", "taken", "1 of 3", 1)
    assert warnings(measure([result(of, repeated)])).count == 0


def test_one_warning_of_many_cells_is_one_line() -> None:
    many = [warned(name, "swap_unknown", trials=3) for name in FRAMEWORKS]

    told = warnings(measure(many))

    (doubt,) = told.doubts
    assert told.count == 5
    assert (len(doubt.cells), doubt.more, doubt.trials) == (3, "and 2 cells more", "15 of 15")


def test_a_warning_that_each_trial_words_anew_is_one_line() -> None:
    of = cell()
    trials = [
        trial(of, index, warnings=(TypedWarning(kind="not_settled", text=f"{index} % faster"),))
        for index in range(3)
    ]

    (doubt,) = warnings(measure([result(of, trials)])).doubts

    assert (doubt.text, doubt.trials) == ("0 % faster (and 2 more like it)", "3 of 3")


def test_threads_are_told_reported_computed_and_alive() -> None:
    of = cell(cpus=1, threads="default")
    made = [trial(of, index) for index in range(2)]
    busy = Threads(type="threads", total=7, busy_ns=(10**12,) * 3)
    other = tuple(busy if isinstance(record, Threads) else record for record in made[1].records)
    cells = (result(of, [made[0], made[1].model_copy(update={"records": other})]),)

    (proof,) = proofs(read((run(cells), cells))[1])

    assert proof.threads == f"default / {UNKNOWN} / 2 to 3 / 2 to 7"


def test_the_ledger_has_every_phase_with_its_counters() -> None:
    of = cell()
    peaks = (60, 64, 80)
    trials = [
        trial(of, index).model_copy(
            update={"records": (phase_end(Phase.LOAD, 1, rss_peak_bytes=peak * MIB, cgroup_peak_bytes=None),)}
        )
        for index, peak in enumerate(peaks)
    ]

    (measured,) = measure([result(of, trials)])
    entry = ledger(measured, 25 * MIB)

    assert entry is not None
    assert entry.weights == "100"
    assert entry.rows == (LedgerRow("load", "64.0", "34.0", "32.0", "30.0", UNKNOWN),)


def test_a_cell_that_never_ran_has_no_ledger() -> None:
    (measured,) = measure([result(cell(), trials=())])

    assert ledger(measured, None) is None


def test_a_failure_stands_with_its_evidence() -> None:
    book, found = read(failed_run())

    by_id = {each.cell_id: each for each in failures(book, found)}

    oom_facts = dict(by_id["tensorflow.spam-fnn.c1.m256m.b1"].facts)
    assert oom_facts["kernel's count"] == "1 OOM kill"
    assert oom_facts["signal"] == "9 (SIGKILL)"
    assert oom_facts["phases ended"] == "import"
    crash = by_id["jax.spam-fnn.c1.m256m.b1"]
    assert dict(crash.facts)["trials"] == "2 ok, 1 crashed"
    assert "Resource exhausted" in crash.log_tail
    assert by_id["jax.spam-fnn.c8.m32g.b1"].facts == ()


def test_a_log_is_cut_to_its_end_and_says_so() -> None:
    cut = tail("begin" + "é" * LOG_LIMIT + "end\x1b[2J", LOG_LIMIT)

    assert cut.startswith("[… cut …]")
    assert "begin" not in cut
    assert cut.endswith("end␛[2J")
    assert len(cut.encode()) <= LOG_LIMIT + 20
    assert tail("short", LOG_LIMIT) == "short"


def test_images_and_models_show_what_really_ran() -> None:
    made = sample()
    book, found = read(made)

    first = images(book, found)[0]
    (model,) = models(made[0].models, found)

    assert (first.name, first.version, first.size) == ("pytorch", "2.13.0+cpu", "1,135")
    assert first.digest == made[1][0].trials[0].image_id
    assert (model.worst_error, model.tolerance) == ("4.8e-07", "1e-05")


def test_the_largest_error_of_a_model_is_that_of_the_cell_with_wrong_output() -> None:
    of, cells = failed_run()
    _, found = read((of, cells))

    (model,) = models(of.models, found)

    assert model.worst_error == "0.62"


def test_a_variant_says_what_it_is_a_variant_of() -> None:
    made = Framework(extends="onnxruntime", version="1.17.0", params={"arena": False})
    assert variant("old", made) == "onnxruntime: version 1.17.0, arena false"
    assert variant("onnxruntime", Framework(extends="onnxruntime", version="", params={"arena": True})) == ""
    assert variant("probe", None) == ""


def test_the_method_names_what_computed_the_references_of_this_runs_models() -> None:
    made, _ = sample()
    (model,) = made.models.values()
    others = [
        model.model_copy(update={"reference": reference})
        for reference in ("ONNX Runtime, float32, as the other failed (A)", "B", "C")
    ]

    assert method(made, [model, model]).references == f"a reference computed by {model.reference}"
    assert method(made, [model, *others[:1]]).references == (
        f"a reference computed by {model.reference}; or by {others[0].reference}"
    )
    assert method(made, others).references.endswith("; or by B; or by what else the table of models names")
    assert method(made, ()).references == "the reference of its model"

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from harness.article.figures import agreement, climb
from harness.article.ladder import check_replay, load_ladder
from harness.article.readings import Edition, Reading, Readings, Sitting
from harness.article.sitting import parse_reading
from harness.catalog import load_catalog
from harness.config import Matrix, load_matrix
from harness.errors import ConfigError, StoreError
from harness.intake import Options, plan_matrix
from harness.report import write_report
from harness.report.article import build_article
from harness.report.article.conclusions import conclusion
from harness.stats.cell import measure
from tests.factories import by_round, cell, result, run
from tests.replays import LADDER, sitting, sittings, write_replay
from tests.sample_runs import write_run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "article.yaml"


OTHERS = tuple(name for name in LADDER.frameworks if name != LADDER.baseline)


def without(made: Sitting, *names: str) -> Sitting:
    """A sitting in which some frameworks failed."""
    readings = tuple(
        Reading(framework=each.framework, error="it died") if each.framework in names else each
        for each in made.readings
    )
    return made.model_copy(update={"readings": readings})


def lede(made: Sequence[Sitting]) -> tuple[str, ...]:
    cells = (result(cell("pytorch", batch=1000)),)
    return build_article(run(cells), (), LADDER, made).lede


def worths(made: Sequence[Sitting]) -> list[str]:
    cells = (result(cell("pytorch", batch=1000)),)
    return [row.worth for row in build_article(run(cells), (), LADDER, made).ladders[0].rungs]


def matrix(text: str, folder: Path) -> Matrix:
    file = folder / "matrix.yaml"
    file.write_text(text)
    return load_matrix(file, catalog=load_catalog(ROOT))


def changed(**keys: str) -> str:
    text = EXAMPLE.read_text()
    for key, value in keys.items():
        text = re.sub(rf"^{key}:.*$", f"{key}: {value}", text, flags=re.MULTILINE)
    return text


def test_the_published_table_is_the_article_s() -> None:
    figures = {
        name: (each.latency_ms, each.cpu_percent, each.memory_mb) for name, each in LADDER.published.items()
    }
    assert figures == {
        "pytorch": (1.26, 99.79, 959.69),
        "tensorflow": (6.61, 112.26, 969.72),
        "jax": (3.15, 130.03, 1033.63),
        "onnxruntime": (14.75, 99.58, 1033.82),
        "openvino": (144.84, 99.32, 1040.80),
    }
    assert LADDER.order == ("pytorch", "jax", "tensorflow", "onnxruntime", "openvino")


def test_each_rung_takes_one_flaw_away_and_keeps_what_is_gone() -> None:
    gone = [LADDER.gone(rung) for rung in LADDER.rungs]
    assert gone[0] == ()
    for index, (before, after) in enumerate(pairwise(gone), start=1):
        assert after == (*before, LADDER.rungs[index].name)


def test_the_image_knows_every_flaw_that_the_ladder_names() -> None:
    files = ("article.py", "work.py", *(f"with_{name}.py" for name in LADDER.frameworks))
    text = "".join((ROOT / "images" / "article" / file).read_text() for file in files)
    asked = set(re.findall(r'is_gone\("(\w+)"\)|"(\w+)" in gone', text))
    names = {name for pair in asked for name in pair if name}
    here = {"process"}  # the harness starts other containers for it
    assert names | here == {rung.name for rung in LADDER.rungs[1:]}


def test_what_differs_from_the_article_s_versions_is_told() -> None:
    lock = (ROOT / "images" / "article" / "requirements.x86_64.lock").read_text()
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE))
    for name, version in LADDER.versions.items():
        found = locked.get(name) or locked.get(f"{name}-cpu")
        assert (found == version) != (name in LADDER.differing), name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("baseline: pytorch", "baseline: nobody"),
        ("  - name: work", "  - name: warmup"),
        ("latency_ms: 1.26", "latency_ms: -1"),
        ("title: Five", "unknown: Five"),
    ],
)
def test_a_broken_ladder_is_told_as_such(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "article" / "ladder.yaml"
    file.parent.mkdir()
    text = (ROOT / "images" / "article" / "ladder.yaml").read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    with pytest.raises(ConfigError, match="no ladder"):
        load_ladder(tmp_path)


def test_the_example_replays_and_its_short_form_is_the_long_one(tmp_path: Path) -> None:
    short = load_matrix(EXAMPLE, catalog=load_catalog(ROOT))
    long = matrix(changed(protocol="{article: true}"), tmp_path)
    assert short.protocol == long.protocol
    assert short.protocol.article
    assert short.resolved()["protocol"]["article"] is True
    check_replay(short, LADDER)


def test_a_matrix_without_a_replay_may_be_any(tmp_path: Path) -> None:
    ordinary = matrix(changed(protocol="{trials: 3}", batch="[1]"), tmp_path)
    assert "article" not in ordinary.resolved()["protocol"]
    plan_matrix(Options(matrix=tmp_path / "matrix.yaml", reports=tmp_path))


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"batch": "[1]"}, "`batch`"),
        ({"batch": "[1, 1000]"}, "`batch`"),
        ({"models": "[distilbert]"}, "`models`"),
        ({"frameworks": "[pytorch, openvino]"}, "`frameworks`"),
        ({"batch": "[1000]\nthreads: [match, default]"}, "`threads`"),
        ({"batch": "[1000]\nthreads: [default]"}, "`threads`"),
        ({"batch": "[1000]\ncpu_mode: [cpuset, quota]"}, "one limit"),
    ],
)
def test_a_replay_beside_other_cells_is_refused(tmp_path: Path, keys: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_replay(matrix(changed(**keys), tmp_path), LADDER)
    assert named in str(error.value)
    assert "examples/article.yaml" in str(error.value)


def test_a_step_counts_where_it_was_one_and_nowhere_else() -> None:
    found = climb(LADDER, Edition.ARTICLE, sittings())
    counted = {
        (rung, name)
        for rung, standings in found.rungs.items()
        for name, each in standings.items()
        if each.step is not None and each.step.counts
    }
    assert counted == {
        ("work", "openvino"), ("work", "onnxruntime"), ("gradients", "pytorch"),
        ("compiled", "jax"), ("compiled", "tensorflow"),
    }  # fmt: skip
    step = found.rungs["work"]["openvino"].step
    assert step is not None
    assert step.difference is not None
    assert step.difference.ratio == pytest.approx(1 / 280, rel=0.05)


def test_without_any_change_nothing_counts() -> None:
    found = climb(LADDER, Edition.CURRENT, sittings({}, noise=0.03))
    steps = [each.step for standings in found.rungs.values() for each in standings.values()]
    assert not any(step.counts for step in steps if step is not None)


def test_sittings_of_two_sessions_are_not_held_against_each_other() -> None:
    made = sittings()
    later = [each.model_copy(update={"session": 1}) if each.rung == "work" else each for each in made]
    step = climb(LADDER, Edition.ARTICLE, later).rungs["work"]["openvino"].step
    assert step is not None
    assert step.difference is None


def test_one_round_proves_nothing_and_is_still_shown() -> None:
    found = climb(LADDER, Edition.ARTICLE, sittings(rounds=1))
    standing = found.rungs["work"]["openvino"]
    assert standing.latency is not None
    assert standing.latency.low is None
    assert standing.band == (1, 5)
    assert standing.step is not None
    assert not standing.step.counts


def test_a_framework_that_fails_keeps_its_reason_and_the_others_their_figures() -> None:
    broken = Sitting(
        **{
            **dict(sitting(Edition.ARTICLE, "work", 0, {"pytorch": 1.0, "jax": 2.0})),
            "readings": (
                Reading(framework="pytorch", version="1", latency_ms=1.0),
                Reading(framework="jax", error="ValueError: its answer is wrong"),
            ),
        }
    )
    standings = climb(LADDER, Edition.ARTICLE, [broken]).rungs["work"]
    assert standings["jax"].error == "ValueError: its answer is wrong"
    assert standings["jax"].latency is None
    assert standings["pytorch"].latency is not None


def test_a_line_that_is_no_reading_is_a_failure() -> None:
    assert parse_reading(b'{"framework": "jax", "latency_ms": -1}').error
    assert parse_reading(b"nonsense").error


@pytest.mark.parametrize(("factor", "agrees"), [(1.0, True), (1.5, False)])
def test_the_ladder_s_end_agrees_with_the_matrix_where_it_does(factor: float, agrees: bool) -> None:
    ordinary = by_round([1.0, 1.02, 0.99, 1.01])
    own = {each: value * factor * (1 + 0.001 * each.round) for each, value in ordinary.items()}
    assert agreement(own, ordinary, None).agrees is agrees
    assert agreement(by_round([1.0]), ordinary, None).agrees is None


@pytest.mark.parametrize(
    ("factors", "name", "kind"),
    [
        ({}, "openvino", "proved"),
        ({}, "pytorch", "proved"),
        ({"work": {"openvino": 1 / 20}}, "openvino", "broken"),
        ({"work": {"openvino": 1 / 280}}, "openvino", "bad"),
        ({"work": {"openvino": 1 / 280}}, "pytorch", "bad"),
        ({"work": {"jax": 1.26 / 3.15}}, "jax", "bad"),
        ({"work": {"jax": 1.26 / 3.15}}, "pytorch", "broken"),
    ],
)
def test_a_conclusion_stands_falls_or_is_half_true(
    factors: dict[str, dict[str, float]], name: str, kind: str
) -> None:
    found = climb(LADDER, Edition.CURRENT, sittings(factors))
    fair = found.rungs[LADDER.rungs[-1].name]
    assert conclusion(LADDER, name, fair, found.floor).kind == kind


def test_a_wide_interval_bears_no_conclusion_out() -> None:
    found = climb(LADDER, Edition.CURRENT, sittings({}, rounds=2, noise=0.3))
    fair = found.rungs[LADDER.rungs[-1].name]
    made = conclusion(LADDER, "onnxruntime", fair, found.floor)
    assert (made.verdict, made.kind) == ("not decided", "broken")
    assert re.fullmatch(r"The rounds leave it open: measured fairly it takes .+ \[.+\] as long\.", made.why)


def test_one_that_ties_with_all_does_not_bring_the_others_together() -> None:
    once = tuple(each if each.index == 0 else without(each, "jax") for each in sittings({}))
    found = climb(LADDER, Edition.CURRENT, once)
    fair = found.rungs[LADDER.rungs[-1].name]
    assert (fair["pytorch"].band, fair["tensorflow"].band) == ((1, 2), (2, 3)), "places alone do not tell"
    assert conclusion(LADDER, "tensorflow", fair, found.floor).verdict == "stands"
    seldom = conclusion(LADDER, "jax", fair, found.floor)
    assert (seldom.verdict, seldom.why) == ("not known", "Too few rounds have both JAX and PyTorch.")


def test_the_first_is_the_first_of_those_that_have_a_figure() -> None:
    found = climb(LADDER, Edition.CURRENT, sittings({}))
    fair = found.rungs[LADDER.rungs[-1].name]
    assert conclusion(LADDER, "pytorch", fair, found.floor).why == "It is proved faster than each other one."
    found = climb(LADDER, Edition.CURRENT, tuple(without(each, "jax") for each in sittings({})))
    made = conclusion(LADDER, "pytorch", found.rungs[LADDER.rungs[-1].name], found.floor)
    assert made.verdict == "not decided"
    assert made.why == "It is proved faster than each other one that has a figure; not measured: JAX."
    found = climb(LADDER, Edition.CURRENT, tuple(without(each, *OTHERS) for each in sittings({})))
    made = conclusion(LADDER, "pytorch", found.rungs[LADDER.rungs[-1].name], found.floor)
    assert (made.verdict, made.why) == ("not known", "No other has a figure here.")


def test_a_baseline_that_fails_on_the_last_rung_leaves_the_report_whole(tmp_path: Path) -> None:
    cells = tuple(result(cell(name, batch=1000)) for name in LADDER.frameworks)
    folder = write_run(tmp_path / "run", run(cells), cells)
    last = LADDER.rungs[-1].name
    write_replay(
        folder, tuple(without(each, "pytorch") if each.rung == last else each for each in sittings())
    )
    write_report(folder)
    assert (folder / "index.html").exists()
    page = (folder / "article.html").read_text()
    assert page.count('<span class="badge idle">not known</span> PyTorch has no figure here.') == 5


def test_the_page_is_written_beside_the_report_and_again_from_the_files_alone(tmp_path: Path) -> None:
    cells = tuple(result(cell(name, batch=1000)) for name in LADDER.frameworks)
    folder = write_run(tmp_path / "run", run(cells), cells)
    write_replay(folder, sittings())
    write_report(folder)
    page = (folder / "article.html").read_text()
    assert "The article&#39;s order" in page
    assert page.count("<script") == 2, "the frame's, and that of the pictures"
    write_report(folder)
    assert (folder / "article.html").read_text() == page


def test_a_run_without_a_replay_has_no_such_page(tmp_path: Path) -> None:
    cells = (result(cell("pytorch")),)
    folder = write_run(tmp_path / "run", run(cells), cells)
    write_report(folder)
    assert not (folder / "article.html").exists()


def test_a_damaged_sitting_is_an_error_with_its_name(tmp_path: Path) -> None:
    write_replay(tmp_path, sittings(rounds=1))
    path = Readings(tmp_path).path(Edition.ARTICLE, "work", 0)
    path.write_text(json.dumps({**json.loads(path.read_text()), "unknown": 1}))
    with pytest.raises(StoreError, match=re.escape(path.name)):
        Readings(tmp_path).read_all()


def test_the_ordinary_matrix_is_the_top_of_the_current_ladder_alone() -> None:
    cells = tuple(result(cell(name, batch=1000)) for name in LADDER.frameworks)
    article, current = build_article(run(cells), measure(cells), LADDER, sittings()).ladders
    assert len(current.rungs) == len(article.rungs) + 1
    assert current.rungs[-1].title == LADDER.top.title
    assert len(current.chart.columns) == len(current.rungs)
    assert all(value[0].isdigit() for value in current.rungs[-1].values)


def test_every_flaw_has_its_worth_on_the_page() -> None:
    cells = tuple(result(cell(name, batch=1000)) for name in LADDER.frameworks)
    made = run(cells)
    view = build_article(made, (), LADDER, sittings())
    worth = {row.title: row.worth for row in view.ladders[0].rungs}
    assert "OpenVINO 2" in worth["The same work for each call"]
    assert worth["Warmed up"] == "No framework changed by more than identical sittings do."
    assert all(len(row.values) == len(LADDER.frameworks) for row in view.ladders[0].rungs)


def test_a_framework_without_a_step_is_not_told_as_no_change() -> None:
    died = tuple(without(each, "jax") if each.rung == "work" else each for each in sittings())
    _, work, warmup, *_ = worths(died)
    assert re.fullmatch(
        r"ONNX Runtime \S+ faster and OpenVINO \S+ faster\. Not measured: JAX\. The others: no change\.", work
    )
    assert warmup == "Not measured: JAX. The others: no change.", "a step needs both its ends"
    skipped = tuple(each for each in sittings() if each.rung != "work")
    assert worths(skipped)[1:3] == ["Not measured.", "Not measured."]


def test_what_nobody_measured_has_no_order() -> None:
    _, *repeated, fair = lede(())
    assert [sentence.rpartition(", ")[2] for sentence in repeated] == ["was not measured."] * 2
    assert fair == "With every flaw taken away the order was not measured."
    cells = (result(cell("pytorch", batch=1000)),)
    view = build_article(run(cells), (), LADDER, ())
    assert all("the fastest first: not measured;" in each.chart.description for each in view.ladders)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (sittings(), "gives the same order;"),
        (sittings({"article": {"jax": 2.1}}), "gives the same order as far as it is proved;"),
        (
            sittings({"article": {"jax": 3}}),
            "gives another order: PyTorch (place 1), TensorFlow (place 2), JAX",
        ),
        (sittings(rounds=1), "gives no order that is proved;"),
        (tuple(without(each, "jax") for each in sittings()), "gives the same order (not measured: JAX);"),
    ],
)
def test_an_order_is_another_only_where_that_is_proved(made: Sequence[Sitting], told: str) -> None:
    assert told in lede(made)[1]

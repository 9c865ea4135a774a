import io
import json
import time

import pytest
from rich.console import Console

from harness.events import PhaseReached, RunStarted, Step, Tick, TrialEnded, TrialStarted
from harness.progress import Talk, choose_display
from harness.progress.estimate import Estimate
from harness.progress.lines import JsonLines, PlainLines, TroubleLines
from harness.progress.live import LiveStatus
from harness.records import Phase
from harness.results import Status

STARTED = RunStarted(run_id="r1", trials=6, done=2)
TRIAL = TrialStarted(cell_id="jax.m.c1.m1g.b1", framework="jax", index=0, trials=3, number=3, total=6)


def ended(framework: str, number: int, seconds: float, status: Status = Status.OK) -> TrialEnded:
    return TrialEnded(
        cell_id=f"{framework}.m.c1.m1g.b1",
        framework=framework,
        index=0,
        status=status,
        reason="" if status is Status.OK else "out of memory in load",
        p50_us=12.345,
        engine_s=seconds,
        number=number,
        total=6,
    )


def test_there_is_no_estimate_before_the_first_trial_has_ended() -> None:
    estimate = Estimate()
    estimate.take(STARTED)
    assert estimate.seconds() is None


def test_the_estimate_weighs_frameworks_equally() -> None:
    estimate = Estimate()
    for event in (STARTED, ended("jax", 3, 2.0), ended("tensorflow", 4, 10.0)):
        estimate.take(event)
    assert estimate.seconds() == pytest.approx(2 * 6.0)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, to be put forward."""
    read = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: read[0])
    return read


def test_no_more_time_is_left_than_the_budget_has(now: list[float]) -> None:
    estimate = Estimate()
    estimate.take(RunStarted(run_id="r1", trials=6, done=0, budget_left_s=10.0))
    now[0] += 4.0
    estimate.take(ended("jax", 1, 4.0))
    assert estimate.seconds() == pytest.approx(6.0)  # of 20 for all trials
    now[0] += 8.0
    assert estimate.seconds() == 0
    estimate.take(ended("jax", 6, 8.0))
    assert estimate.seconds() == 0


def test_after_an_engine_was_lost_the_time_left_is_learned_anew(now: list[float]) -> None:
    estimate = Estimate()
    estimate.take(STARTED)
    now[0] += 1000.0
    estimate.take(ended("jax", 3, 1000.0))
    estimate.take(RunStarted(run_id="r1", trials=6, done=3))
    assert estimate.seconds() is None
    now[0] += 4.0
    estimate.take(ended("jax", 4, 2.0))
    assert estimate.seconds() == pytest.approx(2 * 2.0 * 2)  # a probe took as long as the trial


def test_plain_lines_tell_each_step_once_and_each_trial(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainLines() as show:
        for event in (
            Step(subject="image jax", text="download numpy", done=0.3),
            Step(subject="image jax", text="download jax", done=0.6),
            Step(subject="image null", text="build", done=0.0),
            Step(subject="image jax", text="download jaxlib", done=0.9),
            Step(subject="image jax", text="finished", done=1.0),
            STARTED,
            TRIAL,
            PhaseReached(cell_id=TRIAL.cell_id, phase=Phase.LOAD),
            Tick(),
            ended("jax", 3, 2.0),
            ended("jax", 4, 2.0, Status.OOM),
        ):
            show(event)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["image jax: download numpy", "image null: build", "image jax: finished"]
    del lines[:2]
    assert lines[1] == "run r1: 6 trials, 2 kept from before"
    assert "[3/6] jax.m.c1.m1g.b1" in lines[2]
    assert "12.3 µs" in lines[2]
    assert "out of memory in load" in lines[3]
    assert len(lines) == 4


def test_json_lines_are_one_object_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    with JsonLines() as show:
        for event in (STARTED, Tick(), ended("jax", 3, 2.0)):
            show(event)
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["run_started", "trial_ended"]


def test_the_live_line_names_trial_phase_and_failures() -> None:
    screen = io.StringIO()
    with LiveStatus(Console(file=screen, force_terminal=True, width=120)) as show:
        for event in (
            Step(subject="image jax", text="download", done=0.5),
            STARTED,
            ended("jax", 2, 1.0, Status.CRASH),
            TRIAL,
            PhaseReached(cell_id=TRIAL.cell_id, phase=Phase.STEADY),
            Tick(),
        ):
            show(event)
    text = screen.getvalue()
    assert "3/6 · jax.m.c1.m1g.b1 #1 · steady" in text
    assert "1 not ok" in text
    assert "image jax: download 50%" in text


def test_quiet_tells_of_trouble_only(capsys: pytest.CaptureFixture[str]) -> None:
    with choose_display(Talk.QUIET) as show:
        for event in (STARTED, TRIAL, ended("jax", 3, 2.0), ended("jax", 4, 2.0, Status.OOM)):
            show(event)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "out of memory in load" in lines[0]


def test_verbose_tells_each_phase_once(capsys: pytest.CaptureFixture[str]) -> None:
    with choose_display(Talk.VERBOSE) as show:
        for phase in (Phase.LOAD, Phase.STEADY):
            show(PhaseReached(cell_id=TRIAL.cell_id, phase=phase))
    assert capsys.readouterr().err.splitlines() == [f"{TRIAL.cell_id}: load", f"{TRIAL.cell_id}: steady"]


@pytest.mark.parametrize(
    ("variables", "talk", "kind"),
    [
        ({"FORCE_COLOR": "1"}, None, LiveStatus),
        ({"FORCE_COLOR": "1"}, Talk.VERBOSE, PlainLines),
        ({"FORCE_COLOR": "1"}, Talk.QUIET, TroubleLines),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, None, PlainLines),
        ({}, None, PlainLines),
    ],
)
def test_the_display_follows_the_terminal_and_what_was_asked(
    variables: dict[str, str], talk: str | None, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    assert type(choose_display(talk)) is kind


def test_no_color_keeps_colours_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = io.StringIO()
    with LiveStatus(Console(file=screen, force_terminal=True, width=120)) as show:
        show(ended("jax", 2, 1.0, Status.CRASH))
    text = screen.getvalue()
    assert "out of memory in load" in text
    assert "\x1b[31m" not in text
    assert "\x1b[1;31m" not in text

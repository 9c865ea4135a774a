"""Runs that are interrupted or killed: nothing finished is lost or repeated, and nothing is left behind."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from harness.container import LABEL_CELL, LABEL_RUN
from harness.engine import LOCK_NAME
from harness.errors import ExitCode
from tests.checkout import ROOT

pytestmark = pytest.mark.docker

MATRIX = """\
frameworks: [onnxruntime]
models: [spam-fnn]
cpus: [1]
memory: [256MiB, 512MiB]
protocol: {trials: 3, warmup: 100ms, budget: 500ms}
"""
TRIALS = 12
"""Three of each of two cells, of the timer's floor and of the twin."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder with a small matrix."""
    (tmp_path / "matrix.yaml").write_text(MATRIX)
    return tmp_path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "harness", "run", str(folder / "matrix.yaml"), *words]
    return subprocess.Popen(
        [*command, "--reports", str(folder / "reports")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read its progress until a line holds the words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}")


def trials(folder: Path) -> dict[str, str]:
    """The files of all trials, without repetitions of those that the host spoiled."""
    texts = {path.name: path.read_text() for path in folder.glob("reports/*-*/trials/*.json")}
    return {name: text for name, text in texts.items() if json.loads(text)["attempt"] == 0}


def finish(folder: Path, *words: str) -> str:
    process = start(folder, *words)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == ExitCode.OK, errors
    return errors


def await_trial(client: docker.DockerClient, *, running: bool, seconds: float) -> None:
    """Wait until a trial's container runs, or none does."""
    deadline = time.monotonic() + seconds
    while bool(client.containers.list(filters={"label": LABEL_CELL})) is not running:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def left_on(client: docker.DockerClient) -> list[str]:
    containers = client.containers.list(all=True)
    return [
        container.name or ""
        for container in containers
        if LABEL_RUN in container.labels or container.name == LOCK_NAME
    ]


@pytest.mark.parametrize(("presses", "finished"), [(1, 3), (2, 2)])
def test_ctrl_c_ends_after_the_running_trial_and_twice_at_once_and_the_same_command_goes_on(
    client: docker.DockerClient, folder: Path, presses: int, finished: int
) -> None:
    process = start(folder)
    wait_for(process, f"[ 2/{TRIALS}]")
    time.sleep(0.7)  # in the middle of the third
    process.send_signal(signal.SIGINT)
    wait_for(process, "Ctrl-C again stops now")
    if presses == 2:
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == ExitCode.INTERRUPTED
    assert "the same command goes on" in errors
    assert left_on(client) == []
    kept = trials(folder)
    assert len(kept) == finished
    (run,) = folder.glob("reports/*-*/run.json")
    assert json.loads(run.read_text())["state"] == "interrupted"
    assert (folder / "reports" / "latest" / "index.html").exists()

    assert f"{finished} kept from before" in finish(folder)

    assert len(trials(folder)) == TRIALS
    assert kept.items() <= trials(folder).items()
    assert len(list(folder.glob("reports/*-*"))) == 1
    assert json.loads(run.read_text())["state"] == "complete"


def test_after_kill_9_the_next_start_sweeps_and_goes_on(client: docker.DockerClient, folder: Path) -> None:
    process = start(folder)
    wait_for(process, f"[ 2/{TRIALS}]")
    time.sleep(0.7)
    process.kill()
    process.communicate(timeout=60)
    kept = trials(folder)

    assert "kept from before" in finish(folder)

    assert len(kept) == 2
    assert kept.items() <= trials(folder).items()
    assert len(trials(folder)) == TRIALS
    assert left_on(client) == []
    assert list(folder.rglob("*.part")) == []


def test_a_trial_whose_harness_is_killed_ends_though_nobody_sweeps(
    client: docker.DockerClient, folder: Path
) -> None:
    long = MATRIX.replace("warmup: 100ms", "warmup: 60s").replace("[onnxruntime]", '[onnxruntime, "null"]')
    excluded = 'exclude: [{framework: "null", reason: its trials are soon over by themselves}]\n'
    (folder / "matrix.yaml").write_text(long + excluded)
    process = start(folder)
    await_trial(client, running=True, seconds=120)
    time.sleep(0.7)
    process.kill()
    process.communicate(timeout=60)

    await_trial(client, running=False, seconds=5)

    (folder / "matrix.yaml").write_text(MATRIX.replace("trials: 3", "trials: 1"))
    finish(folder)
    assert left_on(client) == []


def test_a_finished_run_is_not_continued_and_new_starts_afresh(folder: Path) -> None:
    finish(folder, "--only", "*.m256m.*")
    finish(folder, "--only", "*.m256m.*")
    assert len(list(folder.glob("reports/*-*"))) == 2


def test_a_budget_leaves_the_rest_skipped_and_the_same_command_goes_on(folder: Path) -> None:
    errors = finish(folder, "--budget", "4s")
    assert "the same command goes on from there" in errors
    kept = trials(folder)
    assert 1 <= len(kept) < TRIALS
    (run,) = folder.glob("reports/*-*/run.json")
    assert json.loads(run.read_text())["state"] == "interrupted"
    assert f"{len(kept)} kept from before" in finish(folder)
    assert len(trials(folder)) == TRIALS


def test_under_a_budget_a_cell_that_fails_always_alike_is_done(folder: Path) -> None:
    small = MATRIX.replace("onnxruntime", "pytorch").replace("[256MiB, 512MiB]", "[64MiB]")
    (folder / "matrix.yaml").write_text(
        f"{small}expect: [{{framework: pytorch, status: oom, reason: its libraries alone are larger}}]\n"
    )

    assert "the same command goes on" not in finish(folder, "--budget", "10m")

    (run,) = folder.glob("reports/*-*/run.json")
    assert json.loads(run.read_text())["state"] == "complete"
    (cell,) = folder.glob("reports/*-*/cells/pytorch.*.b1.json")
    assert json.loads(cell.read_text())["reason"].startswith("2 of 2 trials: ")


def test_what_ran_out_of_memory_is_expected_and_retried(folder: Path) -> None:
    small = MATRIX.replace("onnxruntime", "pytorch").replace("[256MiB, 512MiB]", "[64MiB]")
    matrix = small.replace("trials: 3", "trials: 1")
    expectation = "expect: [{framework: pytorch, status: oom, reason: its libraries alone are larger}]\n"
    (folder / "matrix.yaml").write_text(matrix + expectation)
    finish(folder)
    page = (folder / "reports" / "latest" / "index.html").read_text()
    assert "its libraries alone are larger" in page
    finish(folder, "--retry", "oom")
    attempts = sorted(path.name for path in folder.glob("reports/*-*/trials/pytorch.*"))
    assert [name.rpartition(".b1.")[2] for name in attempts] == ["0.1.json", "0.json"]
    process = start(folder, "--retry", "crash")
    _, told = process.communicate(timeout=120)
    assert (process.returncode, "ended as crash" in told) == (ExitCode.ENVIRONMENT, True)


def test_two_shards_are_merged(folder: Path) -> None:
    (folder / "matrix.yaml").write_text(MATRIX.replace("trials: 3", "trials: 1"))
    for part in ("1/2", "2/2"):
        finish(folder, "--shard", part)
    runs = [path.name for path in folder.glob("reports/*-*")]
    command = [sys.executable, "-m", "harness", "merge", *runs, "--reports", str(folder / "reports")]
    merged = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    run = json.loads((Path(merged.stdout.strip()).parent / "run.json").read_text())
    assert sum(name.startswith("onnxruntime") for name in run["cells"]) == 2


def test_a_closed_terminal_ends_a_run_as_ctrl_c_does(client: docker.DockerClient, folder: Path) -> None:
    process = start(folder)
    wait_for(process, f"[ 1/{TRIALS}]")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert left_on(client) == []


def test_a_cell_that_runs_out_of_memory_makes_the_command_exit_3(folder: Path) -> None:
    text = MATRIX.replace("onnxruntime", "pytorch").replace("[256MiB, 512MiB]", "[64MiB]")
    (folder / "matrix.yaml").write_text(text.replace("trials: 3", "trials: 1"))
    process = start(folder)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == ExitCode.CELLS_FAILED
    assert "oom" in errors
    assert (folder / "reports" / "latest" / "index.html").exists()


def test_a_cell_larger_than_the_host_is_skipped_and_drawn(folder: Path) -> None:
    (folder / "matrix.yaml").write_text(MATRIX.replace("cpus: [1]", "cpus: [1, 999]"))
    errors = finish(folder)
    assert "2 skipped" in errors
    page = (folder / "reports" / "latest" / "index.html").read_text()
    assert "999" in page


def test_over_host_refuse_starts_nothing(folder: Path) -> None:
    (folder / "matrix.yaml").write_text(MATRIX.replace("cpus: [1]", "cpus: [999]") + "over_host: refuse\n")
    process = start(folder)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ExitCode.ENVIRONMENT
    assert "999" in errors
    assert trials(folder) == {}


def test_over_host_run_is_marked_and_never_ok(client: docker.DockerClient, folder: Path) -> None:
    one_too_many = client.info()["NCPU"] + 1
    text = MATRIX.replace("cpus: [1]", f"cpus: [{one_too_many}]").replace("trials: 3", "trials: 1")
    (folder / "matrix.yaml").write_text(text + "over_host: run\n")
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == ExitCode.CELLS_FAILED
    assert "limits_not_enforced" in errors

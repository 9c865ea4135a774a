"""The bodies of the survival tests, by size: some in `make test`, more in `make prove`."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import docker
import psutil

from harness.container import LABEL_OWNER, LABEL_RUN
from harness.events import TrialEnded
from harness.intake import Options
from harness.results import CellResult, Status, Trial
from harness.runs import RunState
from harness.session import run_matrix
from harness.store import RunStore, stored_runs
from tests.checkout import ROOT
from tests.docker.private_engine import PrivateEngine

MATRIX = """\
frameworks: ["null"]
models: [spam-fnn]
cpus: [1]
memory: [{memory}]
protocol: {{trials: {trials}, warmup: 50ms, budget: {budget}, max_iterations: {most}}}
"""


CAPS = [f"{256 + number}MiB" for number in range(10)]
"""Of the soak's cells: as many as stand between two reference probes."""
FEW, MANY = 2000, 1_000_000
"""Calls of a steady phase at most: few where many trials are wanted, and not what they measure."""


HANGING_S = 3600
"""Longer than hundreds of trials take on a busy host, which repeats those that it spoils."""


class Command:
    """`edgematrix run` on a small matrix of the null framework, in a process of its own."""

    def __init__(
        self, folder: Path, *, trials: int, memory: str = "256MiB", budget: str = "100ms", most: int = MANY
    ) -> None:
        self.reports = folder / "reports"
        matrix = folder / "matrix.yaml"
        matrix.write_text(MATRIX.format(trials=trials, memory=memory, budget=budget, most=most))
        self._words = [sys.executable, "-m", "harness", "run", str(matrix), "--reports", str(self.reports)]
        self.environment = dict(os.environ)

    def start(self) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            self._words,
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self._words,
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=HANGING_S,
        )


def left_on(client: docker.DockerClient) -> list[str | None]:
    """The names of the project's containers."""
    return [
        container.name
        for container in client.containers.list(all=True)
        if LABEL_RUN in container.labels or LABEL_OWNER in container.labels
    ]


def kills(client: docker.DockerClient, folder: Path, count: int) -> None:
    """Kill the harness at random moments, each time followed by a resume, and look at what is there in the end."""
    trials = 4 + 2 * count
    command = Command(folder, trials=trials, memory="256MiB, 512MiB", most=FEW)
    rng = random.Random(count)
    killed = 0
    while killed < count:
        process = command.start()
        try:
            process.communicate(timeout=rng.uniform(0.2, 6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
    last = command.run()
    assert last.returncode == 0, last.stderr
    assert left_on(client) == []
    assert list(folder.rglob("*.part")) == []
    for store in stored_runs(command.reports):
        check_whole(store, trials)
    print(f"{killed} kills, {len(list(stored_runs(command.reports)))} run(s)")


def check_whole(store: RunStore, trials: int) -> None:
    """Every cell has exactly its trials, every file parses, and no other file is there."""
    run = store.read_run()
    assert run.state is RunState.COMPLETE
    names = set()
    for cell_id in run.cells:
        result = CellResult.model_validate_json((store.folder / "cells" / f"{cell_id}.json").read_text())
        assert result.status is Status.OK, result.reason
        assert len(result.counted) == trials
        names |= {store.trial_path(*trial.key).name for trial in result.trials}
    assert {path.name for path in (store.folder / "trials").iterdir()} == names
    for path in (store.folder / "trials").iterdir():
        Trial.model_validate_json(path.read_text())
    for path in (store.folder / "probes").iterdir():
        json.loads(path.read_text())


def engine_restarts(client: docker.DockerClient, folder: Path, count: int) -> None:
    """Kill a private engine in mid-trial and start it again, some times in one matrix."""
    (data := folder / "engine").mkdir()
    private = PrivateEngine(data)
    command = Command(folder, trials=count + 2, budget="3s")
    command.environment["DOCKER_HOST"] = private.url
    with contextlib.ExitStack() as held:
        held.callback(private.stop)
        own = private.start()
        held.callback(own.close)
        private.take_images(client, images_of(client))
        process = held.enter_context(command.start())
        assert process.stderr is not None
        told = []
        done = 0
        for line in process.stderr:
            told.append(line)
            if line.startswith("[") and done < count:
                time.sleep(2)  # in the middle of the next
                private.kill()
                time.sleep(1)
                private.start().close()
                done += 1
        assert process.wait(timeout=300) == 0, "".join(told)
        assert sum("waiting for the engine" in line for line in told) == count, "".join(told)
        (store,) = stored_runs(command.reports)
        check_whole(store, count + 2)
        assert left_on(own) == []
        print(f"{count} restarts, all trials there")


def images_of(client: docker.DockerClient) -> list[str]:
    """What a run of the null framework needs, so that the private engine builds nothing."""
    names = ["edgematrix/null:latest", "edgematrix/probe:latest", "edgematrix/prepare:latest"]
    tags = [tag for image in client.images.list("edgematrix/base") for tag in image.tags]
    return [*names, *tags]


def soak(folder: Path, *, trials: int, settled: int) -> None:
    """Many trials in this process: after the first ones neither memory nor open files grow; what one takes is told."""
    me = psutil.Process()
    seen: list[tuple[int, int, float]] = []

    def watch(event: object) -> None:
        if isinstance(event, TrialEnded):
            seen.append((me.memory_info().rss, me.num_fds(), time.monotonic()))

    matrix = folder / "matrix.yaml"
    matrix.write_text(
        MATRIX.format(trials=trials // len(CAPS), memory=", ".join(CAPS), budget="50ms", most=FEW)
    )
    finished = run_matrix(Options(matrix=matrix, reports=folder / "reports", force=True), watch)
    assert {cell.status for cell in finished.cells} == {Status.OK}
    assert len(seen) >= trials
    early, late = seen[settled - 1], seen[-1]
    tenth = max(5, trials // 10)
    first = (seen[settled + tenth - 1][2] - seen[settled - 1][2]) / tenth
    last = (seen[-1][2] - seen[-1 - tenth][2]) / tenth
    print(
        f"{trials} trials: memory {early[0] / 2**20:.1f} MiB after {settled}, {late[0] / 2**20:.1f} MiB at the end; "
        f"files {early[1]} and {late[1]}; {first:.2f} s a trial at first, {last:.2f} s at the end"
    )
    assert late[0] - early[0] < 10 * 2**20
    assert late[1] == early[1]

"""The wheel in an environment of its own and a folder of its own, with nothing of the checkout in sight."""

import json
import os
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import docker
import pytest
from hatchling.builders.wheel import WheelBuilder

from harness.build import build_images
from harness.catalog import load_catalog
from tests.checkout import ROOT

pytestmark = pytest.mark.docker

MATRIX = """\
frameworks: [onnxruntime]
models: [spam-fnn]
cpus: [1]
memory: [512MiB]
protocol: {trials: 1, warmup: 50ms, budget: 50ms}
"""
NAMES = ("probe", "prepare", "null", "onnxruntime")
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def edgematrix(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The console command, as pip installs it, in an empty folder; the lock stands in for pip's own choice."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check"]
    for words in (
        (
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            f"--requirement={ROOT / 'requirements.lock'}",
        ),
        ("install", "--quiet", "--no-deps", wheel),
        ("check",),
    ):
        subprocess.run([*pip, *words], check=True)
    (empty := folder / "empty").mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ["XDG_CACHE_HOME"] = str(folder / "cache")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / "edgematrix"), *words],
            cwd=empty,
            env=environ,
            text=True,
            capture_output=True,
            check=False,
            timeout=600,
        )

    return run


def test_the_installed_command_does_the_whole_job_in_an_empty_folder(
    client: docker.DockerClient, edgematrix: Command, tmp_path: Path
) -> None:
    nothing = edgematrix("run")
    assert nothing.returncode == 4
    assert "edgematrix new matrix" in nothing.stderr
    written = edgematrix("new", "matrix")
    assert written.returncode == 0, written.stderr
    assert edgematrix("plan").stdout

    frameworks = load_catalog(ROOT).frameworks
    build_images(client, NAMES, frameworks=frameworks, on_event=lambda _: None)
    (matrix := tmp_path / "matrix.yaml").write_text(MATRIX)
    done = edgematrix("run", str(matrix), "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = {event["subject"]: event["text"] for event in events if event["kind"] == "step"}
    # The checkout's images are the wheel's: each has the same identity in both.
    for name in NAMES:
        assert steps[f"image {name}"].startswith("skipped up to date"), steps
    cells = [row["id"] for row in json.loads(edgematrix("plan", str(matrix), "--json").stdout)]
    assert events[-1]["cells"] == {"ok": len(cells)}
    assert Path(events[-1]["report"]).name == "index.html"

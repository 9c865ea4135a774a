"""Real containers on the real engine. Without an engine these tests fail; they are never skipped."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from harness.build.builder import remove_image
from harness.build.images import LABEL_FRAMEWORK, own_tags
from harness.catalog import load_catalog
from harness.cores import request_limits
from harness.engine import Engine
from harness.engine_connection import connect
from harness.host import LogicalCpu
from harness.intake import Options, plan_matrix
from harness.results import Cell, Trial
from harness.runs import Protocol
from harness.schedule import ScheduledTrial
from harness.session import describe_run, hold_engine, run_matrix
from harness.store import RunStore
from harness.supplies import Supplies, build_supplies, fill_volumes
from harness.trial import Bench, run_trial
from tests.checkout import ROOT

MIB = 1024**2
FRAMEWORKS = Path(__file__).parent / "frameworks"
BATCHES = (1, 1000)
"""Those for which a place is prepared."""
PROTOCOL = Protocol(
    trials=1,
    max_trials=1,
    precision=None,
    max_time_s=None,
    warmup_s=0.1,
    budget_s=0.2,
    min_iterations=10,
    max_iterations=100_000,
    timeout_s=120,
    page_cache="cold",
    seed=0,
)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell starts what is in its background deaf to Ctrl-C, and `nohup` to SIGHUP.

    The commands under test would inherit that; a handler of ours they do not.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine; no engine is a failure."""
    client = connect()
    yield client
    client.close()


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, client: docker.DockerClient) -> Iterator[Path]:
    """A folder as a user has it, with frameworks of their own; `slowed` is `steady` with 5 % more work."""
    project = tmp_path_factory.mktemp("project")
    for source, name in (("fault", "fault"), ("steady", "steady"), ("steady", "slowed")):
        folder = project / "frameworks" / name
        shutil.copytree(FRAMEWORKS / source, folder)
        for lock in (ROOT / "images" / "null").glob("requirements.*.lock"):
            shutil.copy(lock, folder / lock.name)
    settings = project / "frameworks" / "slowed" / "framework.yaml"
    settings.write_text(settings.read_text().replace('"20"', '"21"'))
    yield project
    remove_images(client, ["fault", "steady", "slowed"])


def remove_images(client: docker.DockerClient, frameworks: list[str]) -> None:
    """Remove the images of a test's own frameworks."""
    for name in frameworks:
        for image in client.images.list(filters={"label": f"{LABEL_FRAMEWORK}={name}"}):
            for tag in own_tags(image):
                remove_image(client, tag)


@dataclass(frozen=True)
class Place:
    """A prepared engine on which single trials can be run."""

    engine: Engine
    bench: Bench
    topology: tuple[LogicalCpu, ...]
    memory_bytes: int

    def trial(
        self,
        framework: str,
        *,
        memory: int = 512 * MIB,
        cpus: float = 1,
        protocol: Mapping[str, object] | None = None,
        fault: str = "",
        watch: Callable[[object], None] = lambda _: None,
        **options: object,
    ) -> Trial:
        """Run one trial of one cell; `protocol` changes the tests' own, `options` are further fields of the cell."""
        cell = Cell.model_validate(
            {"framework": framework, "model": "spam-fnn", "cpus": cpus, "memory_bytes": memory, "batch": 1}
            | options
        )
        limits = request_limits(cell, topology=self.topology, memory_bytes=self.memory_bytes)
        scheduled = ScheduledTrial(cell=cell, index=0, requested=limits)
        supplies = self.bench.supplies
        if fault:
            spec = supplies.specs["fault"].model_copy(update={"env": {"FAULT": fault}})
            supplies = replace(supplies, specs={**supplies.specs, "fault": spec})
        changed = PROTOCOL.model_copy(update=dict(protocol or {}))
        run = self.bench.run.model_copy(update={"protocol": changed})
        return run_trial(
            scheduled, engine=self.engine, bench=Bench(run=run, supplies=supplies), listener=watch
        )


def prepare_place(client: docker.DockerClient, names: list[str], beside: Path = ROOT) -> Iterator[Place]:
    """Build, prepare and hold the engine; frameworks may stand in a user's folder."""
    cells = [
        Cell(framework=name, model="spam-fnn", cpus=1, memory_bytes=512 * MIB, batch=batch)
        for name in names
        for batch in BATCHES
    ]
    options = Options(matrix=ROOT / "matrix.yaml", reports=beside / "reports")
    matrix, plan = plan_matrix(options)
    supplies: Supplies = build_supplies(
        client, cells, matrix=matrix, catalog=load_catalog(beside), listener=lambda _: None
    )
    assert supplies.failures == {}
    engine = Engine(client, purpose="the tests")
    with hold_engine(engine, supplies.images["probe"], supplies.volumes) as survey:
        facts = survey()
        supplies = fill_volumes(engine, supplies, facts, lambda _: None)
        assert supplies.failures == {}
        facts = survey()
        run = describe_run(options, matrix, plan, supplies, facts, engine)
        yield Place(engine, Bench(run=run, supplies=supplies), facts.topology, facts.memory_bytes)


@pytest.fixture(scope="module")
def faults(client: docker.DockerClient, project: Path) -> Iterator[Place]:
    """A place with the framework that fails on demand."""
    yield from prepare_place(client, ["fault"], project)


@pytest.fixture
def own_frameworks(project: Path, tmp_path: Path) -> None:
    """Let a test's matrix in `tmp_path` use the tests' frameworks."""
    (tmp_path / "frameworks").symlink_to(project / "frameworks")


def run(folder: Path, matrix: str) -> RunStore:
    """Run a whole matrix in this process."""
    file = folder / "matrix.yaml"
    file.write_text(matrix)
    reports = folder / "reports"
    finished = run_matrix(Options(matrix=file, reports=reports, force=True), lambda _: None)
    return RunStore(reports / finished.run.run_id)


@pytest.fixture(scope="module")
def frameworks(client: docker.DockerClient) -> Iterator[Place]:
    """A place with the five frameworks."""
    names = ["null", "pytorch", "tensorflow", "jax", "onnxruntime", "openvino"]
    yield from prepare_place(client, names)

"""Real containers on the real engine. Without an engine these tests fail; they are never skipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from harness.engine import Engine
from harness.engine_connection import connect
from harness.execute import Bench, run_trial
from harness.intake import ROOT, Options, plan_matrix
from harness.results import Cell, Protocol, Trial
from harness.schedule import make_schedule
from harness.session import describe_run, hold_engine
from harness.supplies import Supplies, build_supplies, fill_volumes

MIB = 1024**2
FAULT = Path(__file__).parent / "frameworks" / "fault"
PROTOCOL = Protocol(
    trials=1,
    warmup_s=0.1,
    budget_s=0.2,
    min_iterations=10,
    max_iterations=100_000,
    timeout_s=120,
    page_cache="cold",
    seed=0,
)


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine; no engine is a failure."""
    client = connect()
    yield client
    client.close()


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's images and models with one framework more, which is one folder more."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(ROOT / "images", root / "images", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "harness" / "models", root / "harness" / "models")
    shutil.copytree(FAULT, root / "images" / "fault")
    for lock in (ROOT / "images" / "onnxruntime").glob("requirements.*.lock"):
        (root / "images" / "fault" / lock.name).write_text(only(lock.read_text(), {"numpy", "psutil"}))
    if (cache := ROOT / ".cache").exists():
        (root / ".cache").symlink_to(cache)
    return root


def only(lock: str, packages: set[str]) -> str:
    """Cut a lock down to some packages, so that the tests have no second one to keep up."""
    blocks = re.split(r"(?m)^(?=\S)", lock)
    return "".join(block for block in blocks if block.partition("==")[0] in packages)


@dataclass(frozen=True)
class Place:
    """A prepared engine on which single trials can be run."""

    engine: Engine
    bench: Bench
    topology: tuple[object, ...]
    memory_bytes: int

    def trial(
        self,
        framework: str,
        *,
        memory: int = 512 * MIB,
        cpus: float = 1,
        timeout_s: float = 120,
        fault: str = "",
        watch: Callable[[object], None] = lambda _: None,
    ) -> Trial:
        """Run one trial of one cell."""
        cell = Cell(framework=framework, model="spam-fnn", cpus=cpus, memory_bytes=memory, batch=1)
        schedule = make_schedule(
            [cell],
            trials=1,
            seed=0,
            topology=self.topology,  # type: ignore[arg-type]
            memory_bytes=self.memory_bytes,
        )
        supplies = self.bench.supplies
        if fault:
            spec = supplies.frameworks["fault"].model_copy(update={"env": {"FAULT": fault}})
            supplies = replace(supplies, frameworks={**supplies.frameworks, "fault": spec})
        protocol = PROTOCOL.model_copy(update={"timeout_s": timeout_s})
        run = self.bench.run.model_copy(update={"protocol": protocol})
        return run_trial(
            schedule[0], engine=self.engine, bench=Bench(run=run, supplies=supplies), listener=watch
        )


def prepare_place(client: docker.DockerClient, root: Path, names: list[str]) -> Iterator[Place]:
    """Build, prepare and hold the engine."""
    cells = [
        Cell(framework=name, model="spam-fnn", cpus=1, memory_bytes=512 * MIB, batch=1) for name in names
    ]
    options = Options(matrix=ROOT / "matrix.yaml", reports=root / "reports")
    matrix, plan = plan_matrix(options)
    supplies: Supplies = build_supplies(client, cells, root=root, listener=lambda _: None)
    assert supplies.failures == {}
    engine = Engine(client, owner="the tests")
    with hold_engine(engine, supplies) as survey:
        facts = survey()
        supplies = fill_volumes(engine, supplies, facts, lambda _: None)
        assert supplies.failures == {}
        facts = survey()
        run = describe_run(options, matrix, plan, supplies, facts, engine)
        yield Place(engine, Bench(run=run, supplies=supplies), facts.topology, facts.memory_bytes)


@pytest.fixture(scope="module")
def faults(client: docker.DockerClient, root: Path) -> Iterator[Place]:
    """A place with the framework that fails on demand."""
    yield from prepare_place(client, root, ["fault"])


@pytest.fixture(scope="module")
def frameworks(client: docker.DockerClient) -> Iterator[Place]:
    """A place with the five frameworks."""
    yield from prepare_place(client, ROOT, ["pytorch", "tensorflow", "jax", "onnxruntime", "openvino"])

"""The record of one run, `run.json`: what was measured with what, on which machine, and how.

`docs/contracts/results.md` is the page for readers.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from harness.records import Count, Phase
from harness.results import Cpus, Positive, Seconds, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.results import Cell

ParamValue = bool | int | str
"""Of a parameter of a framework's adapter."""
Task = Literal["classification", "other"]
"""Of a classifier the best class is compared with the reference's as well."""


class Host(Stored):
    """The machine on which the engine runs, as a container on it sees it."""

    fingerprint: str
    """Hash of what makes two hosts comparable: CPU, cores, memory, kernel, cgroup version, engine."""
    cpu_model: str
    architecture: str
    logical_cpus: tuple[Count, ...]
    """Those that a container may use."""
    physical_cores: Positive
    smt: bool
    memory_bytes: Positive
    kernel: str
    cgroup_version: Literal[1, 2]
    engine_version: str
    engine_os: str
    storage_driver: str
    governor: str | None
    cpu_flags: tuple[str, ...]
    """The instruction sets that matter for inference, such as `avx2` or `amx_tile`."""


class Image(Stored):
    """One framework's image as it ran."""

    tag: str
    id: str
    fingerprint: str
    size_bytes: Count
    base: str
    """The digest or the kind of the base it was built on."""
    packages: dict[str, str]


class Framework(Stored):
    """A framework as a matrix means it: one that has a folder, or a variant of one."""

    extends: str
    """The name of the folder; a framework that is no variant extends itself."""
    version: str
    """Of its package; empty for the one that the project pins."""
    params: dict[str, ParamValue]
    """All of its adapter's parameters."""


class Model(Stored):
    """One model as it was prepared."""

    hash: str
    """Of what all frameworks share of it."""
    data: dict[str, str]
    """Hash of inputs and reference, by the sizes of the dimensions that change them, in words."""
    title: str
    parameters: Count
    multiply_adds: Count | None
    """Of one row at the usual sequence length; `None` where nobody counted them."""
    sequence: Positive | None
    """The usual sequence length, where it has one."""
    task: Task
    tolerance: Annotated[float, Field(ge=0)]
    """Largest error allowed against the reference, as a part of the output's largest value."""
    reference: str
    """What computed the reference, in words."""
    size_bytes: Count
    """Of all this."""

    def count(self, cell: Cell) -> int | None:
        """Multiply-adds of one call; `None` where nobody counted them for this length."""
        if self.multiply_adds is None or cell.sequence != self.sequence:
            return None
        return self.multiply_adds * cell.batch


def differs(one: Model, other: Model) -> bool:
    """Whether what two runs have in common of a model is not the same."""
    shared = one.data.keys() & other.data.keys()
    return one.hash != other.hash or any(one.data[key] != other.data[key] for key in shared)


class Protocol(Stored):
    """How every trial measures, and how many there are."""

    trials: Positive
    """Of each cell, at least."""
    max_trials: Positive
    """Of each cell, at most; more than `trials` only where a precision is asked for."""
    precision: Annotated[float, Field(gt=0, lt=1)] | None
    """Half the width of the interval of a cell's median, on its wider side, over the median, at which no more
    trials are spent."""
    max_time_s: Seconds | None
    """Of measuring, after which no trial beyond `trials` begins."""
    warmup_s: Seconds
    budget_s: Seconds
    """Of the steady phase."""
    min_iterations: Count
    max_iterations: Positive
    timeout_s: Seconds
    """Of one trial, enforced from outside."""
    phase_timeouts_s: dict[Phase, Seconds] = Field(default={})
    """Of single phases, enforced from outside as well; a phase that is not here has the trial's."""
    page_cache: Literal["cold", "warm"]
    seed: Count
    article: bool = False
    """The article is replayed beside the cells."""


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETE = "complete"


class Run(Stored):
    """One execution of a matrix: `run.json`."""

    version: Literal[3] = 3
    run_id: str
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    session: Count = 0
    """Number of its last session, which its trials and probes carry; not a count, as older runs begin at 0 too."""
    run_s: Seconds
    """Wall time spent measuring, over all sessions."""
    sessions: Positive | None = None
    """How often it was begun or gone on with; `None` where nobody counted."""
    trials: Count = 0
    """How many were run in that time, each attempt counted; 0 before the first session's end."""
    plan_hash: str
    """Hash of the cells and the protocol: a part of what a resume compares."""
    cells: tuple[str, ...]
    """Ids of all cells, in the plan's order: these files, and no others, stand in `cells/` once it is complete."""
    matrix_name: str
    matrix_path: str | None = None
    """From the folder that the command was typed in, with slashes; `None` where the file lay elsewhere than below it:
    what is published names no folder of anybody's machine."""
    matrix: dict[str, object]
    """As resolved, every default written out."""
    baseline: str
    """The framework that relative columns refer to."""
    devices: dict[str, tuple[Cpus, Positive]]
    """Name to (cpus, memory in bytes), where the matrix names its limits."""
    protocol: Protocol
    quick: bool = False
    """A quick look: few short trials, and only the ends of the matrix."""
    harness_version: str
    git_commit: str | None
    git_dirty: bool | None
    host: Host
    frameworks: dict[str, Framework]
    images: dict[str, Image]
    """By the framework's name in the matrix, and those of the project's helpers."""
    models: dict[str, Model]

    @field_validator("cells")
    @classmethod
    def _each_once(cls, cells: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(cells)) < len(cells):
            raise ValueError("a cell is named twice")
        return cells


def differences(one: Run, other: Run) -> Iterator[str]:
    """What keeps trials of two runs from standing beside each other, in words.

    Of frameworks, images and models only what both have: one that could not be made changes no trial of the others.
    """
    for name, what in (("protocol", "the protocol"), ("harness_version", "the version of edgematrix")):
        if getattr(one, name) != getattr(other, name):
            yield what
    if one.host.fingerprint != other.host.fingerprint:
        yield "the host"
    for name in sorted(one.frameworks.keys() & other.frameworks.keys()):
        if one.frameworks[name] != other.frameworks[name]:
            yield f"the framework {name}"
    for name in sorted(one.images.keys() & other.images.keys()):
        if one.images[name].fingerprint != other.images[name].fingerprint:
            yield f"the image of {name}"
    for name in sorted(one.models.keys() & other.models.keys()):
        if differs(one.models[name], other.models[name]):
            yield f"the model {name}"


def unite_models(runs: Sequence[Run]) -> dict[str, Model]:
    """Each model once, with what was drawn for it in any of these runs."""
    models: dict[str, Model] = {}
    for name, model in ((name, model) for run in runs for name, model in run.models.items()):
        known = models.get(name, model)
        references = dict.fromkeys([*known.reference.split("; "), *model.reference.split("; ")])
        models[name] = model.model_copy(
            update={
                "data": known.data | model.data,
                "reference": "; ".join(filter(None, references)),  # nothing where no data could be drawn
                "size_bytes": max(known.size_bytes, model.size_bytes),
            }
        )
    return models


def shared_commit(runs: Sequence[Run]) -> dict[str, str | bool | None]:
    """The commit that all these runs were measured by, as fields of a record; unknown where it is not one."""
    if len({run.git_commit for run in runs}) > 1:
        return {"git_commit": None, "git_dirty": None}
    states = [run.git_dirty for run in runs]
    return {
        "git_commit": runs[0].git_commit,
        "git_dirty": next((state for state in (True, None) if state in states), False),
    }

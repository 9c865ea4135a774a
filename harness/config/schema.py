"""The keys of a matrix file, as frozen pydantic models.

What is said of each here is what editors show and what `docs/reference/matrix.md` is made of.

There are no unions: pydantic would put their branches into the path of every error, and the path is how a
mistake finds its line. What may be one value or a list is made a list before it is checked. What may be left
out has an empty default, never null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, JsonValue

from harness.config.mistakes import DEFINITIONS
from harness.config.scalars import (
    CpuModeName,
    Cpus,
    Dimension,
    Duration,
    Ending,
    FilePath,
    Memory,
    Name,
    Param,
    PhaseName,
    Precision,
    Reason,
    Threads,
    Tolerance,
    Version,
)
from harness.records import MAX_SAMPLES

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

MAX_RULES: Final = 256

_LIMITS: Final[list[JsonValue]] = [
    {"required": ["cpus", "memory"], "not": {"required": ["devices"]}},
    {"required": ["devices"], "not": {"anyOf": [{"required": ["cpus"]}, {"required": ["memory"]}]}},
]
"""What an editor can check; `checks.py` says the same in words."""
_LIST: Final = Field(min_length=1, json_schema_extra={"uniqueItems": True})


class _OneOrMany:
    """Tells the JSON Schema that one value may stand for a list of one."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _as_tuple(value: object) -> object:
    return value if isinstance(value, tuple) else (value,)


_ONE_OR_MANY: Final = (_LIST, BeforeValidator(_as_tuple), _OneOrMany())

Batch = Annotated[int, Field(ge=1, le=1_000_000)]
Names = Annotated[tuple[Name, ...], _LIST]
SomeNames = Annotated[tuple[Name, ...], *_ONE_OR_MANY]
SomeCpus = Annotated[tuple[Cpus, ...], *_ONE_OR_MANY]
SomeMemory = Annotated[tuple[Memory, ...], *_ONE_OR_MANY]
SomeBatch = Annotated[tuple[Batch, ...], *_ONE_OR_MANY]
SomeModes = Annotated[tuple[CpuModeName, ...], *_ONE_OR_MANY]
SomeThreads = Annotated[tuple[Threads, ...], *_ONE_OR_MANY]


class _Keys(BaseModel):
    """Base of all: frozen, closed to unknown keys, and nothing is converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Device(_Keys):
    """A named pair of limits. No two have the same ones: cells are told apart by their limits, not by the name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cpus": 2, "memory": "8GiB"}]})

    cpus: Cpus = Field(examples=[2])
    """Whole: that many cores. Fractional: a CFS quota over all cores."""
    memory: Memory = Field(examples=["8GiB"])
    """The cap, swap included, with its unit: 512MiB, 8GiB, 8GB, or Docker's 8g."""


class Range(_Keys):
    """From where the values of an input are drawn, evenly."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"low": 0, "high": 30522}]})

    low: float = Field(examples=[0], allow_inf_nan=False)
    """The smallest value."""
    high: float = Field(examples=[30522], allow_inf_nan=False)
    """Above the largest value."""


class VariantKeys(_Keys):
    """A framework with other parameters, or of another version."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"extends": "onnxruntime", "params": {"arena": False}}]}
    )

    extends: Name = Field(examples=["onnxruntime"])
    """The framework, by its name: a shipped one, or a folder under frameworks/ beside the matrix."""
    version: Version = Field(default="", examples=["1.17.0"])
    """Of its package, in quotes: it is built and measured beside the current one. The one that the project pins
    unless given."""
    params: dict[str, Param] = Field(default={}, examples=[{"arena": False}])
    """Parameters of its adapter, by name; those that are left out have the default of its framework.yaml."""


class OwnModelKeys(_Keys):
    """An ONNX file of your own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"onnx": "mine.onnx"}]})

    onnx: FilePath = Field(examples=["mine.onnx"])
    """The file; a relative path begins at the folder of the matrix."""
    dims: dict[str, Dimension] = Field(default={}, examples=[{"seq_len": "sequence"}])
    """What its dynamic dimensions stand for, by their names in the file; one without a name is `<input>.<axis>`.
    Unless given, the one called `batch`, `batch_size` or `n` is the batch, else the first of the first input."""
    inputs: dict[str, Range] = Field(default={}, examples=[{"input_ids": {"low": 0, "high": 30522}}])
    """From where to draw its inputs, by their names: reals from 0 to 1 unless given. Whole numbers need it."""
    task: Literal["classification", "other"] = "other"
    """`classification`: the best class of each row must be that of the reference."""
    tolerance: Tolerance = Field(default=0.0, examples=[0.01])
    """Largest error of an output, as a part of its largest value. Unless given, what its coarsest type justifies:
    1e-4 of float32, 1e-2 of 16-bit types, 2e-2 of int8."""


class Rule(_Keys):
    """Some cells, by the values they have; a key that is left out stands for all of the matrix's values."""

    framework: SomeNames = Field(default=(), examples=["jax"])
    """Frameworks: one, or a list."""
    model: SomeNames = Field(default=(), examples=["spam-fnn"])
    """Models: one, or a list."""
    device: SomeNames = Field(default=(), examples=["codespace-2c8g"])
    """Names from `devices`: one, or a list. Stands for `cpus` and `memory` together, and not beside them."""
    cpus: SomeCpus = Field(default=(), examples=[2])
    """CPUs: one number, or a list."""
    memory: SomeMemory = Field(default=(), examples=["8GiB"])
    """Memory caps with their unit: one, or a list."""
    batch: SomeBatch = Field(default=(), examples=[1])
    """Batch sizes: one, or a list."""
    sequence: SomeBatch = Field(default=(), examples=[128])
    """Sequence lengths: one, or a list. Left out, models without sequences are meant as well."""
    cpu_mode: SomeModes = Field(default=(), examples=["quota"])
    """How whole CPUs are enforced: one way, or both."""
    threads: SomeThreads = Field(default=(), examples=["default"])
    """Thread options: one, or a list."""


class Include(Rule):
    """A rule for cells to add to the crossed ones; its values need not be in the matrix's own lists."""

    reason: Reason = Field(default="", examples=["the cap of our gateway"])
    """Why they are there; kept with the run."""


class Exclude(Rule):
    """A rule for cells to leave out; they are still drawn, as skipped."""

    reason: Reason = Field(examples=["our board has no build of it"])
    """Why they are left out; the report shows it."""


class Expect(Rule):
    """A rule for cells that are known not to end well: a run is content when they end so, and only then."""

    status: Ending = Field(examples=["oom"])
    """How they end."""
    reason: Reason = Field(examples=["its libraries alone take 140 MiB"])
    """Why that is expected; the report shows it."""


class ProtocolKeys(_Keys):
    """How every trial measures, and how many there are."""

    trials: int = Field(default=5, ge=1, le=1000)
    """Fresh containers for each cell, at least. One is allowed, but has no interval."""
    precision: Precision = Field(default="", examples=["2%"])
    """Spend further trials until a cell's median is known this well: half the width of its 95 % interval, on its
    wider side, over the median."""
    max_trials: int = Field(default=20, ge=1, le=1000)
    """With a precision: containers for each cell, at most; not fewer than `trials`."""
    max_time: Duration = Field(default="30m")
    """With a precision: time of measuring after which no round beyond `trials` begins."""
    warmup: Duration = Field(default="0.3s")
    """Calls before the measured ones: for this long at least, and until they do not become faster any more; about
    ten times as long at most."""
    budget: Duration = Field(default="1s")
    """Length of the steady phase, unless the iterations below decide."""
    min_iterations: int = Field(default=10, ge=1, le=MAX_SAMPLES)
    """Measure at least so many calls, even when the budget is spent."""
    max_iterations: int = Field(default=1_000_000, ge=1, le=MAX_SAMPLES)
    """Measure at most so many calls, even when budget is left."""
    timeout: Duration = Field(default="120s")
    """Wall time of one whole trial, enforced from outside; more than `warmup` and `budget` together."""
    phase_timeouts: dict[PhaseName, Duration] = Field(default={}, examples=[{"load": "20s"}])
    """Wall time of single phases (import, load, compile, first, warmup, steady), enforced from outside to about a
    second. Each is less than `timeout`, and more than the protocol makes the phase take."""
    page_cache: Literal["cold", "warm"] = "cold"
    """`cold`: library and model files leave the page cache first, so that the cap binds on them too; `warm`: they
    stay."""
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    """Decides the order of the trials."""
    article: bool = False
    """Replay the article that the project grew from beside the cells, which are then its five frameworks on
    `spam-fnn` at batch 1000 under one limit; `protocol: article` is short for `protocol: {article: true}`."""


class MatrixFile(_Keys):
    """An Edgematrix matrix: frameworks x models x limits x batch sizes."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _LIMITS})

    frameworks: Names = Field(examples=[["pytorch", "onnxruntime"]])
    """Inference runtimes, by name: shipped ones, the one called null in quotes, and folders under frameworks/ beside
    the matrix; or a mapping in which names of your own stand for variants of them."""
    variants: dict[Name, VariantKeys] = Field(default={}, alias=DEFINITIONS["frameworks"])
    models: Names = Field(examples=[["spam-fnn"]])
    """Workloads, by name: shipped ones, and folders under models/ beside the matrix; or a mapping in which names of
    your own stand for ONNX files of yours."""
    own_models: dict[Name, OwnModelKeys] = Field(default={}, alias=DEFINITIONS["models"])
    cpus: Annotated[tuple[Cpus, ...], _LIST] = Field(default=(), examples=[[1, 2]])
    """CPUs, crossed with `memory`; both, or `devices`. Whole: that many cores. Fractional, up to three decimals: a
    CFS quota over all cores."""
    memory: Annotated[tuple[Memory, ...], _LIST] = Field(default=(), examples=[["512MiB", "8GiB"]])
    """Memory caps, swap included, at least 6MiB, always with a unit: 512MiB, 8GiB, 8GB, or Docker's 8g."""
    devices: Annotated[dict[Name, Device], Field(min_length=1)] = Field(
        default={}, examples=[{"codespace-2c8g": {"cpus": 2, "memory": "8GiB"}}]
    )
    """Named pairs of limits, instead of `cpus` and `memory`."""
    batch: Annotated[tuple[Batch, ...], _LIST] = Field(default=(1,), examples=[[1, 32]])
    """Items per call."""
    sequence: Annotated[tuple[Batch, ...], _LIST] = Field(default=(), examples=[[64, 128]])
    """Lengths of the sequences, for models that take some; the others are not crossed with it. A model's usual one
    unless given."""
    cpu_mode: Annotated[tuple[CpuModeName, ...], _LIST] = Field(
        default=("cpuset",), examples=[["cpuset", "quota"]]
    )
    """How whole CPUs are enforced: `cpuset` is a board with so many cores, `quota` a share of a cloud machine.
    Fractions are always a quota."""
    threads: Annotated[tuple[Threads, ...], _LIST] = Field(
        default=("match",), examples=[["match", "default"]]
    )
    """What every framework is told: `match` is as many threads as CPUs, `default` is nothing, or a number."""
    include: Annotated[tuple[Include, ...], Field(min_length=1, max_length=MAX_RULES)] = Field(
        default=(), examples=[[{"framework": "onnxruntime", "cpus": 1, "memory": "64MiB"}]]
    )
    """Cells to add to the crossed ones."""
    exclude: Annotated[tuple[Exclude, ...], Field(min_length=1, max_length=MAX_RULES)] = Field(
        default=(), examples=[[{"framework": "jax", "memory": "512MiB", "reason": "no build for our board"}]]
    )
    """Cells to leave out, with the reason that the report shows."""
    expect: Annotated[tuple[Expect, ...], Field(min_length=1, max_length=MAX_RULES)] = Field(
        default=(),
        examples=[[{"framework": "jax", "memory": "64MiB", "status": "oom", "reason": "too small"}]],
    )
    """Cells that are known not to end well."""
    over_host: Literal["skip", "refuse", "run"] = "skip"
    """A cell that asks for more CPUs or memory than the host has: drawn as skipped, refused, or run and marked."""
    baseline: Name = Field(default="", examples=["pytorch"])
    """The framework that the report's relative columns refer to; the first of `frameworks` unless given."""
    protocol: ProtocolKeys = ProtocolKeys()
    """How every trial measures; the word `article` replays the article."""

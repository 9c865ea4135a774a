"""From the keys of a file to blocks of cells in plain units."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from harness.config.matrix import Block, Exclusion, Expected, Limits, Matrix, OwnModel, Selection
from harness.records import Phase
from harness.results import CpuMode, Expectation, Status
from harness.runs import Framework, Protocol
from harness.units import parse_duration, parse_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.catalog import Catalog, FrameworkSpec
    from harness.config.schema import Exclude, Expect, Include, MatrixFile, OwnModelKeys, ProtocolKeys


def resolve(name: str, file: MatrixFile, *, folder: Path, catalog: Catalog) -> Matrix:
    """Build the matrix of a file whose rules are right.

    Args:
        name: what the matrix is called in a report.
        file: the checked keys.
        folder: where relative paths begin.
        catalog: what can be measured.
    """
    usual = usual_sequences(file, catalog)
    crossed = _crossed(file, usual)
    included = tuple(_widened(file, rule, crossed) for rule in file.include)
    named = {name for block in (crossed, *included) for name in block.frameworks}
    return Matrix(
        name=name,
        crossed=crossed,
        included=included,
        excluded=tuple(
            Exclusion(cells=_narrowed(file, rule, [crossed]), reason=rule.reason) for rule in file.exclude
        ),
        expected=tuple(
            Expected(
                cells=_narrowed(file, rule, [crossed, *included]),
                expectation=Expectation(status=Status(rule.status), reason=rule.reason),
            )
            for rule in file.expect
        ),
        frameworks={name: _framework(name, file, catalog) for name in sorted(named)},
        own_models={name: _own_model(keys, folder) for name, keys in file.own_models.items()},
        devices=_devices(file),
        over_host=file.over_host,
        baseline=file.baseline or file.frameworks[0],
        protocol=resolve_protocol(file.protocol),
        written=file,
    )


def _narrowed(file: MatrixFile, rule: Exclude | Expect, blocks: Sequence[Block]) -> Selection:
    """The sets of a rule that matches among some cells; there may be no limits of this kind."""

    def axis(name: str) -> Iterable[Any]:
        return (value for block in blocks for value in getattr(block, name))

    limits = axis("limits")
    if rule.device:
        limits = (_devices(file)[name] for name in rule.device)
    cpus, sizes = frozenset(rule.cpus), frozenset(_sizes(rule.memory))
    return Selection(
        frameworks=frozenset(rule.framework or axis("frameworks")),
        models=frozenset(rule.model or axis("models")),
        limits=frozenset(
            limit
            for limit in limits
            if (not cpus or limit.cpus in cpus) and (not sizes or limit.memory_bytes in sizes)
        ),
        batch=frozenset(rule.batch or axis("batch")),
        sequence=frozenset(rule.sequence),
        cpu_modes=frozenset(_modes(rule.cpu_mode) if rule.cpu_mode else CpuMode),
        threads=frozenset(rule.threads or axis("threads")),
    )


def usual_sequences(file: MatrixFile, catalog: Catalog) -> dict[str, int | None]:
    """Of all models that have sequences their usual length; `None` for a user's own, which have none."""
    shipped = {name: spec.sequence for name, spec in catalog.models.items() if spec.sequence is not None}
    own = {name: None for name, keys in file.own_models.items() if "sequence" in keys.dims.values()}
    return shipped | own


def plain_framework(spec: FrameworkSpec) -> Framework:
    """A framework that is no variant."""
    return Framework(
        extends=spec.name, version="", params={name: param.default for name, param in spec.params.items()}
    )


def _framework(name: str, file: MatrixFile, catalog: Catalog) -> Framework:
    variant = file.variants.get(name)
    if variant is None:
        return plain_framework(catalog.frameworks[name])
    plain = plain_framework(catalog.frameworks[variant.extends])
    return Framework(
        extends=variant.extends, version=variant.version, params={**plain.params, **variant.params}
    )


def _own_model(keys: OwnModelKeys, folder: Path) -> OwnModel:
    return OwnModel(
        file=folder / keys.onnx,
        dims=keys.dims,
        ranges={name: (span.low, span.high) for name, span in keys.inputs.items()},
        tolerance=keys.tolerance or None,
        task=keys.task,
    )


def _widened(file: MatrixFile, rule: Include, crossed: Block) -> Block:
    """The cells that a rule adds, some of which may be there already."""
    if rule.device:
        limits = tuple(_devices(file)[name] for name in rule.device)
    elif rule.cpus or rule.memory:
        limits = _products(rule.cpus or file.cpus, rule.memory or file.memory)
    else:
        limits = crossed.limits
    return Block(
        frameworks=rule.framework or file.frameworks,
        models=rule.model or file.models,
        limits=limits,
        batch=rule.batch or file.batch,
        sequence=rule.sequence or file.sequence,
        usual_sequence=crossed.usual_sequence,
        cpu_modes=_modes(rule.cpu_mode or file.cpu_mode),
        threads=rule.threads or file.threads,
    )


def _crossed(file: MatrixFile, usual_sequence: Mapping[str, int | None]) -> Block:
    limits = tuple(_devices(file).values()) or _products(file.cpus, file.memory)
    return Block(
        frameworks=file.frameworks,
        models=file.models,
        limits=limits,
        batch=file.batch,
        sequence=file.sequence,
        usual_sequence=usual_sequence,
        cpu_modes=_modes(file.cpu_mode),
        threads=file.threads,
    )


def _modes(names: Iterable[str]) -> tuple[CpuMode, ...]:
    return tuple(CpuMode(name) for name in names)


def _products(cpus: Iterable[float], memory: Iterable[str]) -> tuple[Limits, ...]:
    return tuple(Limits(*pair) for pair in product(cpus, _sizes(memory)))


def _sizes(memory: Iterable[str]) -> tuple[int, ...]:
    return tuple(parse_memory(size) for size in memory)


def _devices(file: MatrixFile) -> dict[str, Limits]:
    return {name: Limits(device.cpus, parse_memory(device.memory)) for name, device in file.devices.items()}


def resolve_protocol(keys: ProtocolKeys) -> Protocol:
    """The protocol that a file's keys ask for."""
    return Protocol(
        trials=keys.trials,
        max_trials=keys.max_trials if keys.precision else keys.trials,
        precision=float(keys.precision.rstrip(" %")) / 100 if keys.precision else None,
        max_time_s=parse_duration(keys.max_time) if keys.precision else None,
        warmup_s=parse_duration(keys.warmup),
        budget_s=parse_duration(keys.budget),
        min_iterations=keys.min_iterations,
        max_iterations=keys.max_iterations,
        timeout_s=parse_duration(keys.timeout),
        phase_timeouts_s={Phase(name): parse_duration(time) for name, time in keys.phase_timeouts.items()},
        page_cache=keys.page_cache,
        seed=keys.seed,
        article=keys.article,
    )

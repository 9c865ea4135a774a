"""Whether every include and exclude says something that the matrix can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.config.mistakes import did_you_mean, show
from harness.config.schema import Exclude
from harness.units import parse_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.config.mistakes import Mistake, Path
    from harness.config.schema import Expect, Include, MatrixFile
    from harness.config.source import Source


def check_rules(source: Source, file: MatrixFile) -> Iterator[Mistake]:
    """Check that every rule can be resolved, and that an exclude names what the matrix has.

    Args:
        source: where the rules stand.
        file: the same as keys, each right by itself.
    """
    for index, rule in enumerate(file.include):
        yield from _shape(source, ("include", index), rule, file)
        if file.devices and not rule.device and bool(rule.cpus) != bool(rule.memory):
            fix = "this matrix has no list to cross the one with: give both, or a device"
            yield source.mistake(("include", index), "`cpus` and `memory` go together here", fix)
    for index, exclusion in enumerate(file.exclude):
        path = ("exclude", index)
        yield from _shape(source, path, exclusion, file)
        yield from _absent(source, path, exclusion, file)
    for index, expectation in enumerate(file.expect):
        yield from _shape(source, ("expect", index), expectation, file)


def _shape(
    source: Source, path: Path, rule: Include | Exclude | Expect, file: MatrixFile
) -> Iterator[Mistake]:
    """What is wrong with a rule whatever it stands for."""
    axes = [key for key in Exclude.model_fields if key != "reason"]
    if not any(getattr(rule, key) for key in axes):
        fix = f"give at least one of {', '.join(axes[:-1])} and {axes[-1]}"
        yield source.mistake(path, "does not say which cells", fix)
    if not rule.device:
        return
    if not file.devices:
        fix = "name cpus and memory, or give the matrix `devices:` instead of them"
        yield source.mistake((*path, "device"), "this matrix has no devices", fix, at_key=True)
        return
    for key in ("cpus", "memory"):
        if getattr(rule, key):
            fix = "a device says both cpus and memory: keep the one or the others"
            yield source.mistake((*path, key), "does not go with `device`", fix, at_key=True)
    yield from _not_among(source, (*path, "device"), rule.device, file.devices)


def _absent(source: Source, path: Path, rule: Exclude, file: MatrixFile) -> Iterator[Mistake]:
    """Values of an exclude that no cell of the matrix has."""
    devices = file.devices.values()
    cpus = file.cpus or [device.cpus for device in devices]
    sizes = {parse_memory(size): size for size in file.memory or [device.memory for device in devices]}
    fractions = any(number != int(number) for number in cpus)
    modes = [*file.cpu_mode, *(("quota",) if fractions else ())]
    memory = (sizes.get(parse_memory(size), size) for size in rule.memory)
    yield from _not_among(source, (*path, "framework"), rule.framework, file.frameworks)
    yield from _not_among(source, (*path, "model"), rule.model, file.models)
    yield from _not_among(source, (*path, "cpus"), map(_number, rule.cpus), map(_number, cpus))
    yield from _not_among(source, (*path, "memory"), memory, sizes.values())
    yield from _not_among(source, (*path, "batch"), map(str, rule.batch), map(str, file.batch))
    if rule.sequence:
        yield from _not_among(
            source, (*path, "sequence"), map(str, rule.sequence), map(str, file.sequence or rule.sequence)
        )
    yield from _not_among(source, (*path, "cpu_mode"), rule.cpu_mode, modes)
    yield from _not_among(source, (*path, "threads"), map(str, rule.threads), map(str, file.threads))


def _not_among(source: Source, path: Path, values: Iterable[str], axis: Iterable[str]) -> Iterator[Mistake]:
    present = list(dict.fromkeys(axis))
    for index, value in enumerate(values):
        if value not in present:
            fix = did_you_mean(value, present, others="the matrix has")
            yield source.mistake((*path, index), f"no cell has {path[-1]} {show(value)}", fix)


def _number(cpus: float) -> str:
    return f"{cpus:.7g}"

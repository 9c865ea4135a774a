"""What pydantic cannot see: checks that need several values, or the names that exist.

`check_data` reads plain data, and never trips over what else may be wrong in it. `check_file` and
`check_effect` follow once every value is right by itself, so that no mistake is told with its consequences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.config.json_schema import example_at, keys_at, schema_at
from harness.config.mistakes import DEFINITIONS, did_you_mean, show, suggestion
from harness.units import parse_duration, parse_memory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.config.matrix import Matrix
    from harness.config.mistakes import Mistake, Path
    from harness.config.schema import MatrixFile, ProtocolKeys
    from harness.config.source import Source
    from harness.results import Cell

MAX_CELLS: Final = 20_000
"""Two days of the shortest trials; more is a slip of the pen."""
SECOND_CLOCK: Final = 0.5
"""Of the budget, once more after it."""


def check_data(source: Source, *, known: Mapping[str, Collection[str]]) -> Iterator[Mistake]:
    """Check plain data of any shape.

    Args:
        source: the parsed file; its root is a mapping.
        known: the names that exist, by the key that lists them (`frameworks`, `models`).
    """
    assert isinstance(source.data, dict)
    limits = list(_limit_keys(source, source.data))
    yield from limits
    told = {mistake.path for mistake in (*source.mistakes, *limits)}
    for path, value in _walk(source.data, ()):
        if value is None and path not in told and schema_at(path):
            named = path[:-1] == ("frameworks",) or "framework" in path
            fix = 'quote it, if the framework of that name is meant: "null"' if named else _fill(path)
            yield source.mistake(path, "has no value", fix, at_key=True)
        elif isinstance(value, tuple):
            yield from _duplicates(source, path, value)
    include = source.data.get("include")
    for plural, shipped in known.items():
        defined = source.data.get(DEFINITIONS[plural], {})
        names = [*shipped, *(defined if isinstance(defined, dict) else ())]
        yield from _unknown_names(source, (plural,), source.data.get(plural, ()), names)
        for index, rule in enumerate(include if isinstance(include, tuple) else ()):
            singular = plural.removesuffix("s")
            value = rule.get(singular, ()) if isinstance(rule, dict) else ()
            yield from _unknown_names(source, ("include", index, singular), value, names)


def check_file(source: Source, file: MatrixFile) -> Iterator[Mistake]:
    """Check the values of a file against each other, but for its rules."""
    if file.baseline and file.baseline not in file.frameworks:
        fix = did_you_mean(file.baseline, file.frameworks, others="the matrix has")
        yield source.mistake(("baseline",), f"{show(file.baseline)} is no framework of this matrix", fix)
    seen: dict[tuple[float, int], str] = {}
    for name, device in file.devices.items():
        first = seen.setdefault((device.cpus, parse_memory(device.memory)), name)
        if first != name:
            fix = "keep one of them: cells are told apart by their limits"
            yield source.mistake(("devices", name), f"has the same limits as `{first}`", fix, at_key=True)
    yield from _protocol(source, file)


def check_effect(source: Source, matrix: Matrix) -> Iterator[Mistake]:
    """Check that the matrix is neither empty nor absurd, and that every rule changes something."""
    size = len(matrix.crossed) + sum(len(block) for block in matrix.included)
    if size > MAX_CELLS:
        fix = "shorten the lists, or split the file into several"
        yield source.mistake((), f"the matrix has {size:,} cells, more than {MAX_CELLS:,}", fix)
        return
    present = set(matrix.crossed.cells()) - matrix.excluded_cells.keys()
    for index, block in enumerate(matrix.included):
        added = set(block.cells()) - present
        if not added:
            fix = "remove the entry, or name a value that the matrix has not"
            yield source.mistake(("include", index), "adds nothing: the matrix has these cells already", fix)
        present |= added
    yield from _idle_excludes(source, matrix, present)
    yield from _idle_expectations(source, matrix, present)
    if not present:
        yield source.mistake(("exclude",), "leaves no cell to run", "exclude fewer cells", at_key=True)


def _idle_excludes(source: Source, matrix: Matrix, present: Collection[Cell]) -> Iterator[Mistake]:
    """Excludes without which the plan would be the same.

    Args:
        source: where they stand.
        matrix: the matrix.
        present: the cells that run.
    """
    matching = set(matrix.excluded_cells.values())
    effective = {rule for cell, rule in matrix.excluded_cells.items() if cell not in present}
    for index, exclusion in enumerate(matrix.excluded):
        if index in effective:
            continue
        if not exclusion.cells.limits:
            fix = "no limits of the matrix have both these cpus and this memory: correct one of them"
        elif not any(exclusion.cells.matches(cell) for cell in matrix.crossed.cells()):
            fix = "no cell has all of its values (a fraction of a CPU is always a quota): correct one of them"
        elif index in matching:
            fix = "`include` adds all its cells again: remove the one or the other"
        else:
            fix = "the excludes above match all its cells: remove it, or narrow those"
        yield source.mistake(("exclude", index), "matches no cell that would run without it", fix)


def _idle_expectations(source: Source, matrix: Matrix, present: Collection[Cell]) -> Iterator[Mistake]:
    """Expectations that are about no cell that runs, or only about cells of which another one speaks already."""
    left = set(present)
    for index, rule in enumerate(matrix.expected):
        matched = {cell for cell in present if rule.cells.matches(cell)}
        if not matched:
            fix = "no cell that runs has all of its values: `edgematrix plan` lists the cells"
            yield source.mistake(("expect", index), "matches no cell", fix)
        elif not matched & left:
            fix = "the entries above match all its cells: remove it, or narrow those"
            yield source.mistake(("expect", index), "changes nothing", fix)
        left -= matched


def _walk(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))


def _fill(path: Path) -> str:
    """What to write where nothing stands; a key is left out only where that is allowed."""
    parent, key = path[:-1], path[-1]
    if isinstance(key, int):
        return f"write a value, as in `{example_at(parent)}`"
    needed = key in schema_at(parent).get("required", ()) or path in {("cpus",), ("memory",), ("devices",)}
    write = (
        f"write `{example}`" if (example := example_at(path)) else f"keys here: {', '.join(keys_at(path))}"
    )
    return write if needed else f"{write}, or leave the key out"


def _duplicates(source: Source, path: Path, items: tuple[object, ...]) -> Iterator[Mistake]:
    """The second of two equal values of a list: `1` and `1.0` are equal, and so are `1GiB` and `1024MiB`."""
    seen: dict[object, object] = {}
    for index, item in enumerate(items):
        if not isinstance(item, str | int | float) or isinstance(item, bool):
            continue
        value = _size(item) if path[-1] == "memory" else item
        if value in seen:
            first, second = show(seen[value]), show(item)
            what = (
                f"{second} stands twice in the list"
                if first == second
                else f"{second} is the same as {first}"
            )
            yield source.mistake((*path, index), what, "keep one of them")
        seen.setdefault(value, item)


def _size(item: object) -> object:
    try:
        return parse_memory(str(item))
    except ValueError:
        return item


def _unknown_names(source: Source, path: Path, value: object, names: Collection[str]) -> Iterator[Mistake]:
    kind = str(path[-1]).removesuffix("s")
    others = "choose among"
    if isinstance(value, str) and path[0] == path[-1]:  # a top-level key, which takes a list only
        value, others = tuple(name.strip() for name in value.split(",")), "write a list of"
    for index, name in enumerate(value if isinstance(value, tuple) else (value,)):
        if isinstance(name, str) and name not in names:
            fix = did_you_mean(name, names, others=others)
            yield source.mistake((*path, index), f"unknown {kind} {show(name)}", fix)


def _limit_keys(source: Source, data: Mapping[str, object]) -> Iterator[Mistake]:
    """Which limits are given, or were meant: what is misspelled is told as that, and not as missing too."""
    if any(mistake.path == () for mistake in source.mistakes):  # a key that could not be read
        return
    allowed = keys_at(())
    meant = {key if key in allowed else suggestion(key, allowed) for key in data}
    pair = [key for key in ("cpus", "memory") if key in meant]
    if "devices" in data and pair and data["devices"] is None:
        fix = "remove it: `cpus` and `memory` give the limits"
        yield source.mistake(("devices",), "has no value", fix, at_key=True)
    elif "devices" in data:
        for key in data.keys() & pair:
            fix = "keep `devices`, or keep `cpus` and `memory`, which are crossed"
            yield source.mistake((key,), "does not go with `devices`", fix, at_key=True)
    elif "devices" in meant:
        return
    elif not pair:
        cpus, memory = example_at(("cpus",)), example_at(("memory",))
        fix = f"write `cpus: {cpus}` and `memory: {memory}`, or name `devices:`"
        yield source.mistake((), "the limits are missing", fix)
    elif len(pair) == 1:
        other = "memory" if pair == ["cpus"] else "cpus"
        fix = f"write `{other}: {example_at((other,))}`: each is crossed with `{pair[0]}`"
        yield source.mistake((), f"`{other}` is missing", fix)


def _protocol(source: Source, file: MatrixFile) -> Iterator[Mistake]:
    protocol = file.protocol
    if protocol.max_iterations < protocol.min_iterations:
        key = "max_iterations" if "max_iterations" in protocol.model_fields_set else "min_iterations"
        least, most = protocol.min_iterations, protocol.max_iterations
        what = f"max_iterations {most} is less than min_iterations {least}"
        yield source.mistake(("protocol", key), what, "raise the one or lower the other")
    if protocol.precision and protocol.max_trials < protocol.trials:
        key = "max_trials" if "max_trials" in protocol.model_fields_set else "trials"
        what = f"max_trials {protocol.max_trials} is less than trials {protocol.trials}"
        yield source.mistake(("protocol", key), what, "raise the one or lower the other")
    for key in ("max_trials", "max_time"):
        if key in protocol.model_fields_set and not protocol.precision:
            fix = f"say how tight: `precision: {example_at(('protocol', 'precision'))}`, or remove it"
            yield source.mistake(("protocol", key), "does nothing without a precision", fix, at_key=True)
    busy_s = parse_duration(protocol.warmup) + (1 + SECOND_CLOCK) * parse_duration(protocol.budget)
    if parse_duration(protocol.timeout) <= busy_s:
        given = [key for key in ("timeout", "budget", "warmup") if key in protocol.model_fields_set]
        what = f"the timeout of {protocol.timeout} is over before warmup and budget are ({busy_s:g}s)"
        yield source.mistake(("protocol", given[0]), what, "give it the time to start the framework as well")
    yield from _phases(source, protocol)


def _phases(source: Source, protocol: ProtocolKeys) -> Iterator[Mistake]:
    """Limits of phases that never count, or leave a phase no time to be what it is."""
    needed = {
        "warmup": parse_duration(protocol.warmup),
        "steady": (1 + SECOND_CLOCK) * parse_duration(protocol.budget),
    }
    for name, text in protocol.phase_timeouts.items():
        path = ("protocol", "phase_timeouts", name)
        if parse_duration(text) >= parse_duration(protocol.timeout):
            fix = "a phase is never longer than its trial: lower it, or remove it"
            yield source.mistake(path, f"{text} is not less than the timeout of {protocol.timeout}", fix)
        elif parse_duration(text) <= needed.get(name, 0):
            fix = "give it more time than the protocol makes it take"
            yield source.mistake(path, f"{text} is over before {name} is ({needed[name]:g}s)", fix)

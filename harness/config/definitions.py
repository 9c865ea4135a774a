"""Whether the variants of frameworks and the models of one's own are ones that can be built and read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from harness.config.mistakes import did_you_mean, printable, show
from harness.names import RESERVED_NAMES, TOOLS_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path as FilePath

    from harness.catalog import Catalog, FrameworkSpec
    from harness.config.mistakes import Mistake, Path
    from harness.config.schema import MatrixFile, OwnModelKeys, VariantKeys
    from harness.config.source import Source


def check_definitions(
    source: Source, file: MatrixFile, *, folder: FilePath, catalog: Catalog
) -> Iterator[Mistake]:
    """Check every definition against what there is.

    Args:
        source: where they stand.
        file: the same as keys, each right by itself.
        folder: where relative paths begin.
        catalog: what can be measured.
    """
    for name, variant in file.variants.items():
        path = ("frameworks", name)
        if name in RESERVED_NAMES or name.endswith(TOOLS_SUFFIX):
            fix = "give the variant another name"
            yield source.mistake(path, "is a name of the project's own", fix, at_key=True)
        elif name in catalog.frameworks:
            fix = f"give the variant a name of its own, such as `{name}-2: {{extends: {name}, ...}}`"
            yield source.mistake(path, "is the name of a framework", fix, at_key=True)
        elif variant.extends not in catalog.frameworks:
            fix = did_you_mean(variant.extends, catalog.frameworks, others="choose among")
            yield source.mistake((*path, "extends"), f"unknown framework {show(variant.extends)}", fix)
        else:
            yield from _variant(source, path, variant, catalog.frameworks[variant.extends])
    yield from _lengths(source, file, catalog)
    for name, keys in file.own_models.items():
        path = ("models", name)
        if name in catalog.models:
            fix = "give your model a name of its own"
            yield source.mistake(path, "is the name of a model that is here already", fix, at_key=True)
        yield from _own_model(source, path, keys, file=file, folder=folder)


def _variant(source: Source, path: Path, variant: VariantKeys, spec: FrameworkSpec) -> Iterator[Mistake]:
    if variant.version and not is_version(variant.version):
        fix = "write it as the package's own page does"
        yield source.mistake((*path, "version"), f"{show(variant.version)} is no version", fix)
    if not variant.version and not variant.params:
        fix = "give a `version` or `params`, or name the framework itself"
        yield source.mistake(path, f"is no other than {variant.extends}", fix, at_key=True)
    for key, value in variant.params.items():
        where = (*path, "params", key)
        param = spec.params.get(key)
        if param is None:
            fix = did_you_mean(key, spec.params, others=f"parameters of {variant.extends}")
            yield source.mistake(where, "unknown parameter", fix, at_key=True)
        elif (type(value), value) not in [(type(choice), choice) for choice in param.choices]:
            choices = ", ".join(show(choice) for choice in param.choices)
            yield source.mistake(where, f"{show(value)} is not a choice here", f"choose among: {choices}")


def _lengths(source: Source, file: MatrixFile, catalog: Catalog) -> Iterator[Mistake]:
    """Sequences that are longer than a model takes."""
    rules: dict[Path, tuple[Sequence[int], Iterable[str]]] = {
        ("include", index): (rule.sequence, rule.model or file.models)
        for index, rule in enumerate(file.include)
    }
    for path, (lengths, names) in ({(): (file.sequence, file.models)} | rules).items():
        for index, length in enumerate(lengths):
            for name in names:
                limit = catalog.models[name].longest_sequence if name in catalog.models else None
                if limit is not None and length > limit:
                    what = f"{name} takes sequences of at most {limit}"
                    yield source.mistake((*path, "sequence", index), what, f"write at most {limit}")


def is_version(text: str) -> bool:
    """Whether a package could have this version."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _own_model(
    source: Source, path: Path, keys: OwnModelKeys, *, file: MatrixFile, folder: FilePath
) -> Iterator[Mistake]:
    onnx = folder / keys.onnx
    try:
        size = onnx.stat().st_size if onnx.is_file() else None
        with onnx.open("rb") if size else contextlib.nullcontext():
            pass
    except OSError as error:
        what = f"{show(keys.onnx)} cannot be read: {error.strerror}"
        yield source.mistake((*path, "onnx"), what, "write the path of an ONNX file")
        return
    name = printable(str(onnx))
    fix = "write the path of an ONNX file, relative to the folder of the matrix"
    if onnx.is_dir():
        yield source.mistake((*path, "onnx"), f"{name} is a directory", fix)
    elif size is None:
        yield source.mistake((*path, "onnx"), f"no such file: {name}", fix)
    elif size == 0:
        yield source.mistake((*path, "onnx"), f"{name} is empty", "export the model again")
    if "sequence" in keys.dims.values() and not file.sequence:
        fix = "write `sequence: [128]` at the top level, or give the dimension a number"
        yield source.mistake((*path, "dims"), "the matrix has no sequence lengths", fix, at_key=True)
    for key, span in keys.inputs.items():
        if not span.low < span.high:
            what = f"no value lies from {span.low:g} to below {span.high:g}"
            yield source.mistake((*path, "inputs", key), what, "let `high` be larger than `low`", at_key=True)

"""What a model is made from: its folder in `harness/models/`, or a user's own ONNX file and what the matrix says of it.

The harness never opens an ONNX file as such: it hashes it and packs it, and a container reads it. Only which other
files it wants is looked for here, because they have to be packed with it: weights beyond 2 GB cannot stand in the file
itself.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.catalog import ModelSpec
    from harness.config.matrix import OwnModel

ONNX_FILE: Final = "model.onnx"
OWN_FILE: Final = "own.json"
SPEC_FILE: Final = "spec.json"
_LOCATION: Final = re.compile(rb"\x0a\x08location\x12(?P<length>[\x80-\xff]?[\x01-\x7f])")
"""How protobuf writes the key `location` of a tensor's external data and the length of what follows, in base 128."""
_OWN_NAMES: Final = {ONNX_FILE, OWN_FILE, SPEC_FILE, "facts.json", "manifest.json", "weights.safetensors"}
"""Files that a preparation writes: no weights of somebody's can have such a name."""
_OWNER: Final = 10001
"""The user of all images."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """The files that a model is prepared from.

    Attributes:
        name: of the model.
        files: name within the volume, the file on this machine, and the SHA-256 of its content.
        told: what the harness has read of it, as JSON: the specification, or what the matrix says of an ONNX file.
        told_as: the name of that within the volume.
        definitions: the frameworks for which it has a definition.
        independent_rows: each row of a batch is computed by itself, so that one reference serves all batch sizes.
        hash: of all this.
    """

    name: str
    files: tuple[tuple[str, Path, str], ...]
    told: str
    told_as: str
    definitions: frozenset[str]
    independent_rows: bool
    hash: str


def folder_source(spec: ModelSpec) -> ModelSource:
    """A model's folder, without what Python leaves beside its files."""
    files = tuple(
        (path.relative_to(spec.folder).as_posix(), path)
        for path in sorted(spec.folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )
    return _source(
        spec.name,
        files,
        # Read once, by the rules of YAML 1.2: no container reads YAML.
        told=spec.model_dump_json(exclude={"name", "folder"}),
        told_as=SPEC_FILE,
        definitions=frozenset(path.stem for _, path in files if path.suffix == ".py"),
        independent_rows=True,
    )


def own_source(name: str, model: OwnModel) -> ModelSource:
    """A user's own ONNX file, the external files that it names, and what the matrix says of it."""
    told = {
        "title": model.file.name,
        "dims": dict(model.dims),
        "ranges": dict(model.ranges),
        "tolerance": model.tolerance,
        "task": model.task,
    }
    files = ((ONNX_FILE, model.file), *external_files(model.file))
    text = json.dumps(told, sort_keys=True)
    return _source(name, files, told=text, told_as=OWN_FILE, definitions=frozenset(), independent_rows=False)


def external_files(onnx: Path) -> Iterator[tuple[str, Path]]:
    """The files beside an ONNX file, or below its folder, that it names as places of its weights, as far as they exist.

    Found by how protobuf writes the name, without reading the file as protobuf.
    """
    with onnx.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        names = {
            content[match.end() : match.end() + _number(match["length"])]
            for match in _LOCATION.finditer(content)
        }
    for name in sorted(found.decode(errors="replace") for found in names):
        if _may_hold_weights(name) and (onnx.parent / name).is_file():
            yield name, onnx.parent / name


def _number(digits: bytes) -> int:
    """A number as protobuf writes it: seven bits a byte, the lowest first."""
    return sum((digit & 0x7F) << 7 * place for place, digit in enumerate(digits))


def _may_hold_weights(name: str) -> bool:
    """Whether a name stays within the folder, and is none that a preparation or a definition has."""
    parts = PurePosixPath(name).parts
    inside = name.isprintable() and bool(parts) and parts[0] != "/" and ".." not in parts
    return inside and name not in _OWN_NAMES and not name.endswith(".py")


def write_tar(source: ModelSource, file: IO[bytes]) -> None:
    """Pack a model's files, owned by the images' user.

    Raises:
        BuildError: one of them is not what it was when the volume got its name.
    """
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, path, digest in source.files:
            with path.open("rb") as content:
                size = os.fstat(content.fileno()).st_size
                same = hashlib.file_digest(content, "sha256").hexdigest() == digest
                content.seek(0)
                if same:
                    archive.addfile(_entry(name, size), content)
            if not same:
                raise BuildError(f"{path} changed while the run was being prepared", fix="start it again")
        told = source.told.encode()
        archive.addfile(_entry(source.told_as, len(told)), io.BytesIO(told))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.uid, entry.gid = size, 0o644, _OWNER, _OWNER
    return entry


def _source(
    name: str,
    files: tuple[tuple[str, Path], ...],
    *,
    told: str,
    told_as: str,
    definitions: frozenset[str],
    independent_rows: bool,
) -> ModelSource:
    hashed = tuple((file_name, path, _sha256(path)) for file_name, path in files)
    lines = "".join(f"{file_name}\0{digest}\n" for file_name, _, digest in hashed)
    return ModelSource(
        name=name,
        files=hashed,
        told=told,
        told_as=told_as,
        definitions=definitions,
        independent_rows=independent_rows,
        hash=hashlib.sha256((told + lines).encode()).hexdigest(),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

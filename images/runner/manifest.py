"""The seal of a model's volume: which files it holds, with their hashes, written when all of them are safe on disk.

A volume without a valid manifest is unfinished, so an interrupted preparation is simply run again.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

NAME = "manifest.json"
CHUNK = 1 << 20


def write_manifest(folder: str | os.PathLike[str]) -> str:
    """Flush every file of a volume to disk and seal the volume, atomically.

    Returns:
        The hash that stands for all its contents: of the files' names and hashes, in order of their names.
    """
    root = Path(folder)
    files = {name: _seal(root / name) for name in _names(root)}
    digest = _hash_of(files)
    text = json.dumps({"hash": digest, "files": files}, indent=1, sort_keys=True)
    unfinished = root / f"{NAME}.tmp"
    unfinished.write_text(text, encoding="utf-8")
    _fsync(unfinished)
    unfinished.replace(root / NAME)
    for changed in (root, *(path for path in root.rglob("*") if path.is_dir())):
        _fsync(changed)
    return digest


def read_seal(folder: str | os.PathLike[str]) -> dict[str, str | int] | None:
    """Read the hash and the size of a sealed volume, without reading its files.

    Returns:
        `hash` and `size_bytes`; `None` where there is no manifest, it contradicts itself, or a file is missing, extra
        or of another size.
    """
    root = Path(folder)
    try:
        manifest = json.loads((root / NAME).read_bytes())
        files, digest = manifest["files"], manifest["hash"]
        sizes = {name: entry["bytes"] for name, entry in files.items()}
        sealed = digest == _hash_of(files) and sizes == {
            name: (root / name).stat().st_size for name in _names(root)
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return {"hash": str(digest), "size_bytes": sum(sizes.values())} if sealed else None


def is_complete(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a volume is sealed and every file still has the contents it was sealed with."""
    root = Path(folder)
    if read_seal(root) is None:
        return False
    files = json.loads((root / NAME).read_bytes())["files"]
    return all(_sha256(root / name) == entry["sha256"] for name, entry in files.items())


def _names(root: Path) -> list[str]:
    """All files below a folder but the manifest itself, finished or not, by relative name."""
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in names if name not in (NAME, f"{NAME}.tmp"))


def _seal(path: Path) -> dict[str, str | int]:
    _fsync(path)
    return {"sha256": _sha256(path), "bytes": path.stat().st_size}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _hash_of(files: dict[str, dict[str, str | int]]) -> str:
    lines = (f"{entry['sha256']}  {name}\n" for name, entry in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

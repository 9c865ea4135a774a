"""Free disk on the engine's side, asked before something large is written there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.errors import BuildError
from harness.units import GIB, MIB, format_memory

if TYPE_CHECKING:
    import docker

DISK_FACTOR: Final = 9
"""Disk that a build takes at its height, per byte of wheels: the context, the unpacked wheels, and these copied."""
DISK_RESERVE: Final = GIB // 2
LOCAL_URL: Final = "http+docker://localhost"
"""What the client calls an engine behind a socket of this machine."""
ENGINE_HINT: Final = "see `docker system df`"


def check_disk(client: docker.DockerClient, name: str, wheel_bytes: int) -> None:
    """Refuse a build that would fill the engine's disk, where that disk can be seen from here."""
    if folder := engine_folder(client):
        needed = wheel_bytes * DISK_FACTOR + DISK_RESERVE
        why = "The build takes up to {}, most of it only for its duration."
        require_disk(folder, needed, f"build {name}", why=why, hint=ENGINE_HINT)


def engine_folder(client: docker.DockerClient) -> Path | None:
    """Where the engine keeps its data, if that is on this machine."""
    folder = Path(client.info()["DockerRootDir"])
    return folder if client.api.base_url == LOCAL_URL and folder.is_dir() else None


def require_disk(folder: Path, needed: int, purpose: str, *, why: str, hint: str) -> None:
    """Refuse what would fill a disk.

    Args:
        folder: on that disk.
        needed: bytes.
        purpose: what they are for, after `Too little disk to`.
        why: a sentence with `{}` for the size.
        hint: how to get room.

    Raises:
        BuildError: there is less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BuildError(
            f"Too little disk to {purpose}: {format_memory(free)} free in {folder}.",
            why=why.format(format_memory(needed)),
            fix=f"Free {format_memory(needed - free + MIB)}: {hint}.",
        )

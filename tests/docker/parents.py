"""A control group above the containers, smaller than their caps: what a host that runs out of memory looks like."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.container import ContainerSpec, container_config

NAME = "edgematrix-small-parent"


@contextlib.contextmanager
def small_parent(monkeypatch: pytest.MonkeyPatch, memory_bytes: int) -> Iterator[None]:
    """Let containers run below a group of that size; needs root on the engine's own host."""
    version_2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    group = Path("/sys/fs/cgroup") / ("" if version_2 else "memory") / NAME
    group.mkdir(exist_ok=True)
    limit = group / ("memory.max" if version_2 else "memory.limit_in_bytes")
    limit.write_text(str(memory_bytes))

    def below(spec: ContainerSpec, *, owner: str) -> dict[str, Any]:
        made = container_config(spec, owner=owner)
        made["HostConfig"]["CgroupParent"] = f"/{NAME}"
        return made

    monkeypatch.setattr("harness.engine.container_config", below)
    try:
        yield
    finally:
        monkeypatch.undo()
        group.rmdir()

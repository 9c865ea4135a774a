"""A control group above the containers, smaller than their caps: what a host that runs out of memory looks like."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.container import ContainerSpec, container_config
from tests.docker.privileges import need_root

ROOT = Path("/sys/fs/cgroup")
NAME = "edgematrix-small-parent"


@contextlib.contextmanager
def small_parent(monkeypatch: pytest.MonkeyPatch, memory_bytes: int) -> Iterator[None]:
    """Let containers run below a group of that size; needs root on the engine's own host."""
    need_root("making a control group above a container's")
    version_2 = (ROOT / "cgroup.controllers").exists()
    group = ROOT / ("" if version_2 else "memory") / NAME
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
        # In version 1 the runtime makes it below every controller, of which some have two names.
        for made in {path.resolve() for path in (group, *ROOT.glob(f"*/{NAME}"))}:
            made.rmdir()

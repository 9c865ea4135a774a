"""Unit tests are fast and alone: no process, no network, no engine."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from harness.supplies import Supplies
from harness.trial import Bench
from tests.unit.stand_in import a_bench

# No test judges a time: a loaded machine takes longer to draw and to run the same examples.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


class ForbiddenError(AssertionError):
    """A unit test reached for the outside."""


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every way to start a process or open a connection raise."""

    def forbidden(*_: object, **__: object) -> None:
        raise ForbiddenError("unit tests start no process and open no connection")

    monkeypatch.setattr(subprocess, "Popen", forbidden)
    for name in ("posix_spawn", "posix_spawnp", "fork", "execv", "execve", "system"):
        monkeypatch.setattr(os, name, forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the signal handlers as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """What a stand-in run measures with; nothing is mounted."""
    monkeypatch.setattr(Supplies, "mounts", lambda *_: ())
    return a_bench()

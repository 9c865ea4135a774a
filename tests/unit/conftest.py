"""Unit tests are fast and alone: no process, no network, no engine."""

import os
import socket
import subprocess

import pytest


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

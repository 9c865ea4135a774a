"""An engine is started where there is none: a second one, with its own data, socket and pid file."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness import bootstrap, engine_connection
from tests.docker.privileges import need_daemon

pytestmark = pytest.mark.docker


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `dockerd` on the PATH that keeps to itself; the socket where it will answer."""
    real = need_daemon()
    # A socket's path may have 107 characters; pytest's folders can be longer.
    socket = Path(f"/tmp/edgematrix-{os.getpid()}.sock")
    script = tmp_path / "bin" / "dockerd"
    script.parent.mkdir()
    script.write_text(
        # Its own network too: a daemon that is told to have no bridge removes the other one's.
        f"#!/bin/sh\nexec unshare --net {real} --host unix://{socket} --data-root {tmp_path}/data "
        f"--exec-root {tmp_path}/exec --pidfile {tmp_path}/pid --bridge none --iptables=false --ip6tables=false\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    for module in (bootstrap, engine_connection):
        monkeypatch.setattr(module, "DEFAULT_URL", f"unix://{socket}")
    monkeypatch.setattr(bootstrap, "DAEMON_LOG", tmp_path / "log")
    yield socket
    pid = tmp_path / "pid"
    if pid.exists():
        daemon = psutil.Process(int(pid.read_text()))
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=30)
    socket.unlink(missing_ok=True)


def test_an_engine_is_started_where_none_answers_and_found_the_next_time(own_engine: Path) -> None:
    assert not own_engine.exists()
    assert bootstrap.ensure_engine().endswith("started")
    start = time.monotonic()
    assert bootstrap.ensure_engine().endswith("answers")
    assert time.monotonic() - start < 1

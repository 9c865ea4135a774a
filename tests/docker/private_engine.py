"""An engine of the tests' own, with its own data, socket and pid file, that may be killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import docker
import psutil

ANSWER_S = 60.0


class PrivateEngine:
    """A `dockerd` below one folder; needs root.

    Args:
        folder: where its data lies.
    """

    def __init__(self, folder: Path) -> None:
        # A socket's path may have 107 characters; pytest's folders can be longer.
        self.url = f"unix:///tmp/edgematrix-private-{os.getpid()}.sock"
        self._folder = folder
        self._log = (folder / "log").open("wb")
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> docker.DockerClient:
        """Start it and wait until it answers."""
        dockerd = shutil.which("dockerd")
        assert dockerd is not None
        folder = self._folder
        # Its own network too: a daemon that is told to have no bridge removes the other one's.
        command = [
            "unshare", "--net", dockerd, f"--host={self.url}", f"--data-root={folder}/data",
            f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", "--bridge=none", "--iptables=false",
            "--ip6tables=false",
        ]  # fmt: skip
        (folder / "pid").unlink(missing_ok=True)
        self._daemon = subprocess.Popen(command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                client = docker.DockerClient(base_url=self.url, timeout=30)
                client.ping()
            except docker.errors.DockerException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return client

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.wait(timeout=30)

    def stop(self) -> None:
        """End it, and the containerd that a killed one has left."""
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(timeout=60)
        leftover = self._folder / "exec" / "containerd" / "containerd.pid"
        if leftover.exists() and psutil.pid_exists(pid := int(leftover.read_text())):
            psutil.Process(pid).terminate()
        self._log.close()
        Path(self.url.removeprefix("unix://")).unlink(missing_ok=True)

    def take_images(self, source: docker.DockerClient, names: list[str]) -> None:
        """Copy images from another engine."""
        target = docker.DockerClient(base_url=self.url, timeout=600)
        for name in names:
            target.images.load(source.images.get(name).save(named=True))  # type: ignore[arg-type]
        target.close()

"""An engine of the tests' own, with its own data, socket and pid file, that may be killed and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import psutil

from tests.docker.privileges import need_daemon

ANSWER_S = 60.0


class PrivateEngine:
    """A `dockerd` below one folder; needs root.

    Args:
        folder: where its data lies.
    """

    def __init__(self, folder: Path) -> None:
        self._dockerd = need_daemon()
        # A socket's path may have 107 characters; pytest's folders are longer.
        self._sockets = Path(tempfile.mkdtemp(prefix="edgematrix-"))
        self.url = f"unix://{self._sockets}/docker.sock"
        self._folder = folder
        self._log = (folder / "log").open("wb")
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> docker.DockerClient:
        """Start it and wait until it answers."""
        folder = self._folder
        # Its own network too: a daemon that is told to have no bridge removes the other one's.
        command = [
            "unshare", "--net", self._dockerd, f"--host={self.url}", f"--data-root={folder}/data",
            f"--exec-root={self._sockets}", f"--pidfile={folder}/pid", "--bridge=none", "--iptables=false",
            "--ip6tables=false",
        ]  # fmt: skip
        (folder / "pid").unlink(missing_ok=True)
        self._daemon = subprocess.Popen(command, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + ANSWER_S
        while not self._listens():
            assert time.monotonic() < deadline, f"dockerd does not answer: {folder}/log"
            time.sleep(0.2)
        return docker.DockerClient(base_url=self.url, timeout=60)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.url.removeprefix("unix://")) == 0

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.wait(timeout=30)
        # Its containerd dies with it. Where nobody reaps orphans it stays as a zombie, which the next daemon would take
        # for one that runs.
        (self._sockets / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it, and remove all that it has left."""
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.send_signal(signal.SIGTERM)
            self._daemon.wait(timeout=60)
        self._log.close()
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self._sockets) in word for word in process.info["cmdline"] or ()):  # shims
                for each in (*process.children(recursive=True), process):
                    each.kill()
        places = (str(self._sockets), str(self._folder))
        for mounted in reversed(psutil.disk_partitions(all=True)):
            if mounted.mountpoint.startswith(places):
                subprocess.run(["umount", "--lazy", mounted.mountpoint], check=False)
        shutil.rmtree(self._sockets, ignore_errors=True)
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    def take_images(self, source: docker.DockerClient, names: list[str]) -> None:
        """Copy images from another engine."""
        target = docker.DockerClient(base_url=self.url, timeout=600)
        for name in names:
            target.images.load(source.images.get(name).save(named=True))  # type: ignore[arg-type]
        target.close()

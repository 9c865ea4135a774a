"""PID 1 of a measured container: proves the limits, starts the worker, outlives it and reports how it ended.

Standard input carries the job as one JSON line and is then held open by the harness; its end means that the
harness is gone. Standard output carries records and nothing else. The worker reports over a private pipe, and its
own chatter is forwarded to standard error, bounded.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import sys
import time

from runner import page_cache, process
from runner.cgroup import CgroupV1, CgroupV2, missing, open_cgroup
from runner.conditions import conditions

VERSION = 3
PR_SET_DUMPABLE = 4
REPORT_FD = 3
THRASHING_FACTOR = 50
"""A phase that reads this many times the cap from storage is reading the same pages again and again."""
TICK_MS = 1000
STEADY_BUDGETS = 2
"""A steady phase and the second clock after it take one and a half; whoever is still at it then may be thrashing."""
CHUNK = 1 << 16
LOG_HEAD = 64 * 1024
LOG_TAIL = 16 * 1024
MAX_LINE = 32 * 1024 * 1024
WORKER_RECORDS = frozenset(
    {
        "phase_start", "phase", "warmup", "conditions", "threads", "growth", "samples",
        "framework", "output", "process", "error",
    }
)  # fmt: skip
"""What a worker may say; limits and the end are the supervisor's word alone."""


def emit(record: dict[str, object]) -> None:
    """Write one record, at once and whole."""
    write_all(1, json.dumps(record, separators=(",", ":")).encode() + b"\n")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; `os.write` may take only a part of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def seal() -> None:
    """Keep the worker, which runs under the same user, off this process: its memory, and its way to the harness.

    What is not dumpable cannot be traced, nor its descriptors be opened through `/proc`: see `prctl(2)`. A program that
    it executes is dumpable again.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def read_job() -> dict[str, object]:
    """Read the job: standard input up to the first newline."""
    data = b""
    while not data.endswith(b"\n"):
        chunk = os.read(0, CHUNK)
        if not chunk:
            sys.exit("the job's line ended early: this container is started by the harness, not by hand")
        data += chunk
    job = json.loads(data)
    assert isinstance(job, dict)
    return job


def limits_record(cgroup: CgroupV1 | CgroupV2) -> dict[str, object]:
    """What the kernel says it enforces."""
    return {
        "type": "limits",
        "version": VERSION,
        "cgroup_version": cgroup.version,
        "cpuset": sorted(os.sched_getaffinity(0)),
        "memory_nodes": process.memory_nodes(),
        **cgroup.limits(),
        "missing_files": missing(cgroup),
        "uid": os.getuid(),
        "supervisor_anon_bytes": process.status()["rss_anon_bytes"] or 0,
    }


class Log:
    """The worker's chatter: the head goes through at once, of the rest the tail is kept for the end."""

    def __init__(self) -> None:
        self.total = 0
        self.tail = b""

    def feed(self, data: bytes) -> None:
        """Take what the worker printed."""
        room = max(0, LOG_HEAD - self.total)
        self.total += len(data)
        if room:
            write_all(2, data[:room])
        self.tail = (self.tail + data[room:])[-LOG_TAIL:]

    def close(self) -> None:
        """Print the tail, and how much is missing before it."""
        left_out = self.total - LOG_HEAD - len(self.tail)
        if left_out > 0:
            write_all(2, b"\n[... %d bytes left out ...]\n" % left_out)
        write_all(2, self.tail)


class Reports:
    """The worker's records, forwarded line by line; keeps track of the phase."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self.buffer = b""
        self.phase = ""
        self.read_at_start = 0
        self.read_in_phase = 0

    def feed(self, data: bytes) -> None:
        """Forward whole lines."""
        self.buffer += data
        if len(self.buffer) > MAX_LINE:
            self.buffer = b""
            self._refuse(f"a record of more than {MAX_LINE} bytes")
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            self._forward(line)

    def look(self) -> None:
        """Note what the worker has read from storage since the phase began; once it is dead the last look stands."""
        now = process.read_bytes(self.worker)
        if now is not None:
            self.read_in_phase = now - self.read_at_start

    def _forward(self, line: bytes) -> None:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        kind = record.get("type") if isinstance(record, dict) else None
        if not isinstance(kind, str) or kind not in WORKER_RECORDS:
            self._refuse(f"a worker may not say {line[:200]!r}")
            return
        if record["type"] == "phase_start":
            self.phase = str(record.get("name"))
            self.read_at_start = process.read_bytes(self.worker) or 0
            self.read_in_phase = 0
        write_all(1, line + b"\n")

    def _refuse(self, message: str) -> None:
        emit(
            {
                "type": "error",
                "phase": self.phase or None,
                "kind": "BadRecord",
                "message": message,
                "traceback": "",
            }
        )


def start_worker(job: dict[str, object], cgroup: CgroupV1 | CgroupV2) -> tuple[int, int, int]:
    """Start the worker.

    Returns:
        Its pid, and the reading ends of its report pipe and its log pipe.
    """
    report_read, report_write = os.pipe()
    log_read, log_write = os.pipe()
    null = os.open(os.devnull, os.O_RDONLY)
    start = {"wall_ns": time.monotonic_ns(), **cgroup.cpu()}
    environment = dict(os.environ)
    extra = job["env"]
    assert isinstance(extra, dict)
    environment.update(extra)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "runner.worker", json.dumps(job), json.dumps(start)],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, log_write, 1),
            (os.POSIX_SPAWN_DUP2, log_write, 2),
            (os.POSIX_SPAWN_DUP2, report_write, REPORT_FD),
        ],
        setsigdef=[signal.SIGCHLD],
    )
    for descriptor in (report_write, log_write, null):
        os.close(descriptor)
    return pid, report_read, log_read


def child_alarm() -> int:
    """Make the death of a child readable.

    Returns:
        A descriptor that becomes readable on SIGCHLD.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def reap(worker: int) -> int | None:
    """Reap all that has died, as PID 1 must.

    Returns:
        The worker's wait status, if it was among them.
    """
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == worker:
            found = status


def kill_all() -> None:
    """Kill everything in this container but PID 1 itself."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return


class Watch:
    """Forwards what the worker says until it ends, thrashes or is abandoned."""

    def __init__(
        self, worker: int, report_pipe: int, log_pipe: int, *, cap_bytes: int, budget_s: float
    ) -> None:
        self.worker = worker
        self.report_pipe = report_pipe
        self.log_pipe = log_pipe
        self.cap_bytes = cap_bytes
        self.steady_tick_ms = max(TICK_MS, round(STEADY_BUDGETS * budget_s * 1000))
        self.reports = Reports(worker)
        self.log = Log()
        self.stop = "exited"

    def until_end(self, alarm: int) -> int:
        """Wait for the worker's end.

        It looks once a second at what the worker has read; while a steady phase runs it sleeps until something
        happens or that phase should long be over.

        Args:
            alarm: becomes readable when a child dies.

        Returns:
            The worker's wait status.
        """
        poll = select.poll()
        for descriptor in (0, self.report_pipe, self.log_pipe, alarm):
            poll.register(descriptor, select.POLLIN | select.POLLHUP)
        while True:
            for descriptor, _ in poll.poll(self.tick_ms()):
                data = os.read(descriptor, CHUNK)
                if descriptor == alarm:
                    status = reap(self.worker)
                    if status is not None:
                        return status
                elif not self.take(descriptor, data):
                    poll.unregister(descriptor)
            self.end_thrashing()

    def tick_ms(self) -> int:
        """How long to sleep when nothing happens."""
        return self.steady_tick_ms if self.reports.phase == "steady" else TICK_MS

    def take(self, descriptor: int, data: bytes) -> bool:
        """Handle what came from a descriptor.

        Returns:
            False at its end.
        """
        if descriptor == self.report_pipe:
            self.reports.feed(data)
        elif descriptor == self.log_pipe:
            self.log.feed(data)
        elif not data:
            self.stop = "abandoned"
            kill_all()
        return bool(data)

    def end_thrashing(self) -> None:
        """Kill a worker that reads the same pages from disk for ever instead of running out of memory."""
        self.reports.look()
        if self.reports.read_in_phase > THRASHING_FACTOR * self.cap_bytes:
            self.stop = "thrashing"
            kill_all()

    def close(self) -> None:
        """Kill what outlived the worker, and take what is still in the pipes."""
        kill_all()
        drain(self.report_pipe, self.reports.feed)
        drain(self.log_pipe, self.log.feed)
        self.log.close()


def drain(descriptor: int, feed: object) -> None:
    """Take what a dead worker has left in a pipe; a surviving child may hold it open, so never wait."""
    os.set_blocking(descriptor, False)
    assert callable(feed)
    while True:
        try:
            data = os.read(descriptor, CHUNK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return
            raise
        if not data:
            return
        feed(data)


def main() -> None:
    """Run one trial."""
    seal()
    job = read_job()
    begin = time.monotonic_ns()
    cgroup = open_cgroup()
    emit(limits_record(cgroup))
    emit(conditions("before"))
    if job["page_cache"] == "cold":
        emit({"type": "page_cache", "mode": "cold", **page_cache.drop(page_cache.measured_files())})
    else:
        emit({"type": "page_cache", "mode": "warm", "files": 0, "bytes": 0, "wall_ns": 0})
    alarm = child_alarm()
    cap, budget = job["memory_bytes"], job["budget_s"]
    assert isinstance(cap, int)
    assert isinstance(budget, int | float)
    watch = Watch(*start_worker(job, cgroup), cap_bytes=cap, budget_s=budget)
    status = watch.until_end(alarm)
    watch.close()
    emit(conditions("after"))
    emit(
        {
            "type": "end",
            "stop": watch.stop,
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "oom_kills": cgroup.oom_kills(),
            "cgroup_peak_bytes": cgroup.memory()["cgroup_peak_bytes"],
            "phase_read_bytes": watch.reports.read_in_phase,
            "log_bytes": watch.log.total,
            "wall_ns": time.monotonic_ns() - begin,
        }
    )

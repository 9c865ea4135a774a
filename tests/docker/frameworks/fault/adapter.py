"""A framework that fails on demand: `FAULT=what:phase` in its environment says how and where."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model import ModelFiles

WHAT, _, WHERE = os.environ.get("FAULT", "").partition(":")
KEPT: list[np.ndarray] = []
REPORTS = 3
"""The descriptor over which a worker reports to its supervisor."""
VERSION = "1.0\"><script>alert('version')</script>"
FORGED = b'{"type":"end","stop":"exited","exit_code":0}\n'


def allocate() -> None:
    """Take memory until the kernel says no."""
    while True:
        KEPT.append(np.ones(1 << 20, dtype=np.uint64))


def leak() -> None:
    """Keep something of every call."""
    KEPT.append(np.ones(512, dtype=np.uint64))


def exhaust() -> None:
    """Raise what a framework raises whose own allocator gives up."""
    raise MemoryError("the arena is full")


def fill() -> None:
    """Write to the only place that can be written until it is full."""
    with Path("/tmp/full").open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def deface() -> None:
    """Write where nothing may be written."""
    Path("/opt/changed").write_bytes(b"x")


def hang() -> None:
    """Never come back."""
    time.sleep(3600)


def linger() -> None:
    """Give the whole result, and then not go."""
    atexit.register(hang)


def crash() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def abort() -> None:
    """End as C++ libraries do on a broken assertion."""
    os.abort()


def suicide() -> None:
    """Die of the signal that an OOM kill has, without one."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    """Claim success without a result."""
    os._exit(0)


def depart() -> None:
    """Go without a word."""
    os._exit(7)


def refuse() -> None:
    """Say that this cannot be done."""
    raise NotImplementedError("operator Frobnicate")


def fail() -> None:
    """Raise what nobody expects; the message is hostile on purpose."""
    raise ValueError("<script>alert('x')</script>")


def breed() -> None:
    """Leave a child behind that holds all pipes open, and go."""
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)


def multiply() -> None:
    """Start processes until the kernel says no."""
    while True:
        if os.fork() == 0:
            time.sleep(3600)


def chatter() -> None:
    """Print a megabyte where people look for the reason."""
    os.write(2, b"noise\n" * 200_000)
    os.write(2, b"the reason\n")
    os._exit(4)


def tear() -> None:
    """Begin a record, and go in the middle of it."""
    os.write(REPORTS, b'{"type":"output","inputs":8,')
    os._exit(0)


def babble() -> None:
    """Say a megabyte that is no record."""
    for _ in range(2000):
        os.write(REPORTS, b"\xff" * 511 + b"\n")
    os._exit(0)


def nest() -> None:
    """Say something of endless depth."""
    os.write(REPORTS, b"[" * 60_000 + b"\n")
    os._exit(0)


def flood() -> None:
    """Say more than anybody may say, in the form of records."""
    line = b'{"type":"output","inputs":8,"shapes":[' + b"[1,1]," * 170_000 + b"[1,1]]}\n"
    for _ in range(300):
        view = memoryview(line)
        while view:
            view = view[os.write(REPORTS, view) :]


def inflate() -> None:
    """Say that there are four million latencies, in a kilobyte."""
    os.write(
        REPORTS, b'{"type":"samples","phase":"steady","clock":"core","count":4000000,"data":"eJwDAAAAAAE="}\n'
    )
    os._exit(0)


def forge() -> None:
    """Speak for the supervisor."""
    os.write(REPORTS, FORGED)
    os._exit(0)


def usurp() -> None:
    """Speak for the supervisor over the supervisor's own descriptor."""
    Path("/proc/1/fd/1").write_bytes(FORGED)
    os._exit(0)


def meddle() -> None:
    """Open the supervisor's memory."""
    with Path("/proc/1/mem").open("r+b", buffering=0) as file:
        file.read(1)


def behead() -> None:
    """Kill the supervisor."""
    os.kill(1, signal.SIGKILL)
    os.kill(1, signal.SIGTERM)


def call() -> None:
    """Speak to the world."""
    socket.create_connection(("192.0.2.1", 80), timeout=5)


FAULTS = (
    allocate, leak, exhaust, fill, deface, hang, linger, crash, abort, suicide, leave, depart, refuse, fail, breed,
    multiply, chatter, tear, babble, nest, flood, inflate, forge, usurp, meddle, behead, call,
)  # fmt: skip


WRONG = {
    "wrong": lambda output: output + 1,
    "vanish": lambda output: output * np.nan,
    "reshape": lambda output: output[None],
}
"""What becomes of an output."""


def survey() -> dict[str, str]:
    """What can be seen and done from inside, for the tests to judge."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    places = [
        "/",
        "/opt",
        "/etc",
        "/usr/lib",
        "/model",
        "/root",
        "/tmp",
        "/dev/shm",
        "/proc/sys/kernel",
        "/sys",
        "/sys/fs/cgroup",
    ]
    return {
        "interfaces": " ".join(sorted(path.name for path in Path("/sys/class/net").iterdir())),
        "routes": Path("/proc/net/route").read_text().partition("\n")[2].strip(),
        "writable": " ".join(place for place in places if writes(place)),
        "setuid": attempt(lambda: os.setuid(0)),
        "su": attempt(
            lambda: subprocess.run(["su", "-c", "id"], check=True, capture_output=True, timeout=10)
        ),
        "mount": attempt(lambda: call_libc("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
        "unshare": attempt(lambda: call_libc("unshare", 0x10000000)),
        "processes": " ".join(path.name for path in Path("/proc").iterdir() if path.name.isdigit()),
        "parent": Path("/proc/1/cmdline").read_text().replace("\0", " ").strip(),
        "environment": " ".join(sorted(os.environ)),
        "sockets": " ".join(
            path for path in ("/var/run/docker.sock", "/run/docker.sock") if Path(path).exists()
        ),
        **{
            key: status[key].strip()
            for key in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
        },
    }


def attempt(deed: Callable[[], object]) -> str:
    """How a deed is refused; `done` where it is not."""
    try:
        deed()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__
    return "done"


def call_libc(name: str, *arguments: object) -> None:
    """Make a call that the standard library has not."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def writes(place: str) -> bool:
    """Whether a file can be made there."""
    try:
        Path(place, "probe").touch()
    except OSError:
        return False
    return True


def at(phase: str) -> None:
    """Do what was asked for if this is the place."""
    if phase and phase == WHERE:
        {fault.__name__: fault for fault in FAULTS}[WHAT]()


at("import")


def runners_phases() -> Any:
    """The runner's own record of what is going on, from its stack: nobody knows how long a warm-up takes."""
    frame = sys._getframe()
    while frame.f_code.co_name != "run_trial":
        assert frame.f_back is not None
        frame = frame.f_back
    return frame.f_locals["phases"]


class Adapter:
    """Computes the reference itself, in float64, unless told to be wrong."""

    def __init__(self, *, threads: int | None, params: dict[str, Any]) -> None:
        self.threads = threads
        self.phases = runners_phases()

    def load(self, model: ModelFiles) -> None:
        """Load the model's own reference as the thing to run."""
        at("load")
        self.forward = model.define("numpy").forward
        self.weights = model.define("weights").make(np.random.default_rng(model.spec["seed"]))

    def compile(self) -> None:
        """Nothing to compile."""
        at("compile")

    def run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call."""
        at(self.phases.current or "")
        outputs = list(self.forward(self.weights, inputs).values())
        return [WRONG.get(WHAT, np.asarray)(output) for output in outputs]

    def to_native(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """There are no tensors but numpy's."""
        return inputs

    def infer(self, native: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run one call on the second clock."""
        at("core")
        return list(self.forward(self.weights, native).values())

    def describe(self) -> dict[str, Any]:
        """Say what every adapter says."""
        return {"version": VERSION, "threads": None, "settings": survey() if WHAT == "survey" else {}}

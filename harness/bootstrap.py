"""Have an engine: `python -m harness.bootstrap`; have a browser for the tests: the same with `--browser`.

Where an engine answers, or where the user has named one, nothing is ever installed or started. Reading the
machine, deciding and acting are three steps, so that the decision is tested on invented machines.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from harness import debian
from harness.engine_connection import DEFAULT_URL, connect, endpoints
from harness.errors import EdgematrixError, EngineError, ExitCode

DAEMON_LOG: Final = Path("/var/log/edgematrix-dockerd.log")
START_TIMEOUT_S: Final = 90
RIVAL_TIMEOUT_S: Final = 10
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the decision rests on."""

    named_elsewhere: bool
    """The user named an engine that is not this machine's own."""
    socket_denied: bool
    """An engine runs here, and this user may not talk to it."""
    root: bool
    debian: bool
    """Of the Debian family, so that apt-get can install the engine."""
    daemon_installed: bool
    systemd: bool


class Step(StrEnum):
    """What to do about a missing engine; several are done in this order."""

    INSTALL = "install"
    START_SERVICE = "start_service"
    START_DAEMON = "start_daemon"


def decide(machine: Machine) -> tuple[Step, ...]:
    """Say how this machine gets an engine.

    | named elsewhere or denied | root | dockerd installed | Debian | outcome |
    |---|---|---|---|---|
    | yes | - | - | - | nothing is done |
    | no | no | - | - | nothing is done |
    | no | yes | yes | - | start |
    | no | yes | no | yes | install, start |
    | no | yes | no | no | nothing is done |

    Returns:
        The steps; none where the user has to act.
    """
    if machine.named_elsewhere or machine.socket_denied or not machine.root:
        return ()
    if not machine.daemon_installed and not machine.debian:
        return ()
    start = Step.START_SERVICE if machine.systemd else Step.START_DAEMON
    return (start,) if machine.daemon_installed else (Step.INSTALL, start)


def advise(machine: Machine) -> str:
    """Say what the user has to do where `decide` finds no step."""
    if machine.daemon_installed:
        return "Start the engine: `sudo systemctl start docker`, or Docker Desktop, or `colima start`."
    if machine.debian:
        return (
            "Install and start the engine: `sudo apt-get install docker.io && sudo systemctl start docker`."
        )
    return "Install and start a Docker engine: https://docs.docker.com/engine/install/"


def ensure_engine() -> str:
    """Have an engine that answers.

    Returns:
        One line that says which, and what was done for it.

    Raises:
        EngineError: none answers and this program may not or cannot start one.
    """
    try:
        return _describe("answers")
    except EngineError as error:
        refusal = error
    machine = read_machine(refusal)
    steps = decide(machine)
    if not steps:
        if machine.named_elsewhere or machine.socket_denied:
            raise refusal
        raise EngineError("No Docker engine answers.", why=refusal.why, fix=advise(machine))
    for step in steps:
        _take(step)
    return _describe("started")


def read_machine(refusal: EngineError) -> Machine:
    """Read this machine; `refusal` is why no engine could be reached."""
    return Machine(
        named_elsewhere=any(
            endpoint.named and endpoint.url != DEFAULT_URL for endpoint in endpoints(os.environ)
        ),
        socket_denied="refuses" in refusal.what,
        root=os.geteuid() == 0,
        debian=Path("/etc/debian_version").exists(),
        daemon_installed=shutil.which("dockerd") is not None,
        systemd=Path("/run/systemd/system").is_dir(),
    )


def ensure_browser() -> str:
    """Have a Chromium for the browser tests.

    Returns:
        One line that says which.

    Raises:
        EdgematrixError: there is none and this program may not install one.
    """
    if not any(map(shutil.which, BROWSERS)):
        if not debian.can_install():
            raise EdgematrixError(
                "The browser tests need Chromium, and there is none.",
                fix="Install it, such as `sudo apt-get install chromium`, or deselect: `pytest -m 'not browser'`.",
            )
        debian.install("chromium", "fonts-dejavu-core", error=EdgematrixError)
    return f"browser: {next(filter(None, map(shutil.which, BROWSERS)))}"


def _describe(state: str) -> str:
    client = connect()
    try:
        version = client.version()
        return f"engine: Docker {version['Version']} on {version['Os']}/{version['Arch']} {state}"
    finally:
        client.close()


def _take(step: Step) -> None:
    match step:
        case Step.INSTALL:
            debian.install("docker.io", error=EngineError)
        case Step.START_SERVICE:
            _start_service()
        case Step.START_DAEMON:
            _start_daemon()


def _start_service() -> None:
    ended = subprocess.run(
        ["systemctl", "start", "docker"],  # noqa: S607 - systemd's own place differs between distributions
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode != 0:
        raise EngineError(
            "systemd could not start the Docker engine.",
            why=ended.stderr.strip(),
            fix="Read `journalctl -u docker`.",
        )
    if not _answers(None):
        raise EngineError(
            "systemd started the Docker engine, but it does not answer.", fix="Read `journalctl -u docker`."
        )


def _start_daemon() -> None:
    """Start dockerd in a session of its own, as Debian's policy may keep the package from starting it."""
    dockerd = shutil.which("dockerd")
    if dockerd is None:
        raise EngineError("The Docker engine is installed, yet there is no dockerd.", fix="Mend the PATH.")
    with DAEMON_LOG.open("ab") as log:
        daemon = subprocess.Popen(  # noqa: S603 - the path that the shell would take
            [dockerd], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    if not _answers(daemon):
        raise EngineError(
            "The Docker engine was started but does not answer.",
            why="\n".join(DAEMON_LOG.read_text(errors="replace").splitlines()[-5:]),
            fix=f"Read {DAEMON_LOG}; "
            "a container runs an engine only if it is privileged, or is given another's socket.",
        )
    daemon.returncode = 0  # it outlives this program on purpose: nobody waits for it


def _answers(daemon: subprocess.Popen[bytes] | None) -> bool:
    """Whether an engine answers, in the end.

    A daemon that ends at once is given a little longer: another bootstrap's may have been first, and will answer.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            connect().close()
        except EngineError:
            time.sleep(0.1)
        else:
            return True
        if daemon is not None and daemon.poll() is not None:
            deadline = min(deadline, time.monotonic() + RIVAL_TIMEOUT_S)
            daemon = None
    return False


def main(arguments: list[str]) -> int:
    """Run from make: print one line on success, the error on failure."""
    try:
        print(ensure_browser() if "--browser" in arguments else ensure_engine())  # noqa: T201 - this is a command
    except EdgematrixError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

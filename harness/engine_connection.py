"""Which Docker engine, and a connection to it: one lookup for everybody.

What the user named comes first and alone (`DOCKER_HOST`, then the current docker context): where that does not
answer, measuring on some other engine would be a surprise. Only when nothing is named are the well-known sockets
tried in turn.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import docker
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL: Final = "unix:///var/run/docker.sock"
PROBE_TIMEOUT_S: Final = 10
REQUEST_TIMEOUT_S: Final = 600
"""Of one request without an answer: importing a base of 200 MB is silent for as long as the disk takes."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One place where an engine may answer."""

    url: str
    origin: str
    """Who named it, for messages: `DOCKER_HOST`, `docker context 'colima'`, `well-known socket`."""
    named: bool = False
    """The user chose it: no other is tried."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the client, such as `tls`."""


def connect() -> docker.DockerClient:
    """Connect to the engine that this shell's `docker` would use, or to one on a well-known socket.

    Raises:
        EngineError: none answers, or the one that was named does not.
    """
    refusals = []
    for endpoint in endpoints(os.environ):
        try:
            return open_client(endpoint)
        except EngineError as error:
            refusals.append(error)
    raise _most_telling(refusals)


def endpoints(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """List where to look, best first; exactly one where the user named it.

    Raises:
        EngineError: the current docker context cannot be read.
    """
    if environ.get("DOCKER_HOST"):
        try:
            options = kwargs_from_env(environment=dict(environ))
        except DockerException as error:
            raise EngineError(
                "DOCKER_TLS_VERIFY is set, but its certificates cannot be used.",
                why=str(error),
                fix="Set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem.",
            ) from error
        url = options.pop("base_url")
        return (Endpoint(url=url, origin="DOCKER_HOST", named=True, options=options),)
    context = _current_context(environ)
    if context is not None:
        return (context,)
    return tuple(
        Endpoint(url=f"unix://{path}", origin="well-known socket") for path in _well_known_sockets(environ)
    )


def open_client(endpoint: Endpoint) -> docker.DockerClient:
    """Connect to one endpoint and make sure that it answers.

    Raises:
        EngineError: it does not; the message tells a missing engine from a missing permission.
    """
    if endpoint.url.startswith("ssh://"):
        raise EngineError(
            f"The Docker engine at {endpoint.url} ({endpoint.origin}) is reached over ssh.",
            why="Edgematrix does not speak ssh: the client library cannot wait for a container's output over ssh.",
            fix="Forward its socket: `ssh -NL /tmp/engine.sock:/var/run/docker.sock HOST`, "
            "then set DOCKER_HOST=unix:///tmp/engine.sock",
        )
    path = endpoint.url.removeprefix("unix://")
    if path != endpoint.url and not Path(path).exists():
        raise _refusal(endpoint, FileNotFoundError("there is no such socket"))
    try:
        # Asking for the version is what proves that it answers.
        client = docker.DockerClient(
            base_url=endpoint.url,
            version="auto",
            timeout=PROBE_TIMEOUT_S,
            **endpoint.options,
        )
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise _refusal(endpoint, error) from error
    client.api.timeout = REQUEST_TIMEOUT_S
    return client


def _current_context(environ: Mapping[str, str]) -> Endpoint | None:
    """The docker context in use, `None` where it is the default one."""
    name = environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(name)
        options = ContextAPI.kwargs_from_context(name, environment=dict(environ))
    except Exception as error:  # docker-py raises bare exceptions on a corrupt context
        raise EngineError(
            f"The docker context {name or 'in use'} cannot be read: {error}",
            fix="Look at `docker context ls`, or run `docker context use default`.",
        ) from error
    if context is None:
        raise EngineError(
            f"The docker context {name or 'in use'} does not exist.",
            fix="Choose one from `docker context ls` with `docker context use NAME`.",
        )
    if context.name == "default" or "base_url" not in options:
        return None
    url = options.pop("base_url")
    return Endpoint(url=url, origin=f"docker context {context.name!r}", named=True, options=options)


def _well_known_sockets(environ: Mapping[str, str]) -> tuple[Path, ...]:
    home = Path(environ.get("HOME", "/"))
    runtime = environ.get("XDG_RUNTIME_DIR")
    return (
        Path(DEFAULT_URL.removeprefix("unix://")),
        *([Path(runtime) / "docker.sock"] if runtime else []),  # rootless
        home / ".docker" / "run" / "docker.sock",  # Docker Desktop
        home / ".docker" / "desktop" / "docker.sock",  # Docker Desktop on Linux
        home / ".colima" / "default" / "docker.sock",
    )


def _refusal(endpoint: Endpoint, error: Exception) -> EngineError:
    where = f"{endpoint.url} ({endpoint.origin})"
    if "Permission denied" in str(error):
        return EngineError(
            f"The Docker engine at {where} refuses this user.",
            why="Its socket belongs to root and to the group docker.",
            fix="Run `sudo usermod -aG docker $USER`, then log in again.",
        )
    return EngineError(
        f"No Docker engine answers at {where}.",
        why=str(error),
        fix="Start that engine, or unset DOCKER_HOST, or `docker context use` another one."
        if endpoint.named
        else f"Start the Docker engine; `{sys.executable} -m harness.bootstrap` says how, and does so as root on "
        "Debian or Ubuntu.",
    )


def _most_telling(refusals: list[EngineError]) -> EngineError:
    """A socket that exists but refuses says more than the first of five that do not exist."""
    denied = [refusal for refusal in refusals if "refuses" in refusal.what]
    return (denied or refusals)[0]

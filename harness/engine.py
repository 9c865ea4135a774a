"""The only module that runs containers: each is owned from create to removal."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

import requests
from docker.errors import APIError, NotFound

from harness.attachment import Attachment
from harness.container import LABEL_OWNER, LABEL_RUN, Outcome, container_config
from harness.errors import BusyError, EngineError
from harness.output import TICK_S, OutputReader, pump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from docker import DockerClient

    from harness.container import ContainerSpec

LOCK_NAME: Final = "edgematrix-harness"
ANSWER_S: Final = 60.0

FAILURES: Final = (APIError, requests.RequestException, OSError)


class Engine:
    """A Docker engine, local or remote.

    Args:
        client: a connected client.
        owner: who we are, for the labels and for the one whom we keep waiting.
    """

    def __init__(self, client: DockerClient, *, owner: str) -> None:
        self._api = client.api
        self._owner = owner

    def info(self) -> dict[str, Any]:
        """The engine's own description of itself and its host.

        Raises:
            EngineError: it does not answer.
        """
        with translated("the engine does not say what it is"):
            info: dict[str, Any] = self._api.info()
            return info

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume unless it is there.

        Raises:
            EngineError: the engine refused.
        """
        with translated(f"volume {name} could not be created"):
            self._api.create_volume(name, labels=dict(labels))

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes = b"",
        on_line: Callable[[bytes], None],
        timeout_s: float,
        on_tick: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Run one container from create to removal; never raises for what goes wrong with that container.

        Args:
            spec: the container.
            stdin: written once; standard input then stays open until the container has ended.
            on_line: called with each line of its standard output, without the newline.
            timeout_s: wall time from start to end; past it the container is killed.
            on_tick: called once a second at the most, while nothing else happens.
        """
        begin = time.monotonic()
        reader = OutputReader(on_line)
        timed_out = False
        state: Mapping[str, Any] = {}
        error = None
        try:
            with self._created(spec) as container, Attachment(self._api, container) as attachment:
                self._api.start(container)
                attachment.send(stdin)
                timed_out = not pump(
                    attachment, reader, deadline=time.monotonic() + timeout_s, on_tick=on_tick
                )
                if timed_out or reader.flooded:
                    self._kill(container)
                self._api.wait(container)
                state = self._api.inspect_container(container)["State"]
        except FAILURES as failure:
            error = explain(failure)
        return Outcome(
            exit_code=state.get("ExitCode"),
            oom_flag=bool(state.get("OOMKilled")),
            timed_out=timed_out,
            flooded=reader.flooded,
            error=error or state.get("Error") or None,
            log_tail=reader.log_tail(),
            engine_s=time.monotonic() - begin,
        )

    @contextlib.contextmanager
    def hold(self, spec: ContainerSpec) -> Iterator[Callable[[], bytes]]:
        """Run a container for as long as the caller needs it, under a name that only one can have.

        Yields:
            A function that sends an empty line and returns the line that comes back.

        Raises:
            BusyError: another container has the name.
            EngineError: it did not start, or has nothing to say.
        """
        lines: list[bytes] = []
        reader = OutputReader(lines.append)
        with contextlib.ExitStack() as stack:
            with translated(f"container {spec.name} could not be started"):
                container = stack.enter_context(self._created(spec))
                attachment = stack.enter_context(Attachment(self._api, container))
                self._api.start(container)

            def ask() -> bytes:
                lines.clear()
                attachment.send(b"\n")
                deadline = time.monotonic() + ANSWER_S
                while not lines and time.monotonic() < deadline:
                    for stream, chunk in attachment.receive(TICK_S) or ():
                        reader.feed(stream, chunk)
                if not lines:
                    raise EngineError(f"container {spec.name} does not answer", why=reader.log_tail())
                return lines[0]

            yield ask

    def sweep(self) -> tuple[str, ...]:
        """Remove the containers that dead predecessors left. Call it only while holding the lock.

        Returns:
            Their names.
        """
        with translated("leftover containers could not be removed"):
            left = self._api.containers(all=True, filters={"label": [LABEL_RUN]})
            for container in left:
                self._api.remove_container(container["Id"], force=True)
        return tuple(container["Names"][0].lstrip("/") for container in left)

    @contextlib.contextmanager
    def _created(self, spec: ContainerSpec) -> Iterator[str]:
        """Own a container: whatever happens inside, it is removed."""
        config = container_config(spec, owner=self._owner)
        container = self._create(spec.name, config)
        try:
            if spec.archive is not None:
                self._api.put_archive(container, *spec.archive)
            yield container
        finally:
            with contextlib.suppress(NotFound):
                self._api.remove_container(container, force=True)

    def _create(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container; a dead one of the same name gives way, a living one does not.

        Raises:
            BusyError: the name belongs to a container that runs, or is about to.
        """
        try:
            created = self._api.create_container_from_config(config, name=name)  # type: ignore[no-untyped-call]
        except APIError as error:
            if error.status_code != requests.codes.conflict:
                raise
            self._remove_dead(name)
            return self._create(name, config)
        return str(created["Id"])

    def _remove_dead(self, name: str) -> None:
        try:
            found = self._api.inspect_container(name)
            if found["State"]["Status"] in {"exited", "dead"}:
                self._api.remove_container(found["Id"], force=True)
                return
        except NotFound:
            return
        owner = found["Config"]["Labels"].get(LABEL_OWNER, "somebody else")
        raise BusyError(
            f"another harness is measuring on this engine: {owner}, since {found['Created'][:19]}Z",
            why="two measurements at a time would disturb each other, so the engine is held by one harness",
            fix=f"wait until it ends; if it is certainly dead: docker rm -f {name}",
        )

    def _kill(self, container: str) -> None:
        # It may have ended by itself in the meantime.
        with contextlib.suppress(APIError):
            self._api.kill(container)


def explain(failure: Exception) -> str:
    """The engine's own words, without the request's noise."""
    if isinstance(failure, APIError):
        return str(failure.explanation or failure)
    return f"{type(failure).__name__}: {failure}"


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the client library's exceptions into ours."""
    try:
        yield
    except FAILURES as failure:
        raise EngineError(what, why=explain(failure), fix="check the engine with `docker info`") from failure

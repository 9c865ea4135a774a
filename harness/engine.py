"""The only module that runs containers: each is owned from create to removal."""

from __future__ import annotations

import contextlib
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import requests
from docker.errors import APIError, NotFound

from harness.attachment import Attachment, ConnectionLostError
from harness.container import LABEL_OWNER, LABEL_RUN, Outcome, container_config
from harness.errors import BusyError, EngineError
from harness.output import TICK_S, OutputReader, pump
from harness.owner import is_gone, own_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from docker import APIClient, DockerClient

    from harness.container import ContainerSpec
    from harness.deadline import Deadline

LOCK_NAME: Final = "edgematrix-harness"
ANSWER_S: Final = 600.0
"""The survey begins by having the host write to disk what it has not yet: gigabytes, after a first build."""
START_S: Final = 60.0
"""Between a container's creation and its start lie milliseconds."""

INTERRUPTS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

FAILURES: Final = (APIError, requests.RequestException, ConnectionLostError)


class Engine:
    """A Docker engine, local or remote.

    Args:
        client: a connected client.
        purpose: what we do, for those whom we keep waiting.
    """

    def __init__(self, client: DockerClient, *, purpose: str) -> None:
        self._api = client.api
        self._owner = own_name(purpose)

    def info(self) -> dict[str, Any]:
        """The engine's own description of itself and its host.

        Raises:
            EngineError: it does not answer.
        """
        with translated("the engine does not say what it is"):
            info: dict[str, Any] = self._api.info()
            return info

    def await_answer(self, patience_s: float, *, stop: Callable[[], bool]) -> bool:
        """Wait until the engine answers again.

        Args:
            patience_s: for how long.
            stop: whether to give the waiting up.

        Returns:
            Whether it answers.

        Raises:
            EngineError: it was away for longer.
        """
        deadline = time.monotonic() + patience_s
        while not stop():
            try:
                self.info()
            except EngineError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(TICK_S)
            else:
                return True
        return False

    def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a volume unless it is there.

        Raises:
            EngineError: the engine refused.
        """
        with translated(f"volume {name} could not be created"):
            self._api.create_volume(name, labels=dict(labels))

    def remove_volumes(self, label: str, kept: Mapping[str, str]) -> None:
        """Remove volumes that are out of date; those that a container uses stay.

        Args:
            label: their label.
            kept: for each of its values that is looked at, the one volume that stays.

        Raises:
            EngineError: the engine does not answer.
        """
        with translated("volumes that are out of date could not be removed"):
            found = self._api.volumes(filters={"label": label})["Volumes"] or []
        for volume in found:
            if kept.get(volume["Labels"][label], volume["Name"]) != volume["Name"]:
                with contextlib.suppress(APIError):
                    self._api.remove_volume(volume["Name"])

    def run(
        self,
        spec: ContainerSpec,
        *,
        stdin: bytes = b"",
        on_line: Callable[[bytes], None],
        deadline: Deadline,
        on_tick: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Run one container from create to removal; what goes wrong with that container is in the outcome.

        Args:
            spec: the container.
            stdin: written once; standard input then stays open until the container has ended.
            on_line: called with each line of its standard output, without the newline.
            deadline: past it the container is killed.
            on_tick: called once a second at the most, while nothing else happens.

        Raises:
            EngineError: the engine itself does not answer any more.
        """
        begin = time.monotonic()
        reader = OutputReader(on_line)
        timed_out = False
        state: Mapping[str, Any] = {}
        error = None
        try:
            with self._created(spec) as container, Attachment(self._api, container) as attachment:
                self._api.start(container)
                deadline.start()
                attachment.send(stdin)
                over = not pump(attachment, reader, deadline=deadline, on_tick=on_tick)
                if over or reader.flooded:
                    timed_out = self._kill(container) and over
                self._api.wait(container)
                state = self._api.inspect_container(container)["State"]
        except FAILURES as failure:
            error = explain(failure)
            self.info()  # a fault of the engine is no result of this container
        return Outcome(
            exit_code=state.get("ExitCode"),
            oom_flag=bool(state.get("OOMKilled")),
            out_of_time_s=deadline.allowed_s if timed_out else None,
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
        with translated(f"container {spec.name} is lost"), contextlib.ExitStack() as stack:
            container = stack.enter_context(self._created(spec))
            attachment = stack.enter_context(Attachment(self._api, container))
            self._api.start(container)

            def ask() -> bytes:
                lines.clear()
                attachment.send(b"\n")
                deadline = time.monotonic() + ANSWER_S
                open_ = True
                while open_ and not lines and time.monotonic() < deadline:
                    chunks = attachment.receive(TICK_S)
                    open_ = chunks is not None
                    for stream, chunk in chunks or ():
                        reader.feed(stream, chunk)
                if not lines:
                    raise ConnectionLostError(f"container {spec.name} does not answer: {reader.log_tail()}")
                return lines[0]

            yield ask

    def neighbours(self) -> int:
        """How many containers that are not of this project are running.

        Raises:
            EngineError: the engine does not answer.
        """
        with translated("the engine does not say what else runs on it"):
            running = self._api.containers(filters={"status": "running"})
        return sum(LABEL_OWNER not in (container["Labels"] or {}) for container in running)

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
        with contextlib.ExitStack() as stack:
            # An interrupt between the engine's answer and our note of it would leave a container without an owner.
            with uninterrupted():
                container = self._create(spec.name, container_config(spec, owner=self._owner))
                stack.callback(self._remove, container)
            if spec.archive is not None:
                self._api.put_archive(container, *spec.archive)
            yield container

    def _remove(self, container: str) -> None:
        # Gone already, or the engine is: what is left then is swept by the next harness, and what was measured stands.
        with uninterrupted(), contextlib.suppress(*FAILURES):
            self._api.remove_container(container, force=True)

    def _create(self, name: str, config: Mapping[str, Any]) -> str:
        """Create a container; a dead one of the same name gives way, or one of our own; another's living one does not.

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
            # Our own may have outlived a connection, or an engine that was restarted under it.
            if is_dead(found) or found["Config"]["Labels"].get(LABEL_OWNER) == self._owner:
                self._api.remove_container(found["Id"], force=True)
                return
        except NotFound:
            return
        raise _busy(name, found)

    def check_held(self) -> None:
        """See that the engine is still held by us: a restart may have ended the lock, and no connection with it.

        Raises:
            EngineError: it is not, or does not answer.
        """
        found = _lock(self._api)
        if found is None or is_dead(found) or found["Config"]["Labels"].get(LABEL_OWNER) != self._owner:
            raise EngineError("this harness does not hold the engine any more")

    def _kill(self, container: str) -> bool:
        """Kill a container; whether it had not ended by itself in the meantime."""
        try:
            self._api.kill(container)
        except APIError:
            return False
        return True


def refuse_if_held(client: DockerClient) -> None:
    """Keep off an engine on which somebody measures.

    Raises:
        BusyError: a harness holds it.
        EngineError: it does not answer.
    """
    found = _lock(client.api)
    if found is not None and not is_dead(found):
        raise _busy(LOCK_NAME, found)


def _lock(api: APIClient) -> Mapping[str, Any] | None:
    """The container that holds the engine, dead or alive, as the engine describes it."""
    with translated("the engine does not say who measures on it"), contextlib.suppress(NotFound):
        found: Mapping[str, Any] = api.inspect_container(LOCK_NAME)
        return found
    return None


def _busy(name: str, found: Mapping[str, Any]) -> BusyError:
    owner = found["Config"]["Labels"].get(LABEL_OWNER, "somebody else")
    return BusyError(
        f"another harness is measuring on this engine: {owner}, since {found['Created'][:19]}Z",
        why="two measurements at a time would disturb each other, so the engine is held by one harness",
        fix=f"wait until it ends; if it is certainly dead: docker rm -f {name}",
    )


def is_dead(found: Mapping[str, Any]) -> bool:
    """Whether a container will never run again: it has ended, or its creator died before it could start it."""
    if found["State"]["Status"] == "created":
        if is_gone((found["Config"]["Labels"] or {}).get(LABEL_OWNER, "")):
            return True
        age = datetime.now(UTC) - datetime.fromisoformat(found["Created"][:19] + "+00:00")
        return age.total_seconds() > START_S
    return found["State"]["Status"] in {"exited", "dead"}


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold interrupts back for a moment; they arrive right afterwards.

    Their handlers are, as a blocked signal would reach another thread: numpy's libraries start some.
    """
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in INTERRUPTS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, lambda come, _: held.append(come))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for come in held:
            signal.raise_signal(come)


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

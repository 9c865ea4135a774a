"""One image build on the engine: a context made in a temporary file, the classic builder, and nothing left behind."""

from __future__ import annotations

import io
import re
import secrets
import tarfile
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException

from harness.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import IO

    import docker

LABEL_STAGE: Final = "edgematrix.build"
"""On builder stages, with a number of the one build that made them."""
_STEP: Final = re.compile(r"Step (?P<number>\d+)/(?P<count>\d+) : (?P<instruction>.*)")
_CHATTER: Final = (" --->", "Removing intermediate container")
_LOG_LINES: Final = 12

Context = tuple[tuple[str, "Path"], ...]
"""What a build sees: (path within the context, file on the host)."""


def build(
    client: docker.DockerClient,
    *,
    tag: str,
    context: Context,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    on_step: Callable[[str, float], None],
) -> None:
    """Build one image and tag it; what its builder stages leave is removed, also on failure.

    Args:
        client: of the engine.
        tag: name of the result.
        context: its files; one of them is the `Dockerfile`.
        arguments: build arguments; `BUILD` is added for the stages' label.
        labels: of the result.
        on_step: told each instruction, and the fraction of steps that is done.

    Raises:
        BuildError: a step failed; the end of its output says why.
        DockerException: the engine did; see `engine_trouble`.
    """
    number = secrets.token_hex(8)
    try:
        with tempfile.TemporaryFile() as file:
            _pack(file, context)
            stream = client.api.build(
                fileobj=file,
                custom_context=True,
                tag=tag,
                buildargs={**arguments, "BUILD": number},
                labels=dict(labels),
                network_mode="none",  # the wheels are all there is, and that is made sure of
                rm=True,
                forcerm=True,
                decode=True,
            )
            _follow(tag, stream, on_step)
    finally:
        remove_stages(client, number)


@contextmanager
def engine_trouble(what: str) -> Iterator[None]:
    """Turn whatever the engine's client raises into a `BuildError` that says what could not be done."""
    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        fix = "See `docker info` and the engine's log, then try again."
        raise BuildError(what, why=str(error), fix=fix) from error


def remove_stages(client: docker.DockerClient, number: str | None = None) -> None:
    """Remove builder stages by id: those of one build, or all that killed builds have left."""
    label = LABEL_STAGE if number is None else f"{LABEL_STAGE}={number}"
    left = [image["Id"] for image in client.api.images(all=True, filters={"label": label})]
    # A parent goes only after its children: pass over them until a pass removes none.
    while left:
        refused = [identity for identity in left if not remove_image(client, identity)]
        if len(refused) == len(left):
            return
        left = refused


def remove_image(client: docker.DockerClient, reference: str) -> bool:
    """Remove an image by id or tag, unless something still uses it."""
    try:
        client.images.remove(reference)
    except ImageNotFound:
        return True
    except APIError:
        return False
    return True


def _pack(file: IO[bytes], context: Context) -> None:
    """Write a context as a tar that depends on nothing but names and contents."""
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, path in context:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    file.seek(0, io.SEEK_SET)


def _first_command(instruction: str) -> str:
    """An instruction in one line: its first command stands for a long RUN."""
    return instruction.partition(" && ")[0].strip()


def _follow(tag: str, stream: Iterable[dict[str, Any]], on_step: Callable[[str, float], None]) -> None:
    """Read a build's messages to their end, also after an error: a stream cut short leaks its connection."""
    log: list[str] = []
    error = ""
    for message in stream:
        error = error or message.get("error", "").strip()
        text = message.get("stream", "").rstrip()
        if step := _STEP.match(text):
            on_step(_first_command(step["instruction"]), (int(step["number"]) - 1) / int(step["count"]))
        elif text and not text.startswith(_CHATTER):
            log = [*log[1 - _LOG_LINES :], text]
    if error:
        raise BuildError(
            f"Building {tag} failed: {error}",
            why="\n".join(log),
            fix="Read the output above; a full disk and a changed lock file are the usual causes.",
        )

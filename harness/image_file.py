"""A file of images: the checks before an import, and a new one for an export."""

from __future__ import annotations

import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field, TypeAdapter

from harness.build.lockfile import ARCHITECTURES
from harness.errors import BuildError, ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

_TAG: Final = re.compile(r"edgematrix/[a-z0-9._/-]{1,100}:[\w.-]{1,128}", re.ASCII)

_OTHER_FILE: Final = "give the path of a file of images"


class _Entry(BaseModel):
    """An image in the manifest, as engines write it."""

    config: str = Field(alias="Config")
    tags: tuple[str, ...] = Field(alias="RepoTags")


class _Settings(BaseModel):
    """What an image says of itself."""

    architecture: str


_MANIFEST: Final = TypeAdapter(tuple[_Entry, ...])


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a file of images says of itself."""

    tags: tuple[str, ...]
    """Sorted: engines write them in an order that changes from one export to the next."""
    architectures: frozenset[str]


def read_content(file: Path) -> Content:
    """Read what is in a file of images, without unpacking it.

    Raises:
        ConfigError: it is none, it is cut off, or there are images in it that are not the project's.
        StoreError: it cannot be read.
    """
    if file.exists() and not file.is_file():  # a pipe is never opened: that could wait for ever
        raise StoreError(f"{file} cannot be read: it is no regular file", fix=_OTHER_FILE)
    try:
        with tarfile.open(file) as archive:
            entries = _MANIFEST.validate_json(_read(archive, "manifest.json"))
            settings = [_Settings.model_validate_json(_read(archive, entry.config)) for entry in entries]
    # A link that leads to itself is a RecursionError.
    except (tarfile.TarError, EOFError, LookupError, RecursionError, ValueError) as error:
        raise _no_file_of_ours(file, "It is no archive of images, or only the beginning of one.") from error
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror or error}", fix=_OTHER_FILE) from error
    tags = tuple(sorted(tag for entry in entries for tag in entry.tags))
    if not tags:
        raise _no_file_of_ours(file, "It holds no image that has a name.")
    if not all(_TAG.fullmatch(tag) for tag in tags):
        raise _no_file_of_ours(file, "It holds images that are not Edgematrix's.")
    return Content(tags=tags, architectures=frozenset(each.architecture for each in settings))


def refuse_foreign(content: Content, architecture: str, file: Path) -> None:
    """Refuse images that the engine's processor cannot run.

    Raises:
        BuildError: they are for another architecture.
    """
    foreign = {ARCHITECTURES.get(word, word) for word in content.architectures} - {architecture}
    if foreign:
        raise BuildError(
            f"The images in {file} are for {', '.join(sorted(foreign))}, and the engine runs on {architecture}.",
            why="They were exported from an engine of another architecture.",
            fix=f"Export them anew from an engine on {architecture}.",
        )


@contextmanager
def new_file(file: Path) -> Iterator[IO[bytes]]:
    """A file that is there as a whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    try:
        with partial.open("wb") as opened:
            yield opened
        partial.rename(file)
    except OSError as error:
        raise StoreError(
            f"{file} could not be written: {error.strerror or error}",
            fix="name a folder with room that is yours",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()


def _no_file_of_ours(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{file} is no file of Edgematrix's images.",
        why=why,
        fix="write one where there is a network: edgematrix images export FILE",
    )

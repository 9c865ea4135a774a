"""A file of images: the checks before an import, and a new one for an export."""

from __future__ import annotations

import json
import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.build.lockfile import ARCHITECTURES
from harness.errors import BuildError, ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

_TAG: Final = re.compile(r"edgematrix/[a-z0-9._/-]{1,100}:[\w.-]{1,128}", re.ASCII)


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
    try:
        with tarfile.open(file) as archive:
            entries = _read_json(archive, "manifest.json")
            tags = tuple(sorted(tag for entry in entries for tag in entry["RepoTags"]))
            settings = [_read_json(archive, entry["Config"]) for entry in entries]
            architectures = frozenset(str(each["architecture"]) for each in settings)
    except (tarfile.TarError, EOFError, LookupError, TypeError, ValueError) as error:
        raise _no_file_of_ours(file, "It is no archive of images, or only the beginning of one.") from error
    except OSError as error:
        raise StoreError(
            f"{file} cannot be read: {error.strerror or error}", fix="give the path of a file of images"
        ) from error
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        raise _no_file_of_ours(file, "It holds images that are not Edgematrix's.")
    return Content(tags=tags, architectures=architectures)


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


def _read_json(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return json.load(member)


def _no_file_of_ours(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{file} is no file of Edgematrix's images.",
        why=why,
        fix="write one where there is a network: edgematrix images export FILE",
    )

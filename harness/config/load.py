"""The way from a file to a matrix, or to one error that tells all its mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.config.checks import check_data, check_effect, check_file
from harness.config.definitions import check_definitions
from harness.config.explain import explain
from harness.config.json_schema import keys_at
from harness.config.long_form import in_one_form
from harness.config.mistakes import config_error, printable
from harness.config.resolve import resolve
from harness.config.rules import check_rules
from harness.config.schema import MatrixFile
from harness.config.source import MAX_BYTES, parse_source
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.catalog import Catalog
    from harness.config.matrix import Matrix
    from harness.config.mistakes import Mistake
    from harness.config.source import Source

_NO_FILE = "give the path of a matrix file, or write one: edgematrix new matrix"


def load_matrix(path: Path, *, catalog: Catalog) -> Matrix:
    """Read, check and resolve a matrix file.

    Args:
        path: the file.
        catalog: all frameworks that can be built, and all models that can be prepared.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; all its mistakes at once, each with
            file, line, column, the line itself and what to write instead.
    """
    return parse_matrix(
        str(path), read_text(path), name=printable(path.stem), folder=path.parent, catalog=catalog
    )


def parse_matrix(file_name: str, text: str, *, name: str, folder: Path, catalog: Catalog) -> Matrix:
    """Check and resolve a matrix file's text.

    Args:
        file_name: the file as messages shall call it.
        text: its content.
        name: what the matrix is called in a report.
        folder: where relative paths begin.
        catalog: see `load_matrix`.

    Raises:
        ConfigError: see `load_matrix`.
    """
    source = in_one_form(parse_source(file_name, text))
    file = _checked(source, catalog)
    # A rule is only as good as the lists that it refers to, so rules are judged once those are right.
    definitions = check_definitions(source, file, folder=folder, catalog=catalog)
    _refuse(source, [*definitions, *check_file(source, file), *check_rules(source, file)])
    matrix = resolve(name, file, folder=folder, catalog=catalog)
    _refuse(source, check_effect(source, matrix))
    return matrix


def read_text(path: Path) -> str:
    """Read a small text file.

    Raises:
        ConfigError: no such file, no file at all, too large, or not UTF-8.
    """
    name = printable(str(path))
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(
                f"{name} is {'a directory' if path.is_dir() else 'no regular file'}", fix=_NO_FILE
            )
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{name}: no such file", fix=_NO_FILE) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{name} cannot be read: {reason}", fix=_NO_FILE) from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{name} is larger than {MAX_BYTES // 1024} KiB", fix="split it into several files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"{name}:{line}:{column}: not UTF-8: byte 0x{content[error.start]:02x}"
        raise ConfigError(what, fix="save the file as UTF-8") from error


def _checked(source: Source, catalog: Catalog) -> MatrixFile:
    """The file's keys, every value of which is right by itself."""
    if not isinstance(source.data, dict):
        unread = [mistake for mistake in source.mistakes if mistake.path == ()]
        fix = f"write `key: value` lines; the keys are {', '.join(keys_at(()))}"
        _refuse(
            source, unread or [*source.mistakes, source.mistake((), "a matrix is a mapping of keys", fix)]
        )
    known = {"frameworks": catalog.frameworks, "models": catalog.models}
    mistakes = [*source.mistakes, *check_data(source, known=known)]
    try:
        file = MatrixFile.model_validate(source.data)
    except ValidationError as error:
        # What pydantic says of a value that has been judged already is only a consequence.
        judged = {(mistake.place, mistake.path) for mistake in mistakes if mistake.path}
        found = explain(source, error.errors(include_url=False))
        mistakes += [mistake for mistake in found if (mistake.place, mistake.path) not in judged]
    else:
        if not mistakes:
            return file
    raise config_error(source.name, source.lines, mistakes)


def _refuse(source: Source, mistakes: Iterable[Mistake]) -> None:
    """Raise what was found, if anything."""
    found = list(mistakes)
    if found:
        raise config_error(source.name, source.lines, found)

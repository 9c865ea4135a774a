"""Mistakes of a matrix file, as users see them: file, line, column, the line itself, and what to write."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str | int, ...]
"""Where a value stands in the file, such as `("devices", "pi", "memory")` or `("cpus", 0)`."""

DEFINITIONS: Final = {"frameworks": "frameworks{}", "models": "models{}"}
"""Under which keys, that no file has, the definitions of a long form stand once its names are a list like others."""

MAX_SHOWN: Final = 20
"""A file that is wrong throughout is told so; nobody reads the four hundredth mistake."""

_WINDOW: Final = 100
"""Longer source lines are cut around the mistake."""
_VALUE_WIDTH: Final = 60
_NEAR: Final = 0.6
_SHORTEST_PART: Final = 3
"""From this length on a part of a name suggests the whole: `onnx` means `onnxruntime`."""


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    """A spot in the file; lines and columns count from 1, the width is in characters."""

    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One thing to mend in the file."""

    place: Place
    path: Path = ()
    what: str
    fix: str


def real_path(path: Path) -> Path:
    """Where a value stands in the file itself, if its path is that of a definition split off a long form."""
    names = {definitions: key for key, definitions in DEFINITIONS.items()}
    return (names.get(str(path[0]), path[0]), *path[1:]) if path else path


def config_error(name: str, lines: Sequence[str], mistakes: Iterable[Mistake]) -> ConfigError:
    """One error that tells all mistakes of a file, in the file's order.

    Args:
        name: the file as the user called it.
        lines: the file's text.
        mistakes: at least one.
    """
    ordered = sorted(mistakes, key=lambda mistake: mistake.place)
    blocks = [_block(name, lines, mistake) for mistake in ordered[:MAX_SHOWN]]
    if len(ordered) > 1:
        blocks.insert(0, f"{len(ordered)} mistakes in {printable(name)}")
    if len(ordered) > MAX_SHOWN:
        blocks.append(f"... and {len(ordered) - MAX_SHOWN} more")
    return ConfigError("\n\n".join(blocks))


def suggestion(wrong: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if there is one."""
    lowered, words = wrong.lower(), sorted(known)
    near = difflib.get_close_matches(lowered, words, n=1, cutoff=_NEAR)
    if near:
        return near[0]
    parts = (word for word in words if len(lowered) >= _SHORTEST_PART and lowered in word)
    return next(parts, None)


def did_you_mean(wrong: str, known: Iterable[str], *, others: str) -> str:
    """A hint that names the near match, if any, and then all words that are allowed.

    Args:
        wrong: what was written.
        known: the allowed words.
        others: what the allowed words are, such as `allowed here`.
    """
    known = list(known)
    near = suggestion(wrong, known)
    listed = f"{others}: {', '.join(known) or 'none'}"
    return f"did you mean `{near}`? {listed}" if near else listed


def show(value: object) -> str:
    """A value of the file in backticks, short and safe to print."""
    match value:
        case str():
            text = printable(value)
        case tuple():
            text = "[...]" if value else "[]"
        case dict():
            text = "{...}" if value else "{}"
        case bool():
            text = str(value).lower()
        case _:
            text = str(value)
    return f"`{_short(text)}`"


def _short(text: str) -> str:
    return text if len(text) <= _VALUE_WIDTH else f"{text[:_VALUE_WIDTH]}..."


def printable(text: str) -> str:
    """The text with everything that could move a terminal's cursor, or not be encoded, replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def dotted(path: Path) -> str:
    """A path as users write it: `exclude[0].framework`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_short(printable(part))}" for part in path)
    return text.removeprefix(".")


def _block(name: str, lines: Sequence[str], mistake: Mistake) -> str:
    where = f"{printable(name)}:{mistake.place.line}:{mistake.place.column}"
    head = ": ".join(part for part in (where, dotted(mistake.path), mistake.what) if part)
    return "\n".join((head, *_excerpt(lines, mistake.place), f"  fix: {mistake.fix}"))


def _excerpt(lines: Sequence[str], place: Place) -> tuple[str, ...]:
    """The source line, and carets under what is wrong in it."""
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if not line.strip():
        return ()
    start = max(0, min(place.column - 1 - _WINDOW // 2, len(line) - _WINDOW))
    cut = printable(line[start : start + _WINDOW].replace("\t", " "))
    column = place.column - 1 - start
    width = max(1, min(place.width, len(cut) - column))
    gutter = f"{place.line:>4} | "
    return f"{gutter}{cut}", f"{' ' * (len(gutter) - 2)}| {' ' * column}{'^' * width}"

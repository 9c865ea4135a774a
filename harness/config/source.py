"""YAML text to plain data, by the rules of YAML 1.2, with the place of every key and value.

PyYAML's scanner and composer serve, which keep the marks; what a scalar means, `harness.core_yaml` says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import yaml

from harness.config.mistakes import Mistake, Path, Place, config_error, real_path, show
from harness.config.syntax import GENERAL_FIX, in_plain_words, mark_of
from harness.core_yaml import MAX_DEPTH, SCALARS, TAG, CoreLoader, TooDeepError
from harness.errors import ConfigError

MAX_BYTES: Final = 128 * 1024
MAX_NODES: Final = 20_000
"""Counted after aliases are followed, so that a few lines cannot stand for a million values."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A parsed file: plain data and where each part of it stands.

    `data` is made of `dict` (keys are always text), `tuple`, `str`, `int`, `float`, `bool` and `None`.
    """

    name: str
    lines: tuple[str, ...]
    data: object
    values: dict[Path, Place] = field(repr=False)
    keys: dict[Path, Place] = field(repr=False)
    mistakes: tuple[Mistake, ...]
    """Duplicate keys, foreign tags, and what cannot be a key; the last have the path of their mapping."""

    def mistake(self, path: Path, what: str, fix: str, *, at_key: bool = False) -> Mistake:
        """A mistake at a path of this file, or at the nearest parent of what the file does not hold.

        Args:
            path: where.
            what: what is wrong.
            fix: what to write instead.
            at_key: point at the value's key, where it has one, rather than at the value. A block's own place
                is that of its first entry, so a word about the block as a whole belongs to its key.
        """
        path = real_path(path)
        while path not in self.values:
            path = path[:-1]
        place = self.keys.get(path, self.values[path]) if at_key else self.values[path]
        return Mistake(place=place, path=path, what=what, fix=fix)


def parse_source(name: str, text: str) -> Source:
    """Parse the text of one YAML file.

    Args:
        name: the file as messages shall call it.
        text: its content.

    Raises:
        ConfigError: not YAML, too large, or too deep; with line, column and the line itself.
    """
    lines = tuple(text.splitlines())
    root = _compose(name, lines, text)
    if root is None:
        raise ConfigError(
            f"{name}:1:1: the file is empty",
            fix="write at least frameworks, models, cpus and memory; docs/contracts/matrix.md shows them",
        )
    reader = _Reader()
    data = reader.read(root, ())
    if reader.exhausted is not None:
        raise config_error(name, lines, [reader.exhausted])
    return Source(
        name=name,
        lines=lines,
        data=data,
        values=reader.values,
        keys=reader.keys,
        mistakes=tuple(reader.mistakes),
    )


def _compose(name: str, lines: tuple[str, ...], text: str) -> yaml.Node | None:
    """The file's nodes, or PyYAML's complaint in the words and the form of all others."""
    loader = None
    try:
        loader = CoreLoader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        place = _place_at(text, error.position)
        what = f"not YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        fix = "remove it, or save the file as plain text in UTF-8"
        raise config_error(name, lines, [Mistake(place=place, what=what, fix=fix)]) from error
    except TooDeepError as error:
        what, fix = in_plain_words(error)
        mistake = Mistake(place=_place(error.problem_mark), what=what, fix=fix)
        raise config_error(name, lines, [mistake]) from error
    except yaml.MarkedYAMLError as error:
        what, fix = in_plain_words(error)
        mistake = Mistake(place=_place(mark_of(error)), what=f"not YAML: {what}", fix=fix)
        raise config_error(name, lines, [mistake]) from error
    except (ValueError, OverflowError) as error:
        # PyYAML converts the digits of an escape such as "\UFFFFFFFF", and of `%YAML`, without checking them.
        place = _place(loader.get_mark() if loader else None)
        what = "not YAML: an escape or a version number is out of range"
        raise config_error(name, lines, [Mistake(place=place, what=what, fix=GENERAL_FIX)]) from error


class _Reader:
    """Walks the nodes once, collecting data, places and mistakes."""

    def __init__(self) -> None:
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}
        self.mistakes: list[Mistake] = []
        self.exhausted: Mistake | None = None
        self._nodes = 0

    def read(self, node: yaml.Node, path: Path) -> object:
        """The plain value of a node; whatever cannot be read becomes a mistake and `None`."""
        self._nodes += 1
        place = _place(node.start_mark, node.end_mark)
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            what = "the file holds more values than any matrix needs"
            fix = "shorten it; an alias counts as all that it stands for"
            self.exhausted = self.exhausted or Mistake(place=place, path=path[:2], what=what, fix=fix)
            return None
        self.values[path] = place
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return tuple(self.read(item, (*path, index)) for index, item in enumerate(node.value))
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        data: dict[str, object] = {}
        for key_node, value_node in node.value:
            if self.exhausted is not None:
                break
            place = _place(key_node.start_mark, key_node.end_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                what, fix = "a key must be plain text", "write `key: value`; brackets and braces need quotes"
                self.mistakes.append(Mistake(place=place, path=path, what=what, fix=fix))
                continue
            if key_node.value == "<<":
                what, fix = "merge keys are not supported", "write out the keys that it stands for"
                self.mistakes.append(Mistake(place=place, path=path, what=what, fix=fix))
                continue
            key: str = key_node.value
            if key in data:
                what = f"the key stands twice, first on line {self.keys[*path, key].line}"
                self.mistakes.append(
                    Mistake(place=place, path=(*path, key), what=what, fix="keep one of them")
                )
                continue
            self.keys[*path, key] = place
            data[key] = self.read(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.ScalarNode) and node.tag in SCALARS:
            try:
                return SCALARS[node.tag](node.value)
            except (ValueError, LookupError):
                what = f"{show(node.value)} is not what its tag says"
        else:
            what = f"the tag {show(node.tag.replace(TAG, '!!'))} has no meaning here"
        self.mistakes.append(Mistake(place=self.values[path], path=path, what=what, fix="leave the tag out"))
        return None


def _place(start: yaml.Mark | None, end: yaml.Mark | None = None) -> Place:
    """PyYAML counts from 0; of what spans several lines only the first character is marked."""
    if start is None:
        return Place(line=1, column=1)
    width = end.column - start.column if end is not None and end.line == start.line else 1
    return Place(line=start.line + 1, column=start.column + 1, width=max(1, width))


def _place_at(text: str, index: int) -> Place:
    """The place of a character of the text."""
    before = text[:index].splitlines(keepends=True) or [""]
    if before[-1].endswith(("\n", "\r")):
        before.append("")
    return Place(line=len(before), column=len(before[-1]) + 1)

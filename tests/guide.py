"""The commands in the guide: what the `sh` blocks of its pages say, and whether the command line knows that.

A block runs in a test, unless its first line says `# not run by the tests: ` and why. A command that may end with
another code than 0 says `exits with` and the code in its comment.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from harness.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = tuple(path.relative_to(ROOT) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))))
NOT_RUN = "# not run by the tests: "
TARGETS = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`((?:edgematrix|make) [^`\n]+)`")
_LINE = r"((?:edgematrix|make) .*?)(?:  .*)?$"


class UnknownError(AssertionError):
    """A page tells a command that there is not."""


@dataclass(frozen=True)
class Block:
    """The commands of one `sh` block."""

    text: str

    @property
    def runs(self) -> bool:
        """Whether a test runs it."""
        return not self.text.startswith(NOT_RUN)

    @property
    def lines(self) -> tuple[str, ...]:
        """Its commands, one a line."""
        whole = self.text.replace("\\\n", " ").splitlines()
        return tuple(line for line in whole if line.strip() and not line.startswith("#"))


def fenced(page: Path, kind: str) -> tuple[str, ...]:
    """What stands in a page's blocks of one kind."""
    return tuple(text for each, text in _FENCED.findall((ROOT / page).read_text()) if each == kind)


def blocks(page: Path) -> tuple[Block, ...]:
    """The `sh` blocks of a page."""
    return tuple(map(Block, fenced(page, "sh")))


def mentions(page: Path) -> Iterator[str]:
    """Commands that a page talks of: in backticks, or on lines of other blocks as far as the first wide gap."""
    text = (ROOT / page).read_text()
    prose = _FENCED.sub("", text)
    yield from _SPAN.findall(prose)
    yield from re.findall(rf"^ {{4}} *{_LINE}", prose, re.MULTILINE)
    for kind, inside in _FENCED.findall(text):
        if kind != "sh":
            yield from re.findall(rf"^ *{_LINE}", inside, re.MULTILINE)


def check_line(line: str) -> None:
    """Hold every `edgematrix` and `make` of a line of shell against what there is, values included."""
    parts = shlex.shlex(line, posix=True, punctuation_chars=True)
    parts.whitespace_split = True
    words: list[str] = []
    for part in (*parts, ";"):
        if part.strip("();<>|&"):
            words.append(part)
        else:
            _check(words)
            words = []


def check_mention(text: str) -> None:
    """Hold the command, its options and the targets that a text names against what there is."""
    program, *words = text.split()
    if program == "make":
        _check([program, *words])
        return
    command: click.Command = cli
    while words and isinstance(command, click.Group):
        command = _named(command, words.pop(0))
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    for word in words:
        if word.startswith("--") and word.partition("=")[0].rstrip(",;:.") not in known | {"--help"}:
            raise UnknownError(f"{text}: {word}")


def exit_codes(line: str) -> set[int]:
    """With which codes a line may end."""
    return {0, *map(int, re.findall(r"# exits with (\d+)", line))}


def _check(words: Sequence[str]) -> None:
    match words:
        case ["make", *targets]:
            for word in targets:
                if "=" not in word and word not in TARGETS:
                    raise UnknownError(f"make {word}")
        case [program, *rest] if program.rpartition("/")[2] == "edgematrix":
            command: click.Command = cli
            while rest and isinstance(command, click.Group) and not rest[0].startswith("-"):
                command = _named(command, rest.pop(0))
            try:
                command.make_context(program, list(rest))
            except click.exceptions.Exit:  # --help and --version end there
                return
            except click.ClickException as error:
                raise UnknownError(f"{' '.join(words)}: {error.format_message()}") from error


def _named(group: click.Group, word: str) -> click.Command:
    if word not in group.commands:
        raise UnknownError(f"edgematrix {word}")
    return group.commands[word]

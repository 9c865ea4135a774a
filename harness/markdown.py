"""Markdown for comments on a change and step summaries: untrusted text stays text, and none is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.formats import UNKNOWN, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARKDOWN_LIMIT: Final = 60_000
"""Characters: a comment takes 65,536."""

_BREAK: Final = "\N{ZERO WIDTH SPACE}"
_ESCAPES: Final = (
    {char: f"\\{char}" for char in "|`*_[]\\!~"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    | {char: f"{char}{_BREAK}" for char in "@#"}
)


def escaped(text: str) -> str:
    """Untrusted text that stays text in Markdown and in the HTML within it.

    A backslash does not keep a site from reading `@name`, `#1` and addresses, so these are broken up invisibly.
    """
    safe = visible(" ".join(text.split())).replace("://", f":{_BREAK}//").replace("www.", f"www{_BREAK}.")
    return "".join(_ESCAPES.get(char, char) for char in safe) or UNKNOWN


def table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of texts that are Markdown already."""
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


def cut(text: str, elsewhere: str) -> str:
    """Text that a comment takes, cut at the end of a line, and said so.

    Args:
        text: Markdown.
        elsewhere: a sentence on where the rest is.
    """
    if len(text) <= MARKDOWN_LIMIT:
        return text
    kept = text[:MARKDOWN_LIMIT].rpartition("\n")[0]
    close = "\n\n</details>" if kept.count("<details>") > kept.count("</details>") else ""
    return f"{kept}{close}\n\n(Cut: a comment takes no more. {elsewhere})\n"

"""Pages and tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def page(title: str, *parts: str) -> str:
    """A page that says where it comes from."""
    origin = "<!-- Made from the code by `make reference`: do not edit. -->"
    return "\n\n".join((origin, f"# {title}", *parts)) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what stands in a cell is Markdown itself."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: str) -> str:
    """A word of a program, or nothing."""
    return f"`{text}`" if text else ""


def one_of(words: Iterable[str]) -> str:
    """Words of a program, of which one is to be written."""
    *others, last = map(code, words)
    return f"{', '.join(others)} or {last}" if others else last


def one_line(text: str) -> str:
    """A docstring as a sentence."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", r"\|")

"""The page of every command and option, from what `--help` shows."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from harness.manual.markdown import code, one_line, one_of, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands_page(root: click.Group) -> str:
    """Every command that does something, in alphabetical order."""
    found = sorted(leaves(root, "edgematrix"), key=lambda each: each.command_path)
    return page(
        "Commands",
        f"{one_line(root.help or '')} Every command takes `--help`. [Exit codes](exit-codes.md) have their own page.",
        "## Before any command",
        _options(click.Context(root, info_name="edgematrix")),
        *(_section(context) for context in found),
    )


def leaves(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[click.Context]:
    """The commands of a group and of the groups in it, each with the words that call it."""
    context = click.Context(command, info_name=name, parent=parent)
    if not isinstance(command, click.Group):
        yield context
        return
    for word, each in command.commands.items():
        yield from leaves(each, word, context)


def _section(context: click.Context) -> str:
    usage = " ".join((context.command_path, *context.command.collect_usage_pieces(context)))
    told, examples = context.command.help or "", context.command.epilog or ""
    heading = f"## {context.command_path}"
    parts = (heading, _fenced(usage), *_paragraphs(told), _options(context), *_paragraphs(examples))
    return "\n\n".join(filter(None, parts))


def _paragraphs(text: str) -> Iterator[str]:
    """What a command says of itself; a paragraph that click leaves as it is written is so here too."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        yield _fenced(paragraph.removeprefix("\b\n")) if paragraph.startswith("\b") else one_line(paragraph)


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```"


def _options(context: click.Context) -> str:
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    rows = [
        (
            ", ".join(map(code, (*each.opts, *each.secondary_opts))),
            _value(each, context),
            _default(each),
            one_line(each.help or ""),
        )
        for each in options
    ]
    return table(("option", "value", "default", "meaning"), rows) if rows else ""


def _value(option: click.Option, context: click.Context) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return one_of(option.type.choices)
    return code(option.make_metavar(context))


def _default(option: click.Option) -> str:
    default = option.to_info_dict()["default"]
    return "" if option.is_flag or default is None else code(str(default))

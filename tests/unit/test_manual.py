"""The reference says what the code says, and the code says something of everything."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from harness.cli import cli
from harness.columns import COLUMNS
from harness.config.mistakes import DEFINITIONS
from harness.config.schema import (
    Device,
    Exclude,
    Expect,
    Include,
    MatrixFile,
    OwnModelKeys,
    ProtocolKeys,
    Range,
    VariantKeys,
)
from harness.errors import ExitCode
from harness.manual import pages
from harness.manual.commands import commands_page, leaves
from harness.manual.matrix import default_of, kind
from harness.results import Status

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PARTS = (MatrixFile, VariantKeys, OwnModelKeys, Range, Device, Include, Exclude, Expect, ProtocolKeys)
COMMANDS = {context.command_path: context for context in leaves(cli, "edgematrix")}


def rows(page: str) -> Iterator[list[str]]:
    """The cells of all tables of a page."""
    for line in pages()[page].splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.replace(r"\|", "¦").strip("|").split("|")]


@pytest.mark.parametrize("name", pages())
def test_the_reference_pages_are_current(name: str) -> None:
    assert (REFERENCE / name).read_text() == pages()[name], "run: make reference"


def test_no_reference_page_is_left_over() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == set(pages())


def test_the_generator_writes_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("docs/reference").mkdir(parents=True)
    runpy.run_module("harness.manual.__main__", run_name="__main__")
    assert {path.name for path in Path("docs/reference").iterdir()} == set(pages())


@pytest.mark.parametrize("part", PARTS)
def test_every_key_of_a_matrix_has_a_row_with_its_meaning(part: type[BaseModel]) -> None:
    told = {row[0].strip("`"): row[3] for row in rows("matrix.md")}
    for key, field in part.model_fields.items():
        if field.alias not in DEFINITIONS.values():
            assert told[key], key
            assert field.description, key


def test_the_parts_of_a_matrix_are_all_of_them() -> None:
    assert {part.__name__ for part in PARTS} == {"MatrixFile", *MatrixFile.model_json_schema()["$defs"]}


def test_every_default_of_the_protocol_is_told() -> None:
    told = {row[0].strip("`"): row[2].strip("`") for row in rows("matrix.md")}
    for key, field in ProtocolKeys.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        assert told[key] == ("none" if field.default in ("", {}) else default), key


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array", "items": {"$comment": "size"}}, "list of sizes"),
        ({"anyOf": [{"$comment": "name"}, {"items": {"$comment": "name"}}]}, "name, or a list"),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "whole number from 1 to 1,000"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number above 0, at most 1"),
        ({"enum": ["cold", "warm", "hot"]}, "`cold`, `warm` or `hot`"),
        ({"$ref": "#/$defs/OwnModelKeys"}, "[models of your own](#models-of-your-own)"),
        (
            {"type": "object", "patternProperties": {"^x$": {"$comment": "duration"}}},
            "mapping of names to durations",
        ),
    ],
)
def test_what_may_be_written_is_told_in_words(schema: dict[str, object], words: str) -> None:
    assert kind(schema) == words


def test_a_default_that_nobody_may_write_is_none() -> None:
    assert default_of({"default": 0.0, "exclusiveMinimum": 0}) == "none"
    assert default_of({"default": 0, "minimum": 0}) == "`0`"
    assert default_of({"default": False}) == "`false`"


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_has_its_meaning(name: str) -> None:
    (row,) = (row for row in rows("columns.md") if row[0] == f"`{name}`")
    assert row[2]
    assert row[2] == COLUMNS[name].meaning


@pytest.mark.parametrize("status", Status)
def test_every_status_has_its_meaning_and_is_its_word(status: Status) -> None:
    (row,) = (row for row in rows("statuses.md") if row[0] == f"`{status}`")
    assert row[1]
    assert Status(str(status)) is status


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_has_its_meaning_also_in_the_help(code: ExitCode) -> None:
    (row,) = (row for row in rows("exit-codes.md") if row[0] == f"`{code.value}`")
    assert row[1]
    assert f"{code.value} {code.meaning}" in str(cli.epilog)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_option_and_argument_is_described(path: str) -> None:
    command = COMMANDS[path].command
    assert f"\n## {path}\n" in pages()["commands.md"]
    assert command.help
    for each in command.params:
        if isinstance(each, click.Option):
            assert each.help, each.name
        else:
            name = each.make_metavar(COMMANDS[path]).strip("[].").upper()
            assert name in command.help or name.endswith("}"), (
                f"the help of {path} does not say what {name} is"
            )


def test_the_options_before_any_command_are_described() -> None:
    assert all(each.help for each in cli.params if isinstance(each, click.Option))


def test_what_click_prints_as_it_is_stands_so_on_the_page() -> None:
    @click.group()
    def tools() -> None:
        """Some tools."""

    @tools.command()
    @click.option("--size", type=click.Choice(["s", "m"]), default="s", help="How large.")
    @click.option("--fast/--slow", help="How fast.")
    def make(size: str, fast: bool) -> None:
        """Make
        one.

        \b
        edgematrix make
          --size m
        """

    page = commands_page(tools)
    assert "\nMake one.\n\n```text\nedgematrix make\n  --size m\n```\n" in page
    assert "| `--size` | `s` or `m` | `s` | How large. |" in page
    assert "| `--fast`, `--slow` |  |  | How fast. |" in page

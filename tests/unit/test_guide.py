"""The guide names what there is: commands, options, targets, and pages to go to."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.config.json_schema import matrix_schema
from tests.guide import (
    NOT_RUN,
    PAGES,
    ROOT,
    Block,
    UnknownError,
    blocks,
    check_line,
    check_mention,
    exit_codes,
    fenced,
    mentions,
)

LINK = re.compile(r"\]\(([^)#:\s]*)#?([^)\s]*)\)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_of_a_block_parses(page: Path) -> None:
    for block in blocks(page):
        for line in block.lines:
            check_line(line)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_is_talked_of_exists(page: Path) -> None:
    for text in mentions(page):
        check_mention(text)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_is_not_run_says_why(page: Path) -> None:
    for block in blocks(page):
        assert block.lines
        if not block.runs:
            assert block.text.removeprefix(NOT_RUN).partition("\n")[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = (ROOT / page).read_text()
    for target, anchor in LINK.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        if "://" in f"{target}:{anchor}":
            continue
        other = (ROOT / page).parent / target if target else ROOT / page
        assert other.exists(), target
        headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {slug(heading) for heading in headings}, f"{target}#{anchor}"


def slug(heading: str) -> str:
    """A heading as its address: lower case, blanks as hyphens, no other signs."""
    return re.sub(r"[^a-z0-9_-]", "", heading.lower().replace(" ", "-"))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_part_of_a_matrix_that_is_shown_is_valid(page: Path) -> None:
    for text in fenced(page, "yaml"):
        shown = yaml.safe_load(text) or {}
        if shown.keys() & matrix_schema()["properties"].keys():
            limits = {} if shown.keys() & {"cpus", "memory", "devices"} else {"cpus": [1], "memory": ["1GiB"]}
            jsonschema.validate(
                {"frameworks": ["jax"], "models": ["spam-fnn"], **limits, **shown}, matrix_schema()
            )


def test_the_tutorial_goes_from_a_clone_to_a_site() -> None:
    lines = [line for block in blocks(Path("docs/tutorial.md")) if block.runs for line in block.lines]
    assert lines[0].startswith("git clone ")
    assert lines[-1] == "make publish"


@pytest.mark.parametrize(
    "line",
    [
        "edgematrix rum",
        "edgematrix run --quik",
        "edgematrix run --budget soon",
        ".venv/bin/edgematrix compare only-one",
        "cd edgematrix && make matrx",
        "before=$(edgematrix reprot)",
        "edgematrix new matrices",
    ],
)
def test_a_command_that_there_is_not_is_found(line: str) -> None:
    with pytest.raises(UnknownError):
        check_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "edgematrix run night.yaml --shard 2/3 --only 'jax.*'   # a comment with rum",
        "make lock ARCHITECTURE=aarch64",
        'edgematrix compare "$before" latest > table.txt; make check',
        "edgematrix --version | cat",
        'git clone "$REPOSITORY" edgematrix',
    ],
)
def test_other_commands_pass(line: str) -> None:
    check_line(line)


@pytest.mark.parametrize(
    "text", ["edgematrix rum", "edgematrix run --quik 2", "make matrx", "edgematrix new box"]
)
def test_a_mention_of_what_there_is_not_is_found(text: str) -> None:
    with pytest.raises(UnknownError):
        check_mention(text)


def test_a_block_has_its_commands_without_comments_and_broken_lines() -> None:
    block = Block("# first\nedgematrix run \\\n  --quick\n\nls\n")
    assert block.lines == ("edgematrix run    --quick", "ls")
    assert block.runs
    assert not Block(f"{NOT_RUN}needs a second machine\nls\n").runs


def test_a_line_says_how_else_it_may_end() -> None:
    assert exit_codes("edgematrix compare a b   # exits with 6 where one became worse") == {0, 6}
    assert exit_codes("edgematrix plan") == {0}

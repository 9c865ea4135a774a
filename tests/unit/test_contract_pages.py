"""Every field of what programs read is explained on its page, in the section where readers look for it."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from harness.article.readings import Reading, Sitting
from harness.records import AnyRecord, Record
from harness.results import (
    Cell,
    CellResult,
    Evidence,
    Expectation,
    ReferenceProbe,
    Requested,
    StoppedBy,
    Trial,
    TypedWarning,
)
from harness.runs import Framework, Host, Image, Model, Protocol, Run

PAGES = Path(__file__).parents[2] / "docs" / "contracts"
HARNESS = Path(__file__).parents[2] / "harness"
RECORDS = [kind for kind in get_args(get_args(AnyRecord)[0]) if issubclass(kind, Record)]


def explained(page: str, heading: str) -> set[str]:
    """The words in backticks that open the rows of a section's table."""
    text = (PAGES / page).read_text()
    section = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"{page} has no section {heading}"
    cells = re.findall(r"^\| (`[^|]*`) \|", section[2], re.MULTILINE)
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


def record_type(kind: type[Record]) -> str:
    return str(get_args(kind.model_fields["type"].annotation)[0])


@pytest.mark.parametrize("kind", RECORDS, ids=record_type)
def test_every_field_of_a_record_is_explained(kind: type[Record]) -> None:
    assert explained("records.md", f"`{record_type(kind)}`") == set(kind.model_fields)


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Trial", Trial), ("Evidence", Evidence), ("Warning", TypedWarning), ("Requested", Requested),
        ("Cell", CellResult), ("Expectation", Expectation), ("Cell key", Cell),
        ("Reference probe", ReferenceProbe), ("Run", Run),
        ("Sitting", Sitting), ("Reading", Reading),
        ("Protocol", Protocol), ("Host", Host), ("Framework", Framework), ("Image", Image), ("Model", Model),
    ],
)  # fmt: skip
def test_every_field_of_a_stored_file_is_explained(heading: str, kind: type[BaseModel]) -> None:
    assert explained("results.md", heading) == set(kind.model_fields)


def test_every_word_for_why_a_cell_stopped_is_explained() -> None:
    assert explained("results.md", "Stopped by") == {word.value for word in StoppedBy}


@pytest.mark.parametrize(
    ("heading", "modules"),
    [("Doubts", ("doubts.py", "trial.py", "verdict.py")), ("What spoils a trial", ("fitness.py",))],
)
def test_every_kind_of_warning_is_explained(heading: str, modules: tuple[str, ...]) -> None:
    code = "".join((HARNESS / name).read_text() for name in modules)
    assert explained("results.md", heading) == set(re.findall(r'kind="(\w+)"', code))

"""Every key, field and column that exists is explained on its page, in the section where readers look for it."""

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from harness.article.readings import Reading, Sitting
from harness.config.schema import (
    Device,
    Exclude,
    Expect,
    MatrixFile,
    OwnModelKeys,
    ProtocolKeys,
    Range,
    VariantKeys,
)
from harness.records import AnyRecord, Record
from harness.report.table import COLUMNS
from harness.results import (
    Cell,
    CellResult,
    Evidence,
    Expectation,
    ReferenceProbe,
    Requested,
    Status,
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


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Top level", MatrixFile),
        ("Variants", VariantKeys),
        ("Models of your own", OwnModelKeys),
        ("Ranges", Range),
        ("Devices", Device),
        ("Include and exclude", Exclude),
        ("Expect", Expect),
        ("Protocol", ProtocolKeys),
    ],
)
def test_every_key_of_a_matrix_is_explained(heading: str, kind: type[BaseModel]) -> None:
    # What has an alias is a part of a long form, and explained where that is.
    keys = {name for name, field in kind.model_fields.items() if field.alias is None}
    assert explained("matrix.md", heading) == keys


def test_every_default_of_a_matrix_is_told() -> None:
    text = (PAGES / "matrix.md").read_text()
    for key, field in ProtocolKeys.model_fields.items():
        default = str(field.default).lower() if isinstance(field.default, bool) else field.default
        told = f"`{default}`" if default not in ("", {}) else "none"
        assert re.search(rf"^\| `{key}` \|.*\| {told} \|$", text, re.MULTILINE), key


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


def test_every_status_is_explained_in_its_order() -> None:
    text = (PAGES / "results.md").read_text()
    table = text[text.index("## Status") : text.index("## Trial")]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [status.value for status in Status]


def test_every_word_for_why_a_cell_stopped_is_explained() -> None:
    assert explained("results.md", "Stopped by") == {word.value for word in StoppedBy}


@pytest.mark.parametrize(
    ("heading", "modules"),
    [("Doubts", ("doubts.py", "trial.py")), ("What spoils a trial", ("fitness.py",))],
)
def test_every_kind_of_warning_is_explained(heading: str, modules: tuple[str, ...]) -> None:
    code = "".join((HARNESS / name).read_text() for name in modules)
    assert explained("results.md", heading) == set(re.findall(r'kind="(\w+)"', code))


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda path: path.name)
def test_every_link_within_the_pages_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#?([^)]*)\)", page.read_text()):
        other = (page.parent / target) if target else page
        assert other.exists(), target
        headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {slug(heading) for heading in headings}, anchor


def slug(heading: str) -> str:
    """A heading as its address: lower case, blanks as hyphens, no other signs."""
    return re.sub(r"[^a-z0-9_-]", "", heading.lower().replace(" ", "-"))


def test_every_column_is_explained() -> None:
    assert explained("results.md", "results.csv") == set(COLUMNS)

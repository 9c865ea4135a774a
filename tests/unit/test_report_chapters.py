"""A run in chapters: a page for each model, one of all cells, and one that says what is where."""

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

import harness.report
from harness import events
from harness.errors import ExitCode, StoreError
from harness.events import Event, Step, unheard
from harness.report import write_report
from harness.report.answers import Headline, Leader
from harness.report.chapters import Chapter, make_chapter, tell_chapters
from harness.report.overview import Lead, lead
from harness.report.stored import cells_by_model
from harness.results import Status
from harness.runs import Run
from harness.store import RunStore
from harness.units import MIB
from tests.factories import cell, probe, result, run
from tests.sample_runs import noisy, write_run
from tests.unit.commands import exit_code
from tests.unit.test_report_page import Page

if TYPE_CHECKING:
    from harness.events import Listener

TWIN = cell("jax", model="beta").model_copy(update={"twin": True})
CELLS = (
    result(cell("jax", model="beta")),
    result(
        cell("onnxruntime", model="beta"), trials=(), status=Status.SKIPPED, reason="larger than the host"
    ),
    result(cell("jax", model="alpha")),
    result(cell("onnxruntime", model="alpha")),
    result(TWIN),
    result(cell("jax", model="alpha", batch=8)),
)


def in_this_process(
    run_dir: Path, of: Run, models: dict[str, tuple[str, ...]], *, cell_pages: bool, listener: "Listener"
) -> tuple[Chapter, ...]:
    """What a pool of processes does, for tests that may start none."""
    owned = [(number, name, ids) for number, (name, ids) in enumerate(models.items(), start=1)]
    made = (make_chapter(run_dir, of, each, cell_pages=cell_pages) for each in owned)
    return tuple(tell_chapters(made, owned, of, listener))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(harness.report, "ONE_PAGE", 3)
    monkeypatch.setattr(harness.report, "make_chapters", in_this_process)
    return write_run(tmp_path / "run", run(CELLS), CELLS, [probe()])


def text_of(path: Path) -> str:
    return re.sub(r"\s+", " ", Page(path.read_text()).text)


def test_a_run_above_the_limit_has_a_page_for_each_model(folder: Path) -> None:
    assert write_report(folder) == folder / "index.html"

    pages = {path.name for path in folder.glob("*.html")}
    assert pages == {"index.html", "cells.html", "model-1.html", "model-2.html"}
    assert "alpha, batch 8" in text_of(folder / "model-1.html")
    assert "beta" not in text_of(folder / "model-1.html").partition("Matrix as resolved")[0]


def test_the_first_page_sums_up_and_says_what_is_where(folder: Path) -> None:
    write_report(folder)

    text = text_of(folder / "index.html")

    assert re.search(r"5 cells and 1 control ?: 5 ok, 1 skipped", text), text[:1500]
    assert "Limits proved in all 15 trials" not in text, "controls are not counted, as on other pages"
    assert "Limits proved in all 12 trials" in text
    assert "each model has a page of its own" in text
    assert "The whole evidence of each is its file" in text
    links = {each.attributes["href"] for each in Page((folder / "index.html").read_text()).all("a")}
    assert {"model-1.html", "model-2.html", "cells.html", "results.csv", "results.json"} <= links


def test_limits_have_their_places_among_those_of_the_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.report, "ONE_PAGE", 3)
    monkeypatch.setattr(harness.report, "make_chapters", in_this_process)
    caps = {"alpha": (256, 512, 1024), "beta": (1024, 2048)}
    cells = tuple(
        result(cell("jax", model=model, memory_bytes=cap * MIB)) for model, own in caps.items() for cap in own
    )
    folder = write_run(tmp_path / "run", run(cells), cells, [])
    write_report(folder)

    places = re.findall(r'data-order="(\d+)">[^,]+, (\w+ \w+)', (folder / "cells.html").read_text())

    assert sorted(set(places)) == [
        ("0", "256 MiB"), ("1", "512 MiB"), ("2", "1 GiB"), ("3", "2 GiB"),
    ]  # fmt: skip


def test_the_first_page_names_all_who_lead_equally_often() -> None:
    jax, other = Leader("jax", 2), Leader("onnxruntime", 3)
    rest = (Leader("pytorch", 0), "tied at 1 of 4 limits")
    tied = Headline("Fastest", ((jax, "at 2 of 4 limits"), (other, "at 2 of 4 limits"), rest), "")
    assert lead(tied) == Lead((jax, other), "each at 2 of 4 limits")
    assert lead(Headline("Fastest", ((jax, "at 2 of 4 limits"), rest), "")) == Lead(
        (jax,), "at 2 of 4 limits"
    )
    assert lead(Headline("Fastest", (), "not decided at 4 of 4 limits")) == Lead(
        (), "not decided at 4 of 4 limits"
    )


def test_the_first_page_has_the_alert_of_the_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.report, "ONE_PAGE", 3)
    monkeypatch.setattr(harness.report, "make_chapters", in_this_process)
    folder = write_run(tmp_path / "run", *noisy(), [])
    write_report(folder)

    assert "The twin differs from its original" in text_of(folder / "index.html")


@pytest.mark.parametrize("cell_pages", [False, True])
def test_every_link_from_page_to_page_leads_somewhere(folder: Path, *, cell_pages: bool) -> None:
    write_report(folder, cell_pages=cell_pages)
    pages = {path.resolve(): Page(path.read_text()) for path in folder.rglob("*.html")}
    ids = {path: {each.attributes.get("id") for each in page.elements} for path, page in pages.items()}

    for path, page in pages.items():
        for link in (each.attributes["href"] or "" for each in page.all("a")):
            name, _, fragment = link.partition("#")
            target = (path.parent / unquote(name)).resolve() if name else path
            assert target.is_file(), link
            assert not fragment or unquote(fragment) in ids[target], link


def test_pages_of_cells_are_made_where_they_are_asked_for(folder: Path) -> None:
    write_report(folder)
    assert list(folder.glob("cells/*.html")) == []
    assert f"edgematrix report {run(CELLS).run_id} --cell-pages makes a page" in text_of(
        folder / "index.html"
    )

    write_report(folder, cell_pages=True)

    assert {path.stem for path in folder.glob("cells/*.html")} == {each.cell_id for each in CELLS}
    back = Page((folder / "cells" / f"{CELLS[2].cell_id}.html").read_text()).all("a")
    assert f"../model-1.html#{CELLS[2].cell_id}" in {each.attributes["href"] for each in back}
    assert "--cell-pages" not in text_of(folder / "index.html")


def test_the_table_has_every_cell_once_and_the_same_as_a_run_on_one_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(folder)
    written = {name: (folder / name).read_bytes() for name in ("results.csv", "results.json")}
    listed = [each.attributes.get("href") for each in Page((folder / "cells.html").read_text()).all("a")]
    assert sum("#" in (link or "") and (link or "").startswith("model-") for link in listed) == 5

    monkeypatch.setattr(harness.report, "ONE_PAGE", 6)
    write_report(folder)

    assert {name: (folder / name).read_bytes() for name in written} == written
    rows = list(csv.DictReader(written["results.csv"].decode().splitlines()))
    assert rows[-1]["cell_id"] == TWIN.id
    assert [each["cell_id"] for each in json.loads(written["results.json"])["cells"]] == [
        row["cell_id"] for row in rows
    ]


def test_a_model_page_speaks_of_its_own_cells(folder: Path) -> None:
    write_report(folder)
    alpha, beta = (text_of(folder / f"model-{number}.html") for number in (1, 2))

    assert "the A/A floor of this model's cells" in alpha
    assert "no cell of this model has a twin" in alpha
    assert "and its twin" in beta
    assert "leads to its file, which holds every trial" in alpha


def test_a_quick_look_says_so_on_its_first_page(folder: Path) -> None:
    of = RunStore(folder).read_run()
    RunStore(folder).write_run(of.model_copy(update={"quick": True}))

    write_report(folder)

    assert "of measuring, a quick look" in text_of(folder / "index.html")


def test_a_model_page_sends_readers_to_the_run_for_what_is_of_the_run(folder: Path) -> None:
    write_report(folder)

    assert "stand on its page" in text_of(folder / "model-1.html")
    assert "1 probe" in text_of(folder / "index.html")


def test_a_damaged_cell_leaves_no_page_behind(folder: Path) -> None:
    (folder / "cells" / f"{CELLS[0].cell_id}.json").write_text("{")

    with pytest.raises(StoreError, match=re.escape(CELLS[0].cell_id)):
        write_report(folder)

    assert not list(folder.glob("*.html"))


def test_a_large_run_that_has_measured_nothing_yet_is_one_page(folder: Path) -> None:
    (folder / "run.json").write_text(run(CELLS, state="running").model_dump_json())
    for path in (folder / "cells").iterdir():
        path.unlink()

    write_report(folder)

    assert "of its 6 cells, 6 are missing here" in text_of(folder / "index.html")


def test_cells_are_found_by_their_model_in_the_plans_order(folder: Path) -> None:
    found = cells_by_model(folder, run(CELLS), unheard)

    assert list(found) == ["alpha", "beta"]
    assert found["beta"] == (CELLS[0].cell_id, CELLS[1].cell_id, TWIN.id)


def test_pages_are_the_same_to_the_byte(folder: Path) -> None:
    write_report(folder)
    first = {path.name: path.read_bytes() for path in folder.glob("*.html")}

    write_report(folder)

    assert {path.name: path.read_bytes() for path in folder.glob("*.html")} == first


def test_each_chapter_is_told_with_what_is_done_so_far(folder: Path) -> None:
    heard: list[Event] = []

    write_report(folder, listener=heard.append)

    steps = [(step.text, step.done) for step in heard if isinstance(step, Step)]
    assert steps == [
        ("making the pages of 6 cells, 0 done, now alpha", 0),
        ("making the pages of 6 cells, 3 done, now beta", 1 / 2),
    ]


def test_reading_is_told_only_where_it_takes_long(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of, heard = run(CELLS), list[Event]()

    cells_by_model(folder, of, heard.append)
    assert heard == []

    monkeypatch.setattr(events, "PATIENCE_S", -1)
    cells_by_model(folder, of, heard.append)
    assert [step.text for step in heard if isinstance(step, Step)] == [
        f"looking through {number} of 6 cells" for number in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("words", "doing"),
    [
        (("report",), "making the pages of 6 cells"),
        (("report", "--markdown"), "reading 1 of 6 cells"),
        (("compare", "run", "run"), "reading 1 of 6 cells"),
    ],
)
def test_the_commands_tell_it_beside_their_output(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    doing: str,
) -> None:
    monkeypatch.setattr(events, "PATIENCE_S", -1)

    assert exit_code(*words, "--reports", str(folder.parent)) == ExitCode.OK

    captured = capsys.readouterr()
    assert doing in captured.err
    assert doing not in captured.out

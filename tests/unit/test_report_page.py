"""The page: whole, self-contained, the same bytes each time, and deaf to what a container wrote."""

import base64
import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.records import Framework, Phase
from harness.report import write_report
from harness.report.table import results_csv, results_frame
from harness.results import CellResult, Evidence, Expectation, Status, TypedWarning
from harness.runs import Run
from harness.stats.cell import measure
from harness.units import MIB
from tests.factories import FRAMEWORKS, cell, failed_trial, host, probe, result, run, trial
from tests.sample_runs import failures, noisy, sample, write_run
from tests.unit.books import page as rendered

SCRIPTS = 5
"""The frame's, the chooser's and its data, that of the table of all cells, and that of the pictures."""
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><style>*{display:none}</style>{{7*7}}"


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """All elements of a document, in order, with the text that stands in each or follows it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.elements[-1].text.append(data)

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    @property
    def text(self) -> str:
        return " ".join(
            "".join(each.text) for each in self.elements if each.tag not in {"style", "title", "desc"}
        )


@pytest.fixture(params=[sample, failures, noisy], ids=["sample", "failures", "noisy"])
def made(request: pytest.FixtureRequest) -> tuple[Run, tuple[CellResult, ...]]:
    found: tuple[Run, tuple[CellResult, ...]] = request.param()
    return found


def test_nothing_is_fetched_and_nothing_runs_but_our_scripts(
    made: tuple[Run, tuple[CellResult, ...]],
) -> None:
    html = rendered(*made)
    page = Page(html)

    assert not page.all("img", "iframe", "object", "embed", "base", "foreignobject")
    assert [each.attributes.get("src") for each in page.all("script")] == [None] * SCRIPTS
    assert not re.search(r"fetch\(|XMLHttp|WebSocket|import\(|innerHTML|eval", html), (
        "nothing is asked or parsed"
    )
    assert "http://" not in html
    assert "https://" not in html
    assert not [name for each in page.elements for name in each.attributes if name.startswith("on")]
    assert not [each for each in page.elements if "style" in each.attributes], "the policy would drop it"
    links = [each.attributes["href"] or "" for each in page.all("a", "use", "link")]
    assert all(
        re.match(
            r"(#|cells/[^/]+\.(json|html)$|probes/\d+\.json$|results\.(csv|json)$|run\.json$|data:,$)", link
        )
        for link in links
    )


def test_the_policy_allows_this_style_and_these_scripts_and_no_other(
    made: tuple[Run, tuple[CellResult, ...]],
) -> None:
    html = rendered(*made)

    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    policy = next(each for each in Page(html).all("meta") if each.attributes.get("http-equiv"))
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    of_style, *of_scripts = (
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, *scripts)
    )
    assert policy.attributes["content"] == (
        f"default-src 'none'; script-src {' '.join(of_scripts)}; style-src {of_style}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_every_median_of_the_table_stands_in_the_page() -> None:
    of, cells = sample()
    text = Page(rendered(of, cells)).text

    rows = csv.DictReader(io.StringIO(results_csv(results_frame(measure(cells)))))

    for row in rows:
        microseconds = float(row["p50_ms"]) * 1000
        assert f"{microseconds:.3g}" in text


def test_every_cell_has_its_place_and_every_link_leads_somewhere(
    made: tuple[Run, tuple[CellResult, ...]],
) -> None:
    page = Page(rendered(*made))

    ids = Counter(each.attributes["id"] for each in page.elements if "id" in each.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    assert {each.cell_id for each in made[1]} <= set(ids)
    fragments = {each.attributes["href"] or "" for each in page.all("a", "use")}
    assert {link[1:] for link in fragments if link.startswith("#")} <= set(ids)
    labels = {
        name for each in page.elements for name in (each.attributes.get("aria-labelledby") or "").split()
    }
    assert labels <= set(ids)


def test_charts_have_a_title_and_a_description_and_tables_their_scopes(
    made: tuple[Run, tuple[CellResult, ...]],
) -> None:
    page = Page(rendered(*made))

    charts = [each for each in page.all("svg") if each.attributes.get("role") == "img"]
    assert len(charts) == len(page.all("title")) - 1 == len(page.all("desc"))
    assert all(each.attributes.get("scope") in {"col", "row", "rowgroup"} for each in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption")) + len(
        [each for each in page.all("table") if each.attributes.get("class") == "map"]
    )


def test_the_head_words_endings_as_the_rest_of_the_page() -> None:
    state = rendered(*failures()).partition('<p class="state">')[2].partition("</p>")[0]
    for words in ("out of memory", "crashed", "out of time", "image not built"):
        assert re.search(rf"\d {words}", state), words


def test_what_a_reader_must_know_is_said() -> None:
    text = re.sub(r"\s+", " ", Page(rendered(*failures())).text)

    assert "15 cells: 3 ok, 3 skipped" in text
    assert "Limits proved in 24 of 27 trials" in text
    assert "1 warning" in text
    assert "This run is interrupted" in text
    assert "thrashing in import: read 13.75 GiB under a 256 MiB cap" in text.replace(
        "thrashing ", "thrashing "
    )
    assert text.count("A cap limits quantity, not core speed") >= 3
    assert "page cache not dropped" in text
    assert "the host has 2 cores and 24 GiB" in text


def test_sixty_cells_with_their_probes_stay_below_510_kb() -> None:
    limits = product(FRAMEWORKS, (1, 2), (256, 512, 8192), ("spam-fnn", "resnet50"))
    cells = [
        result(cell(name, cpus=cpus, memory_bytes=mib * MIB, model=model))
        for name, cpus, mib, model in limits
    ]

    assert len(cells) == 60
    assert len(rendered(run(cells), cells).encode()) < 460_000
    assert len(rendered(run(cells), cells, [probe(number) for number in range(60)]).encode()) < 510_000


def poisoned() -> tuple[Run, tuple[CellResult, ...]]:
    """A run in which every text that could be hostile is."""
    of = cell(HOSTILE, model=HOSTILE)
    evidence = Evidence(error=HOSTILE, log_tail=HOSTILE * 100)
    died = failed_trial(of, Status.CRASH, Phase.IMPORT, reason=HOSTILE, evidence=evidence)
    speaking = cell(f"{HOSTILE} speaks", model=HOSTILE)
    doubt = TypedWarning(kind=HOSTILE, text=HOSTILE)
    said = {"version": HOSTILE, "settings": {HOSTILE: HOSTILE}}
    records = tuple(
        record.model_copy(update=said) if isinstance(record, Framework) else record
        for record in trial(speaking).records
    )
    ran = trial(speaking).model_copy(update={"records": records, "warnings": (doubt,), "spoiled": (doubt,)})
    expected = Expectation(status=Status.OOM, reason=HOSTILE)
    cells = (
        result(of, [died], expected=expected),
        result(cell(HOSTILE * 200, model=HOSTILE)),
        result(speaking, [ran], expected=expected),
    )
    base = run(cells)
    image = next(iter(base.images.values())).model_copy(
        update={"base": HOSTILE, "packages": {HOSTILE: HOSTILE}}
    )
    changes = {
        "matrix_name": HOSTILE,
        "matrix": {HOSTILE: [HOSTILE]},
        "devices": {HOSTILE: (of.cpus, of.memory_bytes)},
        "host": host(cpu_model=HOSTILE, engine_os=HOSTILE),
        "images": dict.fromkeys(base.images, image),
        "run_id": HOSTILE,
    }
    return base.model_copy(update=changes), cells


def test_hostile_texts_become_text() -> None:
    html = rendered(*poisoned())
    page = Page(html)

    assert html.count("<script") == SCRIPTS
    assert not page.all("img")
    assert len(page.all("style")) == 1
    assert not [name for each in page.elements for name in each.attributes if name.startswith("on")]
    assert "alert(1)" in page.text
    assert "{{7*7}}" in page.text
    assert all("javascript:" not in (each.attributes.get("href") or "") for each in page.all("a"))


def test_endless_texts_are_cut() -> None:
    endless = "x" * 1_000_000
    of = cell(endless[:5000])
    died = failed_trial(of, Status.CRASH, Phase.IMPORT, evidence=Evidence(log_tail=endless))

    cells = [result(of, [died])]

    html = rendered(run(cells), cells)

    assert len(html) < 170_000


def test_a_run_without_a_cell_is_still_a_page() -> None:
    page = Page(rendered(sample()[0], ()))

    assert "0 cells" in page.text
    assert "No trial started" in page.text


def test_a_report_is_written_from_the_runs_files_alone(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", *sample())

    page = write_report(folder)

    assert page == folder / "index.html"
    assert sorted(path.name for path in folder.iterdir()) == [
        "cells",
        "index.html",
        "results.csv",
        "results.json",
        "run.json",
    ]
    table = list(csv.DictReader(io.StringIO((folder / "results.csv").read_text())))
    assert [row["framework"] for row in table[:5]] == sorted(FRAMEWORKS)
    assert len(table) == 20


def test_a_report_written_again_is_the_same_to_the_byte(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", *failures())
    names = ("index.html", "results.csv", "results.json")
    write_report(folder)
    first = [(folder / name).read_bytes() for name in names]

    (folder / "trials").mkdir()
    (folder / "trials" / "noise.json").write_text("{}")
    write_report(folder)

    assert [(folder / name).read_bytes() for name in names] == first


@pytest.mark.parametrize("damage", ["", "{", '{"version": 99}'])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    of, cells = sample()
    folder = write_run(tmp_path / "run", of, cells)
    (folder / "cells" / f"{cells[0].cell_id}.json").write_text(damage)

    with pytest.raises(StoreError, match=re.escape(cells[0].cell_id)):
        write_report(folder)

    assert not (folder / "index.html").exists()

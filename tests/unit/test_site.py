"""The site on disk: whole, relative, the same bytes each time, and never left half made."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness.compare.judge import read_side
from harness.errors import ExitCode, StoreError
from harness.report.html import fill_page
from harness.results import Status
from harness.runs import RunState
from harness.site import publish
from harness.site.data import badge
from harness.site.entry import describe, slug
from harness.site.folders import begin
from harness.store import point_latest, stored_runs
from tests.compared import failed
from tests.factories import cell, host, result
from tests.published import CELLS, OTHER_HOST, Witness, measured, published, run_id, write_day
from tests.unit.commands import exit_code
from tests.unit.test_report_page import HOSTILE, Page

EVIL = "\"'><img src=x onerror=alert(2)>{{7*7}}"
"""A hostile name that a file system takes."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days on one host and one on another."""
    reports = tmp_path_factory.mktemp("made") / "reports"
    write_day(reports, 0)
    write_day(reports, 1, slower={"jax": 2.0})
    write_day(reports, 2, host=OTHER_HOST)
    return reports


@pytest.fixture
def reports(tmp_path: Path, made: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "reports"))


def files(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def test_every_folder_has_a_page_and_every_link_is_relative_and_leads_to_a_file(reports: Path) -> None:
    site = published(reports).page.parent

    assert not [path for path in site.rglob("*") if path.is_symlink()]
    for folder in (site, *(path for path in site.rglob("*") if path.is_dir())):
        assert (folder / "index.html").is_file(), folder
    links = 0
    for page in site.rglob("*.html"):
        for element in Page(page.read_text()).elements:
            for name in ("href", "src"):
                address = urlsplit(element.attributes.get(name) or "")
                if address.scheme == "data" or not address.path:
                    continue
                links += 1
                assert (address.scheme, address.netloc, address.path[:1] == "/") == ("", "", False)
                assert (page.parent / unquote(address.path)).is_file(), (page, address.path)
    assert links > 50


def test_a_host_without_a_change_says_of_which_figure_that_is(reports: Path) -> None:
    lonely = Page(
        (published(reports).page.parent / "hosts" / OTHER_HOST.fingerprint / "index.html").read_text()
    )
    assert "There is one run of this host, and nothing to compare it with." in lonely.text

    write_day(reports, 3, host=OTHER_HOST)
    calm = Page(
        (published(reports).page.parent / "hosts" / OTHER_HOST.fingerprint / "index.html").read_text()
    )
    assert "No cell is proved to have become worse or better in median latency." in calm.text


def test_it_has_the_promised_parts(reports: Path) -> None:
    for name in ("article.html", "results.json", f"cells/{CELLS[0].id}.html"):
        (reports / run_id(1) / name).write_text("<!doctype html>\n<title>More of a report</title>\n")
    names = files(published(reports).page.parent)
    days = [run_id(number) for number in range(3)]

    assert {
        "index.html",
        ".nojekyll",
        "data/runs.json",
        "data/history.csv",
        "badges/latest.json",
    } <= names.keys()
    for day in days:
        assert {f"runs/{day}/index.html", f"runs/{day}/run.json", f"badges/{day}.json"} <= names.keys()
        assert f"runs/{day}/cells/{CELLS[0].id}.json" in names
        assert f"runs/{day}/probes/0.json" in names
    assert {f"runs/{days[1]}/article.html", f"runs/{days[1]}/results.json"} <= names.keys()
    assert f"runs/{days[1]}/cells/{CELLS[0].id}.html" in names
    assert f"runs/{days[0]}/article.html" not in names
    compared = {name for name in names if name.startswith("compare/") and name.count("/") == 2}
    assert compared == {f"compare/{days[0]}..{days[1]}/index.html"}
    assert {name for name in names if name.startswith("hosts/") and name.count("/") == 2} == {
        f"hosts/{group}/index.html" for group in (host().fingerprint, OTHER_HOST.fingerprint)
    }


def test_twice_gives_the_same_bytes(reports: Path) -> None:
    once = files(published(reports).page.parent)
    assert files(published(reports).page.parent) == once


def test_the_site_is_no_run(reports: Path) -> None:
    published(reports)
    assert [store.folder.name for store in stored_runs(reports)] == [run_id(number) for number in (2, 1, 0)]
    assert sorted(path.name for path in reports.iterdir()) == sorted([*map(run_id, range(3)), "site"])


def test_a_run_that_is_gone_stays_until_its_folder_is_removed(reports: Path) -> None:
    site = published(reports).page.parent
    before = files(site)
    shutil.rmtree(reports / run_id(0))

    published(reports)
    assert files(site) == before

    shutil.rmtree(site / "runs" / run_id(0))
    published(reports)
    assert not [name for name in files(site) if run_id(0) in name]
    assert run_id(0) not in (site / "index.html").read_text()


def test_a_named_run_is_added_to_what_is_there(reports: Path) -> None:
    site = published(reports, run_id(1)).page.parent
    assert [path.name for path in sorted((site / "runs").glob("2*"))] == [run_id(1)]
    published(reports, run_id(0))
    assert [path.name for path in sorted((site / "runs").glob("2*"))] == [run_id(0), run_id(1)]


def test_a_comparison_stays_when_a_run_comes_between(reports: Path) -> None:
    site = published(reports, run_id(0), run_id(2)).page.parent
    assert not (site / "compare").exists(), "these ran on two hosts"
    write_day(reports, 5)
    published(reports, run_id(1), run_id(5))
    before = (site / "compare" / f"{run_id(1)}..{run_id(5)}" / "index.html").read_bytes()
    write_day(reports, 4)

    published(reports)

    assert (site / "compare" / f"{run_id(4)}..{run_id(5)}" / "index.html").is_file()
    assert (site / "compare" / f"{run_id(1)}..{run_id(5)}" / "index.html").read_bytes() == before
    shutil.rmtree(site / "runs" / run_id(1))
    shutil.rmtree(reports / run_id(1))
    published(reports)
    assert not list((site / "compare").glob(f"{run_id(1)}*"))


def test_a_publish_that_fails_leaves_the_old_site_whole(
    reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = published(reports).page.parent
    before = files(site)
    write_day(reports, 3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("harness.site.build.add_contents", full)
        with pytest.raises(StoreError, match="No space left") as error:
            publish(reports, (), Witness())
    assert "untouched" in error.value.why
    assert files(site) == before
    assert not (reports / ".site.part").exists()

    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == ".site.part":
            raise OSError(13, "Permission denied")
        return rename(self, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", refuse)
        with pytest.raises(StoreError, match="Permission denied"):
            publish(reports, (), Witness())
    assert files(site) == before
    published(reports)
    assert (site / "runs" / run_id(3)).is_dir()


def test_what_a_killed_predecessor_left_is_mended(reports: Path) -> None:
    site = published(reports).page.parent
    before = files(site)
    site.rename(reports / ".site.old")
    (reports / ".site.part" / "runs" / "half").mkdir(parents=True)

    begin(reports)

    assert files(site) == before
    assert not list((reports / ".site.part").iterdir())


def test_a_folder_that_is_no_site_is_not_replaced(reports: Path) -> None:
    (reports / "site").mkdir()
    (reports / "site" / "thesis.txt").write_text("all my work")
    with pytest.raises(StoreError, match="no site"):
        publish(reports, (), Witness())
    assert (reports / "site" / "thesis.txt").read_text() == "all my work"


def test_hostile_names_become_text(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    strange = host(fingerprint=HOSTILE, cpu_model=HOSTILE, kernel=HOSTILE, engine_version=HOSTILE)
    for number, slower in ((0, 1.0), (1, 3.0)):
        cells = [cell(EVIL, model=EVIL, cpus=1), *CELLS]
        write_day(
            reports,
            number,
            cells=cells,
            slower={EVIL: slower},
            matrix_name=HOSTILE,
            host=strange,
            git_commit=HOSTILE,
        )
    write_day(reports, 2, cells=[], results=[failed(cell(EVIL, cpus=1))], matrix_name=HOSTILE)

    site = published(reports).page.parent

    pages = [path for path in site.rglob("*.html") if path.parent.parent.name != "runs"]
    for path in pages:
        html = path.read_text()
        page = Page(html)
        assert not page.all("img"), path
        assert len(page.all("script")) == 1, "the frame's"
        assert len(page.all("style")) == 1, path
        assert not [name for each in page.elements for name in each.attributes if name.startswith("on")]
        assert "{{7*7}}" in html or "onerror" not in html
    assert "alert(1)" in Page((site / "index.html").read_text()).text
    assert (site / "hosts" / slug(HOSTILE) / "index.html").is_file()
    assert json.loads((site / "data" / "runs.json").read_text())["runs"][0]["matrix"] == HOSTILE


def test_links_out_of_a_run_are_not_followed(reports: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("secret")
    (reports / run_id(0) / "cells" / "stolen.json").symlink_to(secret)
    shutil.rmtree(reports / run_id(1) / "probes")
    (reports / run_id(1) / "probes").symlink_to(tmp_path)
    runs = published(reports).page.parent / "runs"
    assert not list(runs.glob("*/*/stolen.json"))
    assert not list(runs.glob("*/*/secret.json"))


def test_what_cannot_be_published_is_left_out_with_its_reason(reports: Path) -> None:
    (reports / run_id(0) / "index.html").unlink()
    (reports / run_id(1)).rename(reports / "my best run")
    broken = write_day(reports, 3)
    (broken / "cells" / f"{CELLS[0].id}.json").write_text("{}")
    witness = Witness()

    made = publish(reports, (), witness)

    assert made.runs == 1
    assert "no report yet" in witness.left[run_id(0)]
    assert "part of an address" in witness.left["my best run"]
    assert run_id(3) in witness.left
    assert not (made.page.parent / "runs" / run_id(3)).exists()
    for name in (run_id(0), run_id(3), "my best run", "nothing"):
        with pytest.raises(StoreError):
            publish(reports, (name,), Witness())


def test_a_cell_of_a_comparison_leads_to_its_evidence(reports: Path) -> None:
    (reports / run_id(1) / "cells" / f"{CELLS[0].id}.html").write_text("<!doctype html>")

    site = published(reports).page.parent

    page = Page((site / "compare" / f"{run_id(0)}..{run_id(1)}" / "index.html").read_text())
    links = {element.attributes.get("href") for element in page.elements}
    cells = f"../../runs/{run_id(1)}/cells"
    assert f"{cells}/{CELLS[0].id}.html" in links
    assert f"{cells}/{CELLS[1].id}.json" in links


def ways_back(page: Path) -> list[str]:
    """Where the bar of a page leads, beside the page itself."""
    return [
        element.attributes["href"] or ""
        for element in Page(page.read_text()).elements
        if (element.attributes.get("href") or "").startswith("../")
    ]


def test_the_pages_of_a_run_lead_back_to_the_site(reports: Path) -> None:
    names = (Path("index.html"), Path("cells") / "one.html")
    for name in names:
        page = reports / run_id(1) / name
        page.parent.mkdir(exist_ok=True)
        page.write_text(fill_page("folder.html.j2", sheets=("site.css",), here="run", names=(), home="#main"))
    written = {name: (reports / run_id(1) / name).read_bytes() for name in names}
    ways = ["index.html", f"hosts/{host().fingerprint}/index.html"]

    site = published(reports, run_id(1)).page.parent
    assert ways_back(site / "runs" / run_id(1) / "index.html") == [f"../../{way}" for way in ways]

    published(reports, run_id(0))
    ways.append(f"compare/{run_id(0)}..{run_id(1)}/index.html")
    for depth, name in enumerate(names, start=2):
        assert ways_back(site / "runs" / run_id(1) / name) == ["../" * depth + way for way in ways]
    assert {name: (reports / run_id(1) / name).read_bytes() for name in names} == written


def test_a_published_run_of_another_version_keeps_its_pages(reports: Path) -> None:
    site = published(reports).page.parent
    page = (site / "runs" / run_id(0) / "index.html").read_bytes()
    compared = site / "compare" / f"{run_id(0)}..{run_id(1)}" / "index.html"
    before = compared.read_bytes()
    for folder in (reports, site / "runs"):
        (folder / run_id(0) / "run.json").write_text('{"version": 2}')

    publish(reports, (), Witness())

    assert (site / "runs" / run_id(0) / "index.html").read_bytes() == page
    assert compared.read_bytes() == before
    assert f"runs/{run_id(0)}/index.html" in (site / "index.html").read_text()


def damage(run_folder: Path) -> None:
    (run_folder / "cells" / f"{CELLS[0].id}.json").write_text("{}")


@pytest.mark.parametrize("others", [True, False])
def test_a_damaged_copy_among_the_reports_does_not_take_the_place_of_the_published_one(
    reports: Path, others: bool
) -> None:
    """Also where it is the only run."""
    if not others:
        shutil.rmtree(reports / run_id(1))
        shutil.rmtree(reports / run_id(2))
    site = published(reports).page.parent
    before = files(site)
    damage(reports / run_id(0))
    (reports / run_id(0) / "index.html").write_text("<!doctype html>\n<title>Of the damaged</title>\n")
    witness = Witness()

    publish(reports, (), witness)

    assert files(site) == before
    assert witness.stays == {run_id(0): True}
    with pytest.raises(StoreError, match=f"^{reports / run_id(0) / 'cells' / CELLS[0].id}"):
        publish(reports, (run_id(0),), Witness())
    assert files(site) == before


def test_latest_is_published_like_any_run_that_is_named(reports: Path) -> None:
    point_latest(reports, run_id(0))
    site = publish(reports, ("latest",), Witness()).page.parent
    assert [folder.name for folder in (site / "runs").iterdir() if folder.is_dir()] == [run_id(0)]

    damage(reports / run_id(0))
    with pytest.raises(StoreError, match=CELLS[0].id):
        publish(reports, ("latest",), Witness())


def test_a_run_whose_published_copy_is_damaged_too_keeps_its_pages_and_is_listed_apart(reports: Path) -> None:
    site = published(reports).page.parent
    (site / "runs" / run_id(0) / "cells" / f"{CELLS[0].id}.json").write_text("[]")
    before = files(site / "runs" / run_id(0))
    damage(reports / run_id(0))

    made = publish(reports, (), Witness())

    assert files(site / "runs" / run_id(0)) == before
    assert made.runs == 3
    assert "Not readable" in Page((site / "index.html").read_text()).text


def test_where_every_run_is_damaged_nobody_is_advised_to_make_one(reports: Path) -> None:
    for number in range(3):
        damage(reports / run_id(number))
    with pytest.raises(StoreError, match="that can be published") as caught:
        publish(reports, (), Witness())
    assert caught.value.fix == "mend what is told of each above"


def test_a_damaged_run_that_was_never_published_is_not_told_as_one_that_stays(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(reports / run_id(0))
    assert exit_code("publish", "--reports", str(reports)) == ExitCode.OK
    assert f"not published: {run_id(0)}: {reports / run_id(0) / 'cells'}" in capsys.readouterr().err
    index = (reports / "site" / "index.html").read_text()
    assert run_id(0) not in index
    assert "Not readable" not in index


def test_the_data_say_what_the_runs_say(reports: Path) -> None:
    site = published(reports).page.parent
    runs = json.loads((site / "data" / "runs.json").read_text())["runs"]
    with (site / "data" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert [run["run_id"] for run in runs] == [run_id(number) for number in (2, 1, 0)]
    assert [run["host_group"] for run in runs] == [OTHER_HOST.fingerprint, *[host().fingerprint] * 2]
    assert runs[1]["compared"]["verdict"] == "worse"
    assert (site / runs[1]["compared"]["page"]).is_file()
    assert (runs[0]["compared"], runs[2]["compared"]) == (None, None)
    assert runs[0]["cells"] == {"ok": 3}
    assert [(row["run_id"], row["cell_id"]) for row in rows] == [
        (run_id(number), of.id) for number in range(3) for of in CELLS
    ]
    side = read_side(reports / run_id(0))
    assert [float(row["p50_ms"]) for row in rows[:3]] == pytest.approx(
        [each.stats.p50_ms.value for each in side.cells if each.stats.p50_ms], rel=1e-5
    )
    assert all(row["p50_low_ms"] and row["rss_peak_bytes"] and row["cold_start_ms"] for row in rows)


def test_a_badge_says_how_a_run_ended(tmp_path: Path) -> None:
    dead = failed(CELLS[0], Status.OOM)
    skipped = result(CELLS[0], trials=(), status=Status.SKIPPED, reason="as said")
    colours = []
    for number, (results, state) in enumerate(
        [
            ([measured(CELLS[1], 0)], RunState.COMPLETE),
            ([dead, measured(CELLS[1], 0)], RunState.COMPLETE),
            ([dead], RunState.COMPLETE),
            ([measured(CELLS[1], 0)], RunState.INTERRUPTED),
            ([skipped], RunState.COMPLETE),
            ([skipped, measured(CELLS[1], 0)], RunState.COMPLETE),
        ]
    ):
        folder = write_day(tmp_path, number, results=results, state=state)
        found = json.loads(badge(describe(folder.name, read_side(folder))))
        assert found.keys() == {"schemaVersion", "label", "message", "color"}
        assert found["schemaVersion"] == 1
        colours.append(found["color"])
    assert colours == ["brightgreen", "orange", "red", "lightgrey", "orange", "brightgreen"]


def test_the_command_prints_the_page_and_fails_without_a_run(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("publish", "--reports", str(reports)) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out.strip() == str(reports / "site" / "index.html")
    assert "3 runs on 2 hosts, 1 comparison" in said.err

    assert exit_code("publish", "--reports", str(tmp_path / "empty")) == ExitCode.ENVIRONMENT
    assert "edgematrix run" in capsys.readouterr().err
    assert not (tmp_path / "empty").exists()

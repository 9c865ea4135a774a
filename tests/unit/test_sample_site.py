"""The published sample: a real run, whole, whose figures are those of its files."""

import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd

from harness.report import write_report
from tests.checkout import ROOT
from tests.unit.test_report_page import Page

SITE = ROOT / "examples" / "site"
FIGURES = ["cell_id", "p50_ms", "rss_peak_bytes"]


def run_folder() -> Path:
    (run,) = (folder.parent for folder in SITE.glob("runs/*/run.json"))
    return run


def test_every_link_of_the_sample_leads_to_a_file() -> None:
    links = 0
    for page in SITE.rglob("*.html"):
        for element in Page(page.read_text(encoding="utf-8")).elements:
            address = urlsplit(element.attributes.get("href") or "")
            if address.scheme != "data" and address.path:
                links += 1
                assert (page.parent / unquote(address.path)).is_file(), (page, address.path)
    assert links > 50


def test_the_figures_of_the_sample_can_be_made_again_from_its_files(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run_folder(), tmp_path / "run"))
    (copy / "results.csv").unlink()
    write_report(copy)
    made, published = (pd.read_csv(folder / "results.csv") for folder in (copy, run_folder()))
    assert set(published["status"]) == {"ok", "oom"}
    pd.testing.assert_frame_equal(made[FIGURES], published[FIGURES])

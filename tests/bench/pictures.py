"""The pictures of a report in the documentation, taken anew.

    python -m tests.bench.pictures reports/latest/index.html

writes `docs/pictures/`: the top of the page in light and dark, on a phone, and as it is printed.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from playwright.sync_api import sync_playwright

from tests.checkout import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER: Final = ROOT / "docs" / "pictures"
Media = Literal["screen", "print"]
Scheme = Literal["light", "dark"]
PICTURES: Final[dict[str, tuple[int, int, Scheme, Media]]] = {
    "report": (1280, 1050, "light", "screen"),
    "dark": (1280, 1050, "dark", "screen"),
    "phone": (360, 780, "light", "screen"),
    "paper": (794, 1123, "light", "print"),
}
"""Width, height, theme and medium; paper is A4 at 96 dots an inch."""


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("page", type=Path, help="an index.html of a run")
    page: Path = parser.parse_args().page.resolve()
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in PICTURES:
            take(browser, page, name)
        browser.close()


def take(browser: Browser, address: Path, name: str) -> None:
    """Write one picture."""
    width, height, scheme, media = PICTURES[name]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.emulate_media(media=media, color_scheme=scheme)
    page.goto(address.as_uri())
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()

"""How Sphinx builds the guide (`make docs`): the pages as they stand, nothing from the network.

The sidebar is made of the links of the pages that list others, so that these read as well on a code host and no list
stands twice. Sphinx refuses a page that none of them leads to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Edgematrix"
root_doc = "index"
extensions = ["myst_parser"]
myst_heading_anchors = 4  # as code hosts make them

html_theme = "furo"
html_title = "Edgematrix"
html_copy_source = False
html_show_search_summary = False  # the search fetches no pages, which a browser forbids from disk
html_show_sphinx = False
html_show_copyright = False

LINK = re.compile(r"\[([^]]+)\]\(([\w/.-]+)\.md\)")
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


def add_contents(_: Sphinx, page: str, source: list[str]) -> None:
    """Tell Sphinx the order of the pages and what to call them: as the links do, a caption for each section."""
    if page == "index":
        _first, *sections = SECTION.split(source[0])
        for caption, text in zip(sections[::2], sections[1::2], strict=True):
            entries = [f"{name} <{target}>" for name, target in LINK.findall(text)]
            source[0] += _contents(":hidden:", f":caption: {caption}", "", *entries)
    elif page == "adr/README":  # a code host lists the folder itself
        source[0] += _contents(":glob:", "", "0*")


def _contents(*lines: str) -> str:
    return "\n".join(("\n\n```{toctree}", *lines, "```\n"))


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    app.connect("source-read", add_contents)

"""The page: templates filled from the view, with nothing computed on the way."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.fitness import PROBE_MOVE
from harness.report.chooser import as_script
from harness.report.endings import WORDS
from harness.report.formats import share, visible
from harness.report.palette import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT, SHAPES, css_polygon, svg_path
from harness.report.provenance import CAP_NOTE
from harness.report.view import build_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.chooser import Subject
    from harness.report.view import View
    from harness.results import ReferenceProbe
    from harness.runs import Run
    from harness.stats.cell import Measured

GENERATOR: Final = b'<meta name="generator" content="Edgematrix">'
"""What every page of ours has in its head."""
HEAD_BYTES: Final = 4096
TEMPLATES: Final = Path(__file__).parent / "templates"
STYLE: Final = "style.css"
FRAME: Final = "frame.js"
"""The script of the frame, which runs before the page is drawn."""
CHOOSER: Final = "chooser.js"
CELLS: Final = "cells.js"
PICTURES: Final = "pictures.js"
_DATA_CELL: Final = Markup("<td>")
_MARKERS: Final = tuple(svg_path(shape) for shape in SHAPES)


def render(run: Run, measured: Sequence[Measured], probes: Sequence[ReferenceProbe] = ()) -> str:
    """The page of a run: one self-contained HTML document, of which all that is stored is there without its scripts."""
    return render_view(build_view(run, measured, probes))


def render_view(view: View) -> str:
    """The page of a run, or of one of its models."""
    return fill_page(
        "page.html.j2",
        scripts=[*([CHOOSER] if view.choices else []), CELLS, PICTURES],
        view=view,
        table=view.table,
        choices=choices_for_script(view.choices),
    )


def is_page(file: Path) -> bool:
    """Whether a file is a page of ours."""
    if not file.is_file():  # a pipe is never opened: that could wait for ever
        return False
    with file.open("rb") as opened:
        return GENERATOR in opened.read(HEAD_BYTES)


def fill_page(
    template: str, *, scripts: Iterable[str] = (), sheets: Sequence[str] = (), **content: object
) -> str:
    """A template with the style of all pages, and a policy under which nothing but that and these scripts applies.

    Args:
        template: the page.
        scripts: the files of its scripts beside the frame's, in their order.
        sheets: style sheets that it has beside that of all pages.
        content: what the template is filled with.
    """
    style = "".join(map(_style, (STYLE, *sheets)))
    texts = tuple((TEMPLATES / name).read_text(encoding="utf-8") for name in (FRAME, *scripts))
    return (
        _environment()
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - our own file, filled with our own colours
            policy=content_policy(style, texts),
            scripts=[Markup(text) for text in texts],  # noqa: S704 - our own files
            markers=_MARKERS,
            colours=LIGHT,
            **content,
        )
    )


@cache
def _style(sheet: str) -> str:
    return (
        _environment()
        .get_template(sheet)
        .render(
            light=LIGHT,
            dark=DARK,
            paper_light=PAPER_LIGHT,
            paper_dark=PAPER_DARK,
            polygons=[css_polygon(shape) for shape in SHAPES],
        )
    )


def choices_for_script(choices: Sequence[Subject]) -> Markup:
    """What the chooser chooses from, as it stands in its page."""
    return Markup(as_script(choices))  # noqa: S704 - escaped for where it stands


@cache
def content_policy(style: str, scripts: tuple[str, ...] = ()) -> str:
    """A Content-Security-Policy under which nothing is fetched, and nothing but this style and these scripts applies.

    Pictures from `data:` addresses are allowed for the charts that a reader saves: the browser draws them from one.
    """
    allowed = " ".join(f"'{_digest(script)}'" for script in scripts)
    scripted = f"script-src {allowed}; " if scripts else ""
    styles = f"style-src '{_digest(style)}'"
    return f"default-src 'none'; {scripted}{styles}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.globals.update(cap_note=CAP_NOTE, probe_move=share(PROBE_MOVE))
    environment.filters["url"] = lambda text: quote(text, safe="")
    environment.filters["path"] = quote
    environment.filters["data_cells"] = _data_cells
    environment.filters["word"] = WORDS.__getitem__
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return environment


def _data_cells(texts: Iterable[str]) -> Markup:
    """The data cells of a row, escaped: of hundreds on a page, a loop in the template takes much longer."""
    return Markup("").join(part for text in texts for part in (_DATA_CELL, visible(text)))


def _finalize(value: object) -> object:
    """Print plainly: stored text with its hidden characters made visible, a place on an axis without zeros.

    Markup is our own, and passes.
    """
    if isinstance(value, float):
        return f"{value:g}"
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

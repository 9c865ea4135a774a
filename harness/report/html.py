"""The page: templates filled from the view, with nothing computed on the way."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report.aspects.memory import HEADLINE
from harness.report.formats import visible
from harness.report.palette import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT, SHAPES, css_polygon, svg_path
from harness.report.provenance import CAP_NOTE
from harness.report.view import build_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results import ReferenceProbe
    from harness.runs import Run
    from harness.stats.cell import Measured

STYLE: Final = "style.css"


def render(run: Run, measured: Sequence[Measured], probes: Sequence[ReferenceProbe] = ()) -> str:
    """The page of a run: one self-contained HTML document without any script."""
    return fill_page(
        "page.html.j2", view=build_view(run, measured, probes), cap_note=CAP_NOTE, headline=HEADLINE
    )


def fill_page(template: str, **content: object) -> str:
    """A template with the style of all pages, and a policy under which nothing else applies."""
    environment = _environment()
    style = environment.get_template(STYLE).render(
        light=LIGHT,
        dark=DARK,
        paper_light=PAPER_LIGHT,
        paper_dark=PAPER_DARK,
        polygons=[css_polygon(shape) for shape in SHAPES],
    )
    return environment.get_template(template).render(
        style=Markup(style),  # noqa: S704 - our own file, filled with our own colours
        policy=content_policy(style),
        markers=[svg_path(shape) for shape in SHAPES],
        colours=LIGHT,
        **content,
    )


def content_policy(style: str) -> str:
    """A Content-Security-Policy under which nothing is fetched, nothing runs, and only this style applies."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


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
    environment.filters["url"] = lambda text: quote(text, safe="")
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    return environment


def _finalize(value: object) -> object:
    """Print plainly: stored text with its hidden characters made visible, a place on an axis without zeros.

    Markup is our own, and passes.
    """
    if isinstance(value, float):
        return f"{value:g}"
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

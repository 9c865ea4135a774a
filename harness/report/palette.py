"""One colour and one marker per framework, the same in every chart of every run.

The colours were searched for: at least 3:1 against the page in light and dark, and told apart under
protanopia, deuteranopia and tritanopia (`tests/unit/test_report_palette.py` keeps that true). No chart leans on
colour alone: each mark has its framework's marker, and its name or a key of them beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PAPER_LIGHT: Final = "#FBFAF7"
PAPER_DARK: Final = "#15171A"

LIGHT: Final = ("#D45313", "#8660C5", "#178969", "#252A7E", "#724B13", "#46424C", "#A03F95", "#379BB1")
DARK: Final = ("#D15E10", "#D5A5F8", "#97CF92", "#7D8AD9", "#CF9C26", "#D3D4DE", "#F771A0", "#46B0C3")

Points = tuple[tuple[float, float], ...]

_TURN: Final = 2 * math.pi
SHAPES: Final[tuple[Points, ...]] = (
    tuple((5.2 * math.cos(_TURN * i / 24), 5.2 * math.sin(_TURN * i / 24)) for i in range(24)),  # circle
    ((-4.6, -4.6), (4.6, -4.6), (4.6, 4.6), (-4.6, 4.6)),  # square
    ((0, -6), (5.6, 4.4), (-5.6, 4.4)),  # triangle
    ((0, -6), (6, 0), (0, 6), (-6, 0)),  # diamond
    ((0, 6), (5.6, -4.4), (-5.6, -4.4)),  # triangle, point down
    (
        (-2, -6),
        (2, -6),
        (2, -2),
        (6, -2),
        (6, 2),
        (2, 2),
        (2, 6),
        (-2, 6),
        (-2, 2),
        (-6, 2),
        (-6, -2),
        (-2, -2),
    ),
    ((-3, -5.2), (3, -5.2), (6, 0), (3, 5.2), (-3, 5.2), (-6, 0)),  # hexagon
    ((-6, -2.6), (6, -2.6), (6, 2.6), (-6, 2.6)),  # bar
)
"""Corners around the origin in a square of 12 by 12: the one source of the markers in charts and in text."""


def svg_path(shape: Points) -> str:
    """A shape as the `d` of an SVG path around the origin."""
    return "M" + "L".join(f"{x:.3g} {y:.3g}" for x, y in shape) + "z"


def css_polygon(shape: Points) -> str:
    """A shape as a CSS polygon that fills its box."""
    return ",".join(f"{(x + 6) / 0.12:.3g}% {(y + 6) / 0.12:.3g}%" for x, y in shape)


_OWN_SLOT: Final = {"pytorch": 0, "tensorflow": 1, "jax": 2, "onnxruntime": 3, "openvino": 4}


def slots(frameworks: Iterable[str]) -> dict[str, int]:
    """The slot of each framework in the palette.

    The five that ship keep theirs in every run. Others take the slots behind those in the order of their names,
    and past the palette's end several share one: there the name stands beside each mark.
    """
    names = set(frameworks)
    others = sorted(names - _OWN_SLOT.keys())
    free = len(LIGHT) - len(_OWN_SLOT)
    placed = {name: len(_OWN_SLOT) + index % free for index, name in enumerate(others)}
    return {name: slot for name, slot in _OWN_SLOT.items() if name in names} | placed

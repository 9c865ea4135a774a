"""The palette's promises: contrast, and colours that colour-blind readers tell apart."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.report import palette
from harness.report.book import Book
from harness.report.palette import DARK, LIGHT, PAPER_DARK, PAPER_LIGHT, SHAPES, css_polygon, slots, svg_path
from harness.stats.cell import measure
from tests.factories import cell, image, result, run

STYLE = (Path(palette.__file__).parent / "templates" / "style.css").read_text()

Colour = NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson (2020).
TO_CONES = np.array(
    [
        [0.41222147, 0.53633254, 0.05144599],
        [0.21190350, 0.68069955, 0.10739696],
        [0.08830246, 0.28171884, 0.62997870],
    ]
)
TO_OKLAB = np.array(
    [
        [0.21045426, 0.79361779, -0.00407205],
        [1.97799850, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
)


def linear(colour: str) -> Colour:
    digits = colour.lstrip("#")
    channels = np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def seen(colour: str, vision: Colour) -> Colour:
    cones = np.cbrt(TO_CONES @ np.clip(vision @ linear(colour), 0, 1))
    return np.asarray(100 * TO_OKLAB @ cones)


def declared(name: str, *, dark: bool) -> str:
    found = re.findall(rf"--{name}: (#[0-9a-f]{{6}})", STYLE)
    return str(found[1 if dark else 0])


@pytest.mark.parametrize(("colours", "paper"), [(LIGHT, PAPER_LIGHT), (DARK, PAPER_DARK)])
def test_marks_stand_out_from_the_page(colours: tuple[str, ...], paper: str) -> None:
    assert min(contrast(colour, paper) for colour in colours) >= 3


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("vision", VISIONS)
def test_colours_are_told_apart(colours: tuple[str, ...], vision: str) -> None:
    seen_as = [seen(colour, VISIONS[vision]) for colour in colours]
    apart = [(float(np.linalg.norm(a - b)), i, j) for (i, a), (j, b) in combinations(enumerate(seen_as), 2)]

    assert min(distance for distance, *_ in apart) >= 7
    assert min(distance for distance, _, last in apart if last < 5) >= 10, "the five that ship"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("ink", ["ink", "muted", "link", "good", "warn", "bad"])
def test_text_is_readable(ink: str, *, dark: bool) -> None:
    paper = PAPER_DARK if dark else PAPER_LIGHT

    assert contrast(declared(ink, dark=dark), paper) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("shade", range(5))
def test_text_is_readable_on_every_shade_of_the_map(shade: int, *, dark: bool) -> None:
    assert contrast(declared("ink", dark=dark), declared(f"h{shade}", dark=dark)) >= 4.5


def test_the_five_keep_their_slots_in_every_run() -> None:
    assert slots(["openvino", "jax"]) == {"jax": 2, "openvino": 4}
    assert slots(["pytorch", "mine", "another"]) == {"pytorch": 0, "another": 5, "mine": 6}


def test_more_frameworks_than_colours_share() -> None:
    found = slots(f"variant-{index}" for index in range(9))

    assert len(found) == 9
    assert set(found.values()) == {5, 6, 7}


def test_every_colour_has_a_marker_of_its_own() -> None:
    assert len(LIGHT) == len(DARK) == len(SHAPES) == len(set(SHAPES))


def test_a_shape_is_the_same_in_charts_and_in_text() -> None:
    diamond = SHAPES[3]

    assert svg_path(diamond) == "M0 -6L6 0L0 6L-6 0z"
    assert css_polygon(diamond) == "50% 0%,100% 50%,50% 100%,0% 50%"


@pytest.mark.parametrize("dark", [False, True])
def test_a_failure_is_readable_between_and_on_its_stripes(*, dark: bool) -> None:
    ground, word = declared("bad-ground", dark=dark), declared("bad", dark=dark)
    share = float(re.findall(r"--bad-stripe: rgb\([\d ]+ / (\.\d+)\)", STYLE)[1 if dark else 0])
    stripe = "#" + "".join(
        f"{round(share * int(word[at : at + 2], 16) + (1 - share) * int(ground[at : at + 2], 16)):02x}"
        for at in (1, 3, 5)
    )

    for ink in ("bad", "ink"):
        assert min(contrast(declared(ink, dark=dark), below) for below in (ground, stripe)) >= 4.5


PHASES = range(4)


@pytest.mark.parametrize("dark", [False, True])
def test_the_phases_of_a_start_stand_out_from_the_page_and_from_each_other(*, dark: bool) -> None:
    phases = [declared(f"p{phase}", dark=dark) for phase in PHASES]
    paper = PAPER_DARK if dark else PAPER_LIGHT

    assert min(contrast(colour, paper) for colour in phases) >= 3
    assert min(contrast(one, after) for one, after in pairwise(phases)) >= 2
    for vision in VISIONS.values():
        seen_as = [seen(colour, vision) for colour in phases]
        assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen_as, 2)) >= 10


@pytest.mark.parametrize("dark", [False, True])
def test_the_band_of_a_comparison_is_seen(*, dark: bool) -> None:
    paper = PAPER_DARK if dark else PAPER_LIGHT
    edge, band = declared("muted", dark=dark), declared("band", dark=dark)

    assert contrast(band, paper) >= 1.35
    assert min(contrast(edge, ground) for ground in (paper, band)) >= 3


def test_images_of_tools_take_no_colour() -> None:
    cells = [result(cell("jax")), result(cell("mine"))]
    of = run(cells)
    tools = {f"{name}-tools": image(f"{name}-tools") for name in ("jax", "pytorch")}
    book = Book.of(of.model_copy(update={"images": of.images | tools}), measure(cells))
    assert book.slots["mine"] == 5
    assert not any(name.endswith("-tools") for name in book.slots)

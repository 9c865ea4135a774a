"""The pure parts of `make agree`: the interval of a median ratio, and when two tools agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.units import GIB
from tests.bench.agree import Claim
from tests.bench.place import usual_cell
from tests.bench.ratios import median_interval


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=60))
def test_an_interval_holds_its_median_and_lies_within_the_ratios(ratios: list[float]) -> None:
    low, middle, high = median_interval(ratios)
    assert min(ratios) <= low <= middle <= high <= max(ratios)


@pytest.mark.parametrize("pairs", [20, 150])
def test_it_covers_the_true_median_however_the_ratios_are_distributed(pairs: int) -> None:
    """A machine of two speeds makes ratios with heavy tails; the sign test does not mind."""
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(1000):
        ratios = np.exp(rng.normal(0, 0.02, pairs) + rng.choice([0, 0.6, -0.6], pairs, p=[0.8, 0.1, 0.1]))
        low, _, high = median_interval(ratios.tolist())
        covered += low <= 1 <= high
    assert covered >= 940


def claim(
    ratio: float, low: float, high: float, *, floor_us: float | None = None, tool_us: float = 10.0
) -> Claim:
    return Claim(
        framework="jax", model="spam-fnn", cpus=1, batch=1, clock="end_to_end", tool="bare loop",
        own_us=tool_us * ratio, tool_us=tool_us, low=low, ratio=ratio, high=high, pairs=100, floor_us=floor_us,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "verdict", "decided"),
    [
        (0.98, 1.02, "agrees", True),
        (0.98, 1.0295, "agrees", False),  # too close to the bound to stop here
        (0.98, 1.04, "UNSURE", False),
        (0.9, 1.1, "UNSURE", False),
        (1.031, 1.05, "DIFFERS", False),
        (1.04, 1.05, "DIFFERS", True),
        (0.9, 0.96, "DIFFERS", True),
    ],
)
def test_a_large_call_agrees_when_its_whole_interval_is_within_3_percent(
    low: float, high: float, verdict: str, *, decided: bool
) -> None:
    made = claim((low + high) / 2, low, high)
    assert (made.verdict, made.decided) == (verdict, decided)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.04, 1.045, "agrees"),
        (0.955, 0.96, "agrees"),
        (1.04, 1.06, "UNSURE"),
        (1.06, 1.07, "DIFFERS"),
        (0.93, 0.94, "DIFFERS"),
    ],
)
def test_a_small_call_may_differ_by_the_timers_floor_and_3_percent(
    low: float, high: float, verdict: str
) -> None:
    """0.2 of 10 us are 2 %, to either side."""
    assert claim((low + high) / 2, low, high, floor_us=0.2).verdict == verdict


@pytest.mark.parametrize(("model", "sequence"), [("spam-fnn", None), ("distilbert", 128)])
def test_a_usual_cell_has_its_models_own_sequence_length(model: str, sequence: int | None) -> None:
    assert usual_cell("jax", model, cpus=2, memory_bytes=GIB, batch=1).sequence == sequence

"""Invented replays of the article, for tests: figures of which everything is known."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.article.ladder import Ladder, load_ladder
from harness.article.readings import Edition, Reading, Readings, Sitting

if TYPE_CHECKING:
    from collections.abc import Mapping

LADDER: Final[Ladder] = load_ladder(Path(__file__).parent.parent / "images")
ROUNDS: Final = 5
FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    "work": {"openvino": 1 / 280, "onnxruntime": 1 / 30},
    "compiled": {"jax": 1 / 3, "tensorflow": 1 / 6},
    "gradients": {"pytorch": 0.8},
}
"""What each rung does to a framework's latency; nothing where it is not named."""
NOISE: Final = 0.01


def sittings(
    factors: Mapping[str, Mapping[str, float]] = FACTORS, *, rounds: int = ROUNDS, noise: float = NOISE
) -> tuple[Sitting, ...]:
    """Whole replays of both editions: the published figures, changed rung by rung, with a little noise."""
    drawn = random.Random(1)
    made = []
    for edition in Edition:
        level = {name: LADDER.published[name].latency_ms for name in LADDER.frameworks}
        for rung in LADDER.rungs:
            level = {name: value * factors.get(rung.name, {}).get(name, 1) for name, value in level.items()}
            made += [
                sitting(edition, rung.name, index, {n: v * drawn.gauss(1, noise) for n, v in level.items()})
                for index in range(rounds)
            ]
    return tuple(made)


def sitting(edition: Edition, rung: str, index: int, latencies: Mapping[str, float]) -> Sitting:
    """One sitting with these latencies, milliseconds by framework."""
    return Sitting(
        edition=edition,
        rung=rung,
        index=index,
        started_at=datetime(2026, 11, 24, tzinfo=UTC),
        readings=tuple(
            Reading(
                framework=name,
                version="1.0",
                latency_ms=value,
                cpu_percent=100.0,
                memory_mb=500.0,
                max_rel_error=None if rung == "article" else 1e-7,
            )
            for name, value in latencies.items()
        ),
    )


def write_replay(run_folder: Path, made: tuple[Sitting, ...]) -> None:
    """Lay a replay beside a stored run."""
    readings = Readings(run_folder)
    readings.write_ladder(LADDER)
    for each in made:
        readings.write(each)

"""What a replay leaves on disk, in `reports/<run-id>/article/`.

ladder.json                        what the article published, and the rungs
<edition>.<rung>.<round>.json      one per sitting, immutable
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from harness.article.ladder import Ladder
from harness.records import Count
from harness.results import SessionRound, Stored
from harness.store import read_model, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

LADDER: Final = "ladder.json"

Positive = Annotated[float, Field(gt=0)]


class Edition(StrEnum):
    """Which versions a sitting runs, all five in one environment."""

    ARTICLE = "article"
    """The article's, as far as they can be had."""
    CURRENT = "current"
    """Those that the matrix measures."""

    @property
    def words(self) -> str:
        """For people."""
        return "the article's versions" if self is Edition.ARTICLE else "the current versions"

    @property
    def image(self) -> str:
        """The folder in `images/`."""
        return "article" if self is Edition.ARTICLE else "article-current"


class Reading(Stored):
    """What one framework gave in one sitting; only `error` where it failed."""

    framework: str
    version: str | None = None
    latency_ms: Positive | None = None
    """Of a call: the article's mean, and from the rung `outside` on the median."""
    cpu_percent: Annotated[float, Field(ge=0)] | None = None
    memory_mb: Positive | None = None
    max_rel_error: Annotated[float, Field(ge=0)] | None = None
    """`None` where answers are not checked."""
    error: str | None = None


class Sitting(Stored):
    """One sitting: all frameworks on one rung, in one process or each in its own."""

    version: Literal[1] = 1
    edition: Edition
    rung: str
    index: int
    """The round."""
    session: Count = 0
    """How often the run had been gone on with."""
    started_at: datetime
    readings: tuple[Reading, ...]

    @property
    def session_round(self) -> SessionRound:
        """Beside which other sittings and trials it was measured."""
        return SessionRound(self.session, self.index)


class Readings:
    """The sittings of one run on disk.

    Args:
        run_folder: `reports/<run-id>`.
    """

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / "article"

    def path(self, edition: Edition, rung: str, index: int) -> Path:
        """Where a sitting's file is."""
        return self._folder / f"{edition}.{rung}.{index}.json"

    def write(self, sitting: Sitting) -> None:
        """Keep a finished sitting."""
        path = self.path(sitting.edition, sitting.rung, sitting.index)
        write_atomically(path, sitting.model_dump_json(indent=1, exclude_none=True))

    def write_ladder(self, ladder: Ladder) -> None:
        """Keep what the rungs were: a page can then be made again from the run alone."""
        write_atomically(self._folder / LADDER, ladder.model_dump_json(indent=1))

    def read_ladder(self) -> Ladder | None:
        """What the rungs were; `None` where the run replays no article.

        Raises:
            StoreError: the file is damaged.
        """
        path = self._folder / LADDER
        return read_model(path, Ladder) if path.exists() else None

    def read_all(self) -> tuple[Sitting, ...]:
        """All sittings, by name of their files; none where the run replays no article.

        Raises:
            StoreError: a file is damaged.
        """
        return tuple(read_model(path, Sitting) for path in sorted(self._folder.glob("*.*.*.json")))

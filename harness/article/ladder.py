"""What the article published and the ladder that leads away from its protocol: `images/article/ladder.yaml`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic looks at annotations
from typing import TYPE_CHECKING, Annotated, Final, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from harness.errors import ConfigError
from harness.results import Stored

if TYPE_CHECKING:
    from harness.config import Matrix

LADDER_FILE: Final = "ladder.yaml"
ROWS: Final = 1000
"""In one of the article's calls, or single rows in as many."""
MODEL: Final = "spam-fnn"

Positive = Annotated[float, Field(gt=0)]


class Published(Stored):
    """What the article says of one framework."""

    title: str
    latency_ms: Positive
    """Of a call."""
    cpu_percent: Positive
    """100 is one core."""
    memory_mb: Positive
    """Resident, in units of 1024 * 1024 bytes."""
    conclusion: str
    """What a reader takes from its line of the table."""


class Rung(Stored):
    """One step away from the article: a flaw that is taken away."""

    name: str
    title: str
    change: str
    """What is done otherwise from here on."""
    place: str
    """Why it stands where it does."""


class Ladder(Stored):
    """The article, and the way from it to the fair measurement."""

    title: str
    baseline: str
    """The one that the others are told relative to."""
    published: Annotated[dict[str, Published], Field(min_length=2)]
    """By framework, in the order in which one process goes through them."""
    versions: dict[str, str]
    """That the article used, by distribution."""
    differing: dict[str, str]
    """Why one of them is not in the image, by distribution."""
    rungs: Annotated[tuple[Rung, ...], Field(min_length=2)]
    """From the article upwards."""
    top: Rung
    """Above the ladder: the ordinary matrix, which no sitting measures."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.baseline not in self.published:
            raise ValueError("`baseline` is none of the frameworks")
        if len({rung.name for rung in (*self.rungs, self.top)}) != len(self.rungs) + 1:
            raise ValueError("two rungs have the same name")
        return self

    def gone(self, rung: Rung) -> tuple[str, ...]:
        """The names of the flaws that are taken away on a rung: its own and those of the rungs before it."""
        return tuple(each.name for each in self.rungs[1 : self.rungs.index(rung) + 1])

    @property
    def whole(self) -> Ladder:
        """The ladder with the ordinary matrix as its last rung."""
        return self.model_copy(update={"rungs": (*self.rungs, self.top)})

    @property
    def frameworks(self) -> tuple[str, ...]:
        """All of them, in the order of the article's process."""
        return tuple(self.published)

    @property
    def order(self) -> tuple[str, ...]:
        """The published order, the fastest first."""
        return tuple(sorted(self.frameworks, key=lambda name: self.published[name].latency_ms))


def load_ladder(images: Path) -> Ladder:
    """Read the ladder.

    Args:
        images: the folder of all images.

    Raises:
        ConfigError: the file is not what it should be.
    """
    file = images / "article" / LADDER_FILE
    try:
        return Ladder.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ConfigError(
            f"{file} is no ladder.", why=str(error), fix="Restore it from the repository."
        ) from error


def check_replay(matrix: Matrix, ladder: Ladder) -> None:
    """See that a matrix that replays the article has the cells that its top rung is: they are what it is held against.

    Raises:
        ConfigError: it has others.
    """
    crossed = matrix.crossed
    needed = {
        "frameworks": (set(crossed.frameworks), set(ladder.frameworks)),
        "models": (set(crossed.models), {MODEL}),
        "batch": (set(crossed.batch), {ROWS}),
        "threads": (set(crossed.threads), {"match"}),
    }
    wrong = next((key for key, (found, wanted) in needed.items() if found != wanted), None)
    one = len(crossed) == len(ladder.frameworks) and not matrix.included and not matrix.excluded
    plain = all(framework.extends == name for name, framework in matrix.frameworks.items())
    if wrong or not one or not plain:
        raise ConfigError(
            f"the matrix {matrix.name} replays the article beside other cells than the article's",
            why=f"those are {', '.join(ladder.frameworks)} on {MODEL}, {ROWS} rows a call, match as threads, one limit"
            + (f"; `{wrong}` has others" if wrong else ""),
            fix="take examples/article.yaml, or remove `article` from the protocol",
        )

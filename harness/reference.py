"""The reference probe: how fast the machine itself is, measured in a small container on a cell's CPUs."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.container import LABEL_RUN, ContainerSpec
from harness.deadline import Deadline
from harness.results import Positive, ReferenceProbe
from harness.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.engine import Engine
    from harness.results import Requested
    from harness.runs import Image

SECONDS: Final = 1.0
"""The matrix product gets 0.6 of it: long enough to be worth reading, and longer ones are no steadier
(`python -m tests.bench.probe_length`, docs/measuring.md)."""
TIMEOUT_S: Final = 60.0
MEMORY_BYTES: Final = 1024 * MIB
MOST_REPETITIONS: Final = 100_000

Times = Annotated[tuple[Positive, ...], Field(min_length=1, max_length=MOST_REPETITIONS)]


class _Answer(BaseModel):
    """What `python3 -m runner.reference` prints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    multiply_adds: Positive
    matmul_ns: Times
    copy_bytes: Positive
    copy_ns: Times
    loop_ns: Times


def run_reference(
    engine: Engine,
    image: Image,
    requested: Requested,
    *,
    run_id: str,
    number: int,
    on_tick: Callable[[], None],
    session: int = 0,
) -> ReferenceProbe | None:
    """Measure the machine once.

    Args:
        engine: where.
        image: one that holds numpy and the runner.
        requested: the CPUs, as a cell beside it gets them; its memory cap is the probe's own.
        run_id: whose probe it is.
        number: of the probe in its run.
        on_tick: called once a second at the most.
        session: of the run.

    Returns:
        `None` where the probe did not end well: a run goes on without it.

    Raises:
        EngineError: the engine does not answer any more.
    """
    limits = requested.model_copy(update={"memory_bytes": MEMORY_BYTES})
    threads = len(requested.cpuset) if requested.cpuset else math.ceil(requested.quota_cpus or 1)
    spec = ContainerSpec(
        image=image.id,
        name=f"edgematrix-{run_id}-probe-{number}",
        labels={LABEL_RUN: run_id},
        module="runner.reference",
        limits=limits,
    )
    started_at = datetime.now(UTC)
    lines: list[bytes] = []
    job = json.dumps({"threads": threads, "seconds": SECONDS}).encode() + b"\n"
    outcome = engine.run(spec, stdin=job, on_line=lines.append, deadline=Deadline(TIMEOUT_S), on_tick=on_tick)
    if outcome.exit_code != 0 or len(lines) != 1:
        return None
    try:
        answer = _Answer.model_validate_json(lines[0])
    except ValidationError:
        return None
    return ReferenceProbe(
        number=number,
        session=session,
        started_at=started_at,
        requested=limits,
        threads=threads,
        **answer.model_dump(),
    )

"""Run one sitting: the article's benchmark on one rung, in a container of its image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from harness.article.readings import Reading, Sitting
from harness.container import LABEL_RUN, ContainerSpec
from harness.deadline import Deadline
from harness.errors import EngineError
from harness.events import Tick
from harness.records import Limits
from harness.verdict import limit_mismatches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.article.ladder import Ladder, Rung
    from harness.article.readings import Edition
    from harness.container import Mount, Outcome
    from harness.engine import Engine
    from harness.events import Listener
    from harness.results import Requested
    from harness.runs import Image

TIMEOUT_S: Final = 3600.0
"""Of one container: OpenVINO alone makes a million requests in the article's protocol."""
MODULE: Final = "article"
OWN_PROCESS: Final = "process"
"""The rung from which on each framework has a process of its own."""
LIMITS: Final = "limits"
ERROR_LIMIT: Final = 500


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What all sittings of a run share.

    Attributes:
        engine: where the containers run.
        ladder: the rungs.
        images: of each edition.
        mounts: the model and its inputs, read-only.
        requested: the device's limits, as the matrix's cells get them on this host.
        threads: what a framework is told once it is told.
        run_id: whose containers they are.
        session: of that run.
        listener: gets every event.
    """

    engine: Engine
    ladder: Ladder
    images: Mapping[Edition, Image]
    mounts: tuple[Mount, ...]
    requested: Requested
    threads: int
    run_id: str
    session: int
    listener: Listener


def sit(desk: Desk, edition: Edition, rung: Rung, index: int) -> Sitting:
    """Measure all frameworks on one rung.

    Raises:
        EngineError: the engine does not answer any more.
    """
    started_at = datetime.now(UTC)
    gone = desk.ladder.gone(rung)
    frameworks = desk.ladder.frameworks
    groups = [(name,) for name in frameworks] if OWN_PROCESS in gone else [frameworks]
    readings = [reading for group in groups for reading in _run(desk, edition, gone, group)]
    return Sitting(
        edition=edition,
        rung=rung.name,
        index=index,
        session=desk.session,
        started_at=started_at,
        readings=tuple(readings),
    )


def _run(desk: Desk, edition: Edition, gone: Sequence[str], frameworks: Sequence[str]) -> list[Reading]:
    """Run one container; a framework of which it says nothing gets the reason as its reading."""
    limited = LIMITS in gone
    spec = ContainerSpec(
        image=desk.images[edition].id,
        name=f"edgematrix-{desk.run_id}-article",
        labels={LABEL_RUN: desk.run_id},
        module=MODULE,
        mounts=desk.mounts,
        limits=desk.requested if limited else None,
    )
    job = {"gone": gone, "frameworks": frameworks, "threads": desk.threads}
    lines: list[bytes] = []
    outcome = desk.engine.run(
        spec,
        stdin=json.dumps(job).encode() + b"\n",
        on_line=lines.append,
        deadline=Deadline(TIMEOUT_S),
        on_tick=lambda: desk.listener(Tick()),
    )
    if outcome.error is not None:
        raise EngineError("a sitting of the article could not be run", why=outcome.error)
    read = {reading.framework: reading for reading in map(parse_reading, lines[1:])}
    strange = read[""].error if "" in read else None
    wrong = _limits_fault(lines, desk.requested) if limited else None
    return [
        Reading(framework=name, error=wrong)
        if wrong
        else read.get(name) or Reading(framework=name, error=strange or _cause(outcome))
        for name in frameworks
    ]


def parse_reading(line: bytes) -> Reading:
    """One framework's line; of one that makes no sense nobody knows whose it is, and it has no name."""
    try:
        return Reading.model_validate_json(line)
    except ValidationError as error:
        return Reading(framework="", error=f"its figures make no sense: {error.errors()[0]['msg']}")


def _limits_fault(lines: Sequence[bytes], requested: Requested) -> str | None:
    """Which limits do not hold, as read back from inside."""
    try:
        limits = Limits.model_validate_json(lines[0]) if lines else None
    except ValidationError:
        limits = None
    return "; ".join(limit_mismatches(limits, requested)) or None


def _cause(outcome: Outcome) -> str:
    """Why a container said nothing of a framework."""
    if outcome.out_of_time_s is not None:
        return f"not done within {outcome.out_of_time_s:g} s"
    if outcome.oom_flag:
        return "killed for memory"
    return f"exit code {outcome.exit_code}: {outcome.log_tail.strip()[-ERROR_LIMIT:]}"

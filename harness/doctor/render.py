"""An examination as text and as JSON, fit to be shown to strangers."""

from __future__ import annotations

import re
import socket
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness import __version__
from harness.doctor.checks import Verdict
from harness.doctor.noise import PROBES, percent
from harness.owner import user_name
from harness.reference import SECONDS
from harness.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.doctor.checks import Check
    from harness.doctor.diagnosis import Diagnosis
    from harness.doctor.noise import Noise

DOCUMENT_VERSION: Final = 1
ADDRESS: Final = re.compile(r"\b[a-z0-9+]+://[^\s'\"),;]+")
PATH: Final = re.compile(r"(?<![\w/.])~?/[^\s'\":),;]+")
SHORTEST_NAME: Final = 3
"""Shorter user and host names would hit ordinary words."""
ORDINARY_NAMES: Final = frozenset({"root", "docker", "localhost", "engine", "host", "debian", "ubuntu"})
"""They name nobody, and stand in sentences."""


def as_lines(diagnosis: Diagnosis) -> Iterator[str]:
    """The report for people; the most important line is the last."""
    width = max(len(check.name) for check in diagnosis.checks)
    for check in diagnosis.checks:
        yield f"{check.verdict:<4}  {check.name:<{width}}  {check.found}"
        if check.cure:
            yield f"{'':<4}  {'':<{width}}  cure: {check.cure}"
    if diagnosis.noise:
        yield ""
        yield from noise_table(diagnosis.noise)
    yield ""
    yield conclusion(diagnosis)


def noise_table(figures: Sequence[Noise]) -> Iterator[str]:
    """The noise figures, a line each."""
    yield f"noise: {PROBES} reference probes of {SECONDS:g} s, each in a fresh container, interleaved"
    head = ("CPUs of", "work", "speed", "between probes", "within a probe", "worst move", "told apart from")
    rows = [head]
    for noise in figures:
        speed = f"{noise.speed:.3g}" if noise.speed < 1000 else f"{noise.speed:.0f}"
        rows.append(
            (
                noise.cell,
                noise.work,
                f"{speed} {noise.unit}",
                percent(noise.between),
                f"x {noise.within:.2f}",
                f"x {noise.move:.2f}",
                percent(noise.resolution) + ("  two speeds" if noise.speeds else ""),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        yield "  ".join(f"{word:<{width}}" for word, width in zip(row, widths, strict=True)).rstrip()


def conclusion(diagnosis: Diagnosis) -> str:
    """Whether measuring is possible, and what comes next."""
    counts = Counter(check.verdict for check in diagnosis.checks)
    words = ", ".join(
        counted(number, "note") if verdict is Verdict.NOTE else f"{number} {verdict}"
        for verdict in Verdict
        if (number := counts[verdict])
    )
    if diagnosis.possible:
        return f"measuring is possible ({words}); next: edgematrix run matrix.yaml"
    names = ", ".join(check.name for check in diagnosis.checks if check.verdict is Verdict.BAD)
    return f"measuring is not possible now ({words}): see {names}"


def as_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The report for programs (`docs/doctor.md`)."""
    return {
        "kind": "doctor",
        "version": DOCUMENT_VERSION,
        "harness_version": __version__,
        "possible": diagnosis.possible,
        "checks": [asdict(check) for check in diagnosis.checks],
        "noise": [asdict(noise) for noise in diagnosis.noise],
    }


def own_names() -> tuple[str, ...]:
    """What the report must not tell: this user, this host, this home."""
    host = socket.gethostname()
    return (str(Path.home()), user_name(), host, host.partition(".")[0])


def anonymized(check: Check, names: Sequence[str]) -> Check:
    """A check without the addresses, paths and names that an error's text may carry.

    Args:
        check: as it was judged.
        names: of user, host and home.
    """
    found = PATH.sub("<path>", ADDRESS.sub("<address>", check.found))
    return replace(
        check, found=without(found, names), cure=without(ADDRESS.sub("<address>", check.cure), names)
    )


def without(text: str, names: Sequence[str]) -> str:
    """A text with some names left out, where they stand as words."""
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= SHORTEST_NAME and name not in ORDINARY_NAMES:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<name>", text)
    return text

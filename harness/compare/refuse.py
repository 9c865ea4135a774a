"""What keeps two runs from being compared: differences that would be taken for a change of the cells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.errors import NotComparableError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.compare.rows import Row
    from harness.results import Requested, Run, Trial


class Kind(StrEnum):
    """What may differ between two runs."""

    HOST = "host"
    LIMITS = "limits"
    IMAGES = "images"
    MODELS = "models"
    PROTOCOL = "protocol"


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One thing that differs."""

    kind: Kind
    text: str


def mismatches(base: Run, new: Run, rows: Sequence[Row]) -> tuple[Mismatch, ...]:
    """Everything that differs between two runs beside their figures."""
    return (
        *_host(base, new),
        *_protocol(base, new),
        *_images(base, new),
        *_models(base, new),
        *(mismatch for row in rows for mismatch in _limits(row)),
    )


def refuse(found: Sequence[Mismatch], allowed: Collection[Kind]) -> None:
    """Refuse to compare unless each difference is the one that is meant.

    Raises:
        NotComparableError: one is not; all of them are told.
    """
    left = [mismatch for mismatch in found if mismatch.kind not in allowed]
    if left:
        kinds = dict.fromkeys(mismatch.kind for mismatch in left)
        raise NotComparableError(
            "these runs are not the same measurement",
            why="\n     ".join(mismatch.text for mismatch in left[:MOST]) + _more(len(left) - MOST),
            fix=f"if that difference is what you mean to see: {' '.join(f'--allow {kind}' for kind in kinds)}",
        )


MOST = 12
"""Differences that a message lists."""


def _more(count: int) -> str:
    return f"\n     and {count} more" if count > 0 else ""


def _host(base: Run, new: Run) -> Iterator[Mismatch]:
    if base.host.fingerprint != new.host.fingerprint:
        facts = ("cpu_model", "logical_cpus", "memory_bytes", "kernel", "cgroup_version", "engine_version")
        pairs = [(name, getattr(base.host, name), getattr(new.host, name)) for name in facts]
        told = [f"{name} {one} against {other}" for name, one, other in pairs if one != other]
        yield Mismatch(kind=Kind.HOST, text=f"host: {'; '.join(told) or 'another topology'}")


def _protocol(base: Run, new: Run) -> Iterator[Mismatch]:
    for name in ("warmup_s", "budget_s", "min_iterations", "max_iterations", "page_cache"):
        one, other = getattr(base.protocol, name), getattr(new.protocol, name)
        if one != other:
            yield Mismatch(kind=Kind.PROTOCOL, text=f"protocol: {name} {one} against {other}")


def _images(base: Run, new: Run) -> Iterator[Mismatch]:
    for name in sorted(base.images.keys() & new.images.keys()):
        one, other = base.images[name], new.images[name]
        if one.fingerprint != other.fingerprint:
            changed = [
                f"{package} {one.packages.get(package, 'none')} against {other.packages.get(package, 'none')}"
                for package in sorted(one.packages | other.packages)
                if one.packages.get(package) != other.packages.get(package)
            ]
            told = ", ".join(changed) or "the same packages, another runner, adapter or base"
            yield Mismatch(kind=Kind.IMAGES, text=f"image {name}: {told}")


def _models(base: Run, new: Run) -> Iterator[Mismatch]:
    for name in sorted(base.models.keys() & new.models.keys()):
        one, other = base.models[name].hash, new.models[name].hash
        if one != other:
            yield Mismatch(kind=Kind.MODELS, text=f"model {name}: artefacts {one[:12]} against {other[:12]}")


def _limits(row: Row) -> Iterator[Mismatch]:
    if row.base is None or row.new is None:
        return
    one, other = (_first(side.result.trials) for side in (row.base, row.new))
    if one is not None and other is not None and one.requested != other.requested:
        told = "; ".join(_differing(one.requested, other.requested))
        yield Mismatch(kind=Kind.LIMITS, text=f"{row.cell_id}: {told}")


def _first(trials: Sequence[Trial]) -> Trial | None:
    return trials[0] if trials else None


def _differing(one: Requested, other: Requested) -> Iterator[str]:
    for name in type(one).model_fields:
        first, second = getattr(one, name), getattr(other, name)
        if first != second:
            yield f"{name} {first} against {second}"

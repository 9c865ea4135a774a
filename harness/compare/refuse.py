"""What keeps two runs from being compared: differences that would be taken for a change of the cells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.errors import NotComparableError
from harness.names import TOOLS_SUFFIX
from harness.report.formats import visible
from harness.results import NULL_FRAMEWORK
from harness.runs import differs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.compare.rows import Row
    from harness.results import Requested, Trial
    from harness.runs import Run


MOST: Final = 12
"""Differences that a message lists."""


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
    """Everything that differs between two runs beside their figures, as far as the cells of both are concerned."""
    common = [row.base.result.cell for row in rows if row.base is not None and row.new is not None]
    frameworks = {cell.framework for cell in common}
    return (
        *_host(base, new),
        *_protocol(base, new),
        # The null framework's image holds the probe.
        *_images(base, new, {NULL_FRAMEWORK, *frameworks, *(f"{name}{TOOLS_SUFFIX}" for name in frameworks)}),
        *_variants(base, new, frameworks),
        *_models(base, new, {cell.model for cell in common}),
        *(mismatch for row in rows for mismatch in _limits(row)),
    )


def refuse(found: Sequence[Mismatch], allowed: Collection[Kind]) -> None:
    """Refuse to compare unless each difference is the one that is meant.

    Raises:
        NotComparableError: one is not; all of them are told.
    """
    left = [mismatch for mismatch in found if mismatch.kind not in allowed]
    if left:
        options = " ".join(f"--allow {kind}" for kind in dict.fromkeys(mismatch.kind for mismatch in left))
        told = ("base against new:", *(visible(mismatch.text) for mismatch in left[:MOST]))
        raise NotComparableError(
            "these runs are not the same measurement",
            why="\n     ".join(told) + _more(len(left) - MOST),
            fix=f"measure both alike, or, if that difference is what you mean to see, add {options}",
        )


def _more(count: int) -> str:
    return f"\n     and {count} more" if count > 0 else ""


def _host(base: Run, new: Run) -> Iterator[Mismatch]:
    if base.host.fingerprint != new.host.fingerprint:
        facts = ("cpu_model", "logical_cpus", "memory_bytes", "kernel", "cgroup_version", "engine_version")
        pairs = [(name, getattr(base.host, name), getattr(new.host, name)) for name in facts]
        told = [f"{name} {one} against {other}" for name, one, other in pairs if one != other]
        marks = f"fingerprint {base.host.fingerprint} against {new.host.fingerprint}"
        yield Mismatch(kind=Kind.HOST, text=f"host: {'; '.join(told) or 'another topology'}; {marks}")


def _protocol(base: Run, new: Run) -> Iterator[Mismatch]:
    for name in ("warmup_s", "budget_s", "min_iterations", "max_iterations", "page_cache"):
        one, other = getattr(base.protocol, name), getattr(new.protocol, name)
        if one != other:
            yield Mismatch(kind=Kind.PROTOCOL, text=f"protocol: {name} {one} against {other}")


def _images(base: Run, new: Run, names: Collection[str]) -> Iterator[Mismatch]:
    for name in sorted(base.images.keys() & new.images.keys() & set(names)):
        one, other = base.images[name], new.images[name]
        if one.fingerprint != other.fingerprint:
            changed = [
                f"{package} {one.packages.get(package, 'none')} against {other.packages.get(package, 'none')}"
                for package in sorted(one.packages | other.packages)
                if one.packages.get(package) != other.packages.get(package)
            ]
            told = ", ".join(changed) or "the same packages, another runner, adapter or base"
            told += f"; built from {one.fingerprint[:12]} against {other.fingerprint[:12]}"
            yield Mismatch(kind=Kind.IMAGES, text=f"image {name}: {told}")


def _variants(base: Run, new: Run, names: Collection[str]) -> Iterator[Mismatch]:
    for name in sorted(base.frameworks.keys() & new.frameworks.keys() & set(names)):
        one, other = base.frameworks[name], new.frameworks[name]
        if one != other:
            told = [
                f"{key} {getattr(one, key)} against {getattr(other, key)}"
                for key in type(one).model_fields
                if getattr(one, key) != getattr(other, key)
            ]
            yield Mismatch(kind=Kind.IMAGES, text=f"framework {name}: {', '.join(told)}")


def _models(base: Run, new: Run, names: Collection[str]) -> Iterator[Mismatch]:
    for name in sorted(base.models.keys() & new.models.keys() & set(names)):
        one, other = base.models[name], new.models[name]
        if one.hash != other.hash:
            told = f"artefacts {one.hash[:12]} against {other.hash[:12]}"
            yield Mismatch(kind=Kind.MODELS, text=f"model {name}: {told}")
        elif differs(one, other):
            yield Mismatch(kind=Kind.MODELS, text=f"model {name}: other inputs, or another reference of them")


def _limits(row: Row) -> Iterator[Mismatch]:
    if row.base is None or row.new is None:
        return
    told = list(_differing(*(_asked(side.result.counted) for side in (row.base, row.new))))
    proofs = [side.stats.limits_enforced for side in (row.base, row.new)]
    if False in proofs:
        words = ["unknown" if proof is None else "enforced" if proof else "not enforced" for proof in proofs]
        told.append(f"limits {words[0]} against {words[1]}")
    if told:
        yield Mismatch(kind=Kind.LIMITS, text=f"{row.cell_id}: {'; '.join(told)}")


def _asked(trials: Sequence[Trial]) -> tuple[Requested, ...]:
    """What was asked for a cell's trials: one thing, or several."""
    return tuple(dict.fromkeys(trial.requested for trial in trials))


def _differing(one: Sequence[Requested], other: Sequence[Requested]) -> Iterator[str]:
    if not (one and other):
        return
    for name in type(one[0]).model_fields:
        first, second = (list(dict.fromkeys(getattr(each, name) for each in side)) for side in (one, other))
        if set(first) != set(second):
            yield f"{name} {_values(first)} against {_values(second)}"


def _values(found: Sequence[object]) -> str:
    return " or ".join(str(value) for value in found)

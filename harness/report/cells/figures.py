"""All figures of one cell, named and with their units; what is unknown is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.formats import duration, mebibytes, number, rounded, share, time_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.report.provenance import Facts
    from harness.stats.cell import CellStats
    from harness.stats.intervals import Estimate


def figures(stats: CellStats) -> Facts:
    """The figures of a cell; with bounds where they have some."""
    return tuple(_figures(stats))


def _figures(stats: CellStats) -> Iterator[tuple[str, str]]:
    times = (
        ("p50", stats.p50_ms),
        ("p90", stats.p90_ms),
        ("p95", stats.p95_ms),
        ("p99", stats.p99_ms),
        ("core p50", stats.core_p50_ms),
        ("to the first answer", stats.cold_start_ms),
    )
    yield from ((name, _time(found)) for name, found in times if found is not None)
    if stats.rss_peak_bytes is not None:
        yield "resident peak", _peak(stats.rss_peak_bytes)
    singles: tuple[tuple[str, float | None, Callable[[float], str]], ...] = (
        ("anonymous peak", stats.anon_peak_bytes, _size),
        ("cgroup peak", stats.cgroup_peak_bytes, _size),
        ("throughput", stats.throughput_per_s, lambda value: f"{rounded(value)} items/s"),
        ("CPU time per call", stats.cpu_ms_per_inference, duration),
        ("cores used", stats.cores_used, number),
        ("in the kernel", stats.system_share, share),
        ("throttled", stats.throttled_fraction, share),
        ("busy threads", stats.busy_threads, lambda value: f"{value:g}"),
        ("growth", stats.growth_bytes_per_call, lambda value: f"{number(value)} B/call"),
        ("of the machine's peak", stats.peak_share, share),
        ("calls", stats.iterations, lambda value: f"{value:,.0f}"),
        ("precision", stats.precision, lambda value: f"± {share(value)}"),
        ("largest relative error", stats.max_rel_error, lambda value: f"{value:.3g}"),
    )
    yield from ((name, text(value)) for name, value, text in singles if value is not None)


def _size(size: float) -> str:
    return f"{mebibytes(size)} MiB"


def _time(found: Estimate) -> str:
    unit = time_unit([found.value])
    bounds = f" {unit.bounds(found)}" if found.low is not None else ""
    return f"{unit.number(found.value)} {unit.name}{bounds}"


def _peak(found: Estimate) -> str:
    bounds = f" [{mebibytes(found.low)}, {mebibytes(found.high)}]" if found.low is not None else ""
    return f"{_size(found.value)}{bounds}"

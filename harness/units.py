"""Bytes, CPUs and seconds: parsed and printed here, plain numbers everywhere else.

Inside the harness memory is `int` bytes, CPU time and wall time are nanoseconds (`int`) where they were measured
and seconds (`float`) where they were asked for, and CPUs are `float` with a resolution of one millicore.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

KIB: Final = 1024
MIB: Final = 1024**2
GIB: Final = 1024**3
MS_PER_S: Final = 1e3

MEMORY_SPELLINGS: Final = "512MiB, 8GiB (binary), 512MB, 8GB (decimal), or Docker's 512m, 8g (binary)"

_MEMORY_UNITS: Final = {
    "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": 1024**4,
    "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4,
    "k": KIB, "m": MIB, "g": GIB, "t": 1024**4,
}  # fmt: skip
_NUMBER: Final = r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,9})?)"
_MEMORY: Final = re.compile(_NUMBER + r" ?(?P<unit>[A-Za-z]+)")
_DURATION: Final = re.compile(_NUMBER + r" ?(?P<unit>ms|s|m|h)")
_DURATION_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_memory(text: str) -> int:
    """Read a memory size that carries its unit.

    Returns:
        Bytes.

    Raises:
        ValueError: no unit, an unknown unit, or not a whole number of bytes; the message says what to write.
    """
    match = _MEMORY.fullmatch(text.strip(" "))
    if match is None or match["unit"] not in _MEMORY_UNITS:
        raise ValueError(f"{text!r} is not a memory size; write one of {MEMORY_SPELLINGS}")
    size = Decimal(match["number"]) * _MEMORY_UNITS[match["unit"]]
    if size < 1 or size != size.to_integral_value():
        raise ValueError(
            f"{text!r} is not a whole, positive number of bytes; write one of {MEMORY_SPELLINGS}"
        )
    return int(size)


def format_memory(size: int) -> str:
    """Print bytes for people: the largest binary unit that leaves a number of at least one, three digits."""
    for unit, factor in (("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} B"


def memory_id(size: int) -> str:
    """Print bytes for a cell's id: the largest binary unit that is exact, such as `8g`, `512m` or `7812500k`."""
    for unit, factor in (("g", GIB), ("m", MIB), ("k", KIB)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}b"


def cpus_id(cpus: float) -> str:
    """Print CPUs for a cell's id: `2`, or millicores such as `500m` where they are not whole."""
    millis = round(cpus * 1000)
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def parse_duration(text: str) -> float:
    """Read a duration such as `90s`, `1.5m`, `2h` or `500ms`.

    Returns:
        Seconds.

    Raises:
        ValueError: not a number with one of these units; the message says what to write.
    """
    match = _DURATION.fullmatch(text.strip(" "))
    if match is None or float(match["number"]) <= 0:
        raise ValueError(
            f"{text!r} is not a duration; write a positive number with ms, s, m or h, such as 90s"
        )
    return float(match["number"]) * _DURATION_UNITS[match["unit"]]


def format_duration(seconds: float) -> str:
    """Print seconds for people: `15.3 µs`, `850 ms`, `12.3 s`, `4 min 05 s` or `2 h 03 min`."""
    for unit, factor, end in (("µs", 1e6, 1000), ("ms", 1e3, 1000), ("s", 1, 60)):
        digits = f"{seconds * factor:.3g}"
        if float(digits) < end:
            return f"{digits} {unit}"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def counted(count: int, noun: str) -> str:
    """`1 cell`, `2,000 cells`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def in_percent(part: float, digits: int = 0) -> str:
    """`13 %`, `2.5 %`."""
    return f"{100 * part:.{digits}f} %"

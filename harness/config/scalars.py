"""The single values of a matrix file: what each accepts, and what it says to everything else.

Each type is checked by one function that words its own complaint, so that no message reads like a validator.
Values stay as they were written (`8GB`, `0.3s`), so that `resolved()` can repeat them. In the JSON Schema a `$comment`
says in a word what a pattern stands for; the reference repeats it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.config.mistakes import did_you_mean, show
from harness.names import LONGEST_NAME, NAME_PATTERN, NAME_RULE, is_name
from harness.records import Phase
from harness.results import EXPECTABLE, MAX_THREADS, CpuMode
from harness.units import MEMORY_SPELLINGS, MIB, parse_duration, parse_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import StrEnum

VERSION_PATTERN: Final = r"[0-9][0-9A-Za-z.+!-]*"
COMPLAINT: Final = "edgematrix"
"""The error type that marks a complaint worded here; its context holds `what` and `fix`."""

MIN_CPUS: Final = 0.01
"""The smallest share that the kernel's scheduler and Docker take."""
MAX_CPUS: Final = 4096
MIN_MEMORY: Final = 6 * MIB
"""Docker refuses less."""
MAX_MEMORY: Final = 1024**5
MAX_DIMENSION: Final = 1_000_000
MAX_DURATION_S: Final = 24 * 3600.0
MAX_PRECISION_PERCENT: Final = 50
_MAX_REASON: Final = 500
_MEMORY_UNITS: Final = ("KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB", "k", "m", "g", "t")
_CPUS_RANGE: Final = f"write a number from {MIN_CPUS} to {MAX_CPUS}, such as 1, 2 or 0.5"
_DIGITS: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MAX_DIGITS: Final = 18
"""Longer ones stay text without quotes too."""
_NUMBER_AND_UNIT: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-z]+)")


def complaint(what: str, fix: str) -> PydanticCustomError:
    """An error that carries its own words through pydantic, which keeps the path."""
    return PydanticCustomError(COMPLAINT, "{what}", {"what": what, "fix": fix})


def check_name(value: object) -> str:
    """The name of a framework, a variant, a model or a device."""
    fix = f"use {NAME_RULE}"
    if isinstance(value, str):
        if is_name(value):
            return value
    elif isinstance(value, int) and _accepts(check_name, str(value).lower()):
        fix = f'quote it, if that is its name: "{str(value).lower()}"'
    elif isinstance(value, tuple | dict):
        fix = "write plain text"
    raise complaint(f"{show(value)} is not a name", fix)


def check_cpus(value: object) -> float:
    """Cores, or a share of them."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = "text, not" if isinstance(value, str) else "not"
        raise complaint(f"{show(value)} is {kind} a number of CPUs", _cpus_fix(value))
    if not MIN_CPUS <= value <= MAX_CPUS:  # NaN is in no range
        raise complaint(f"{show(value)} is not a possible number of CPUs", _CPUS_RANGE)
    if value != round(value, 3):  # ids have millicores: two numbers that differ by less would share one
        raise complaint(f"{show(value)} has more than three decimals", f"write {round(value, 3):.7g}")
    return float(value)


def check_memory(value: object) -> str:
    """A size with its unit, kept as written."""
    spellings = f"write one of {MEMORY_SPELLINGS}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        meant = [f"{value}{unit}" for unit in ("GiB", "MiB") if _accepts(check_memory, f"{value}{unit}")]
        raise complaint(f"{show(value)} has no unit", f"write {' or '.join(meant)}" if meant else spellings)
    try:
        size = parse_memory(value if isinstance(value, str) else "")
    except ValueError as error:
        near = _near_memory(value) if isinstance(value, str) else None
        if near == value:
            what, fix = "is no whole number of bytes that a machine could have", spellings
        else:
            what = "is not a memory size"
            fix = f"did you mean `{near}`? {spellings}" if _accepts(check_memory, near) else spellings
        raise complaint(f"{show(value)} {what}", fix) from error
    if size < MIN_MEMORY:
        raise complaint(f"{show(value)} is less than Docker takes as a cap", "write at least 6MiB")
    if size > MAX_MEMORY:
        raise complaint(f"{show(value)} is more than any machine has", "write at most 1024TiB")
    return str(value)


def check_duration(value: object) -> str:
    """A time with its unit, kept as written."""
    fix = "write a positive number with ms, s, m or h, such as 500ms, 90s or 2m"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if _accepts(check_duration, f"{value}s"):
            fix = f"write {value}s, or another of ms, s, m and h"
        raise complaint(f"{show(value)} has no unit", fix)
    try:
        seconds = parse_duration(value if isinstance(value, str) else "")
    except ValueError as error:
        raise complaint(f"{show(value)} is not a duration", fix) from error
    if seconds > MAX_DURATION_S:
        raise complaint(f"{show(value)} is too long", "write at most 24h")
    return str(value)


def check_version(value: object) -> str:
    """The version of a package."""
    if isinstance(value, str) and re.fullmatch(VERSION_PATTERN, value) and len(value) <= LONGEST_NAME:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fix = "quote it as the package's own page writes it" if number else 'write it as in "1.17.0"'
    raise complaint(f"{show(value)} is no version", fix)


def check_param(value: object) -> bool | int | str:
    """A parameter of an adapter."""
    if isinstance(value, bool | int | str):
        return value
    raise complaint(
        f"{show(value)} is no value of a parameter", "write true, false, a whole number or a word"
    )


def check_dimension(value: object) -> int | str:
    """What a dynamic dimension stands for."""
    if value in ("batch", "sequence"):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_DIMENSION:
        return value
    raise complaint(
        f"{show(value)} is no size", f"write batch, sequence, or a number from 1 to {MAX_DIMENSION}"
    )


def check_path(value: object) -> str:
    """The path of a file."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise complaint(f"{show(value)} is not the path of a file", "write the path of an ONNX file")
    return value


def check_tolerance(value: object) -> float:
    """How far an output may be from the reference."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, int | float) or not number or not 0 < value <= 1:
        raise complaint(f"{show(value)} is no tolerance", "write a part of the largest value, such as 0.001")
    return float(value)


def check_cpu_mode(value: object) -> str:
    """How whole CPUs are enforced."""
    modes = [mode.value for mode in CpuMode]
    if value in modes:
        return str(value)
    raise complaint(f"{show(value)} is no way to limit CPUs", f"write {' or '.join(modes)}")


def check_threads(value: object) -> str | int:
    """What a framework is told about threads."""
    if isinstance(value, str) and value in {"match", "default"}:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_THREADS:
        return value
    fix = f"write match (as many as CPUs), default (nothing is told), or a number from 1 to {MAX_THREADS}"
    raise complaint(f"{show(value)} is no number of threads", fix)


def check_phase(value: object) -> str:
    """Where a trial's life is spent."""
    return _one_of(value, list(Phase), what="no phase", others="the phases are")


def check_ending(value: object) -> str:
    """How a cell may be expected to end."""
    return _one_of(value, EXPECTABLE, what="no ending to expect", others="write one of")


def check_precision(value: object) -> str:
    """How tight an interval is asked for, kept as written."""
    fix = f"write a percentage up to {MAX_PRECISION_PERCENT}%, such as 2% or 0.5%"
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= MAX_PRECISION_PERCENT:
        raise complaint(f"{show(value)} is no precision", fix)
    return str(value)


def check_reason(value: object) -> str:
    """A sentence for the report."""
    if not isinstance(value, str) or not value.strip():
        raise complaint(f"{show(value)} is not a reason", "say in a few words why; the report shows them")
    if len(value) > _MAX_REASON:
        raise complaint("the reason is too long for a report", f"use at most {_MAX_REASON} characters")
    reason = value.strip()
    hidden = next((char for char in reason if not char.isprintable()), None)
    if hidden is not None:  # a line break, or an override of the writing direction, would forge lines
        what = f"the reason holds the character U+{ord(hidden):04X}, which is not printed as itself"
        raise complaint(what, "write one line of plain text; to break it in the file, begin it with `>-`")
    return reason


def _one_of(value: object, words: Sequence[StrEnum], *, what: str, others: str) -> str:
    """One of some words; a near miss is told what was meant."""
    if value in words:
        return str(value)
    raise complaint(f"{show(value)} is {what}", did_you_mean(str(value), words, others=others))


def _accepts(check: Callable[[object], object], value: object) -> bool:
    """Whether a check takes a value; no other value is ever suggested."""
    try:
        check(value)
    except PydanticCustomError:
        return False
    return True


def _cpus_fix(value: object) -> str:
    text = value if isinstance(value, str) else ""
    if _DIGITS.fullmatch(text):
        quoted = len(text) <= _MAX_DIGITS and _accepts(check_cpus, float(text))
        return f"write {text} without quotes" if quoted else _CPUS_RANGE
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is not None and match["unit"] == "m":
        cpus = float(match["number"]) / 1000
        return f"write {cpus:.7g}: CPUs have no unit here" if _accepts(check_cpus, cpus) else _CPUS_RANGE
    return "write a plain number such as 1, 2 or 0.5"


def _near_memory(text: str) -> str | None:
    """The same size with its unit spelled as it should be; Kubernetes leaves the `B` of `GiB` out."""
    match = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if match is None:
        return None
    known = {unit.lower(): unit for unit in _MEMORY_UNITS}
    written = match["unit"].lower()
    unit = known.get(written) or known.get(f"{written}b")
    return f"{match['number']}{unit}" if unit else None


Name = Annotated[
    str,
    BeforeValidator(check_name),
    WithJsonSchema(
        {"$comment": "name", "type": "string", "pattern": f"^{NAME_PATTERN}$", "maxLength": LONGEST_NAME}
    ),
]
Version = Annotated[
    str,
    BeforeValidator(check_version),
    WithJsonSchema(
        {
            "$comment": "version",
            "type": "string",
            "pattern": f"^{VERSION_PATTERN}$",
            "maxLength": LONGEST_NAME,
        }
    ),
]
Param = Annotated[
    Any,
    BeforeValidator(check_param),
    WithJsonSchema({"$comment": "value", "type": ["boolean", "integer", "string"]}),
]
Dimension = Annotated[
    Any,
    BeforeValidator(check_dimension),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["batch", "sequence"]},
                {"type": "integer", "minimum": 1, "maximum": MAX_DIMENSION},
            ]
        }
    ),
]
FilePath = Annotated[
    str, BeforeValidator(check_path), WithJsonSchema({"$comment": "path", "type": "string", "minLength": 1})
]
Tolerance = Annotated[
    float,
    BeforeValidator(check_tolerance),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
]
Cpus = Annotated[
    float,
    BeforeValidator(check_cpus),
    WithJsonSchema({"type": "number", "minimum": MIN_CPUS, "maximum": MAX_CPUS}),
]
Memory = Annotated[
    str,
    BeforeValidator(check_memory),
    WithJsonSchema(
        {
            "$comment": "size",
            "type": "string",
            "pattern": rf"^[0-9]+(\.[0-9]+)? ?({'|'.join(_MEMORY_UNITS)}|KB)$",
        }
    ),
]
Duration = Annotated[
    str,
    BeforeValidator(check_duration),
    WithJsonSchema({"$comment": "duration", "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h)$"}),
]
CpuModeName = Annotated[
    str,
    BeforeValidator(check_cpu_mode),
    WithJsonSchema({"enum": [mode.value for mode in CpuMode]}),
]
Threads = Annotated[
    Any,
    BeforeValidator(check_threads),
    WithJsonSchema(
        {"anyOf": [{"enum": ["match", "default"]}, {"type": "integer", "minimum": 1, "maximum": MAX_THREADS}]}
    ),
]
PhaseName = Annotated[
    str,
    BeforeValidator(check_phase),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(Phase)})$"}),
]
Ending = Annotated[
    str,
    BeforeValidator(check_ending),
    WithJsonSchema({"enum": [status.value for status in EXPECTABLE]}),
]
Precision = Annotated[
    str,
    BeforeValidator(check_precision),
    WithJsonSchema({"$comment": "percentage", "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?%$"}),
]
Reason = Annotated[
    str,
    BeforeValidator(check_reason),
    WithJsonSchema({"$comment": "line of text", "type": "string", "minLength": 1, "maxLength": _MAX_REASON}),
]

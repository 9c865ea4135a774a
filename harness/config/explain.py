"""Pydantic's errors as mistakes: its paths are kept, its words are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.config.json_schema import example_at, flow, keys_at, matrix_schema
from harness.config.mistakes import did_you_mean, show, suggestion
from harness.config.scalars import COMPLAINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from harness.config.mistakes import Mistake, Path
    from harness.config.source import Source

_KEY_MARK = "[key]"
"""How pydantic ends a path that means the key and not its value."""


def explain(source: Source, errors: Sequence[ErrorDetails]) -> Iterator[Mistake]:
    """Turn validation errors into mistakes with their places.

    Told once, though pydantic tells it twice: a key that is missing because it was misspelled, and a list
    that ends up empty because its entries are wrong. A key without a value has been told already.
    """
    misspelled = {
        (*error["loc"][:-1], suggestion(str(error["loc"][-1]), keys_at(error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }
    for error in errors:
        match error["type"]:
            case "missing" if error["loc"] in misspelled:
                continue
            case "too_short" if error["input"]:
                continue
            case _ if error["input"] is None:
                continue
            case "missing":
                yield _missing(source, error["loc"])
            case "extra_forbidden":
                yield _unknown_key(source, error["loc"])
            case _:
                yield _wrong_value(source, error)


def _missing(source: Source, path: Path) -> Mistake:
    parent, key = path[:-1], path[-1]
    return source.mistake(parent, f"`{key}` is missing", f"write `{key}: {example_at(path)}`", at_key=True)


def _unknown_key(source: Source, path: Path) -> Mistake:
    parent, key = path[:-1], str(path[-1])
    allowed = keys_at(parent)
    home = _home_of(key) if key not in allowed and suggestion(key, allowed) is None else None
    fix = f"`{key}` belongs {home}" if home else did_you_mean(key, allowed, others="allowed here")
    return source.mistake(path, "unknown key", fix, at_key=True)


def _home_of(key: str) -> str | None:
    """Where a key that is right in itself should have been written."""
    top = matrix_schema()["properties"]
    if key in top:
        return "at the top level of the file"
    return next((f"under `{name}:`" for name, part in top.items() if key in part.get("properties", ())), None)


def _wrong_value(source: Source, error: ErrorDetails) -> Mistake:
    path, value, context = error["loc"], error["input"], error.get("ctx", {})
    at_key = path[-1:] == (_KEY_MARK,)
    path = path[:-1] if at_key else path
    shown, example = show(value), example_at(path)
    match error["type"]:
        case kind if kind == COMPLAINT:
            what, fix = context["what"], context["fix"]
        case "int_type":
            what = f"{shown} is not a whole number"
            fix = "write digits only: no quotes, decimals, leading zeros or separators"
        case "greater_than_equal":
            what, fix = f"{shown} is too small", f"write at least {context['ge']}"
        case "less_than_equal":
            what, fix = f"{shown} is too large", f"write at most {context['le']}"
        case "literal_error":
            what, fix = f"{shown} is not a choice here", f"write {context['expected']}".replace("'", "`")
        case "tuple_type":
            what, fix = f"{shown} is not a list", f"write `{_listed(value) or example}`"
        case "model_type" | "dict_type":
            what, fix = f"{shown} is not a mapping of keys", f"keys here: {', '.join(keys_at(path))}"
            fix = f"write `{example}`" if example else fix
        case "too_short":
            what, fix = "is empty", f"name at least one: `{example}`"
        case "too_long":
            what, fix = f"more than {context['max_length']} entries", "say it with lists inside fewer entries"
        case _:
            what, fix = error["msg"], ""
    return source.mistake(path, what, fix, at_key=at_key or error["type"] in {"too_short", "too_long"})


def _listed(value: object) -> str | None:
    """A single value as the list it should have been."""
    return flow([value]) if isinstance(value, str | int | float) and value != "" else None

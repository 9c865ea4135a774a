"""Pydantic's errors as mistakes: its paths are kept, its words are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from harness.config.json_schema import example_at, flow, keys_at, matrix_schema, schema_at
from harness.config.mistakes import DEFINITIONS, did_you_mean, show, suggestion
from harness.config.scalars import COMPLAINT
from harness.config.schema import MatrixFile
from harness.config.source import parse_source
from harness.config.syntax import GENERAL_FIX
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from harness.config.mistakes import Mistake, Path
    from harness.config.source import Source

_KEY_MARK: Final = "[key]"
"""How pydantic ends a path that means the key and not its value."""
_ENDLESS: Final = re.compile(r"[1-9][0-9]{18,}")
"""Whole numbers that the reader leaves as text, because they are far too large for anything here."""
_LONGEST_ADVICE: Final = 80


def explain(source: Source, errors: Sequence[ErrorDetails]) -> Iterator[Mistake]:
    """Turn validation errors into mistakes with their places.

    Told once, though pydantic tells it twice: a key that is missing because it was misspelled, a list
    or a mapping that ends up without what is wrong in it, and a name that is no name and has a definition. A key
    without a value has been told already.
    """
    unread = {mistake.path for mistake in source.mistakes}
    misspelled = {
        (*error["loc"][:-1], suggestion(str(error["loc"][-1]), keys_at(error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }
    for error in errors:
        match error["type"]:
            case "extra_forbidden":
                yield _unknown_key(source, error["loc"])
            case _ if error["input"] is None:
                continue
            case _ if error["loc"][2:] == (_KEY_MARK,) and error["loc"][0] in DEFINITIONS.values():
                continue
            case "missing" if error["loc"] in misspelled or error["loc"][:-1] in unread:
                continue
            case "too_short" if error["input"] or error["loc"] in unread:
                continue
            case "missing":
                yield _missing(source, error["loc"])
            case _:
                yield _wrong_value(source, error)


def _missing(source: Source, path: Path) -> Mistake:
    parent, key = path[:-1], path[-1]
    return source.mistake(parent, f"`{key}` is missing", f"write `{key}: {example_at(path)}`", at_key=True)


def _unknown_key(source: Source, path: Path) -> Mistake:
    parent, key = path[:-1], str(path[-1])
    allowed = keys_at(parent)
    home = _home_of(key) if key not in allowed else None
    fix = f"`{key}` belongs {home}" if home else did_you_mean(key, allowed, others="allowed here")
    return source.mistake(path, "unknown key", fix, at_key=True)


def _home_of(key: str) -> str | None:
    """Where a key that is right in itself should have been written."""
    top = matrix_schema()["properties"]
    if key in top:
        return "at the top level of the file"
    return next((f"under `{name}:`" for name in top if key in keys_at((name,))), None)


def _wrong_value(source: Source, error: ErrorDetails) -> Mistake:
    path, value, context = error["loc"], error["input"], error.get("ctx", {})
    at_key = path[-1:] == (_KEY_MARK,)
    path = path[:-1] if at_key else path
    shown, example = show(value), example_at(path)
    match error["type"]:
        case kind if kind == COMPLAINT:
            what, fix = context["what"], _misplaced(path, value) or context["fix"]
        case "int_type":
            what, fix = _not_whole(path, value)
        case "greater_than_equal" | "less_than_equal":
            what, fix = _out_of_range(shown, context)
        case "finite_number" | "float_type":
            what, fix = f"{shown} is no number here", f"write one such as {example}"
        case "literal_error":
            what, fix = f"{shown} is not a choice here", f"write {context['expected']}".replace("'", "`")
        case "tuple_type":
            listed = _listed(str(path[0]), value)
            what, fix = f"{shown} is not a list", f"write {listed or f'a list such as `{example}`'}"
        case "model_type" | "dict_type":
            what, fix = f"{shown} is not a mapping of keys", f"keys here: {', '.join(keys_at(path))}"
            fix = f"write `{example}`" if example else fix
        case "too_short":
            what, fix = "is empty", f"name at least one: `{example}`"
        case "too_long":
            what, fix = f"more than {context['max_length']} entries", "say it with lists inside fewer entries"
        case _:
            what, fix = error["msg"], GENERAL_FIX
    return source.mistake(path, what, fix, at_key=at_key or error["type"] in {"too_short", "too_long"})


def _misplaced(path: Path, value: object) -> str:
    """What to write where a definition stands in a list of names; empty where none does."""
    if not isinstance(value, dict) or len(path) != 2 or path[0] not in DEFINITIONS:
        return ""
    return f"definitions stand in a mapping, not in a list: `{path[0]}: {{name: ...}}`"


def _out_of_range(shown: str, context: dict[str, Any]) -> tuple[str, str]:
    if "ge" in context:
        return f"{shown} is too small", f"write at least {context['ge']}"
    return f"{shown} is too large", f"write at most {context['le']}"


def _not_whole(path: Path, value: object) -> tuple[str, str]:
    if isinstance(value, str) and _ENDLESS.fullmatch(value):
        return f"{show(value)} is too large", f"write at most {schema_at(path)['maximum']}"
    fix = "write digits only: no quotes, decimals, leading zeros or separators"
    return f"{show(value)} is not a whole number", fix


def _listed(key: str, value: object) -> str | None:
    """A value as the list that it should have been, in backticks, if that would be accepted."""
    text = f"[{value}]" if isinstance(value, str) else flow([value])
    try:
        items = parse_source("", text)
        if items.mistakes:
            return None
        MatrixFile.model_validate({key: items.data})
    except ConfigError:
        return None
    except ValidationError as error:
        if any(found["loc"][0] == key for found in error.errors()):
            return None
    listed = flow(items.data)
    return f"`{listed}`" if len(listed) <= _LONGEST_ADVICE else "it in brackets: `[...]`"

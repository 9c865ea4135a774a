"""The page of every key of a matrix, from pydantic's own JSON Schema: that one has names for its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.config.json_schema import InOrder, flow
from harness.config.mistakes import DEFINITIONS
from harness.config.schema import MatrixFile, Rule
from harness.manual.markdown import code, one_line, one_of, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Schema = dict[str, Any]

HEADINGS: Final = {
    "VariantKeys": "Variants",
    "OwnModelKeys": "Models of your own",
    "Range": "Ranges",
    "Device": "Devices",
    "Rule": "Rules",
    "Include": "Includes",
    "Exclude": "Excludes",
    "Expect": "Expectations",
    "ProtocolKeys": "Protocol",
}
"""Each part of a matrix, in the order of the page."""
RULES: Final = ("Include", "Exclude", "Expect")
"""Those that have the keys of a rule, and more."""


def matrix_page() -> str:
    """Every key with its value, its default and its meaning."""
    schema = MatrixFile.model_json_schema(schema_generator=InOrder)
    rule = Rule.model_json_schema(schema_generator=InOrder)
    parts = {"Rule": rule, **schema["$defs"]}
    for name in RULES:
        own = {
            key: about for key, about in parts[name]["properties"].items() if key not in rule["properties"]
        }
        parts[name] = {**parts[name], "properties": own}
    sections = [_section("Top level", schema)]
    sections += [_section(heading, parts[name]) for name, heading in HEADINGS.items()]
    return page(
        "Keys of matrix.yaml",
        "What the keys do together, how values are written and what may not be combined stands with "
        "[the matrix file](../contracts/matrix.md); `edgematrix new matrix` writes a commented one.",
        *sections,
    )


def _section(heading: str, schema: Schema) -> str:
    rows = list(_rows(schema))
    return "\n\n".join(
        (
            f"## {heading}",
            one_line(schema["description"]),
            table(("key", "value", "default", "meaning"), rows),
        )
    )


def _rows(schema: Schema) -> Iterator[Sequence[str]]:
    keys = schema["properties"]
    for key, about in keys.items():
        if key in DEFINITIONS.values():
            continue  # the other half of a long form
        value = kind(about)
        if key in DEFINITIONS:
            value += f", or {kind(keys[DEFINITIONS[key]])}"
        if "examples" in about:
            value += f", such as {code(flow(about['examples'][0]))}"
        default = "required" if key in schema.get("required", ()) else default_of(about)
        yield code(key), value, default, one_line(about["description"])


def default_of(about: Schema) -> str:
    """What a key that is left out stands for; a default that nobody may write says that it is left out."""
    if "$ref" in about:
        return "its own"
    default = about["default"]
    nothing = default in ("", [], {}) or default == about.get("exclusiveMinimum")
    return "none" if nothing else code(flow(default))


def kind(about: Schema, *, many: bool = False) -> str:
    """What may be written, in words."""
    plural = "s" if many else ""
    match about:
        case {"$ref": reference}:
            heading = HEADINGS[reference.rpartition("/")[2]].lower()
            words = f"[{heading}](#{heading.replace(' ', '-')})"
        case {"enum": choices}:
            words = one_of(choices)
        case {"$comment": word}:
            words = f"{word}{plural}"
        case {"anyOf": [one, {"items": items}]} if one == items:
            words = f"{kind(one)}, or a list"
        case {"anyOf": branches}:
            words = " or ".join(kind(branch, many=many) for branch in branches)
        case {"type": "array", "items": items}:
            words = f"list of {kind(items, many=True)}"
        case {"type": "object"}:
            words = f"mapping of names to {kind(_values(about), many=True)}"
        case {"type": "boolean"}:
            words = one_of(("true", "false"))
        case {"type": "integer"}:
            words = f"whole number{plural}{_bounds(about)}"
        case _:
            words = f"number{plural}{_bounds(about)}"
    return words


def _values(mapping: Schema) -> Schema:
    patterns: Schema = mapping.get("patternProperties", {})
    values: Schema = next(iter(patterns.values()), mapping.get("additionalProperties", {}))
    return values


def _bounds(number: Schema) -> str:
    if "exclusiveMinimum" in number:
        return f" above {number['exclusiveMinimum']}, at most {number['maximum']}"
    return f" from {number['minimum']:,} to {number['maximum']:,}" if "minimum" in number else ""

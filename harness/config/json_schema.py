"""The matrix file's JSON Schema: for editors, and for messages that name the allowed keys and an example.

Editors read draft 7 and below, where whatever stands beside a `$ref` is ignored. So every reference is
replaced by what it refers to, and the text of a key always stands on the key.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from harness.config.long_form import ARTICLE
from harness.config.mistakes import DEFINITIONS, real_path
from harness.config.schema import MatrixFile

if TYPE_CHECKING:
    from harness.config.mistakes import Path

Schema = dict[str, Any]


@cache
def matrix_schema() -> Schema:
    """The whole schema, within draft 7 and without references. Shared: not to be altered."""
    raw = MatrixFile.model_json_schema(schema_generator=InOrder)
    definitions = raw.pop("$defs")
    schema = _inlined(raw, definitions)
    for key, split in DEFINITIONS.items():
        schema["properties"][key] = _two_forms(schema["properties"][key], schema["properties"].pop(split))
    schema["properties"]["protocol"] = _or_word(schema["properties"]["protocol"], ARTICLE)
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Edgematrix matrix", **schema}


def schema_at(path: Path) -> Schema:
    """The part of the schema that speaks of one path; empty where it knows none."""
    schema = matrix_schema()
    for part in real_path(path):
        branches = [schema, *schema.get("anyOf", ())]
        if isinstance(part, int):
            schema = next((branch["items"] for branch in branches if "items" in branch), schema)
        else:
            found = (_member(branch, part) for branch in branches)
            schema = next((member for member in found if member), {})
    return schema


def _member(schema: Schema, key: str) -> Schema:
    """What a mapping says of one of its keys."""
    named = schema.get("properties", {}).get(key)
    pattern: Schema = next(iter(schema.get("patternProperties", {}).values()), {})
    free = schema.get("additionalProperties")
    found: Schema = named or pattern or (free if isinstance(free, dict) else {})
    # A name without a definition may stand for itself.
    return next((branch for branch in found.get("anyOf", ()) if "properties" in branch), found)


def _two_forms(names: Schema, definitions: Schema) -> Schema:
    """A list of names, or a mapping of names to definitions, or to nothing."""
    listed = {key: value for key, value in names.items() if key not in {"description", "examples"}}
    patterns: Schema = definitions["patternProperties"]
    defined = {
        **definitions,
        "minProperties": 1,
        "patternProperties": {
            pattern: {"anyOf": [{"type": "null"}, definition]} for pattern, definition in patterns.items()
        },
    }
    about = {key: names[key] for key in ("description", "examples")}
    return {**about, "anyOf": [listed, defined]}


def _or_word(mapping: Schema, word: str) -> Schema:
    """A mapping, or a word that is short for one."""
    written = {key: value for key, value in mapping.items() if key != "description"}
    return {"description": mapping["description"], "anyOf": [written, {"const": word}]}


def keys_at(path: Path) -> tuple[str, ...]:
    """The keys that are allowed in the mapping at a path."""
    return tuple(schema_at(path).get("properties", ()))


def example_at(path: Path) -> str:
    """How the value at a path may look, in YAML on one line; empty where the schema has no example."""
    examples = schema_at(path).get("examples")
    return flow(examples[0]) if examples else ""


def flow(value: object) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump([value], default_flow_style=True, width=1000, sort_keys=False)
    return text.strip()[1:-1]


class InOrder(GenerateJsonSchema):
    """Leaves keys in the order in which they were written, examples included."""

    def sort(self, value: Schema, parent_key: str | None = None) -> Schema:  # noqa: ARG002 - pydantic's signature
        """Pydantic would sort here."""
        return value


def _inlined(node: Any, definitions: Schema) -> Any:
    """The schema without references, generated titles, and defaults that only stand for "left out"."""
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        return _inlined(
            {**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions
        )
    result: Schema = {}
    for key, value in node.items():
        if key == "properties":
            result[key] = {name: _inlined(part, definitions) for name, part in value.items()}
        elif key != "title" and not (key == "default" and value in ([], {}, "")):
            result[key] = _inlined(value, definitions)
    return result

"""Forms that are brought into one before anything is checked, so that everything else knows that one only.

`frameworks` and `models` may be a mapping of names to definitions instead of a list of names:

    models: {resnet50: , mine: {onnx: mine.onnx}}   ->   models: [resnet50, mine]  and  {mine: {onnx: mine.onnx}}

and `protocol: article` is short for `protocol: {article: true}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.config.mistakes import DEFINITIONS

if TYPE_CHECKING:
    from harness.config.source import Source

ARTICLE: Final = "article"


def in_one_form(source: Source) -> Source:
    """The file in the one form; a name without a definition, or with an empty one, is only a name."""
    if not isinstance(source.data, dict):
        return source
    data, values = dict(source.data), dict(source.values)
    for key, definitions in DEFINITIONS.items():
        if isinstance(named := data.get(key), dict):
            data[key] = tuple(named)
            data[definitions] = {
                name: defined for name, defined in named.items() if defined not in (None, {})
            }
            values |= {(key, index): source.keys[key, name] for index, name in enumerate(named)}
    if data.get("protocol") == ARTICLE:
        data["protocol"] = {ARTICLE: True}
    return replace(source, data=data, values=values)

"""Scalars by the rules of YAML 1.2, for every YAML file that users write (`docs/adr/0001-yaml-is-read-as-1.2.md`).

PyYAML reads YAML 1.1, where `no` is false, `1:30` is 90 and `017` is 15.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 16

TAG: Final = "tag:yaml.org,2002:"
_WHOLE: Final = r"(?:0|[1-9][0-9]*)"
# YAML 1.2 core, but for leading zeros: 1.1 reads `017` as 15 and 1.2 as 17, so it stays text and is refused.
# More than 18 digits mean nothing here, and Python refuses to convert more than 4300.
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z|0o[0-7]{1,18}\Z|0x[0-9a-fA-F]{1,15}\Z")
_FLOAT: Final = re.compile(
    rf"[-+]?(?:(?:{_WHOLE}?\.[0-9]+|{_WHOLE}\.)(?:[eE][-+]?[0-9]+)?|{_WHOLE}[eE][-+]?[0-9]+"
    r"|\.inf|\.Inf|\.INF)\Z|\.nan\Z|\.NaN\Z|\.NAN\Z"
)
_RESOLVERS: Final = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
)
SCALARS: Final[dict[str, Callable[[str], object]]] = {
    f"{TAG}str": str,
    f"{TAG}null": lambda _: None,
    f"{TAG}bool": lambda text: {"true": True, "false": False}[text.lower()],
    f"{TAG}int": lambda text: int(text, 0),
    f"{TAG}float": lambda text: float(re.sub(r"\.(?=inf|nan)", "", text.lower())),
}


class TooDeepError(yaml.MarkedYAMLError):
    """Stops the composer, which recurses without a bound."""


class CoreLoader(yaml.SafeLoader):
    """PyYAML's pure-Python scanner and composer, with the scalars of YAML 1.2, unique keys and a bound on the depth."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's class attribute; an own one shadows YAML 1.1's

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node; PyYAML would take the last of equal keys.

        Raises:
            yaml.constructor.ConstructorError: a key stands twice.
        """
        built: dict[Any, Any] = super().construct_mapping(node, deep)
        first: dict[object, yaml.Node] = {}
        for key_node, _ in node.value:
            earlier = first.setdefault(self.construct_object(key_node), key_node)
            if earlier is not key_node:
                raise yaml.constructor.ConstructorError(
                    "first here", earlier.start_mark, "the key stands twice", key_node.start_mark
                )
        return built

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node and all below it, down to the bound."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise TooDeepError(problem="nested too deep", problem_mark=event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


for _name, _pattern, _first in _RESOLVERS:
    CoreLoader.add_implicit_resolver(TAG + _name, _pattern, _first)


def _plain(_: CoreLoader, node: yaml.ScalarNode) -> object:
    """The value of a scalar."""
    return SCALARS[node.tag](node.value)


for _tag in SCALARS:
    CoreLoader.add_constructor(_tag, _plain)


def read_core_yaml(text: str) -> object:
    """The plain value of a YAML text.

    Raises:
        yaml.YAMLError: it is not YAML, or nested too deep.
        ValueError: a scalar is not what its tag says.
        LookupError: the same.
    """
    return yaml.load(text, Loader=CoreLoader)  # noqa: S506 - a SafeLoader

"""Whatever a file holds, it is read or refused."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError
from tests.unit.matrices import DEVICES, ROOT, SHORT, parse

SHIPPED = [
    (ROOT / name).read_text() for name in ("matrix.yaml", "examples/devices.yaml", "tests/data/matrix.yaml")
]
PIECES = st.sampled_from(
    ["[", "]", "{", "}", ":", ",", "- ", "\n", "\n  ", "\t", "'", '"', "&a ", "*a", "~", "!!int ", "#",
     "\x00", "\u2028", "no", "off", "1:30", "devices", "cpus", "memory", "reason", "8gb", ".nan", "1e999", "9" * 30]
)  # fmt: skip


@settings(max_examples=400)
@given(
    st.sampled_from([SHORT, DEVICES, *SHIPPED]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 12), PIECES), min_size=1, max_size=4),
)
def test_a_mutated_matrix_is_read_or_refused(text: str, edits: list[tuple[int, int, str]]) -> None:
    for at, cut, piece in edits:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + cut :]
    try:
        parse(text).resolved()
    except ConfigError as error:
        str(error).encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["frameworks", "models", "cpus", "memory", "devices", "batch", "include", "exclude"])
MORE_KEYS = st.sampled_from(
    ["over_host", "baseline", "protocol", "framework", "reason", "cpu_mode", "precision", "threads"]
)


@settings(max_examples=100)
@given(
    st.dictionaries(
        KEYS | MORE_KEYS, VALUES | st.lists(st.dictionaries(KEYS | MORE_KEYS, VALUES), max_size=2)
    )
)
def test_any_value_under_any_key_is_read_or_refused(data: dict[str, object]) -> None:
    try:
        parse(yaml.safe_dump(data, allow_unicode=True))
    except ConfigError as error:
        str(error).encode()

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config.mistakes import Place
from harness.config.source import MAX_NODES, Source, parse_source
from harness.core_yaml import MAX_DEPTH
from harness.errors import ConfigError


def parse(text: str) -> Source:
    return parse_source("m.yaml", text)


def scalar(text: str) -> object:
    data = parse(f"key: {text}\n").data
    assert isinstance(data, dict)
    return data["key"]


@pytest.mark.parametrize(
    "text",
    ["no", "off", "yes", "on", "y", "1:30", "190:20:30", "017", "-017", "00", "01.5", "2024-01-02", "1_000", "=", "<<",
     "0b11", "0x", "0o8", ".", "-x", "+.e3", "tRUE", "nUll", ".Nan", "-.nan", "9" * 19, "1e", "1.2.3"],
)  # fmt: skip
def test_what_only_yaml_1_1_resolves_stays_text(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None),
        ("0", 0), ("-3", -3), ("+12", 12), ("0x1F", 31), ("0o17", 15), ("9" * 18, 10**18 - 1),
        ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-2", -0.015), ("1e999", math.inf),
        (".inf", math.inf), ("-.INF", -math.inf),
        ('"no"', "no"), ("'1'", "1"), ("!!str 1", "1"), ("!!int '3'", 3),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    found = scalar(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_lists_become_tuples_and_keys_become_text() -> None:
    source = parse("a: [1, [2]]\n1: x\nno: y\n~: z\n")
    assert source.data == {"a": (1, (2,)), "1": "x", "no": "y", "~": "z"}
    assert source.mistakes == ()


def test_a_path_leads_to_line_and_column_of_value_and_key() -> None:
    source = parse("# top\ndevices:\n  pi:  {cpus: 2, memory: [8GiB, 'x']}\n")
    assert source.values["devices", "pi", "memory", 1] == Place(line=3, column=33, width=3)
    assert source.keys["devices", "pi", "memory"] == Place(line=3, column=18, width=6)
    assert source.values["devices", "pi", "cpus"] == Place(line=3, column=15, width=1)


def test_a_mistake_at_a_path_that_is_not_there_points_at_its_nearest_parent() -> None:
    source = parse("protocol:\n  trials: 3\n")
    assert source.mistake(("protocol", "trials", 0), "x", "y").place == Place(line=2, column=11)
    assert source.mistake(("protocol", "seed"), "x", "y", at_key=True).place == Place(
        line=1, column=1, width=8
    )
    assert source.mistake(("elsewhere", 3, "deep"), "x", "y").path == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "stands twice, first on line 1"),
        ("x: {a: 1, 'a': 2}\n", 1, 11, "stands twice, first on line 1"),
        ("[a]: 1\n", 1, 1, "a key must be plain text"),
        ("b: &b {a: 1}\n<<: *b\n", 2, 1, "merge keys are not supported"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            1,
            4,
            "`!!python/object/apply:os.system` has no meaning",
        ),
        ("a: !secret x\n", 1, 4, "the tag `!secret` has no meaning"),
        ("a: !!int x\n", 1, 4, "`x` is not what its tag says"),
        ("a: !!bool x\n", 1, 4, "`x` is not what its tag says"),
        ("a: !!set {x}\n", 1, 4, "`!!set` has no meaning"),
    ],
)
def test_what_composes_but_means_nothing_is_a_mistake(text: str, line: int, column: int, words: str) -> None:
    (mistake,) = parse(text).mistakes
    assert (mistake.place.line, mistake.place.column) == (line, column)
    assert words in mistake.what


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("", 1, 1, "the file is empty"),
        ("# nothing\n", 1, 1, "the file is empty"),
        ("a: [1,\nb: 2\n", 1, 4, "a comma or a closing bracket is missing"),
        ("a: b: c\n", 1, 5, "quote text with a colon"),
        ("a:\n\t- x\n", 2, 1, "indent with spaces, not tabs"),
        ("a: 'x\n", 1, 4, "a quote or a bracket is never closed"),
        ("a: *b\n", 1, 4, "quote text that begins with `*`"),
        ("a: 1\n---\nb: 2\n", 2, 1, "keep one matrix to a file"),
        ("a:\n  - 1\n b: 2\n", 3, 2, "indented otherwise"),
        ("a: 1\nb: \x07\n", 2, 4, "the character U+0007 is not allowed"),
        ("\x1b[2J", 1, 1, "the character U+001B is not allowed"),
        ('a: "\\U00110000"\n', 1, 7, "out of range"),
        ('a: "\\UFFFFFFFF"\n', 1, 7, "out of range"),
        ('a: "\\z"\n', 1, 6, "use single quotes"),
        ("%YAML 1." + "9" * 5000 + "\n---\na: 1\n", 1, 9, "out of range"),
        ("%YAML x\n---\na: 1\n", 1, 7, "a matrix needs no `%` directives"),
        ("%YAML 9.9\n---\na: 1\n", 1, 1, "remove the `%YAML` line"),
        ("a: 1\nb:[2]\nc: 3\n", 2, 1, "a key needs a colon and a space after it"),
        ("  a: 1\nb: 2\n", 2, 1, "all begin in the first column"),
        ("a: 1\n...\nb: [\n", 3, 1, "nothing after `...`"),
        ("[a]\nb = 1\n", 2, 1, "write `key: value` lines"),
        ("a: *\n", 1, 5, "there are no wildcards"),
        ("a: !<> 1\n", 1, 6, "leave the tag out"),
        ("a: !e!x 1\n", 1, 4, "leave the tag out"),
        ("a: |x\n b\n", 1, 5, "nothing may follow the `|`"),
        ("a: &b 1\nc: &b 2\n", 2, 4, "a name of its own"),
        ("a\0b\0", 1, 2, "save the file as plain text in UTF-8"),
        ("[" * 10_000, 1, MAX_DEPTH + 1, "nested deeper than 16 levels"),
        ("a: &a [*a]\n", 1, 4, "more values than any matrix needs"),
        ("a: [" + "1," * MAX_NODES + "]", 1, 40_001, "more values than any matrix needs"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"^m\.yaml:{line}:{column}: ") as caught:
        parse(text)
    message = str(caught.value)
    assert words in message
    assert "fix: " in message
    assert not re.search(r"<[a-z ]+>|Python|sys\.|C int", message)


def test_an_alias_bomb_is_refused_without_unfolding_it() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="more values than any matrix needs"):
        parse("\n".join(lines))


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        str(error).encode()


@settings(max_examples=300)
@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@`#? \n\t0123.~<_\\xuU\u2028\x85", max_size=60))
def test_any_heap_of_yaml_characters_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        str(error).encode()

"""PyYAML's complaints in words for people who do not know its grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.core_yaml import MAX_DEPTH

if TYPE_CHECKING:
    import yaml

GENERAL_FIX: Final = "see docs/contracts/matrix.md; quote text with special characters"

_OPENED_EARLIER: Final = ("stream", "could not find expected ':'")
"""What is noticed only later, at the end of the file or on the next line; its context is where it is wrong."""

_WORDS: Final = (
    (
        "nested too deep",
        f"nested deeper than {MAX_DEPTH} levels",
        "no matrix needs so many brackets or indents",
    ),
    ("the key stands twice", "a key that stands twice", "keep one of them"),
    ("'\\t' that cannot start", "a tab", "indent with spaces, not tabs"),
    ("cannot start any token", "a special character", "quote text that begins with a special character"),
    (
        "mapping values are not allowed",
        "a colon where no key can stand",
        "a colon too many, or a line indented too far; quote text with a colon",
    ),
    (
        "could not find expected ':'",
        "a key without its colon",
        "a key needs a colon and a space after it: `key: value`",
    ),
    (
        "expected <block end>",
        "the line fits no block",
        "the line is indented otherwise than those it belongs to",
    ),
    (
        "expected ',' or",
        "a list or a mapping goes on unexpectedly",
        "a comma or a closing bracket is missing, here or on the lines above",
    ),
    ("expected the node content", "a value is missing", "a bracket too many, or a value is missing"),
    ("found unexpected end of stream", "the file ends too early", "a quote or a bracket is never closed"),
    (
        "found undefined alias",
        "an alias without its anchor",
        "no anchor of that name stands before it; quote text that begins with `*`",
    ),
    (
        "while scanning an alias",
        "an alias without a name",
        "quote text that begins with `*`; there are no wildcards",
    ),
    ("while scanning an anchor", "an anchor without a name", "quote text that begins with `&`"),
    ("escape", "a backslash that escapes nothing", "use single quotes, in which a backslash is itself"),
    ("duplicate anchor", "an anchor that stands twice", "give every anchor a name of its own"),
    (
        "while scanning a block scalar",
        "a block of text that cannot be read",
        "nothing may follow the `|` or `>` on its line; quote text that begins with one",
    ),
    (
        "but found another document",
        "a second document",
        "keep one matrix to a file: `---` may stand at its top only",
    ),
    (
        "<document start>",
        "this does not belong to the mapping above",
        "write `key: value` lines that all begin in the first column, and nothing after `...`",
    ),
    ("directive", "a directive that cannot be read", "remove the line: a matrix needs no `%` directives"),
    ("incompatible YAML document", "another version of YAML", "remove the `%YAML` line"),
    ("tag", "a tag that cannot be read", "leave the tag out; quote text that begins with `!`"),
)
"""What PyYAML says, what it means, and what to do; the first that fits is told."""


def in_plain_words(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    """What is wrong, and what to write instead."""
    said = f"{error.context} {error.problem}"
    return next(((what, fix) for key, what, fix in _WORDS if key in said), ("cannot be read", GENERAL_FIX))


def mark_of(error: yaml.MarkedYAMLError) -> yaml.Mark | None:
    """Where the mistake is, rather than where PyYAML noticed it."""
    noticed_later = any(words in (error.problem or "") for words in _OPENED_EARLIER)
    return error.context_mark if noticed_later else error.problem_mark

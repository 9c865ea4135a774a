import pytest

from harness.config.mistakes import Mistake, Place, config_error, did_you_mean, dotted, show, suggestion

KNOWN = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")


def told(line: str, column: int, width: int = 1) -> list[str]:
    place = Place(line=1, column=column, width=width)
    return str(
        config_error("m.yaml", [line], [Mistake(place=place, what="wrong", fix="mend it")])
    ).splitlines()[:-1]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("memroy", "memory"), ("MEMORY", "memory"), ("cpu", "cpus"), ("mem", "memory"), ("x", None), ("", None)],
)
def test_a_near_match_is_suggested(wrong: str, meant: str | None) -> None:
    assert suggestion(wrong, ["cpus", "memory"]) == meant


@pytest.mark.parametrize(
    ("wrong", "meant"), [("torch", "pytorch"), ("onnx", "onnxruntime"), ("Tensor-flow", "tensorflow")]
)
def test_a_part_of_a_name_suggests_the_whole(wrong: str, meant: str) -> None:
    assert suggestion(wrong, KNOWN) == meant


def test_a_hint_lists_what_is_allowed_even_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["a", "b"], others="allowed here") == "allowed here: a, b"
    assert did_you_mean("zzz", [], others="allowed here") == "allowed here: none"


def test_a_path_is_written_as_users_write_it() -> None:
    assert dotted(("exclude", 0, "framework")) == "exclude[0].framework"
    assert dotted(("a\x1b[2J", 1)) == "a\N{REPLACEMENT CHARACTER}[2J[1]"


def test_a_long_key_is_cut_in_a_path() -> None:
    assert dotted(("x" * 1000, 1)) == "x" * 60 + "...[1]"


def test_every_mistake_says_what_to_do() -> None:
    mistakes = [Mistake(place=Place(line=1, column=1), what="wrong", fix="mend it")]
    assert str(config_error("m.yaml", ["x"], mistakes)).endswith("\n  fix: mend it")


def test_a_value_is_shown_short_and_safe() -> None:
    assert show("\x1b" * 3) == "`" + "\N{REPLACEMENT CHARACTER}" * 3 + "`"
    assert len(show("x" * 1000)) < 70
    assert [show(value) for value in (True, None, (), {"a": 1}, 1.5)] == [
        "`true`", "`None`", "`[]`", "`{...}`", "`1.5`",
    ]  # fmt: skip


def test_carets_stand_under_what_is_wrong() -> None:
    assert told("memory: [8gb]", 10, 3) == [
        "m.yaml:1:10: wrong",
        "   1 | memory: [8gb]",
        "     |          ^^^",
    ]


def test_carets_stand_right_after_a_tab() -> None:
    assert told("a:\t8", 4)[1:] == ["   1 | a: 8", "     |    ^"]


@pytest.mark.parametrize("column", [1, 40, 500, 990, 1000])
def test_a_long_line_is_cut_around_the_mistake(column: int) -> None:
    line = "".join("x" if at != column else "!" for at in range(1, 1001))
    _, source, carets = told(line, column, width=5000)
    assert len(source) <= 110
    assert source.index("!") == carets.index("^")
    assert len(carets) <= len(source)


def test_a_place_without_text_has_no_excerpt() -> None:
    assert told("", 1) == ["m.yaml:1:1: wrong"]

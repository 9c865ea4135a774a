"""How a wrong matrix file is refused."""

from pathlib import Path

import pytest

from harness.config import load_matrix
from harness.config.source import MAX_BYTES
from harness.errors import ConfigError
from tests.factories import catalog
from tests.unit.matrices import DEVICES, FRAMEWORKS, MODELS, SHORT, refusal, with_line


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "fix"),
    [
        ("", 1, 1, "the file is empty", "write at least frameworks, models, cpus and memory"),
        ("- a\n", 1, 1, "a matrix is a mapping of keys", "the keys are frameworks, models, cpus"),
        ("just words\n", 1, 1, "a matrix is a mapping of keys", "write `key: value` lines"),
        ("{}\n", 1, 1, "`frameworks` is missing", "write `frameworks: [pytorch, onnxruntime]`"),
        ("cpus: [1\n", 1, 7, "not YAML", "a comma or a closing bracket is missing"),
        (SHORT + "cpus: [4]\n", 5, 1, "cpus: the key stands twice, first on line 3", "keep one of them"),
        ("frameworks: [jax]\nmodels: [spam-fnn]\n", 1, 1, "the limits are missing", "`cpus: [1, 2]` and `memory: ["),
        ("frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [1]\n", 1, 1, "`memory` is missing", "`memory: [512MiB, 8GiB]`"),
        ("frameworks: [jax]\nmodels: [spam-fnn]\nmemory: [1GiB]\n", 1, 1, "`cpus` is missing", "`cpus: [1, 2]`"),
        (DEVICES + "  Pi 5: {cpus: 4, memory: 8GiB}\n", 6, 3, "`Pi 5` is not a name", "lower-case letters"),
        (DEVICES + "  zero: {cpus: 1, memroy: 1GiB}\n", 6, 19, "devices.zero.memroy: unknown key", "mean `memory`?"),
        (DEVICES + "  zero: {cpus: 1}\n", 6, 3, "devices.zero: `memory` is missing", "write `memory: 8GiB`"),
        (DEVICES + "  zero: 4\n", 6, 9, "`4` is not a mapping of keys", "write `{cpus: 2, memory: 8GiB}`"),
        (DEVICES + "  zero:\n", 6, 3, "has no value", "leave the key out"),
        (DEVICES + "  twin: {cpus: 4, memory: 4g}\n", 6, 3, "has the same limits as `pi`", "told apart by"),
        (DEVICES + "memory: [8GiB]\n", 6, 1, "does not go with `devices`", "keep `devices`"),
        (DEVICES + "include: [{cpus: 2}]\n", 6, 11, "`cpus` and `memory` go together here", "or a device"),
        (DEVICES + "include: [{device: pi, cpus: 2}]\n", 6, 24, "does not go with `device`", "keep the one"),
        (DEVICES + "exclude: [{device: hup, reason: x}]\n", 6, 20, "no cell has device `hup`", "mean `hub`?"),
        (SHORT + "exclude: [{cpus: 1, reason: x}]\ninclude: [{cpus: 1}]\n", 5, 11, "matches no cell", "adds all its"),
        (DEVICES + "exclude: [{cpus: 4, memory: 512MiB, reason: x}]\n", 6, 11, "matches no cell", "have both these"),
        (SHORT.replace("[1, 2]", "[0.5, 2]") + "exclude: [{cpus: 0.5, cpu_mode: cpuset, reason: x}]\n", 5, 11,
         "matches no cell", "a fraction of a CPU is always a quota"),
    ],
)  # fmt: skip
def test_a_bad_file_is_shown_where_it_is_wrong(
    text: str, line: int, column: int, what: str, fix: str
) -> None:
    message = refusal(text)
    assert f"m.yaml:{line}:{column}: " in message
    assert what in message
    assert fix in message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    message = refusal("frameworks: [jx]\nmodels: []\ncpus: [0]\nmemory: [8]\nmemory: [8]\ncolour: red\n")
    heads = [line for line in message.splitlines() if line.startswith("m.yaml:")]
    assert message.startswith("6 mistakes in m.yaml\n")
    assert [head.split(":")[1] for head in heads] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (DEVICES + "include: [{device: pi, cpus: 1}]\n", "does not go with `device`"),
        (SHORT.replace("[spam-fnn]", "{Mine: {onnx: mine.onnx}}"), "`Mine` is not a name"),
    ],
)
def test_one_mistake_is_told_once(text: str, told: str) -> None:
    message = refusal(text)
    assert message.count("fix: ") == 1
    assert told in message


def test_a_misspelled_key_is_not_also_missing() -> None:
    message = refusal("framworks: [jax]\nmodels: [spam-fnn]\ncpus: [1]\nmemory: [1GiB]\n")
    assert "did you mean `frameworks`?" in message
    assert "missing" not in message
    assert "mistakes" not in message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SHORT.replace("cpus", "CPUs"), "CPUs: unknown key"),
        (SHORT + "batch: !foo [1]\n", "the tag `!foo` has no meaning"),
        (SHORT + "batch: [!!int x]\n", "`x` is not what its tag says"),
        ("--- !foo\n" + SHORT, "the tag `!foo` has no meaning"),
        (DEVICES.replace("devices", "cpus:\ndevices"), "cpus: does not go with `devices`"),
        (SHORT + "devices:\n", "devices: has no value"),
        (DEVICES.partition("  pi")[0] + "  ? [a]\n  : {cpus: 1, memory: 1GiB}\n", "a key must be plain text"),
        (SHORT + "exclude: [{<<: {framework: jax, reason: x}}]\n", "merge keys are not supported"),
        (SHORT + "services:\n", "services: unknown key"),
        (SHORT.replace("[pytorch, jax]", "pytorch, jax"), "`pytorch, jax` is not a list"),
    ],
)
def test_one_slip_is_told_once(text: str, what: str) -> None:
    message = refusal(text)
    assert what in message
    assert message.count("fix: ") == 1


@pytest.mark.parametrize(
    "text",
    [
        DEVICES.replace("cpus: 1,", "cpus: 1.0000000001,"),
        SHORT + "include: [{cpus: 1.0000000001}]\n",
        SHORT + "exclude: [{cpus: 1.0000000001, reason: x}]\n",
    ],
)
def test_cpus_that_would_share_an_id_are_refused_everywhere(text: str) -> None:
    assert "`1.0000000001` has more than three decimals" in refusal(text)


def test_the_source_line_is_shown_with_carets() -> None:
    assert refusal(with_line("memory: [8GiB, 8gb]")).splitlines()[1:3] == [
        "   4 | memory: [8GiB, 8gb]",
        "     |                ^^^",
    ]


def test_a_file_that_is_wrong_throughout_is_cut_short() -> None:
    message = refusal("".join(f"key{number}: 1\n" for number in range(100)))
    assert message.startswith("103 mistakes in m.yaml")
    assert message.endswith("... and 83 more")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"frameworks: [jax]\nmodels: [caf\xe9]\n", "not UTF-8: byte 0xe9"),
        (b"#" * (MAX_BYTES + 1), "is larger than 128 KiB"),
        (b"\xff\xfef\x00", "1:1: not UTF-8: byte 0xff"),
    ],
)
def test_a_file_that_is_no_small_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_matrix(path, catalog=catalog(FRAMEWORKS, MODELS))


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.encode())
    assert load_matrix(path, catalog=catalog(FRAMEWORKS, MODELS)).name == "small"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.yaml", "no such file"),
        (".", "is a directory"),
        ("a\0b", "cannot be read"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_matrix(tmp_path / name, catalog=catalog(FRAMEWORKS, MODELS))
    assert "edgematrix new matrix" in caught.value.fix


def test_a_device_file_is_not_waited_for() -> None:
    with pytest.raises(ConfigError, match="no regular file"):
        load_matrix(Path("/dev/zero"), catalog=catalog(FRAMEWORKS, MODELS))

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.catalog import load_catalog, load_frameworks, load_models
from harness.errors import ConfigError, ExitCode

ROOT = Path(__file__).parents[2]
FRAMEWORK = "title: T\npackage: p\nhomepage: https://example.org\n"


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name / "framework.yaml"
    file.parent.mkdir()
    file.write_text(text)
    return file


def test_the_frameworks_are_known_and_pin_their_package() -> None:
    frameworks = load_frameworks(ROOT / "images")
    assert list(frameworks) == ["jax", "null", "onnxruntime", "openvino", "pytorch", "tensorflow"]
    for spec in frameworks.values():
        assert f"{spec.package}==" in (spec.folder / "requirements.in").read_text()


def test_the_first_model_is_known() -> None:
    model = load_models(ROOT / "harness" / "models")["spam-fnn"]
    assert model.parameters == 36_737
    assert model.inputs[0].shape == ("batch", 200)


def test_a_short_description_is_enough(tmp_path: Path) -> None:
    write(tmp_path, "mine", FRAMEWORK)
    spec = load_frameworks(tmp_path)["mine"]
    assert (spec.name, spec.env, spec.indexes, spec.has_convert) == ("mine", {}, (), False)


@pytest.mark.parametrize("name", ["a", "a-b", "a--b", "a_b", "a__b", "0-a_1"])
def test_a_framework_can_be_called_as_an_image(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, FRAMEWORK)
    assert list(load_frameworks(tmp_path)) == [name]


@pytest.mark.parametrize("title", ["off", "no", "1:30", "017", "2024-01-01"])
def test_a_description_is_read_as_a_matrix_is(tmp_path: Path, title: str) -> None:
    write(tmp_path, "mine", FRAMEWORK.replace("title: T", f"title: {title}"))
    assert load_frameworks(tmp_path)["mine"].title == title


def test_a_convert_program_gives_the_framework_a_form_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "mine", FRAMEWORK).with_name("convert.py").touch()
    assert load_frameworks(tmp_path)["mine"].has_convert


def test_a_folder_without_description_is_no_framework(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    assert load_frameworks(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mine", FRAMEWORK + "hompage: x\n", "unknown key 'hompage'"),
        ("mine", FRAMEWORK + "name: other\n", "unknown key 'name'"),
        ("mine", FRAMEWORK + "params: {p: {default: c, choices: [a, b]}}\n", "the default 'c' is none of"),
        (
            "mine",
            FRAMEWORK + "params: {p: {default: true, choices: [1, 2]}}\n",
            "the default True is none of",
        ),
        ("mine", "title: T\n", "package: Field required"),
        ("mine", FRAMEWORK + "env: {A: 1}\n", "env.A"),
        ("mine", FRAMEWORK + "older: {'1.19 or so': [numpy<2]}\n", "older: Invalid specifier"),
        ("mine", FRAMEWORK + "older: {'<1.19': ['numpy is old']}\n", "older: "),
        ("mine", "[a", "framework.yaml:1 cannot be read as YAML: a list or a mapping goes on unexpectedly."),
        ("mine", "[" * 3000, "cannot be read as YAML: nested deeper than 16 levels."),
        (
            "mine",
            FRAMEWORK + "title: U\n",
            "framework.yaml:4 cannot be read as YAML: a key that stands twice.",
        ),
        (
            "mine",
            FRAMEWORK + "params: {p: {default: [1], choices: [a, b]}}\n",
            "params.p.default: should be a valid boolean, or a valid integer, or a valid string",
        ),
        ("mine", FRAMEWORK + "env: {A: '1', A: '2'}\n", "cannot be read as YAML"),
        ("mine", "homepage: !!bool perhaps", "cannot be read as YAML"),
        ("m" * 65, FRAMEWORK, "no valid name"),
        ("mine", "- a\n", "no mapping"),
        ("mine", "1: a\n", "no mapping"),
        ("Mine", FRAMEWORK, "no valid name"),
        ("probe", FRAMEWORK, "can be called 'probe'"),
        ("mine-tools", FRAMEWORK, "can be called 'mine-tools'"),
        ("mine-", FRAMEWORK, "can be called 'mine-'"),
        ("mine_", FRAMEWORK, "can be called 'mine_'"),
        ("a___b", FRAMEWORK, "can be called 'a___b'"),
        ("a-_b", FRAMEWORK, "can be called 'a-_b'"),
    ],
)
def test_a_wrong_description_is_refused_with_its_file(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    file = write(tmp_path, name, text)
    with pytest.raises(ConfigError) as caught:
        load_frameworks(tmp_path)
    assert str(file) in caught.value.what
    assert words in caught.value.what
    assert caught.value.fix
    assert caught.value.exit_code == ExitCode.CONFIG


def test_a_misspelt_key_is_told_what_was_meant(tmp_path: Path) -> None:
    write(tmp_path, "mine", FRAMEWORK.replace("title", "titel"))
    with pytest.raises(ConfigError) as caught:
        load_frameworks(tmp_path)
    assert caught.value.fix.startswith("did you mean `title`? the keys are: title, package")


def test_what_cannot_be_read_is_no_fault_of_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "mine", FRAMEWORK)

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")  # root, as which tests may run, reads all

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match=r"framework\.yaml cannot be read: Permission denied"):
        load_frameworks(tmp_path)


@pytest.mark.parametrize(("name", "load"), [("framework", load_frameworks), ("model", load_models)])
def test_a_pipe_is_no_description_and_is_not_waited_for(
    tmp_path: Path, name: str, load: Callable[[Path], object]
) -> None:
    (tmp_path / "mine").mkdir()
    os.mkfifo(tmp_path / "mine" / f"{name}.yaml")
    with pytest.raises(ConfigError, match="is no regular file"):
        load(tmp_path)


@pytest.mark.parametrize("key", ["tolerance", "low", "high"])
@pytest.mark.parametrize("word", [".inf", ".nan"])
def test_what_is_no_number_is_refused(tmp_path: Path, key: str, word: str) -> None:
    text = (ROOT / "harness" / "models" / "spam-fnn" / "model.yaml").read_text()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.yaml").write_text(
        re.sub(rf"\b{key}: [\d.e+-]+", f"{key}: {word}", text, count=1)
    )
    with pytest.raises(ConfigError, match=rf"{key}: should be a finite number"):
        load_models(tmp_path)


def test_a_model_needs_an_input(tmp_path: Path) -> None:
    text = (ROOT / "harness" / "models" / "spam-fnn" / "model.yaml").read_text()
    file = tmp_path / "m" / "model.yaml"
    file.parent.mkdir()
    file.write_text(text.partition("inputs:")[0] + "inputs: []\noutputs: []\n")
    with pytest.raises(ConfigError, match="inputs"):
        load_models(tmp_path)


MODEL = """
title: T
source: S
seed: 1
parameters: 1
multiply_adds: 1
tolerance: 1e-5
sequence: 5
longest_sequence: 8
inputs: [{name: ids, shape: [batch, sequence], dtype: int64, low: -1e0, high: 9}]
outputs: [{name: y, shape: [batch, 2], dtype: float32}]
"""


@pytest.mark.parametrize(
    ("written", "instead", "words"),
    [
        ("longest_sequence: 8", "longest_sequence: 3", "sequence 5 is more than longest_sequence 3"),
        ("\nsequence: 5", "", "a dimension of that name go together"),
        ("[batch, sequence]", "[batch, 5]", "a dimension of that name go together"),
        ("high: 9", "high: -1", "no value of ids lies from -1 to below -1"),
        ("[batch, 2]", "[32, 2]", "the first dimension of y is not batch"),
        ("[batch, sequence]", "[]", "the first dimension of ids is not batch"),
        (
            "[batch, 2]",
            "[batch, two]",
            r"outputs\[0\]\.shape\[1\]: should be 'batch' or 'sequence', or a valid integer",
        ),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(
    tmp_path: Path, written: str, instead: str, words: str
) -> None:
    file = tmp_path / "m" / "model.yaml"
    file.parent.mkdir()
    file.write_text(MODEL)
    assert load_models(tmp_path)["m"].inputs[0].low == -1
    file.write_text(MODEL.replace(written, instead))
    with pytest.raises(ConfigError, match=words):
        load_models(tmp_path)


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_a_model_does_not_compute_in_float64(tmp_path: Path, part: str) -> None:
    before, key, after = (
        (ROOT / "harness" / "models" / "spam-fnn" / "model.yaml").read_text().partition(f"{part}:")
    )
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.yaml").write_text(before + key + after.replace("float32", "float64", 1))
    with pytest.raises(ConfigError, match=rf"{part}.*'float32', 'int32' or 'int64'"):
        load_models(tmp_path)


def test_what_stands_beside_a_matrix_joins_what_is_shipped(tmp_path: Path) -> None:
    (tmp_path / "frameworks").mkdir()
    write(tmp_path / "frameworks", "mine", FRAMEWORK)
    shutil.copytree(ROOT / "harness" / "models" / "spam-fnn", tmp_path / "models" / "my-spam")
    catalog = load_catalog(tmp_path)
    assert catalog.frameworks["mine"].folder == tmp_path / "frameworks" / "mine"
    assert catalog.models["my-spam"].folder == tmp_path / "models" / "my-spam"
    assert "pytorch" in catalog.frameworks
    assert "spam-fnn" in catalog.models


@pytest.mark.parametrize(
    ("source", "place"),
    [("images/pytorch", "frameworks/pytorch"), ("harness/models/spam-fnn", "models/spam-fnn")],
)
def test_what_shadows_something_shipped_is_refused(tmp_path: Path, source: str, place: str) -> None:
    shutil.copytree(ROOT / source, tmp_path / place)
    with pytest.raises(ConfigError, match="of its own") as caught:
        load_catalog(tmp_path)
    assert str(tmp_path / place) in caught.value.what
    assert caught.value.why
    assert f"my-{Path(place).name}" in caught.value.fix

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.build.lock import parse_pip_config, requests, source_options
from harness.build.lockfile import read_pins

ROOT = Path(__file__).parents[2]
LOCKS = [*sorted(ROOT.glob("requirements*.lock")), *sorted(ROOT.glob("images/**/requirements.*.lock"))]


def test_pip_s_configuration_is_read_with_several_values_to_an_option() -> None:
    text = ":env:.find-links='/a'\nglobal.extra-index-url='https://b.example/s file:///c'\nnoise\n"
    assert parse_pip_config(text) == {
        "find-links": ("/a",),
        "extra-index-url": ("https://b.example/s", "file:///c"),
    }


def test_the_main_index_comes_first_and_the_public_one_stands_in_for_it() -> None:
    config = {"extra-index-url": ("https://b.example",), "find-links": ("/a",)}
    assert source_options(config, ["https://c.example"]) == [
        "--index-strategy=unsafe-best-match", "--index=https://b.example", "--index=https://c.example",
        "--find-links=/a",
    ]  # fmt: skip
    assert (
        source_options({"index-url": ("https://own.example",)}, [])[1]
        == "--default-index=https://own.example"
    )


def test_every_lock_is_made_and_none_is_left_from_before() -> None:
    assert sorted(output for _, output, _ in requests(ROOT, "x86_64")) == sorted(LOCKS)


def test_a_framework_s_tools_are_locked_with_its_indexes(tmp_path: Path) -> None:
    tools = tmp_path / "images" / "mine" / "tools"
    tools.mkdir(parents=True)
    (tools / "requirements.in").touch()
    (tools / "overrides.txt").touch()
    (tools.parent / "framework.yaml").write_text(
        "title: T\npackage: p\nhomepage: h\nindexes: [https://wheels.example]\n"
    )
    *_, (inputs, output, indexes) = requests(tmp_path, "aarch64")
    assert inputs[-2:] == ["images/mine/tools/requirements.in", "--override=images/mine/tools/overrides.txt"]
    assert output == tools / "requirements.aarch64.lock"
    assert indexes == ("https://wheels.example",)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lock_pins_every_package_by_hash_and_names_no_place(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(--(index|extra|find)|-i |-f |/)", text, re.MULTILINE)
    blocks = re.split(r"(?m)^(?=[a-z])", text)[1:]
    assert {block.partition("==")[0] for block in blocks} == set(read_pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def asked(source: Path) -> Iterator[str]:
    """The requirements of a file, and of those that it includes."""
    for line in source.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from asked(source.parent / text.removeprefix("-r "))
        elif text:
            yield text


@pytest.mark.parametrize(
    "source",
    sorted(ROOT.glob("images/**/requirements.in")),
    ids=lambda path: str(path.parent.relative_to(ROOT)),
)
def test_an_image_s_lock_keeps_what_is_asked_for(source: Path) -> None:
    pins = read_pins(source.with_name("requirements.x86_64.lock"))
    for requirement in asked(source):
        name, _, version = requirement.partition("==")
        assert name in pins
        assert not version or pins[name] == version


def test_the_host_s_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = read_pins(ROOT / "requirements.lock")
    development = read_pins(ROOT / "requirements-dev.lock")
    for requirement in project["project"]["dependencies"]:
        assert re.split(r"[\[>=<~ ]", requirement)[0] in pins
    for requirement in project["dependency-groups"]["dev"]:
        assert re.split(r"[\[>=<~ ]", requirement)[0] in development
    assert pins.keys() <= development.keys()

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runner.manifest import is_complete, read_seal, write_manifest

FILES = {"spec.json": b"{}", "weights.safetensors": b"\x00" * 100, "deep/inside.bin": b"abc"}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_sealed_volume_is_complete_and_known_by_its_hash(volume: Path) -> None:
    digest = write_manifest(volume)
    size = sum(len(content) for content in FILES.values())
    assert read_seal(volume) == read_seal(str(volume)) == {"hash": digest, "size_bytes": size}
    assert is_complete(volume)


def test_the_manifest_tells_each_file(volume: Path) -> None:
    write_manifest(volume)
    manifest = json.loads((volume / "manifest.json").read_text())
    assert {name: entry["bytes"] for name, entry in manifest["files"].items()} == {
        name: len(content) for name, content in FILES.items()
    }


def test_a_volume_is_unfinished_until_it_is_sealed(volume: Path) -> None:
    assert read_seal(volume) is None
    assert not is_complete(volume)


def test_sealing_again_changes_nothing(volume: Path) -> None:
    assert write_manifest(volume) == write_manifest(volume)


def test_a_changed_file_of_the_same_size_is_found_by_reading_it(volume: Path) -> None:
    write_manifest(volume)
    (volume / "deep" / "inside.bin").write_bytes(b"abd")
    assert not is_complete(volume)


def change_size(volume: Path) -> None:
    (volume / "spec.json").write_bytes(b"{ }")


def remove(volume: Path) -> None:
    (volume / "spec.json").unlink()


def add(volume: Path) -> None:
    (volume / "stray.py").touch()


def tamper(volume: Path) -> None:
    manifest = json.loads((volume / "manifest.json").read_text())
    manifest["files"]["spec.json"]["sha256"] = "0" * 64
    (volume / "manifest.json").write_text(json.dumps(manifest))


def truncate(volume: Path) -> None:
    text = (volume / "manifest.json").read_text()
    (volume / "manifest.json").write_text(text[: len(text) // 2])


@pytest.mark.parametrize("text", ["", "[]", "null", "7", '{"hash": "x"}', '{"hash": "x", "files": {"a": 1}}'])
def test_what_is_no_manifest_is_refused(volume: Path, text: str) -> None:
    (volume / "manifest.json").write_text(text)
    assert read_seal(volume) is None
    assert not is_complete(volume)


@pytest.mark.parametrize("damage", [change_size, remove, add, tamper, truncate])
def test_damage_is_seen_without_reading_the_files(volume: Path, damage: Callable[[Path], None]) -> None:
    write_manifest(volume)
    damage(volume)
    assert read_seal(volume) is None


@settings(max_examples=30)
@given(
    files=st.dictionaries(
        st.text("abcxyz", min_size=1, max_size=4), st.binary(max_size=20), min_size=1, max_size=4
    )
)
def test_the_hash_follows_names_and_contents_alone(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    first, second, other = (tmp_path_factory.mktemp("volume") for _ in range(3))
    for name, content in files.items():
        (first / name).write_bytes(content)
        (other / name).write_bytes(content + b"!")
    for name, content in reversed(files.items()):
        (second / name).write_bytes(content)
    assert write_manifest(first) == write_manifest(second) != write_manifest(other)

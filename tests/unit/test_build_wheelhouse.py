import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from harness.build.wheelhouse import download_argv, fill, target_options
from harness.errors import BuildError

LOCK = "one==1.0 \\\n    --hash=sha256:00\ntwo==2.0 \\\n    --hash=sha256:00\n"


class FakePip:
    """Stores one empty wheel a pin, or fails where none of its indexes is asked."""

    def __init__(self, argv: list[str], needed_index: str) -> None:
        self.argv = argv
        found = not needed_index or f"--extra-index-url={needed_index}" in argv
        self.returncode = 0 if found else 1
        text = "Looking in indexes: x\nCollecting one==1.0 (from -r lock (line 1))\n"
        if found:
            text += "Collecting two==2.0 (from -r lock (line 3))\n"
            destination = Path(self.option("--dest"))
            destination.mkdir()
            for name in ("one-1.0", "two-2.0"):
                (destination / f"{name}-py3-none-any.whl").touch()
        else:
            text += "ERROR: No matching distribution found for two==2.0\n"
        self.stdout = io.StringIO(text)

    def option(self, name: str) -> str:
        return next(word.partition("=")[2] for word in self.argv if word.startswith(f"{name}="))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "images" / "mine" / "requirements.x86_64.lock"
    file.parent.mkdir(parents=True)
    file.write_text(LOCK)
    return file


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[FakePip]]:
    """Replace pip, and list the calls; the argument is the index without which it fails."""

    def replace(needed_index: str = "") -> list[FakePip]:
        calls: list[FakePip] = []

        def popen(argv: list[str], **_: object) -> FakePip:
            calls.append(FakePip(argv, needed_index))
            return calls[-1]

        monkeypatch.setattr(subprocess, "Popen", popen)
        return calls

    return replace


Downloads = Callable[..., list[FakePip]]


def wheels(tmp_path: Path, lock: Path, *indexes: str) -> list[str]:
    found = fill(
        tmp_path / "house",
        lock,
        name="mine",
        architecture="x86_64",
        indexes=indexes,
        on_wheel=lambda *_: None,
    )
    return [path.name for path in found]


def test_pip_is_asked_for_the_images_python_and_only_for_hashed_wheels(tmp_path: Path) -> None:
    argv = download_argv(tmp_path / "lock", tmp_path / "out", "aarch64", ["https://example.org/simple"])
    assert argv[1:4] == ["-m", "pip", "download"]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.11"} <= set(argv)
    assert {"--abi=cp311", "--abi=abi3", "--abi=none"} <= set(argv)
    assert {"--platform=manylinux_2_28_aarch64", "--platform=manylinux2014_aarch64"} <= set(argv)
    assert "--extra-index-url=https://example.org/simple" in argv


def test_wheels_for_any_linux_are_the_last_choice() -> None:
    platforms = [option for option in target_options("x86_64") if option.startswith("--platform=")]
    assert platforms[-1] == "--platform=linux_x86_64", "all that PyTorch's index has up to 2.6"
    assert all("manylinux" in platform for platform in platforms[:-1])


def test_a_complete_wheelhouse_is_not_downloaded_again(
    tmp_path: Path, lock: Path, downloads: Downloads
) -> None:
    calls = downloads()
    expected = ["one-1.0-py3-none-any.whl", "two-2.0-py3-none-any.whl"]
    assert wheels(tmp_path, lock) == expected
    assert wheels(tmp_path, lock) == expected
    assert len(calls) == 1


def test_an_incomplete_wheelhouse_is_filled_anew(tmp_path: Path, lock: Path, downloads: Downloads) -> None:
    calls = downloads()
    wheels(tmp_path, lock)
    next((tmp_path / "house").rglob("one-*.whl")).unlink()
    assert len(wheels(tmp_path, lock)) == 2
    assert len(calls) == 2


def test_a_changed_lock_replaces_the_wheelhouse(tmp_path: Path, lock: Path, downloads: Downloads) -> None:
    downloads()
    wheels(tmp_path, lock)
    lock.write_text(LOCK + "# changed\n")
    wheels(tmp_path, lock)
    assert len(list((tmp_path / "house").iterdir())) == 1


def test_another_version_s_wheels_stay(tmp_path: Path, lock: Path, downloads: Downloads) -> None:
    downloads()
    for name in ("mine", "mine-1.0", "mine"):
        lock.write_text(f"{LOCK}# {name}\n")
        fill(
            tmp_path / "house",
            lock,
            name=name,
            architecture="x86_64",
            indexes=(),
            on_wheel=lambda *_: None,
        )
    assert len(list((tmp_path / "house").iterdir())) == 2


def test_public_indexes_are_asked_only_when_the_host_s_own_have_failed(
    tmp_path: Path, lock: Path, downloads: Downloads
) -> None:
    calls = downloads("https://example.org/simple")
    assert len(wheels(tmp_path, lock, "https://example.org/simple")) == 2
    assert ["--extra-index-url" in " ".join(call.argv) for call in calls] == [False, True]


def test_a_wheel_that_is_nowhere_is_told_in_pip_s_words_and_leaves_nothing(
    tmp_path: Path, lock: Path, downloads: Downloads
) -> None:
    downloads("https://example.org/simple")
    with pytest.raises(BuildError) as caught:
        wheels(tmp_path, lock)
    assert "No matching distribution found for two==2.0" in caught.value.why
    assert "pip config list" in caught.value.fix
    assert list((tmp_path / "house").iterdir()) == []


def test_progress_counts_the_requirements(tmp_path: Path, lock: Path, downloads: Downloads) -> None:
    downloads()
    told: list[tuple[str, float]] = []
    fill(
        tmp_path / "house",
        lock,
        name="mine",
        architecture="x86_64",
        indexes=(),
        on_wheel=lambda what, done: told.append((what, done)),
    )
    assert told == [("one==1.0", 0.0), ("two==2.0", 0.5)]

from pathlib import Path
from typing import Any

import pytest

from harness.build.disk import check_disk
from harness.build.images import engine_architecture, is_version
from harness.errors import BuildError


class FakeClient:
    def __init__(self, *, url: str = "http+docker://localhost", **info: str) -> None:
        self.api = type("Api", (), {"base_url": url})()
        self._info = info

    def info(self) -> dict[str, Any]:
        return self._info


def test_a_build_that_would_fill_the_engine_s_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Too little disk") as caught:
        check_disk(FakeClient(DockerRootDir=str(tmp_path)), "mine", 10**18)  # type: ignore[arg-type]
    assert "docker system df" in caught.value.fix


@pytest.mark.parametrize("url", ["http+docker://ssh", "https://far:2376"])
def test_a_disk_that_is_elsewhere_is_not_judged_by_this_machine_s(tmp_path: Path, url: str) -> None:
    check_disk(FakeClient(url=url, DockerRootDir=str(tmp_path)), "mine", 10**18)  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "expected"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_the_engine_s_architecture_is_told_in_the_word_that_wheels_use(word: str, expected: str) -> None:
    assert engine_architecture(FakeClient(Architecture=word)) == expected  # type: ignore[arg-type]


def test_an_architecture_without_wheels_is_refused() -> None:
    with pytest.raises(BuildError, match="riscv64"):
        engine_architecture(FakeClient(Architecture="riscv64"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pinned", "wanted", "same"),
    [
        ("2.13.0+cpu", "2.13.0", True),
        ("2.13.0+cpu", "2.13", True),
        ("2.13.0+cpu", "2.13.0+cpu", True),
        ("2.13.0+cpu", "2.13.0+rocm", False),
        ("1.32.0", "1.3", False),
        ("", "1.3", False),
    ],
)
def test_the_current_version_is_known_by_its_number(pinned: str, wanted: str, same: bool) -> None:
    assert is_version(pinned, wanted) is same

"""Files of images: what is refused before the engine is asked, and what an export leaves."""

import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from harness.build.disk import LOCAL_URL
from harness.errors import BuildError, ConfigError, StoreError
from harness.image_file import Content, new_file, read_content, refuse_foreign
from harness.transfer import export_images, import_images

NOBODY = cast(docker.DockerClient, None)


def write_images(file: Path, *tags: str, architecture: str = "amd64", **members: Any) -> Path:
    """A file as `docker save` writes it, without layers; `members` take the place of its own."""
    entries = [{"Config": "config.json", "RepoTags": [tag]} for tag in tags]
    content = {"config": {"architecture": architecture}, "manifest": entries} | members
    with tarfile.open(file, "w") as archive:
        for name, value in content.items():
            text = value if isinstance(value, bytes) else json.dumps(value).encode()
            member = tarfile.TarInfo(f"{name}.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return file


def test_what_is_inside_is_told_without_unpacking(tmp_path: Path) -> None:
    tags = ("edgematrix/base:debian-0123", "edgematrix/onnxruntime:1.17.0", "edgematrix/my-own:latest")
    found = read_content(write_images(tmp_path / "images.tar", *tags))
    assert found == Content(tags=tuple(sorted(tags)), architectures=frozenset({"amd64"}))


@pytest.mark.parametrize(
    ("members", "tags"),
    [
        ({}, ("edgematrix/null:latest", "alpine:latest")),
        ({}, ("elsewhere/edgematrix/null:latest",)),
        ({}, ()),
        ({"manifest": {"schemaVersion": 2}}, ()),
        ({"manifest": [{"RepoTags": None, "Config": "config.json"}]}, ()),
        ({"manifest": [{"RepoTags": ["edgematrix/null:latest"], "Config": "gone.json"}]}, ()),
        ({"manifest": [{"RepoTags": ["edgematrix/null:latest"], "Config": 5}]}, ()),
        ({"manifest": [{"RepoTags": [5], "Config": "config.json"}]}, ()),
        ({"manifest": b"[" * 100_000}, ()),
        ({"config": []}, ("edgematrix/null:latest",)),
    ],
)
def test_an_archive_of_something_else_is_refused(
    tmp_path: Path, members: dict[str, Any], tags: tuple[str, ...]
) -> None:
    file = write_images(tmp_path / "images.tar", *tags, **members)
    with pytest.raises(ConfigError, match=r"is no file of Edgematrix's images") as caught:
        import_images(NOBODY, file, lambda _: None)
    assert caught.value.why
    assert "edgematrix images export" in caught.value.fix


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(10_000)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "images.tar").write_bytes(content)
    with pytest.raises(ConfigError, match="no file of Edgematrix's images"):
        read_content(file)


def test_a_file_without_any_image_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_content(write_images(tmp_path / "images.tar"))
    assert caught.value.why == "It holds no image that has a name."


def test_a_beginning_is_refused(tmp_path: Path) -> None:
    file = write_images(tmp_path / "images.tar", "edgematrix/null:latest")
    file.write_bytes(file.read_bytes()[:600])
    with pytest.raises(ConfigError, match="no file of Edgematrix's images"):
        read_content(file)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "images.tar")
    with pytest.raises(StoreError, match="no regular file"):
        read_content(pipe)


@pytest.mark.parametrize("name", [".", "absent.tar"])
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        read_content(tmp_path / name)


def test_images_for_another_processor_are_refused() -> None:
    content = Content(tags=("edgematrix/null:latest",), architectures=frozenset({"arm64"}))
    refuse_foreign(content, "aarch64", Path("images.tar"))
    with pytest.raises(BuildError, match="are for aarch64, and the engine runs on x86_64") as caught:
        refuse_foreign(content, "x86_64", Path("images.tar"))
    assert caught.value.why
    assert "an engine on x86_64" in caught.value.fix


def test_an_import_that_would_fill_the_engine_s_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_images(tmp_path / "images.tar", "edgematrix/null:latest")
    client = SimpleNamespace(
        info=lambda: {"Architecture": "x86_64", "DockerRootDir": str(tmp_path)},
        api=SimpleNamespace(base_url=LOCAL_URL),
    )
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(BuildError, match="Too little disk to import") as caught:
        import_images(cast(docker.DockerClient, client), file, lambda _: None)
    assert "docker system df" in caught.value.fix


def test_an_export_never_takes_a_file_s_place(tmp_path: Path) -> None:
    (file := tmp_path / "images.tar").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        export_images(NOBODY, file, [], frameworks={}, listener=lambda _: None)
    assert file.read_text() == "mine"


def test_an_export_to_a_folder_that_is_not_there_builds_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing can be written to"):
        export_images(NOBODY, tmp_path / "nodir" / "x.tar", [], frameworks={}, listener=lambda _: None)
    assert not list(tmp_path.iterdir())


def test_an_export_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "images.tar"

    def break_off() -> None:
        with new_file(file) as opened:
            opened.write(b"the first part")
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left on device"):
        break_off()
    assert list(tmp_path.iterdir()) == []
    with new_file(file) as opened:
        opened.write(b"all")
    assert [path.name for path in tmp_path.iterdir()] == ["images.tar"]

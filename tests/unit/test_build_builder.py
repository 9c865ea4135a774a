import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from docker.errors import APIError, DockerException

from harness.build.builder import build, engine_trouble, remove_stages
from harness.errors import BuildError


class FakeApi:
    """Answers a build with recorded messages, and holds images that go only after their children."""

    def __init__(self, messages: list[dict[str, Any]], parents: dict[str, str] | None = None) -> None:
        self.messages = messages
        self.parents = dict(parents or {})
        self.context: bytes = b""
        self.options: dict[str, Any] = {}

    def build(self, *, fileobj: IO[bytes], **options: Any) -> Iterator[dict[str, Any]]:
        self.context = fileobj.read()
        self.options = options
        return iter(self.messages)

    def images(self, **_: Any) -> list[dict[str, str]]:
        return [{"Id": name} for name in self.parents]

    def remove(self, name: str) -> None:
        if name in self.parents.values():
            raise APIError("conflict: image has dependent child images")
        del self.parents[name]


class FakeClient:
    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.images = api


def run(api: FakeApi, tmp_path: Path) -> list[tuple[str, float]]:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    steps: list[tuple[str, float]] = []
    build(
        FakeClient(api),  # type: ignore[arg-type]
        tag="edgematrix/mine:latest",
        context=(("Dockerfile", dockerfile), ("deep/er/file", dockerfile)),
        arguments={"BASE": "b"},
        labels={"l": "1"},
        on_step=lambda what, done: steps.append((what, done)),
    )
    return steps


def test_each_instruction_is_told_with_what_is_done_in_one_line(tmp_path: Path) -> None:
    api = FakeApi(
        [
            {"stream": "Step 1/4 : FROM scratch\n"},
            {"stream": " ---> 123\n"},
            {"stream": "Step 3/4 : RUN one  && two \n"},
        ]
    )
    assert run(api, tmp_path) == [("FROM scratch", 0.0), ("RUN one", 0.5)]


def test_the_context_depends_on_names_and_contents_alone(tmp_path: Path) -> None:
    api = FakeApi([])
    run(api, tmp_path)
    first = api.context
    (tmp_path / "Dockerfile").unlink()
    run(api, tmp_path)
    assert api.context == first
    (tmp_path / "context.tar").write_bytes(first)
    with tarfile.open(tmp_path / "context.tar") as archive:
        assert archive.getnames() == ["Dockerfile", "deep/er/file"]
        assert {(entry.uid, entry.gid, entry.mtime, entry.mode) for entry in archive} == {(0, 0, 0, 0o644)}


def test_a_failed_step_is_told_with_the_end_of_its_output_and_leaves_no_stage(tmp_path: Path) -> None:
    output = [{"stream": f"line {number}\n"} for number in range(50)]
    api = FakeApi(
        [*output, {"error": "The command returned a non-zero code: 1\n"}], parents={"a": "", "b": "a"}
    )
    with pytest.raises(BuildError, match="non-zero code: 1") as caught:
        run(api, tmp_path)
    assert caught.value.why.splitlines()[-1] == "line 49"
    assert len(caught.value.why.splitlines()) < 20
    assert api.parents == {}


def test_stages_are_removed_children_first() -> None:
    api = FakeApi([], parents={"grandparent": "", "parent": "grandparent", "child": "parent"})
    remove_stages(FakeClient(api))  # type: ignore[arg-type]
    assert api.parents == {}


def test_a_stage_that_is_still_used_stays() -> None:
    api = FakeApi([], parents={"a": "b", "b": "a", "child": "a"})
    remove_stages(FakeClient(api))  # type: ignore[arg-type]
    assert set(api.parents) == {"a", "b"}


def test_each_build_labels_its_stages_with_a_number_of_its_own(tmp_path: Path) -> None:
    api = FakeApi([])
    numbers = set()
    for _ in range(2):
        run(api, tmp_path)
        numbers.add(api.options["buildargs"]["BUILD"])
    assert len(numbers) == 2


def test_the_engine_s_own_errors_become_build_errors() -> None:
    with pytest.raises(BuildError, match="could not") as caught, engine_trouble("It could not."):
        raise DockerException("the engine is gone")
    assert caught.value.why == "the engine is gone"

import subprocess
from pathlib import Path
from typing import Any

import pytest
from docker.errors import ImageNotFound, NotFound

from harness.build import base
from harness.build.base import bootstrap_argv, debian_base, ensure_base, load_recipe, pulled_base
from harness.build.events import BuildEvent
from harness.errors import BuildError

RECIPE = load_recipe(Path(__file__).parents[2] / "images" / "base" / "base.yaml")
DIGEST = "sha256:" + "1" * 64


class FakeImages:
    """The engine's images by name, and what a registry has."""

    def __init__(self, present: set[str], registry: set[str]) -> None:
        self.present = present
        self.registry = registry
        self.asked: list[str] = []

    def get(self, name: str) -> Any:
        if name not in self.present:
            raise ImageNotFound(name)
        return type("Image", (), {"tag": lambda _, tag: self.present.add(tag)})()

    def get_registry_data(self, name: str) -> None:
        self.asked.append(name)
        if name not in self.registry:
            raise NotFound("no registry answers")

    def pull(self, name: str) -> None:
        self.present.add(name)


class FakeClient:
    def __init__(self, *, present: set[str] = frozenset(), registry: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self.images = FakeImages(set(present), set(registry))
        self.api = type("Api", (), {"timeout": 600})()


@pytest.fixture(autouse=True)
def no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEMATRIX_BASE", raising=False)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note that a base is built from Debian's packages instead of building it."""
    tags: list[str] = []
    monkeypatch.setattr(
        base, "_build_from_debian", lambda _client, _recipe, made, _arch: tags.append(made.tag)
    )
    return tags


def have(client: FakeClient) -> tuple[base.Base, list[BuildEvent]]:
    events: list[BuildEvent] = []
    found = ensure_base(client, RECIPE, architecture="x86_64", on_event=events.append)  # type: ignore[arg-type]
    return found, events


def test_a_base_on_the_engine_is_used_without_asking_a_registry(built: list[str]) -> None:
    expected = debian_base(RECIPE.debian, "x86_64")
    client = FakeClient(present={expected.tag}, registry={RECIPE.image})
    assert have(client) == (expected, [])
    assert (client.images.asked, built) == ([], [])


def test_a_registry_that_answers_is_pulled_from(built: list[str]) -> None:
    client = FakeClient(registry={RECIPE.image})
    found, _ = have(client)
    assert found.identity == RECIPE.image.partition("@")[2]
    assert found.tag in client.images.present
    assert built == []


def test_without_a_registry_the_base_is_built_and_the_registry_asked_once(built: list[str]) -> None:
    client = FakeClient()
    found, events = have(client)
    assert built == [found.tag]
    assert client.images.asked == [RECIPE.image]
    assert len(events) == 2
    assert client.api.timeout == 600


def test_a_named_mirror_is_the_only_place(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMATRIX_BASE", f"mirror.example/python@{DIGEST}")
    debian = debian_base(RECIPE.debian, "x86_64").tag
    with pytest.raises(BuildError, match=r"mirror\.example") as caught:
        have(FakeClient(present={debian}))
    assert "EDGEMATRIX_BASE" in caught.value.fix
    assert built == []


def test_the_base_of_tools_has_a_mirror_of_its_own(monkeypatch: pytest.MonkeyPatch, built: list[str]) -> None:
    monkeypatch.setenv("EDGEMATRIX_BASE", f"mirror.example/slim@{DIGEST}")
    client = FakeClient(registry={RECIPE.image})
    found = ensure_base(
        client,  # type: ignore[arg-type]
        RECIPE,
        variable="EDGEMATRIX_TOOLS_BASE",
        architecture="x86_64",
        on_event=lambda _: None,
    )
    assert found.reference == RECIPE.image
    assert built == []


def test_a_mirror_s_image_has_the_identity_of_the_original() -> None:
    mirrored = pulled_base(f"mirror.example/docker/python:other@{DIGEST}")
    original = pulled_base(f"python:3.11@{DIGEST}")
    assert (mirrored.tag, mirrored.identity) == (original.tag, original.identity)


def test_a_base_without_digest_is_refused() -> None:
    with pytest.raises(BuildError, match="not named by digest"):
        pulled_base("python:3.11-slim")


def test_another_recipe_or_architecture_is_another_base() -> None:
    fewer = RECIPE.debian.model_copy(update={"packages": ("python3",)})
    tags = {
        debian_base(RECIPE.debian, "x86_64").tag,
        debian_base(RECIPE.debian, "aarch64").tag,
        debian_base(fewer, "x86_64").tag,
    }
    assert len(tags) == 3


def test_debian_s_base_is_for_the_engine_s_architecture_and_without_documentation() -> None:
    argv = bootstrap_argv(RECIPE.debian, "aarch64", Path("out.tar"))
    assert argv[0] == "mmdebstrap"
    assert "--architectures=arm64" in argv
    assert "--dpkgopt=path-exclude=/usr/share/man/*" in argv
    assert argv[-2:] == ["bookworm", "out.tar"]


def test_who_can_neither_pull_nor_build_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("harness.debian.can_install", lambda: False)
    with pytest.raises(BuildError) as caught:
        have(FakeClient())
    assert "apt-get install mmdebstrap" in caught.value.fix
    assert "EDGEMATRIX_BASE" in caught.value.fix


def test_a_failed_bootstrap_is_told_in_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.CompletedProcess([], 1, stdout="", stderr="noise\nE: no mirror answers")
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/mmdebstrap")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(BuildError) as caught:
        have(FakeClient())
    assert "no mirror answers" in caught.value.why

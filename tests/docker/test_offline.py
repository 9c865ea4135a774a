"""Images carried in a file to an engine that has neither images nor a network."""

import contextlib
from pathlib import Path

import docker
import pytest

from harness.build.images import find_image
from harness.catalog import load_catalog
from harness.events import Event, Step
from harness.transfer import export_images, import_images, list_images
from tests.checkout import ROOT
from tests.docker.private_engine import PrivateEngine
from tests.docker.survival import Command

pytestmark = pytest.mark.docker

TAGS = ("edgematrix/null:latest", "edgematrix/prepare:latest", "edgematrix/probe:latest")


def shares(events: list[Event], word: str) -> list[float]:
    """What was told of the progress of the file itself."""
    steps = [event for event in events if isinstance(event, Step) and word in event.text]
    return [step.done or 0.0 for step in steps]


def test_after_an_import_a_run_builds_nothing(client: docker.DockerClient, tmp_path: Path) -> None:
    file, told = tmp_path / "images.tar", list[Event]()
    tags = export_images(client, file, [], frameworks=load_catalog(ROOT).frameworks, listener=told.append)
    assert tags[1:] == TAGS
    assert tags[0].startswith("edgematrix/base:")
    assert shares(told, "writing") == sorted(shares(told, "writing"))
    assert [path.name for path in tmp_path.iterdir()] == ["images.tar"]

    (data := tmp_path / "engine").mkdir()
    private = PrivateEngine(data)
    with contextlib.ExitStack() as held:
        held.callback(private.stop)
        elsewhere = private.start()
        held.callback(elsewhere.close)
        imported = import_images(elsewhere, file, told.append)
        assert list(imported) == [find_image(client, tag) for tag in TAGS]
        assert [each["image"] for each in list_images(elsewhere)] == list(TAGS)
        assert shares(told, "importing")[-1] == 0.99

        command = Command(tmp_path, trials=1)
        command.environment["DOCKER_HOST"] = private.url
        done = command.run()
        assert done.returncode == 0, done.stderr
        images = [line for line in done.stderr.splitlines() if line.startswith("image ")]
        assert len(images) == len(TAGS)
        assert all("up to date" in line for line in images), images

"""What is in the images, and when they are built: with the real engine, on the smallest framework."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from harness.build import BuildEvent, ImageRequest, Step, build_images
from harness.build.builder import LABEL_STAGE
from harness.build.lockfile import read_pins
from harness.catalog import load_catalog
from harness.errors import BuildError, ConfigError
from harness.runs import Image
from tests.checkout import ROOT
from tests.docker.conftest import remove_images

pytestmark = pytest.mark.docker

FRAMEWORKS = sorted(load_catalog(ROOT).frameworks)

LOOK = """
import json, os, sys, sysconfig
large = open("/opt/edgematrix/large_files.txt").read().splitlines()
names = [os.path.join(parent, name) for parent, _, files in os.walk("/opt") for name in files]
compiled = {name.rpartition("/__pycache__/")[2].partition(".cpython")[0] for name in names if name.endswith(".pyc")}
print(json.dumps({
    "python": list(sys.version_info[:2]),
    "uid": os.getuid(),
    "large": len(large),
    "large_missing": [name for name in large if os.path.getsize(name) < 256 * 1024],
    "large_unlisted": [name for name in names if os.path.getsize(name) >= 256 * 1024 and name not in large],
    "needless": [name for name in names if name.endswith((".whl", ".h", ".hpp", ".a", "/RECORD"))],
    "pip": [name for name in names if "/site/pip/" in name],
    "caches": [name for name in ("/root/.cache", "/build", "/var/lib/apt/lists/auxfiles") if os.path.exists(name)],
    "runner_compiled": {"supervisor", "worker"} <= compiled,
    "mounts": [os.stat(name).st_uid for name in ("/model", "/native")],
}))
"""


def build_all(
    client: docker.DockerClient, wanted: list[Any], folder: Path = ROOT
) -> tuple[dict[Any, Any], list[BuildEvent]]:
    events: list[BuildEvent] = []
    frameworks = load_catalog(folder).frameworks
    return build_images(client, wanted, frameworks=frameworks, on_event=events.append), events


def run(client: docker.DockerClient, image: str, code: str) -> str:
    """Run Python in an image as a trial would: no network, nothing writable, no capability."""
    container = client.containers.create(
        image,
        ["-c", code],
        entrypoint="python3",
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": ""},
    )
    try:
        container.start()
        status = container.wait()["StatusCode"]
        assert status == 0, container.logs().decode()
        output: bytes = container.logs(stderr=False)
    finally:
        container.remove(force=True)
    return output.decode()


@pytest.fixture(scope="module")
def images(client: docker.DockerClient) -> dict[str, Image]:
    """All of the project's images."""
    built, _ = build_all(client, [*FRAMEWORKS, "prepare", "probe"])
    assert not [error for error in built.values() if isinstance(error, BuildError)]
    return built


@pytest.fixture
def copy(tmp_path: Path, client: docker.DockerClient) -> Iterator[Path]:
    """A user's folder with a framework, `copied`, made of one small package."""
    folder = tmp_path / "frameworks" / "copied"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "images" / "jax" / "Dockerfile", folder)
    (folder / "framework.yaml").write_text("title: Copied\npackage: pip\nhomepage: https://example.org\n")
    (folder / "requirements.in").write_text("pip\n")
    for lock in (ROOT / "images" / "base").glob("requirements.*.lock"):
        shutil.copy(lock, folder)
    (folder / "adapter.py").write_text("class Adapter: ...\n")
    yield tmp_path
    remove_images(client, ["copied"])


def stages(client: docker.DockerClient) -> set[str]:
    return {image["Id"] for image in client.api.images(all=True, filters={"label": LABEL_STAGE})}


def test_what_is_up_to_date_is_skipped(client: docker.DockerClient, images: dict[str, Image]) -> None:
    again, events = build_all(client, list(images))
    assert again == images
    assert {event.step for event in events} == {Step.SKIPPED}


@pytest.mark.parametrize("name", [*FRAMEWORKS, "prepare", "probe"])
def test_an_image_holds_what_a_trial_needs_and_nothing_else(
    client: docker.DockerClient, images: dict[str, Image], name: str
) -> None:
    seen = json.loads(run(client, images[name].id, LOOK))
    assert seen["python"] == [3, 11]
    assert seen["uid"] == 10001
    assert seen["mounts"] == [10001, 10001]
    assert seen["runner_compiled"]
    for leftover in ("needless", "pip", "caches", "large_missing", "large_unlisted"):
        assert seen[leftover] == [], leftover
    assert seen["large"] > 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pytorch", "import torch; print(torch.relu(torch.ones(2) @ torch.ones(2, 2)).tolist())"),
        (
            "tensorflow",
            "import tensorflow as tf; print((tf.ones((1, 2)) @ tf.ones((2, 2))).numpy()[0].tolist())",
        ),
        ("jax", "import jax, jax.numpy as np; print(jax.jit(np.dot)(np.ones(2), np.ones((2, 2))).tolist())"),
        (
            "onnxruntime",
            "import onnxruntime as o; assert 'CPUExecutionProvider' in o.get_available_providers()\nprint([2.0, 2.0])",
        ),
        ("openvino", "import openvino as o; assert 'CPU' in o.Core().available_devices; print([2.0, 2.0])"),
    ],
)
def test_a_framework_runs_without_network_root_or_a_writable_disk(
    client: docker.DockerClient, images: dict[str, Image], name: str, code: str
) -> None:
    assert run(client, images[name].id, code).strip() == "[2.0, 2.0]"


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_packages_inside_are_those_of_the_lock(
    client: docker.DockerClient, images: dict[str, Image], name: str
) -> None:
    code = (
        "import json, importlib.metadata as m\n"
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in m.distributions(path=['/opt/site'])}))"
    )
    (lock,) = (ROOT / "images" / name).glob("requirements.x86_64.lock")
    assert json.loads(run(client, images[name].id, code)) == read_pins(lock) == images[name].packages


def test_labels_tell_what_an_image_is(client: docker.DockerClient, images: dict[str, Image]) -> None:
    image = images["onnxruntime"]
    labels = client.images.get(image.id).labels
    assert labels["edgematrix.framework"] == "onnxruntime"
    assert labels["edgematrix.fingerprint"] == image.fingerprint
    assert labels["org.opencontainers.image.title"] == "ONNX Runtime"
    assert labels["org.opencontainers.image.version"] == image.packages["onnxruntime"]


def test_a_change_in_the_adapter_rebuilds_the_last_layers_only(
    client: docker.DockerClient, copy: Path
) -> None:
    before, events = build_all(client, ["copied"], copy)
    assert any("site.py install" in event.detail for event in events)
    with (copy / "frameworks" / "copied" / "adapter.py").open("a") as file:
        file.write("# changed\n")
    after, events = build_all(client, ["copied"], copy)
    assert after["copied"].fingerprint != before["copied"].fingerprint
    assert not any("site.py install" in event.detail for event in events)
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get(before["copied"].id)


@pytest.fixture
def versioned(copy: Path) -> Path:
    """The folder, with `copied` made of psutil, of which every version is one small wheel."""
    folder = copy / "frameworks" / "copied"
    for lock in (ROOT / "images" / "null").glob("requirements.*.lock"):
        shutil.copy(lock, folder)
    settings = folder / "framework.yaml"
    settings.write_text(settings.read_text().replace("package: pip", "package: psutil"))
    (folder / "requirements.in").write_text(f"psutil=={current_version(copy)}\n")
    return copy


def current_version(folder: Path) -> str:
    """Of what `versioned` is made of."""
    return read_pins(folder / "frameworks" / "copied" / "requirements.x86_64.lock")["psutil"]


def test_another_version_stands_beside_the_current_one(client: docker.DockerClient, versioned: Path) -> None:
    versions = (None, "7.0.0", current_version(versioned))
    latest, older, same = (ImageRequest("copied", version=version) for version in versions)
    built, _ = build_all(client, [latest, older, same], versioned)
    images = {request: image for request, image in built.items() if isinstance(image, Image)}
    assert images.keys() == built.keys()
    assert images[same] == images[latest]
    assert images[older].tag == "edgematrix/copied:7.0.0"
    code = "import psutil; print(psutil.__version__)"
    assert run(client, images[older].id, code).strip() == images[older].packages["psutil"] == "7.0.0"
    assert run(client, images[latest].id, code).strip() == current_version(versioned)
    again, events = build_all(client, [older, latest], versioned)
    assert again == {older: images[older], latest: images[latest]}
    assert {event.step for event in events} == {Step.RESOLVE, Step.SKIPPED}


def test_tools_are_built_when_asked_for_around_the_version_that_they_serve(
    client: docker.DockerClient, versioned: Path
) -> None:
    folder = versioned / "frameworks" / "copied"
    (tools := folder / "tools").mkdir()
    for file in ("Dockerfile", "requirements.in", "requirements.x86_64.lock"):
        shutil.copy(folder / file, tools)
    (tools / "convert.py").write_text("import psutil\n\nprint(psutil.__version__)\n")
    latest = ImageRequest("copied", tools=True)
    older = replace(latest, version="7.0.0")
    alone = ImageRequest("copied", version="7.0.0")
    built, _ = build_all(client, [latest, older, alone], versioned)
    images = {request: image for request, image in built.items() if isinstance(image, Image)}
    assert images.keys() == built.keys()
    assert images[older].tag == "edgematrix/copied-tools:7.0.0"
    assert run(client, images[older].id, "import convert").strip() == "7.0.0"
    assert run(client, images[latest].id, "import convert").strip() == current_version(versioned)
    assert "no module" in run(
        client, images[alone].id, "import importlib.util as u; print(u.find_spec('convert') or 'no module')"
    )
    again, _ = build_all(client, [older, latest], versioned)
    assert again == {older: images[older], latest: images[latest]}


def test_who_asks_for_tools_that_a_framework_has_not_is_told(
    client: docker.DockerClient, versioned: Path
) -> None:
    request = ImageRequest("copied", tools=True)
    failure = build_all(client, [request], versioned)[0][request]
    assert isinstance(failure, BuildError)
    assert failure.what == "copied has no tools."


def test_a_version_that_does_not_exist_is_told_with_those_that_do(
    client: docker.DockerClient, versioned: Path
) -> None:
    request = ImageRequest("copied", version="0.0.99")
    failure = build_all(client, [request], versioned)[0][request]
    assert isinstance(failure, BuildError)
    assert "No matching distribution" in failure.why
    assert current_version(versioned) in failure.fix


def test_a_failed_build_is_that_image_s_alone_and_leaves_no_stage(
    client: docker.DockerClient, copy: Path
) -> None:
    stages_before = stages(client)
    file = copy / "frameworks" / "copied" / "Dockerfile"
    file.write_text(file.read_text().replace("site.py finish", "site.py finish && echo the reason && false"))
    built, events = build_all(client, ["copied", "probe"], copy)
    assert isinstance(built["copied"], BuildError)
    assert "the reason" in built["copied"].why
    assert isinstance(built["probe"], Image)
    assert Step.FAILED in {event.step for event in events if event.name == "copied"}
    assert stages(client) == stages_before


def test_an_unknown_name_is_refused_before_anything_is_built(client: docker.DockerClient) -> None:
    with pytest.raises(ConfigError, match="'pytroch'"):
        build_all(client, ["pytroch"])

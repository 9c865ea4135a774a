import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.build.lockfile import lock_path, read_pins
from harness.build.recipe import Recipe, read_recipe
from harness.build.request import ImageRequest
from harness.catalog import load_frameworks
from harness.errors import BuildError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A copy of the project's images, to be changed."""
    return Path(shutil.copytree(ROOT / "images", tmp_path / "images"))


def recipe(images: Path, name: str = "onnxruntime", base: str = "base-1") -> Recipe:
    framework = load_frameworks(images).get(name)
    lock = lock_path(images / name, "x86_64") if (images / name).is_dir() else None
    return read_recipe(
        images, ImageRequest(name), framework=framework, indexes=(), lock=lock, base_identity=base
    )


@pytest.mark.parametrize(
    "file",
    ["onnxruntime/Dockerfile", "onnxruntime/requirements.x86_64.lock", "base/site.py"],
)
def test_what_the_packages_are_made_of_changes_both_fingerprints(images: Path, file: str) -> None:
    before = recipe(images)
    with (images / file).open("a") as text:
        text.write("# changed\n")
    after = recipe(images)
    assert after.site_fingerprint != before.site_fingerprint
    assert after.fingerprint != before.fingerprint


@pytest.mark.parametrize(
    "file",
    ["base/Dockerfile", "onnxruntime/framework.yaml", "onnxruntime/adapter.py", "runner/worker.py"],
)
def test_what_only_the_last_layers_are_made_of_keeps_the_packages(images: Path, file: str) -> None:
    before = recipe(images)
    with (images / file).open("a") as text:
        text.write("# changed\n")
    after = recipe(images)
    assert after.site_fingerprint == before.site_fingerprint
    assert after.fingerprint != before.fingerprint


def test_another_base_is_another_image(images: Path) -> None:
    assert recipe(images, base="base-1").fingerprint != recipe(images, base="base-2").fingerprint


def test_another_framework_s_files_change_nothing(images: Path) -> None:
    before = recipe(images)
    (images / "jax" / "adapter.py").write_text("")
    assert recipe(images) == before


def test_a_convert_program_is_part_of_the_image(images: Path) -> None:
    before = recipe(images)
    (images / "onnxruntime" / "convert.py").write_text("")
    after = recipe(images)
    assert "edgematrix/convert.py" in dict(after.runner)
    assert after.fingerprint != before.fingerprint


def test_another_lock_is_another_image(images: Path, tmp_path: Path) -> None:
    lock = tmp_path / "onnxruntime-1.17.0.lock"
    lock.write_text("onnxruntime==1.17.0 \\\n    --hash=sha256:00\n")
    request = ImageRequest("onnxruntime", version="1.17.0")
    framework = load_frameworks(images)["onnxruntime"]
    other = read_recipe(images, request, framework=framework, indexes=(), lock=lock, base_identity="base-1")
    assert (other.version, other.tag) == ("1.17.0", "edgematrix/onnxruntime:1.17.0")
    assert other.fingerprint != recipe(images).fingerprint
    assert other.site_stem != recipe(images).site_stem


def test_tools_are_an_image_of_their_own(images: Path) -> None:
    tools = images / "onnxruntime" / "tools"
    tools.mkdir()
    for name in ("Dockerfile", "requirements.x86_64.lock"):
        shutil.copy(images / "onnxruntime" / name, tools)
    (tools / "convert.py").touch()
    before = recipe(images)
    assert "edgematrix/convert.py" not in dict(before.runner)
    made = read_recipe(
        images,
        ImageRequest("onnxruntime", tools=True),
        framework=load_frameworks(images)["onnxruntime"],
        indexes=(),
        lock=lock_path(tools, "x86_64"),
        base_identity="base-1",
    )
    assert made.tag == "edgematrix/onnxruntime-tools:latest"
    assert (made.title, made.version) == ("ONNX Runtime tools", before.version)
    assert {"edgematrix/convert.py", "edgematrix/runner/convert.py"} <= dict(made.runner).keys()
    assert "edgematrix/adapter.py" not in dict(made.runner)
    assert made.site_stem != before.site_stem


def test_the_version_is_that_of_the_package_that_stands_for_the_framework(images: Path) -> None:
    assert recipe(images, "pytorch").version == recipe(images, "pytorch").packages["torch"]


def test_the_probe_has_the_runner_and_nothing_else(images: Path) -> None:
    probe = recipe(images, "probe")
    assert (probe.lock, probe.packages, probe.site) == (None, {}, ())
    assert "edgematrix/runner/probe.py" in dict(probe.runner)


def test_a_lock_without_the_framework_s_package_is_refused(images: Path) -> None:
    file = images / "onnxruntime" / "framework.yaml"
    file.write_text(file.read_text().replace("package: onnxruntime", "package: other"))
    with pytest.raises(BuildError, match="pins no other"):
        recipe(images)


def test_a_missing_dockerfile_is_told(images: Path) -> None:
    (images / "onnxruntime" / "Dockerfile").unlink()
    with pytest.raises(BuildError, match="Dockerfile is missing"):
        recipe(images)


def test_an_architecture_without_lock_says_how_to_make_one(images: Path) -> None:
    with pytest.raises(BuildError) as caught:
        lock_path(images / "jax", "aarch64")
    assert "make lock ARCHITECTURE=aarch64" in caught.value.fix


@given(
    pins=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True),
        st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}(\+cpu)?", fullmatch=True),
    )
)
def test_pins_are_read_whatever_stands_around_them(
    tmp_path_factory: pytest.TempPathFactory, pins: dict[str, str]
) -> None:
    lock = tmp_path_factory.mktemp("lock") / "requirements.lock"
    blocks = [f"{name}=={pins[name]} \\\n    --hash=sha256:{'0' * 64}\n    # via x==1\n" for name in pins]
    lock.write_text("# made by==hand\n" + "".join(blocks))
    assert read_pins(lock) == pins

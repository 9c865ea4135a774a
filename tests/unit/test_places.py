"""The package in its two layouts: a checkout, and a wheel as pip unpacks it."""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from harness.build.lockfile import lock_path
from harness.build.recipe import read_recipe
from harness.build.request import ImageRequest
from harness.catalog import load_frameworks, load_models
from harness.names import ARTICLE_IMAGES, SUPPORT_IMAGES
from harness.places import PLACES, Places, find_places
from harness.sources import folder_source
from tests.checkout import ROOT

HOME = {"XDG_CACHE_HOME": "/home/me/cache"}


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


@pytest.fixture(scope="module")
def installed(site_packages: Path) -> Places:
    return find_places(site_packages / "harness", HOME)


def files_of(folder: Path) -> dict[str, bytes]:
    """What a folder holds, without what Python and editors leave there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def identities(places: Places) -> dict[str, str]:
    """What every image and every model is known by."""
    frameworks = load_frameworks(places.images)
    requests = [
        *map(ImageRequest, (*frameworks, *SUPPORT_IMAGES, *ARTICLE_IMAGES)),
        *(ImageRequest(name, tools=True) for name, spec in frameworks.items() if spec.has_tools),
    ]
    found = {}
    for request in requests:
        framework = frameworks.get(request.name)
        folder = request.folder(places.images, framework)
        found[str(request)] = read_recipe(
            places.images,
            request,
            framework=framework,
            indexes=(),
            lock=lock_path(folder, "x86_64") if (folder / "requirements.in").is_file() else None,
            base_identity="base",
        ).fingerprint
    return found | {name: folder_source(spec).hash for name, spec in load_models(places.models).items()}


def test_a_checkout_has_all_at_its_top_and_keeps_its_cache_there() -> None:
    assert (
        Places(
            images=ROOT / "images",
            models=ROOT / "harness" / "models",
            matrix=ROOT / "matrix.yaml",
            cache=ROOT / ".cache",
            checkout=ROOT,
        )
        == PLACES
    )


def test_a_wheel_has_all_within_the_package_and_writes_to_the_user_s_cache(
    installed: Places, site_packages: Path
) -> None:
    package = site_packages / "harness"
    assert installed == Places(
        images=package / "images",
        models=package / "models",
        matrix=package / "matrix.yaml",
        cache=Path("/home/me/cache/edgematrix"),
        checkout=None,
    )
    assert installed.matrix.read_text() == PLACES.matrix.read_text()


@pytest.mark.parametrize("named", ["", "relative/cache"])
def test_a_cache_that_is_not_named_by_its_whole_path_is_the_usual_one(installed: Places, named: str) -> None:
    found = find_places(installed.models.parent, {"XDG_CACHE_HOME": named})
    assert found.cache == Path.home() / ".cache" / "edgematrix"


def test_an_image_and_a_model_are_known_by_the_same_hash_in_both(installed: Places) -> None:
    assert identities(installed) == identities(PLACES)


def test_a_wheel_has_every_file_and_no_link(installed: Places, site_packages: Path) -> None:
    assert files_of(installed.images) == files_of(PLACES.images)
    packed = {
        name: content
        for name, content in files_of(site_packages / "harness").items()
        if not name.startswith("images/") and name != "matrix.yaml"
    }
    assert packed == files_of(ROOT / "harness")
    assert not [path for path in site_packages.rglob("*") if path.is_symlink()]

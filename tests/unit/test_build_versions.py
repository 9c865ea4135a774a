import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.build.lockfile import lock_path, read_asked, read_pins, write_lock
from harness.build.request import ImageRequest
from harness.build.versions import Resolver, is_lock_wanted, repin, sorted_stable, unmet
from harness.catalog import FrameworkSpec, load_frameworks
from harness.errors import BuildError, ConfigError

ROOT = Path(__file__).parents[2]
FRAMEWORKS = load_frameworks(ROOT / "images")
NOWHERE = """Looking in indexes: https://user@example.org
WARNING: something old
ERROR: Could not find a version that satisfies the requirement mine==9.0 (from versions: 1.2, 1.10.0, 1.10.1rc1, 1.9)
ERROR: No matching distribution found for mine==9.0
"""


def package(name: str, version: str = "1.0", *requires: str) -> dict[str, Any]:
    """One entry of pip's report."""
    return {
        "metadata": {"name": name, "version": version, "requires_dist": list(requires)},
        "download_info": {"archive_info": {"hashes": {"sha256": f"hash-of-{name}"}}},
    }


@pytest.fixture
def mine(tmp_path: Path) -> FrameworkSpec:
    """A framework in a folder of its own, of version 2.0+cpu, with a twin of the same version."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "requirements.in").write_text(
        "# Why\nmine==2.0+cpu\nmine-twin==2.0+cpu  # goes with it\nnumpy\n"
    )
    return FrameworkSpec(
        name="mine",
        folder=folder,
        title="Mine",
        package="mine",
        homepage="https://example.org",
        indexes=("https://wheels.example",),
        older={"<1.5": ("numpy<2",)},
        has_convert=False,
        has_tools=False,
    )


Pips = Callable[..., list[list[str]]]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Pips:
    """Replace pip by answers, one a call: a report's packages, or the words of a failure; list the calls."""

    def replace(*answers: list[dict[str, Any]] | str) -> list[list[str]]:
        calls: list[list[str]] = []
        left = iter(answers)

        def run(argv: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            calls.append(argv)
            answer = next(left)
            if isinstance(answer, str):
                return subprocess.CompletedProcess(argv, 1, stdout=answer)
            (report,) = (word.partition("=")[2] for word in argv if word.startswith("--report="))
            Path(report).write_text(json.dumps({"install": answer}))
            return subprocess.CompletedProcess(argv, 0, stdout="")

        monkeypatch.setattr(subprocess, "run", run)
        return calls

    return replace


def lock(framework: FrameworkSpec, version: str = "1.0") -> Path:
    resolver = Resolver(folder=framework.folder.parent / "locks", architecture="x86_64")
    return resolver.lock(framework.folder / "requirements.in", framework, version, stem=f"mine-{version}")


def test_pins_of_the_same_version_move_and_keep_the_label_of_the_build(mine: FrameworkSpec) -> None:
    source = mine.folder / "requirements.in"
    assert repin(source, mine, "1.5") == ["mine==1.5+cpu", "mine-twin<=1.5+cpu", "numpy"]
    assert repin(source, mine, "1.5+own")[0] == "mine==1.5+own"


def test_old_companions_come_with_old_versions_only(mine: FrameworkSpec) -> None:
    source = mine.folder / "requirements.in"
    assert repin(source, mine, "1.4.9")[-1] == "numpy<2"
    assert "numpy<2" not in repin(source, mine, "1.5")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_every_framework_s_version_can_be_moved(name: str) -> None:
    spec = FRAMEWORKS[name]
    moved = repin(spec.folder / "requirements.in", spec, "0.0.1")
    assert any(re.fullmatch(rf"{spec.package}==0\.0\.1(\+cpu)?", line) for line in moved)


def test_requirements_without_the_framework_s_package_are_refused(mine: FrameworkSpec) -> None:
    with pytest.raises(BuildError, match="pins no other"):
        repin(mine.folder / "requirements.in", mine.model_copy(update={"package": "other"}), "1.0")


def test_a_lock_has_every_package_by_hash(mine: FrameworkSpec, pip: Pips) -> None:
    pip([package("Mine", "1.0+cpu"), package("a_b", "3")])
    file = lock(mine)
    assert read_pins(file) == {"a-b": "3", "mine": "1.0+cpu"}
    assert "a-b==3 \\\n    --hash=sha256:hash-of-a_b\n" in file.read_text()


def test_the_same_question_is_asked_once(mine: FrameworkSpec, pip: Pips) -> None:
    calls = pip([package("mine")])
    assert lock(mine) == lock(mine)
    assert len(calls) == 1


def test_other_requirements_make_the_lock_anew_and_leave_other_versions_alone(
    mine: FrameworkSpec, pip: Pips
) -> None:
    pip(*[[package("mine")]] * 3)
    first, other = lock(mine, "1.0"), lock(mine, "1.1")
    (mine.folder / "requirements.in").write_text("mine==2.0\n")
    again = lock(mine, "1.0")
    assert (first.exists(), other.exists(), again.exists()) == (False, True, True)


def test_pip_resolves_for_the_images_and_installs_nothing(mine: FrameworkSpec, pip: Pips) -> None:
    calls = pip([package("mine")])
    lock(mine)
    (argv,) = calls
    assert {"--dry-run", "--ignore-installed", "--only-binary=:all:", "--python-version=3.11"} <= set(argv)
    assert argv[-4:] == ["mine==1.0+cpu", "mine-twin<=1.0+cpu", "numpy", "numpy<2"]


def test_public_indexes_are_asked_when_the_host_s_own_have_failed(mine: FrameworkSpec, pip: Pips) -> None:
    calls = pip(NOWHERE, [package("mine")])
    lock(mine)
    assert ["--extra-index-url=https://wheels.example" in argv for argv in calls] == [False, True]


def test_a_version_that_cannot_be_had_names_those_that_can(mine: FrameworkSpec, pip: Pips) -> None:
    pip(NOWHERE, NOWHERE)
    with pytest.raises(BuildError) as caught:
        lock(mine, "9.0")
    assert caught.value.what == "Mine 9.0 cannot be had for Python 3.11 on x86_64."
    assert caught.value.why.splitlines() == [
        "ERROR: Could not find a version that satisfies the requirement mine==9.0",
        "ERROR: No matching distribution found for mine==9.0",
    ]
    assert caught.value.fix == "Choose one of these versions: 1.2, 1.9, 1.10.0."
    assert not (mine.folder.parent / "locks").exists()


def test_what_lacks_something_else_names_no_versions(mine: FrameworkSpec, pip: Pips) -> None:
    words = NOWHERE.replace("mine==9.0", "helper==9.0")
    pip(words, words)
    with pytest.raises(BuildError) as caught:
        lock(mine)
    assert "pip config list" in caught.value.fix


def test_a_pip_that_does_not_answer_is_told(mine: FrameworkSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(argv, 1)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(BuildError) as caught:
        lock(mine)
    assert "within" in caught.value.why


def test_what_only_the_images_need_is_asked_for_as_well(mine: FrameworkSpec, pip: Pips) -> None:
    alone = package("mine", "1.0", "helper>=2; python_version < '3.12'")
    calls = pip([alone], [alone, package("helper")])
    assert set(read_pins(lock(mine))) == {"mine", "helper"}
    assert calls[1][-1] == "helper>=2"


def test_what_overrides_leave_out_is_in_no_lock(mine: FrameworkSpec, pip: Pips) -> None:
    (mine.folder / "overrides.txt").write_text("# Why\nBig_One; sys_platform == 'never'\n")
    pip([package("mine"), package("big-one")])
    assert set(read_pins(lock(mine))) == {"mine"}


def beside(framework: FrameworkSpec) -> Path:
    """Have the lock beside a framework's requirements, as a build has it."""
    source = framework.folder / "requirements.in"
    if is_lock_wanted(source, "x86_64"):
        Resolver(folder=framework.folder.parent, architecture="x86_64").lock_beside(source, framework)
    return lock_path(framework.folder, "x86_64")


def test_a_framework_of_a_user_s_own_gets_its_lock_once_and_anew_when_it_asks_for_something_else(
    mine: FrameworkSpec, pip: Pips
) -> None:
    calls = pip([package("mine", "2.0")], [package("mine", "3.0")])
    assert read_pins(beside(mine)) == read_pins(beside(mine)) == {"mine": "2.0"}
    assert calls[0][-3:] == ["mine==2.0+cpu", "mine-twin==2.0+cpu", "numpy"]
    source = mine.folder / "requirements.in"
    source.write_text("# Another comment\n" + source.read_text())
    beside(mine)
    assert len(calls) == 1
    source.write_text("mine==3.0\n")
    assert read_pins(beside(mine)) == {"mine": "3.0"}
    assert read_asked(beside(mine)) == ["mine==3.0"]


@pytest.mark.usefixtures("pip")
def test_a_lock_that_somebody_else_made_is_left_alone(mine: FrameworkSpec) -> None:
    (mine.folder / "requirements.x86_64.lock").write_text("# by hand\nmine==1.0\n")
    assert read_pins(beside(mine)) == {"mine": "1.0"}


def test_requirements_that_cannot_be_had_are_told(mine: FrameworkSpec, pip: Pips) -> None:
    pip(NOWHERE, NOWHERE)
    with pytest.raises(BuildError) as caught:
        beside(mine)
    assert caught.value.what == "What Mine requires cannot be had for Python 3.11 on x86_64."
    assert "mine==9.0" in caught.value.why
    assert list(mine.folder.glob("*.lock")) == []


def test_markers_are_read_for_the_images() -> None:
    found = [
        package(
            "Mine",
            "1.0",
            "win; sys_platform == 'win32'",
            "extra; extra == 'more'",
            "old; python_version < '3.11'",
            "Arm>1; platform_machine == 'aarch64'",
            "plain",
            "mine; sys_platform == 'linux'",
        )
    ]
    assert unmet(found, "aarch64") == ["Arm>1"]
    assert unmet(found, "x86_64") == []


@given(st.sets(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), min_size=1))
def test_a_lock_reads_back(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    file = tmp_path_factory.mktemp("lock") / "a.lock"
    file.write_text(write_lock(["asked==1"], map(package, names)))
    assert read_pins(file) == dict.fromkeys(sorted(names), "1.0")


def test_versions_are_sorted_as_versions() -> None:
    assert sorted_stable("1.10, 1.9, 2.0.dev1, none") == ["1.9", "1.10"]


@pytest.mark.parametrize("word", ["", "latest", "1.x", "1.0/../../x"])
def test_what_is_no_version_is_refused_at_once(word: str) -> None:
    with pytest.raises(ConfigError, match="is no version of mine"):
        ImageRequest("mine", version=word)


@given(
    version=st.from_regex(r"([0-9]!)?[0-9]{1,3}(\.[0-9]{1,3}){0,2}(rc1)?(\+[a-z0-9]{1,4})?", fullmatch=True)
)
def test_a_version_s_tag_is_one_that_the_engine_takes(version: str) -> None:
    request = ImageRequest("mine", version=version)
    assert re.fullmatch(r"edgematrix/mine:[0-9][\w.-]{0,127}", request.tag, re.ASCII)
    assert request.stem.startswith("mine-")


def test_the_current_version_is_the_latest() -> None:
    assert ImageRequest("mine").tag == "edgematrix/mine:latest"
    assert str(ImageRequest("mine", version="1.0")) == "mine 1.0"


def test_tools_of_a_version_are_called_after_both() -> None:
    request = ImageRequest("mine", version="1.0", tools=True)
    assert (request.tag, request.stem) == ("edgematrix/mine-tools:1.0", "mine-tools-1.0")
    assert str(request) == "mine tools 1.0"

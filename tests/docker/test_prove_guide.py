"""The guide followed literally: its commands in one plain shell, from a clone to a published site."""

import os
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.guide import PAGES, ROOT, blocks, exit_codes

pytestmark = [pytest.mark.docker, pytest.mark.prove]

TUTORIAL = Path("docs/tutorial.md")
KEPT = ("HOME", "PATH", "LANG")
"""What a fresh shell has; and how this machine reaches its engine, its registries and the network."""
KEPT_PREFIXES = ("DOCKER_", "PIP_", "SSL_", "REQUESTS_", "HTTP_", "HTTPS_", "NO_PROXY", "EDGEMATRIX_")


def lines(page: Path) -> list[str]:
    """The commands of a page that a test may run."""
    return [line for block in blocks(page) if block.runs for line in block.lines]


def follow(folder: Path, commands: Iterable[str]) -> None:
    """Run commands one after another in one shell; the first that ends otherwise than it says fails the test."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or name.upper().startswith(KEPT_PREFIXES)
    }
    script = [f"{line}\n{_check(line)}" for line in commands]
    shell = subprocess.run(  # the project's own words
        ["sh", "-c", "\n".join(script)],
        cwd=folder,
        env={**environ, "REPOSITORY": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert shell.returncode == 0, shell.stdout[-4000:]


def _check(line: str) -> str:
    codes = "|".join(map(str, sorted(exit_codes(line))))
    return f"code=$?; case $code in {codes}) ;; *) echo {shlex.quote(line)} ended with $code; exit 1;; esac"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clone in which the tutorial was followed, of the last commit here."""
    folder = tmp_path_factory.mktemp("guide")
    follow(folder, lines(TUTORIAL))
    return folder / "edgematrix"


@pytest.mark.timeout(3600)
def test_the_tutorial_ends_with_a_published_report(followed: Path) -> None:
    assert (followed / "reports" / "latest" / "index.html").is_file()
    assert (followed / "comparison.html").is_file()
    assert (followed / "reports" / "site" / "index.html").is_file()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", [page for page in PAGES if page != TUTORIAL and lines(page)], ids=str)
def test_the_commands_of_every_other_page_work_where_the_tutorial_ended(followed: Path, page: Path) -> None:
    follow(followed, [". .venv/bin/activate", *lines(page)])

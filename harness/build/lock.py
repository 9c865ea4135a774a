"""`python -m harness.build.lock [ARCHITECTURE]`: resolve all lock files anew (`make lock`).

uv resolves, since it can do so for a platform that is not this one. It does not read pip's configuration, and the
host's may name the only index that can be reached: what `pip config` says is handed on, and none of it is written
into a lock.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.build.lockfile import OVERRIDES_FILE, read_pins
from harness.catalog import TOOLS_FOLDER, indexes_for, load_frameworks
from harness.errors import BuildError, EdgematrixError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PYTHON: Final = "3.11"
IMAGE_PLATFORM: Final = "manylinux_2_28"
"""glibc 2.28: older than that of the base image, newer than any wheel here asks for."""
TIMEOUT_S: Final = 600


def parse_pip_config(text: str) -> dict[str, tuple[str, ...]]:
    """Read what `pip config list` prints; a later section overrides an earlier one, as in pip.

    Returns:
        Values by option, such as `find-links`, without the section.
    """
    options = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals:
            options[name.rpartition(".")[2]] = tuple(str(ast.literal_eval(value)).split())
    return options


def source_options(config: Mapping[str, tuple[str, ...]], indexes: Iterable[str]) -> list[str]:
    """Say pip's configuration in uv's options: the main index first, as it has the most hashes.

    Args:
        config: pip's options, as `parse_pip_config` gives them.
        indexes: further public indexes.
    """
    # Without an index of its own uv asks the public one; the best version of all indexes counts, as it does for pip.
    options = [
        "--index-strategy=unsafe-best-match",
        *(f"--default-index={url}" for url in config.get("index-url", ())),
    ]
    options += [f"--index={url}" for url in (*config.get("extra-index-url", ()), *indexes)]
    return options + [f"--find-links={place}" for place in config.get("find-links", ())]


def requests(root: Path, architecture: str) -> Iterator[tuple[list[str], Path, tuple[str, ...]]]:
    """Each lock's inputs and resolver options, its file, and the public indexes it may need."""
    host = ["--universal", f"--python-version={PYTHON}", "pyproject.toml"]
    yield host, root / "requirements.lock", ()
    yield [*host, "--group=dev", "--constraints=requirements.lock"], root / "requirements-dev.lock", ()
    frameworks = load_frameworks(root / "images")
    target = [f"--python-version={PYTHON}", f"--python-platform={architecture}-{IMAGE_PLATFORM}"]
    sources = (*root.glob("images/*/requirements.in"), *root.glob(f"images/*/{TOOLS_FOLDER}/requirements.in"))
    for source in sorted(sources):
        name = source.relative_to(root / "images").parts[0]
        indexes = indexes_for(name, frameworks)
        inputs = [*target, "--only-binary=:all:", str(source.relative_to(root))]
        overrides = source.with_name(OVERRIDES_FILE)
        if overrides.is_file():
            inputs.append(f"--override={overrides.relative_to(root)}")
        yield inputs, source.with_name(f"requirements.{architecture}.lock"), indexes


def lock(root: Path, architecture: str) -> None:
    """Resolve every lock file, keeping the versions that stand in it where they still serve.

    Raises:
        BuildError: one cannot be resolved; uv's own words say why.
    """
    config = parse_pip_config(_run([sys.executable, "-m", "pip", "config", "list"], root).stdout)
    for inputs, output, indexes in requests(root, architecture):
        ended = _compile(root, [*inputs, *source_options(config, ())], output)
        if ended.returncode != 0 and indexes:
            ended = _compile(root, [*inputs, *source_options(config, indexes)], output)
        if ended.returncode != 0:
            raise BuildError(
                f"{output.relative_to(root)} could not be resolved.",
                why=ended.stderr.strip(),
                fix="Mend the requirements, or pip's configuration (`pip config list`).",
            )
        print(f"{output.relative_to(root)}: {len(read_pins(output))} packages")  # noqa: T201


def _compile(root: Path, arguments: Sequence[str], output: Path) -> subprocess.CompletedProcess[str]:
    uv = Path(sys.executable).with_name("uv")
    options = [
        "--quiet", "--no-config", "--generate-hashes", "--no-emit-index-url",
        "--custom-compile-command=make lock", f"--output-file={output.relative_to(root)}",
    ]  # fmt: skip
    return _run([str(uv), "pip", "compile", *options, *arguments], root)


def _run(argv: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    # Settings of the user's own uv must not leak into files that everybody shares.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    return subprocess.run(  # noqa: S603 - our own words
        argv, cwd=root, env=environ, check=False, capture_output=True, text=True, timeout=TIMEOUT_S
    )


def main(arguments: list[str]) -> int:
    """Run from make."""
    try:
        lock(Path.cwd(), arguments[0] if arguments else "x86_64")
    except EdgematrixError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""In the builder stage: fill /opt/site from the wheels beside this file, and leave in it only what runs.

    python3 site.py install    # the wheels of requirements.lock, offline, by hash
    python3 site.py finish     # remove what no run reads, compile, list the large files
    python3 site.py finish .h  # the same, but headers stay

What one framework alone can do without, its Dockerfile removes in between. Libraries stay byte for byte those of the
wheels, symbol tables included: what is measured is what everybody installs.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SITE = Path("/opt/site")
LARGE_FILES = Path("/opt/edgematrix/large_files.txt")
LARGE_BYTES = 256 * 1024
"""From here on a file is worth dropping from the page cache: walking all of them costs seconds per trial."""

NEEDLESS_FOLDERS = {"tests", "__pycache__"}
NEEDLESS_SUFFIXES = {".h", ".hpp", ".cuh", ".a", ".lib", ".pyx", ".pxd"}
"""Headers, static libraries and Cython sources. Type stubs stay: some packages read them to import lazily."""


def install() -> None:
    """Install by hash from the wheels; nothing is resolved, asked or compiled here."""
    (pip,) = HERE.glob("wheels/pip-*.whl")
    subprocess.run(  # noqa: S603 - our own words
        [
            sys.executable, f"{pip}/pip", "install", "--quiet", "--no-index", "--find-links", str(HERE / "wheels"),
            "--no-deps", "--require-hashes", "--no-compile", "--no-cache-dir", "--root-user-action", "ignore",
            "--disable-pip-version-check", "--target", str(SITE), "--requirement", str(HERE / "requirements.lock"),
        ],
        check=True,
    )  # fmt: skip


def finish(*kept: str) -> None:
    """Make the site as small as it can be and as ready as it must be; files with the suffixes `kept` stay."""
    remove_needless(NEEDLESS_SUFFIXES.difference(kept))
    # The root file system is read-only at run time, so nothing may be compiled then, and no source is ever
    # newer than its code: importing does not even have to look.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(SITE, quiet=2, workers=os.cpu_count() or 1, invalidation_mode=mode)
    LARGE_FILES.parent.mkdir(parents=True, exist_ok=True)
    LARGE_FILES.write_text("".join(f"{path}\n" for path in large_files()), encoding="utf-8")


def remove_needless(suffixes: set[str]) -> None:
    """Remove what only developers and package managers read, files with these suffixes among it."""
    for parent, folders, files in os.walk(SITE):
        for name in NEEDLESS_FOLDERS.intersection(folders):
            shutil.rmtree(Path(parent, name))
            folders.remove(name)
        for name in files:
            path = Path(parent, name)
            if path.suffix in suffixes or (name == "RECORD" and parent.endswith(".dist-info")):
                path.unlink()
    shutil.rmtree(SITE / "bin", ignore_errors=True)  # console scripts


def large_files() -> list[Path]:
    """All regular files of at least `LARGE_BYTES`, sorted."""
    paths = (Path(parent, name) for parent, _, names in os.walk(SITE) for name in names)
    return sorted(path for path in paths if not path.is_symlink() and path.stat().st_size >= LARGE_BYTES)


if __name__ == "__main__":
    {"install": install, "finish": finish}[sys.argv[1]](*sys.argv[2:])

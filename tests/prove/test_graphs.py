"""The committed ONNX graphs against a fresh export, and the PyTorch definitions against transformers' own models.

In an environment made for it: PyTorch is not on the host.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.catalog import load_frameworks, load_models

pytestmark = pytest.mark.prove

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "harness" / "models"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the PyTorch that the image has, the exporter and the library."""
    folder = tmp_path_factory.mktemp("exporter")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pytorch = load_frameworks(ROOT / "images")["pytorch"]
    pins = re.findall(r"(?m)^torch==\S+", (pytorch.folder / "requirements.in").read_text())
    pip = str(folder / "bin" / "pip")
    install = [pip, "install", "--quiet", *pins, "numpy", "onnx", "onnxscript", "pyyaml", "transformers"]
    # The host's own configuration first: an index that cannot be reached costs seconds a package.
    if subprocess.run(install, check=False).returncode != 0:
        indexes = [f"--extra-index-url={index}" for index in pytorch.indexes]
        subprocess.run([*install, *indexes], check=True)
    return folder / "bin" / "python"


def test_every_graph_is_what_its_definition_exports(python: Path) -> None:
    command = [str(python), "-B", str(MODELS / "export_graph.py"), "--check", *load_models(MODELS)]
    subprocess.run(command, check=True)


def test_every_definition_computes_what_the_library_s_model_does(python: Path) -> None:
    subprocess.run([str(python), "-B", str(MODELS / "compare_transformers.py")], check=True)

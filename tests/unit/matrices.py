"""Matrix files for tests, and how they are read."""

from pathlib import Path

import pytest

from harness.config import Matrix
from harness.config.load import parse_matrix
from harness.errors import ConfigError, ExitCode
from tests.factories import catalog

FRAMEWORKS = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")
MODELS = ("spam-fnn", "resnet50")
ROOT = Path(__file__).parents[2]

SHORT = """\
frameworks: [pytorch, jax]
models: [spam-fnn]
cpus: [1, 2]
memory: [512MiB, 8GiB]
"""
DEVICES = """\
frameworks: [pytorch, jax]
models: [spam-fnn]
devices:
  pi: {cpus: 4, memory: 4GiB}
  hub: {cpus: 1, memory: 512MiB}
"""


def parse(text: str) -> Matrix:
    return parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(FRAMEWORKS, MODELS))


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert caught.value.exit_code is ExitCode.CONFIG
    return str(caught.value)


def with_line(line: str) -> str:
    """The short matrix, with the line of the same key replaced or appended."""
    key = line.partition(":")[0]
    return "".join(f"{kept}\n" for kept in SHORT.splitlines() if kept.partition(":")[0] != key) + line + "\n"

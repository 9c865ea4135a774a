"""The image `prepare`: what it makes of a model's folder and of users' own ONNX files, and what it refuses."""

import hashlib
import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import onnx
import pytest
from docker.models.containers import Container

from harness.build import build_images
from harness.catalog import load_models
from harness.config.matrix import OwnModel
from harness.errors import BuildError
from harness.prepare import COMMON, DATA, REFUSED
from harness.sources import ModelSource, folder_source, own_source, write_tar
from tests.checkout import ROOT
from tests.unit.onnx_models import linear, save, with_external_data

pytestmark = pytest.mark.docker

LOOK_INSIDE = """
import json, numpy as np, onnx
model = onnx.load("/model/model.onnx")
onnx.checker.check_model(model, full_check=True)
inputs, reference = np.load("/data/inputs.npz"), np.load("/data/reference-0.npy")
print(json.dumps({
    "batch": model.graph.input[0].type.tensor_type.shape.dim[0].dim_param,
    "weights": sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer),
    "inputs": [inputs["features"].shape, str(inputs["features"].dtype)],
    "reference": [reference.shape, str(reference.dtype)],
    "parameters": json.load(open("/model/facts.json"))["parameters"],
    "by": json.load(open("/data/facts.json"))["reference"],
}))
"""


@dataclass(frozen=True)
class Ended:
    """What one container said, and how it ended."""

    output: str
    code: int

    @property
    def told(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def steps(self) -> list[str]:
        return [line["step"] for line in self.told]


Run = Callable[..., Ended]


@pytest.fixture
def run(client: docker.DockerClient) -> Iterator[Run]:
    """Runs Python in the image on two fresh volumes."""
    image = build_images(client, ["prepare"], frameworks={}, on_event=lambda _: None)["prepare"]
    assert not isinstance(image, BuildError)
    names = {path: f"edgematrix-test-{uuid.uuid4().hex[:8]}" for path in (COMMON, DATA)}
    created: list[Container] = []

    def run(*arguments: str, source: ModelSource | None = None) -> Ended:
        container = client.containers.create(
            image.id, list(arguments), entrypoint="python3", network_mode="none",
            volumes=[f"{name}:{path}" for path, name in names.items()],
        )  # fmt: skip
        created.append(container)
        if source is not None:
            archive = io.BytesIO()
            write_tar(source, archive)
            container.put_archive(COMMON, archive.getvalue())
        container.start()
        code = container.wait()["StatusCode"]
        assert code in {0, REFUSED}, container.logs().decode()
        return Ended(container.logs(stderr=False).decode(), code)

    yield run
    for container in created:
        container.remove()
    for name in names.values():
        client.volumes.get(name).remove()


SPAM = folder_source(load_models(ROOT / "harness" / "models")["spam-fnn"])
DRAW = "import io, sys; sys.stdin = io.StringIO('{\"dims\": {}}'); import draw; draw.main()"


def seal(run: Run) -> str:
    return run("-c", "print(open('/model/manifest.json').read())").output


def test_a_model_is_prepared_once(run: Run) -> None:
    assert run("-m", "prepare", source=SPAM).steps == ["weights", "graph", "manifest", "complete"]
    first = seal(run)
    assert run("-m", "prepare").steps == ["complete"]
    assert seal(run) == first
    assert run("-c", DRAW).steps == ["inputs", "reference", "manifest", "complete"]
    assert run("-c", DRAW).steps == ["complete"]


def test_preparing_again_after_damage_gives_the_same_bytes(run: Run) -> None:
    run("-m", "prepare", source=SPAM)
    first = seal(run)
    run("-c", "open('/model/weights.safetensors', 'r+b').write(b'damage')")
    assert run("-m", "prepare").steps[0] == "weights"
    assert seal(run) == first


def test_the_artefacts_are_what_the_contract_says(run: Run) -> None:
    run("-m", "prepare", source=SPAM)
    run("-c", DRAW)
    assert json.loads(run("-c", LOOK_INSIDE).output) == {
        "batch": "batch",
        "weights": 36_737,
        "inputs": [[1024, 200], "float32"],
        "reference": [[1024, 1], "float64"],
        "parameters": 36_737,
        "by": "ONNX's reference implementation, float64",
    }


def own(path: Path) -> ModelSource:
    model = OwnModel(file=path, dims={}, ranges={}, tolerance=None, task="other")
    return own_source("mine", model)


def test_a_users_own_file_is_kept_as_it_is(run: Run, tmp_path: Path) -> None:
    path = with_external_data(tmp_path)
    assert run("-m", "prepare", source=own(path)).steps == ["reading", "manifest", "complete"]
    look = "import hashlib; print(hashlib.sha256(open('/model/model.onnx', 'rb').read()).hexdigest())"
    told = run("-c", look).output
    assert told.strip() == hashlib.sha256(path.read_bytes()).hexdigest()


def future(folder: Path) -> Path:
    made: onnx.ModelProto = linear()
    made.opset_import[0].version = 99
    return save(made, folder)


def text(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_text("not an ONNX file")
    return path


def incomplete(folder: Path) -> Path:
    path = with_external_data(folder)
    (folder / "weights.bin").unlink()
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (future, "it is of opset 99"),
        (text, "it is no ONNX file"),
        (incomplete, "its weights are in 'weights.bin'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(
    run: Run, tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    ended = run("-m", "prepare", source=own(make(tmp_path)))
    assert ended.code == REFUSED
    assert ended.told[-1]["what"].startswith(words)
    assert ended.told[-1]["fix"]

"""The image `prepare`, on the model that is there."""

import json
import uuid
from collections.abc import Callable, Iterator

import docker
import pytest
from docker.models.containers import Container

from harness.build import build_images
from harness.errors import BuildError
from harness.intake import ROOT
from harness.prepare import COMMON, pack

pytestmark = pytest.mark.docker

LOOK_INSIDE = """
import json, numpy as np, onnx
model = onnx.load("/model/model.onnx")
onnx.checker.check_model(model, full_check=True)
inputs, reference = np.load("/model/inputs.npz"), np.load("/model/reference.npz")
print(json.dumps({
    "batch": model.graph.input[0].type.tensor_type.shape.dim[0].dim_param,
    "weights": sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer),
    "inputs": [inputs["features"].shape, str(inputs["features"].dtype)],
    "reference": [reference["probability"].shape, str(reference["probability"].dtype)],
    "parameters": json.load(open("/model/spec.json"))["parameters"],
}))
"""
Run = Callable[..., str]


@pytest.fixture
def volume(client: docker.DockerClient) -> Iterator[Run]:
    """Runs Python in the image on one fresh volume that has the spam classifier's folder in it."""
    image = build_images(client, ["prepare"], root=ROOT, on_event=lambda _: None)["prepare"]
    assert not isinstance(image, BuildError)
    name = f"edgematrix-test-{uuid.uuid4().hex[:8]}"
    created: list[Container] = []

    def run(*arguments: str, files: bytes | None = None) -> str:
        container = client.containers.create(
            image.id, list(arguments), entrypoint="python3", network_mode="none", volumes=[f"{name}:{COMMON}"]
        )
        created.append(container)
        if files is not None:
            container.put_archive(COMMON, files)
        container.start()
        assert container.wait()["StatusCode"] == 0, container.logs().decode()
        return container.logs(stderr=False).decode()

    run("-c", "", files=pack(ROOT / "harness" / "models" / "spam-fnn"))
    yield run
    for container in created:
        container.remove()
    client.volumes.get(name).remove()


def steps(output: str) -> list[str]:
    return [json.loads(line)["step"] for line in output.splitlines()]


def seal(run: Run) -> str:
    return run("-c", "print(open('/model/manifest.json').read())")


def test_a_model_is_prepared_once(volume: Run) -> None:
    assert steps(volume("-m", "prepare")) == [
        "weights", "graph", "inputs", "reference", "manifest", "complete",
    ]  # fmt: skip
    first = seal(volume)
    assert steps(volume("-m", "prepare")) == ["complete"]
    assert seal(volume) == first


def test_preparing_again_after_damage_gives_the_same_bytes(volume: Run) -> None:
    volume("-m", "prepare")
    first = seal(volume)
    volume("-c", "open('/model/weights.safetensors', 'r+b').write(b'damage')")
    assert steps(volume("-m", "prepare"))[0] == "weights"
    assert seal(volume) == first


def test_the_artefacts_are_what_the_contract_says(volume: Run) -> None:
    volume("-m", "prepare")
    assert json.loads(volume("-c", LOOK_INSIDE)) == {
        "batch": "batch",
        "weights": 36_737,
        "inputs": [[1024, 200], "float32"],
        "reference": [[1024, 1], "float64"],
        "parameters": 36_737,
    }

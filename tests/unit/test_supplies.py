"""Which images and volumes cells need; building and filling them is for the real engine."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import docker
import pytest

from harness import supplies as module
from harness.build import ImageRequest
from harness.config.load import parse_matrix
from harness.engine import Engine
from harness.errors import BuildError, UnsupportedError
from harness.events import Step
from harness.host import ProbeFacts, VolumeFacts
from harness.needs import Key, Needs
from harness.plan import make_plan
from harness.prepare import COMMON, DATA, NATIVE, Volume
from harness.results import Cell, Workload
from harness.runs import Image
from harness.supplies import Supplies, build_supplies, describe_models, fill_volumes
from tests.checkout import ROOT
from tests.factories import catalog
from tests.unit.onnx_models import linear, save

FRAMEWORKS = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino", "null")
CATALOG = catalog(FRAMEWORKS, ["spam-fnn", "distilbert"], {"distilbert": 128})
LIMITS = "cpus: [1, 2]\nmemory: [1GiB]\n"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[ImageRequest]:
    """The images that were asked for; none is built."""
    asked: list[ImageRequest] = []

    def build(
        _: object, wanted: Iterable[ImageRequest], **__: object
    ) -> dict[ImageRequest, Image | BuildError]:
        asked.extend(wanted)
        return {
            each: BuildError("no wheels")
            if each.version == "0.0.1"
            else Image(
                tag=each.tag, id=str(each), fingerprint=f"of {each}", size_bytes=1, base="b", packages={}
            )
            for each in asked
        }

    monkeypatch.setattr(module, "build_images", build)
    return asked


def supplied(text: str, folder: Path = ROOT) -> Supplies:
    matrix = parse_matrix(
        "m.yaml",
        text,
        name="m",
        folder=folder,
        catalog=CATALOG,
    )
    cells = [planned.cell for planned in make_plan(matrix).cells]
    nobody = cast(docker.DockerClient, None)
    return build_supplies(nobody, cells, matrix=matrix, catalog=CATALOG, listener=lambda _: None)


def holds(found: Supplies) -> dict[str, set[str]]:
    """What is mounted where, by framework."""
    mounted: dict[str, set[str]] = {}
    for (framework, *_), needs in found.needs.items():
        mounted.setdefault(framework, set()).update(f"{each.path} {each.subject}" for each in needs.volumes)
    return mounted


def test_a_model_of_the_project_is_prepared_once_for_all_and_once_for_who_converts(
    built: list[ImageRequest],
) -> None:
    found = supplied(f"frameworks: [pytorch, jax, 'null']\nmodels: [spam-fnn]\nbatch: [1, 8]\n{LIMITS}")
    assert set(map(str, built)) == {"prepare", "probe", "pytorch", "jax", "null"}
    shared = {f"{COMMON} model spam-fnn", f"{DATA} inputs of spam-fnn"}
    assert holds(found) == {
        "pytorch": {*shared, f"{NATIVE} model spam-fnn for pytorch"},
        "jax": {*shared, f"{NATIVE} model spam-fnn for jax"},
        "null": shared,
    }
    assert len(found.volumes) == 4


def test_the_image_of_the_reference_probe_is_built_where_no_cell_runs_in_it(
    built: list[ImageRequest],
) -> None:
    found = supplied(f"frameworks: [jax]\nmodels: [spam-fnn]\n{LIMITS}")
    assert sorted(map(str, built)) == ["jax", "null", "prepare", "probe"]
    assert "null" in found.images
    assert "null" not in found.frameworks


def test_each_sequence_length_has_inputs_of_its_own(built: list[ImageRequest]) -> None:
    found = supplied(f"frameworks: [jax]\nmodels: [distilbert]\nsequence: [64, 128]\n{LIMITS}")
    assert built
    assert [volume.subject for volume in found.volumes] == [
        "model distilbert", "inputs of distilbert, sequence 64", "model distilbert for jax",
        "inputs of distilbert, sequence 128",
    ]  # fmt: skip


def test_a_users_file_goes_to_whoever_takes_it_and_through_the_tools_of_the_others(
    built: list[ImageRequest], tmp_path: Path
) -> None:
    save(linear(), tmp_path)
    text = f"frameworks: [pytorch, onnxruntime, openvino]\nmodels: {{mine: {{onnx: model.onnx}}}}\nbatch: [2]\n{LIMITS}"
    found = supplied(text, tmp_path)
    assert {"pytorch", "pytorch tools", "onnxruntime", "openvino"} < set(map(str, built))
    shared = {f"{COMMON} model mine", f"{DATA} inputs of mine, batch 2"}
    assert holds(found) == {
        "pytorch": {*shared, f"{NATIVE} model mine for pytorch, batch 2, form eager"},
        "onnxruntime": shared,
        "openvino": {*shared, f"{NATIVE} model mine for openvino"},
    }


def test_a_variant_shares_what_its_parameters_do_not_change(built: list[ImageRequest]) -> None:
    text = (
        "frameworks:\n  openvino:\n  fast: {extends: openvino, params: {hint: throughput}}\n"
        "  pytorch:\n  compiled: {extends: pytorch, params: {form: compiled}}\n"
        f"models: [spam-fnn]\n{LIMITS}"
    )
    found = supplied(text)
    mounted = holds(found)
    assert mounted["openvino"] == mounted["fast"]
    assert mounted["pytorch"] - mounted["compiled"] == {f"{NATIVE} model spam-fnn for pytorch"}
    assert mounted["compiled"] - mounted["pytorch"] == {
        f"{NATIVE} model spam-fnn for pytorch, batch 1, form compiled, threads {count}" for count in (1, 2)
    }
    assert "pytorch tools" in map(str, built)
    assert found.images["fast"] == found.images["openvino"]


@pytest.mark.usefixtures("built")
def test_what_no_cell_needs_on_this_host_is_not_prepared() -> None:
    compiled = "frameworks: {compiled: {extends: pytorch, params: {form: compiled}}, 'null': }\n"
    found = supplied(f"{compiled}models: [spam-fnn]\n{LIMITS}")
    one = Cell(framework="compiled", model="spam-fnn", cpus=1, memory_bytes=2**30, batch=1)
    never_built = one.model_copy(update={"framework": "jax"})

    needed = found.needed_by([one, never_built])

    assert {volume.subject for volume in found.volumes} - {volume.subject for volume in needed.volumes} == {
        "model spam-fnn for pytorch, batch 1, form compiled, threads 2"
    }
    assert needed.mounts(one) == found.mounts(one)


def test_a_version_is_an_image_of_its_own_and_its_failure_is_only_its_cells(
    built: list[ImageRequest],
) -> None:
    text = (
        "frameworks:\n  onnxruntime:\n  old: {extends: onnxruntime, version: '1.17.0'}\n"
        "  older: {extends: onnxruntime, version: '0.0.1'}\n"
        f"models: [spam-fnn]\n{LIMITS}"
    )
    found = supplied(text)
    assert found.images["old"].tag == "edgematrix/onnxruntime:1.17.0"
    assert "older" not in found.images
    assert built
    failures = {framework: needs.failure for (framework, *_), needs in found.needs.items()}
    assert failures["old"] is None
    assert isinstance(failures["older"], BuildError)


@pytest.mark.parametrize("framework", ["pytorch", "tensorflow", "jax", "openvino"])
def test_a_volume_of_another_version_has_a_name_that_the_engine_takes(
    built: list[ImageRequest], framework: str
) -> None:
    text = (
        f"frameworks: {{old: {{extends: {framework}, version: '1!2.4.6+cpu'}}}}\nmodels: [spam-fnn]\n{LIMITS}"
    )
    found = supplied(text)
    assert built
    assert [volume.subject for volume in found.volumes][-1] == f"model spam-fnn for {framework} 1!2.4.6+cpu"
    for volume in found.volumes:
        assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", volume.name)


def facts_of(held: dict[str, VolumeFacts | None]) -> ProbeFacts:
    values: dict[str, Any] = {"memory_bytes": 2**30, "volumes": held}
    return ProbeFacts.model_construct(**values)


def facts(*complete: str) -> ProbeFacts:
    return facts_of(dict.fromkeys(complete, VolumeFacts(hash="h", size_bytes=1, facts={})))


def test_what_cannot_be_made_takes_what_is_made_from_it_along(
    built: list[ImageRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = supplied(f"frameworks: [pytorch, 'null']\nmodels: [spam-fnn]\n{LIMITS}")
    assert built
    made: list[str] = []

    def make(_: Engine, volume: Volume, on_step: Any, *, memory_bytes: int) -> None:
        assert 0 < memory_bytes < 2**30
        made.append(volume.subject)
        on_step("reading", 0.0)
        if volume.path != COMMON:
            raise UnsupportedError("operator Foo") if volume.path == NATIVE else BuildError("no reference")

    monkeypatch.setattr(module, "make_volume", make)
    steps: list[Any] = []
    filled = fill_volumes(cast(Engine, None), found, facts(), steps.append)
    assert made == ["model spam-fnn", "inputs of spam-fnn", "model spam-fnn for pytorch"]
    assert Step(subject="model spam-fnn", text="preparing reading", done=0.0) in steps
    assert [str(filled.failures[volume.name]) for volume in found.volumes[1:]] == [
        "no reference",
        "operator Foo",
    ]
    assert all(needs.failure is None for needs in filled.needs.values())

    made.clear()
    complete = facts(*(volume.name for volume in found.volumes))
    assert fill_volumes(cast(Engine, None), found, complete, steps.append).failures == {}
    assert made == []


def test_a_floor_that_moves_to_another_limit_has_its_needs(built: list[ImageRequest]) -> None:
    """The floor takes the limits of the first cell that is measured, and the host decides which that is."""
    found = supplied(f"frameworks: [jax, 'null']\nmodels: [spam-fnn]\n{LIMITS}")
    assert built
    floor = next(cell for cell in ids_of(found) if cell.is_floor)
    assert found.failure(floor.model_copy(update={"cpus": 64.0})) is None
    assert found.mounts(floor.model_copy(update={"cpus": 64.0})) == found.mounts(floor)


def ids_of(found: Supplies) -> list[Cell]:
    return [
        Cell(
            framework=key.framework,
            model=key.workload.model,
            cpus=1,
            memory_bytes=2**30,
            batch=key.workload.batch,
        )
        for key in found.needs
    ]


def test_the_tools_are_recorded_as_what_they_are(built: list[ImageRequest]) -> None:
    text = f"frameworks: {{fast: {{extends: pytorch, params: {{form: compiled}}}}}}\nmodels: [spam-fnn]\n{LIMITS}"
    assert set(supplied(text).images) == {"prepare", "probe", "null", "fast", "fast-tools"}
    assert built


def volume(path: str) -> Volume:
    return Volume(name=f"v{path}", model="mine", subject="s", path=path, image="i", module="m")


@pytest.mark.parametrize(
    ("common", "data"),
    [({"title": "t"}, {"reference": "r"}), ({}, {}), ({"title": "t"}, {"hash": "h"})],
)
def test_volumes_that_say_what_no_preparation_writes_are_an_error(
    common: dict[str, str], data: dict[str, str]
) -> None:
    key = Key("jax", Workload("mine", 1, 0), None)
    volumes = (volume(COMMON), volume(DATA))
    found = Supplies(frameworks={}, specs={}, images={}, needs={key: Needs(volumes=volumes)}, failures={})
    held: dict[str, VolumeFacts | None] = {
        each.name: VolumeFacts(hash="h", size_bytes=1, facts=facts)
        for each, facts in zip(volumes, (common, data), strict=True)
    }
    with pytest.raises(BuildError, match="the prepared files of mine do not describe it"):
        describe_models(found, facts_of(held))

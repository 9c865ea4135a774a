import functools
import json
import re
import runpy
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from harness.catalog import load_catalog
from harness.config import load_matrix
from harness.config.load import parse_matrix
from harness.config.schema import ProtocolKeys
from harness.config.source import parse_source
from harness.errors import ConfigError
from harness.fitness import spoilers
from harness.records import AnyRecord, Clock, Growth, Phase, PhaseEnd, Samples, Warmup, parse_record
from harness.results import CpuMode, Trial
from harness.schemas import FOLDER, schemas, text_of
from harness.stats.samples import steady_latencies_ms
from harness.verdict import judge
from tests.factories import catalog, cell, probe, result, run
from tests.unit.trials import OUTCOME

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
SHIPPED = [ROOT / "matrix.yaml", *sorted((ROOT / "examples").glob("*.yaml")), DATA / "matrix.yaml"]
FRAMEWORKS = ("pytorch", "tensorflow", "jax", "onnxruntime", "openvino")


@functools.cache
def validator(name: str) -> Any:
    schema = json.loads((FOLDER / name).read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def as_editors_see_it(text: str) -> object:
    """The plain data of a file, with JSON's lists."""
    return json.loads(json.dumps(parse_source("m.yaml", text).data))


def parts(schema: Any) -> Any:
    """A schema and everything in it."""
    yield schema
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(value)


@pytest.mark.parametrize("name", schemas())
def test_the_schema_files_are_current(name: str) -> None:
    assert (FOLDER / name).read_text() == text_of(schemas()[name]), "run: python -m harness.schemas"


def test_the_generator_writes_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.schemas.FOLDER", tmp_path)
    runpy.run_module("harness.schemas.__main__", run_name="__main__")
    assert {path.name for path in tmp_path.iterdir()} == set(schemas())


def test_no_schema_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(schemas())


def test_editors_get_draft_7_with_the_text_on_every_key() -> None:
    schema = schemas()["matrix.schema.json"]
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for part in parts(schema):
        if isinstance(part, dict):
            assert not part.keys() & {
                "$ref",
                "$defs",
                "prefixItems",
                "unevaluatedProperties",
                "discriminator",
            }
            for key, value in part.get("properties", {}).items():
                assert value.get("description"), key


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_matrix_is_valid_for_the_loader_and_for_editors(path: Path) -> None:
    load_matrix(path, catalog=load_catalog(ROOT))
    validator("matrix.schema.json").validate(as_editors_see_it(path.read_text()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_matrix_names_its_schema_for_editors(path: Path) -> None:
    lines = path.read_text().splitlines()
    first, second = lines[0].partition("$schema=")[2], lines[1].partition("$schema: ")[2]
    assert lines[0].startswith("# yaml-language-server: ")
    assert (path.parent / first).resolve() == (FOLDER / "matrix.schema.json").resolve()
    assert first == second


def test_the_defaults_shown_in_the_shipped_matrix_are_the_defaults() -> None:
    text = (ROOT / "matrix.yaml").read_text()
    opened = (
        text.replace("# exclude:", "exclude:")
        .replace("# include:", "include:")
        .replace("# protocol:", "protocol:")
        .replace("# cpu_mode:", "cpu_mode:")
        .replace("# threads:", "threads:")
    )
    opened = opened.replace("#   - ", "  - ")
    known = catalog(FRAMEWORKS, ["spam-fnn"])
    plain, whole = (
        parse_matrix("m.yaml", each, name="m", folder=Path(), catalog=known) for each in (text, opened)
    )
    assert whole.protocol == plain.protocol
    assert (len(whole.excluded), len(whole.included)) == (1, 1)
    assert (whole.crossed.cpu_modes, whole.crossed.threads) == (tuple(CpuMode), ("match", "default"))
    known_keys = ProtocolKeys.model_fields
    for key in ("precision", "max_trials", "max_time"):
        (told,) = re.findall(rf"`{key}: ([^`]+)`", text)
        assert told == str(known_keys[key].default or known_keys[key].examples[0])  # type: ignore[index]


@pytest.mark.parametrize(
    "line",
    [
        "colour: red", "frameworks: jax", "frameworks: [Jax]", "frameworks: [jax, jax]", "models: []", "cpus: [0]",
        "cpus: ['2']", "memory: [8]", "memory: [8gb]", "batch: [0]", "batch: [1.5]", "over_host: no",
        "devices: {pi: {cpus: 1, memory: 1GiB}}", "protocol: {timeout: 120}", "protocol: {trails: 3}",
        "exclude: [{framework: jax}]", "include: [{framework: [jax, 1]}]", "cpu_mode: [cpus]", "cpu_mode: quota",
        "threads: [0]", "threads: [all]", "threads: [2, 2]", "protocol: {precision: 2}", "protocol: {max_trials: 0}",
    ],
)  # fmt: skip
def test_editors_refuse_what_the_loader_refuses(line: str) -> None:
    base = {"frameworks": "[jax]", "models": "[spam-fnn]", "cpus": "[1]", "memory": "[1GiB]"}
    key, _, value = line.partition(": ")
    text = "".join(f"{name}: {written}\n" for name, written in {**base, key: value}.items())
    with pytest.raises(ConfigError):
        parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(FRAMEWORKS, ["spam-fnn"]))
    with pytest.raises(jsonschema.ValidationError):
        validator("matrix.schema.json").validate(as_editors_see_it(text))


def test_the_record_fixture_is_a_whole_stream() -> None:
    lines = (DATA / "records.jsonl").read_bytes().splitlines()
    records = [parse_record(line) for line in lines]
    assert [record.model_dump(mode="json") for record in records] == [json.loads(line) for line in lines]
    for line in lines:
        validator("record.schema.json").validate(json.loads(line))
    assert {type(record) for record in records} == set(get_args(get_args(AnyRecord)[0]))


def test_the_record_fixture_is_in_the_order_of_its_page() -> None:
    lines = (DATA / "records.jsonl").read_bytes().splitlines()
    kinds = [
        " ".join(str(record[key]) for key in ("type", "moment", "name", "phase", "clock") if key in record)
        for record in map(json.loads, lines)
        if record["type"] != "error"
    ]
    phases = [f"{kind} {phase}" for phase in Phase for kind in ("phase_start", "phase")]
    phases.insert(phases.index("phase compile") + 1, "framework")
    phases.insert(phases.index("phase first") + 1, "samples first end_to_end")
    assert kinds == [
        "limits", "conditions before", "page_cache", *phases, "warmup", "conditions steady_start",
        "conditions steady_end", "threads", "growth", "samples warmup end_to_end", "samples steady end_to_end",
        "output", "samples steady core", "process", "conditions after", "end",
    ]  # fmt: skip


def test_the_trial_fixture_is_a_trial() -> None:
    text = (DATA / "trial.json").read_text()
    assert json.loads(Trial.model_validate_json(text).model_dump_json()) == json.loads(text)
    validator("trial.schema.json").validate(json.loads(text))


def test_the_trial_fixture_is_judged_as_it_says() -> None:
    trial = Trial.model_validate_json((DATA / "trial.json").read_bytes())
    verdict = judge(trial.records, OUTCOME, trial.requested)
    assert (verdict.status, verdict.reason, verdict.warnings) == (trial.status, trial.reason, trial.warnings)
    assert verdict.evidence == trial.evidence
    assert verdict.limits_enforced is trial.limits_enforced
    assert list(spoilers(trial.records, trial.requested)) == list(trial.spoiled)


def test_the_records_of_the_trial_fixture_agree_with_each_other() -> None:
    trial = Trial.model_validate_json((DATA / "trial.json").read_bytes())
    counts = {(each.phase, each.clock): each.count for each in trial.all(Samples)}
    warmup, growth = trial.find(Warmup), trial.find(Growth)
    assert warmup is not None
    assert growth is not None
    assert sum(warmup.window_calls) == counts[Phase.WARMUP, Clock.END_TO_END]
    assert growth.calls[-1] == counts[Phase.STEADY, Clock.END_TO_END]
    walls = {each.name: each.wall_ns / 1e6 for each in trial.all(PhaseEnd)}
    assert steady_latencies_ms(trial).sum() <= walls[Phase.STEADY]
    assert steady_latencies_ms(trial, Clock.CORE).size == counts[Phase.STEADY, Clock.CORE]


def test_what_a_run_leaves_follows_its_schemas() -> None:
    cells = [result(cell()), result(cell("jax", cpus=0.5), trials=())]
    validator("run.schema.json").validate(json.loads(run(cells).model_dump_json()))
    for each in cells:
        validator("cell.schema.json").validate(json.loads(each.model_dump_json()))
    validator("probe.schema.json").validate(json.loads(probe().model_dump_json()))


def test_a_resolved_matrix_is_valid_for_editors_too() -> None:
    matrix = load_matrix(DATA / "matrix.yaml", catalog=catalog(FRAMEWORKS, ["spam-fnn"]))
    validator("matrix.schema.json").validate(json.loads(json.dumps(matrix.resolved())))
    assert yaml.safe_load(yaml.safe_dump(matrix.resolved())) == matrix.resolved()

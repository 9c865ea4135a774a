"""Frameworks and models as mappings: variants, models of one's own, and sequence lengths."""

from pathlib import Path

import pytest
import yaml

from harness.catalog import load_catalog
from harness.config import Matrix
from harness.config.load import parse_matrix
from harness.config.long_form import in_one_form
from harness.config.source import parse_source
from harness.errors import ConfigError
from harness.plan import make_plan, with_controls
from harness.runs import Framework
from tests.checkout import ROOT
from tests.factories import catalog
from tests.unit.onnx_models import linear, save

LIMITS = "cpus: [1]\nmemory: [1GiB]\n"


def parse(text: str, folder: Path = Path()) -> Matrix:
    known = catalog(("jax", "onnxruntime", "null"), ("spam-fnn", "distilbert"), {"distilbert": 128})
    return parse_matrix("m.yaml", text + LIMITS, name="m", folder=folder, catalog=known)


def ids(matrix: Matrix) -> list[str]:
    return [planned.cell.id for planned in make_plan(matrix).cells]


VARIANTS = """\
frameworks:
  onnxruntime:
  plain: {extends: onnxruntime, params: {arena: false}}
  old: {extends: onnxruntime, version: "1.17.0"}
models: [spam-fnn]
"""


def test_a_variant_is_a_framework_under_its_own_name() -> None:
    matrix = parse(VARIANTS)
    assert ids(matrix) == [f"{name}.spam-fnn.c1.m1g.b1" for name in ("onnxruntime", "plain", "old")]
    assert matrix.frameworks == {
        "onnxruntime": Framework(extends="onnxruntime", version="", params={"arena": True}),
        "plain": Framework(extends="onnxruntime", version="", params={"arena": False}),
        "old": Framework(extends="onnxruntime", version="1.17.0", params={"arena": True}),
    }
    assert matrix.baseline == "onnxruntime"


def test_rules_know_variants_by_their_names() -> None:
    matrix = parse(
        VARIANTS + "exclude: [{framework: old, reason: r}]\ninclude: [{framework: plain, batch: 8}]\n"
    )
    assert [planned.skip_reason for planned in make_plan(matrix).cells] == [None, None, "r", None]
    with pytest.raises(ConfigError, match="did you mean `plain`"):
        parse(VARIANTS + "include: [{framework: plane, batch: 8}]\n")


def test_a_model_of_ones_own_is_found_beside_the_matrix(tmp_path: Path) -> None:
    save(linear(), tmp_path)
    matrix = parse(
        "frameworks: [jax]\nmodels: {spam-fnn: , mine: {onnx: model.onnx, inputs: {x: {low: 0, high: 9}}}}\n",
        tmp_path,
    )
    assert ids(matrix) == ["jax.spam-fnn.c1.m1g.b1", "jax.mine.c1.m1g.b1"]
    own = matrix.own_models["mine"]
    assert own.file == tmp_path / "model.onnx"
    assert (own.ranges, own.tolerance, own.task) == ({"x": (0.0, 9.0)}, None, "other")


def test_what_is_resolved_is_a_long_form_again_and_means_the_same(tmp_path: Path) -> None:
    save(linear(), tmp_path)
    text = VARIANTS.replace("[spam-fnn]", "{spam-fnn: {}, mine: {onnx: model.onnx, dims: {n: batch}}}")
    matrix = parse(text, tmp_path)
    again = yaml.safe_dump(matrix.resolved(), sort_keys=False).replace("cpus:", "cpus: ")
    known = catalog(("jax", "onnxruntime", "null"), ("spam-fnn", "distilbert"))
    resolved = parse_matrix("m.yaml", again, name="m", folder=tmp_path, catalog=known)
    assert (resolved.frameworks, resolved.own_models) == (matrix.frameworks, matrix.own_models)
    assert ids(resolved) == ids(matrix)


def test_only_models_with_sequences_are_crossed_with_their_lengths() -> None:
    text = "frameworks: [jax]\nmodels: [spam-fnn, distilbert]\n"
    assert ids(parse(text)) == ["jax.spam-fnn.c1.m1g.b1", "jax.distilbert.c1.m1g.b1.s128"]
    both = parse(text + "sequence: [64, 256]\n")
    assert ids(both) == [
        "jax.spam-fnn.c1.m1g.b1", "jax.distilbert.c1.m1g.b1.s64", "jax.distilbert.c1.m1g.b1.s256",
    ]  # fmt: skip
    assert len(both.crossed) == 3


def test_every_length_has_its_floor() -> None:
    matrix = parse("frameworks: [jax]\nmodels: [distilbert]\nsequence: [64, 256]\n")
    floors = [
        planned.cell.id for planned in with_controls(make_plan(matrix), "jax").cells if planned.cell.is_floor
    ]
    assert floors == ["null.distilbert.c1.m1g.b1.s64", "null.distilbert.c1.m1g.b1.s256"]


def test_rules_may_speak_of_lengths() -> None:
    text = "frameworks: [jax]\nmodels: [spam-fnn, distilbert]\nsequence: [64, 256]\n"
    matrix = parse(
        text + "exclude: [{sequence: 256, reason: long}]\ninclude: [{model: distilbert, sequence: 8}]\n"
    )
    skipped = [planned.cell.id for planned in make_plan(matrix).cells if planned.skip_reason]
    assert skipped == ["jax.distilbert.c1.m1g.b1.s256"]
    assert ids(matrix)[-1] == "jax.distilbert.c1.m1g.b1.s8"
    with pytest.raises(ConfigError, match="no cell has sequence `9`"):
        parse(text + "exclude: [{sequence: 9, reason: r}]\n")


def test_a_sequence_is_no_longer_than_its_model_takes() -> None:
    text = "frameworks: [jax]\nmodels: [distilbert]\n"
    shipped = load_catalog(ROOT)
    places = {
        "sequence: [64, 1024]\n": "m.yaml:3:16: sequence",
        "include: [{sequence: 513}]\n": "m.yaml:3:22: include",
    }
    for rule, place in places.items():
        with pytest.raises(ConfigError, match="distilbert takes sequences of at most 512") as caught:
            parse_matrix("m.yaml", text + rule + LIMITS, name="m", folder=Path(), catalog=shipped)
        assert str(caught.value).startswith(place)


def test_a_rule_s_own_model_says_how_long_its_sequences_are() -> None:
    shipped = load_catalog(ROOT)
    rule = "include: [{{model: {}, sequence: 4096, batch: 2}}]\n"

    def read(models: str, included: str) -> Matrix:
        text = f"frameworks: [jax]\nmodels: {models}\n{rule.format(included)}{LIMITS}"
        return parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=shipped)

    assert isinstance(read("[spam-fnn, distilbert]", "spam-fnn"), Matrix)
    with pytest.raises(ConfigError, match="distilbert takes sequences of at most 512"):
        read("[spam-fnn]", "distilbert")


def test_a_list_of_names_stays_as_it_is() -> None:
    source = parse_source("m.yaml", "frameworks: [jax]\nmodels: [spam-fnn]\n")
    split = in_one_form(source)
    assert split.data == source.data | {}  # type: ignore[operator]

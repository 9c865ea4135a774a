from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config import Limits, Matrix, load_matrix
from harness.config.load import parse_matrix
from harness.config.source import MAX_BYTES
from harness.errors import ConfigError, ExitCode
from harness.runs import Protocol
from harness.units import GIB, MIB
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


def test_the_short_form_gets_every_default() -> None:
    matrix = parse(SHORT)
    assert matrix.name == "m"
    assert matrix.crossed.frameworks == ("pytorch", "jax")
    assert matrix.crossed.limits == (
        Limits(1, 512 * MIB), Limits(1, 8 * GIB), Limits(2, 512 * MIB), Limits(2, 8 * GIB),
    )  # fmt: skip
    assert matrix.crossed.batch == (1,)
    assert (matrix.over_host, matrix.baseline, matrix.devices) == ("skip", "pytorch", {})
    assert matrix.protocol == Protocol(
        trials=5, max_trials=5, precision=None, max_time_s=None, warmup_s=0.3, budget_s=1.0,
        min_iterations=10, max_iterations=1_000_000, timeout_s=120.0, page_cache="cold", seed=0,
    )  # fmt: skip


def test_devices_are_named_limits() -> None:
    matrix = parse(DEVICES)
    assert matrix.devices == {"pi": (4, 4 * GIB), "hub": (1, 512 * MIB)}
    assert matrix.crossed.limits == ((4, 4 * GIB), (1, 512 * MIB))


def test_what_is_resolved_is_a_matrix_file_that_means_the_same() -> None:
    text = (ROOT / "tests/data/matrix.yaml").read_text()
    matrix = parse(text)
    resolved = matrix.resolved()
    assert resolved["over_host"] == "skip"
    assert resolved["protocol"]["min_iterations"] == 20
    assert parse(yaml.safe_dump(resolved)) == matrix


def test_everything_left_out_is_written_out() -> None:
    assert parse(SHORT).resolved() == {
        "frameworks": ["pytorch", "jax"],
        "models": ["spam-fnn"],
        "cpus": [1.0, 2.0],
        "memory": ["512MiB", "8GiB"],
        "batch": [1],
        "cpu_mode": ["cpuset"],
        "threads": ["match"],
        "over_host": "skip",
        "baseline": "pytorch",
        "protocol": {
            "trials": 5, "warmup": "0.3s", "budget": "1s", "min_iterations": 10, "max_iterations": 1_000_000,
            "timeout": "120s", "page_cache": "cold", "seed": 0,
        },
    }  # fmt: skip


BAD_VALUES = [
    # frameworks and models
    ("frameworks: [pytorch, onnx]", 23, "unknown framework `onnx`", "did you mean `onnxruntime`?"),
    ("frameworks: [Jax]", 14, "unknown framework `Jax`", "did you mean `jax`?"),
    ("frameworks: [no]", 14, "unknown framework `no`", "choose among: pytorch, tensorflow"),
    ("models: [resnet]", 10, "unknown model `resnet`", "did you mean `resnet50`?"),
    ("models: [50]", 10, "`50` is not a name", 'quote it, if that is its name: "50"'),
    ("models: [[resnet50]]", 10, "`[...]` is not a name", "write plain text"),
    ("frameworks: [jax, jax]", 19, "`jax` stands twice in the list", "keep one of them"),
    ("frameworks: jax", 13, "`jax` is not a list", "write `[jax]`"),
    ("frameworks: []", 1, "is empty", "name at least one: `[pytorch, onnxruntime]`"),
    ("frameworks:", 1, "has no value", "write `[pytorch, onnxruntime]`"),
    ("frameworks: [null]", 14, "has no value", 'quote it, if the framework of that name is meant: "null"'),
    ("frameworks: {a: b}", 17, "`b` is not a mapping of keys", "write `{extends: onnxruntime, params"),
    ("frameworks: {}", 13, "`{}` is not a list", "write a list such as `[pytorch, onnxruntime]`"),
    ("frameworks: {jx: }", 14, "unknown framework `jx`", "did you mean `jax`?"),
    ("frameworks: {jax: {extends: jax, version: '1'}}", 14, "is the name of a framework", "name of its own"),
    ("frameworks: {prepare: {extends: jax, version: '1'}}", 14, "a name of the project's own", "another name"),
    ("frameworks: {my-tools: {extends: jax, version: '1'}}", 14, "a name of the project's own", "another name"),
    ("frameworks: {a: {extends: jax, version: '1..2'}}", 41, "`1..2` is no version", "package's own page"),
    ("models: {mine: {onnx: README.md, inputs: {x: {low: 0, high: .inf}}}}", 61, "`inf` is no number", "30522"),
    ("models: {mine: {onnx: README.md, inputs: {x: {low: a, high: 2}}}}", 52, "`a` is no number", "such as 0"),
    (f"models: {{mine: {{onnx: {'n' * 300}}}}}", 23, "cannot be read: File name too long", "path of an ONNX file"),
    ("frameworks: {a: {extends: jx, version: '1'}}", 27, "unknown framework `jx`", "did you mean `jax`?"),
    ("frameworks: {a: {version: '1'}}", 14, "`extends` is missing", "write `extends: onnxruntime`"),
    ("frameworks: {a: {extends: jax}}", 14, "is no other than jax", "give a `version` or `params`"),
    ("frameworks: {a: {extends: jax, version: 1.5}}", 41, "`1.5` is no version", "quote it"),
    ("frameworks: {a: {extends: jax, version: ' '}}", 41, "is no version", 'write it as in "1.17.0"'),
    ("frameworks: {a: {extends: onnxruntime, params: {aren: 1}}}", 49, "unknown parameter", "mean `arena`?"),
    ("frameworks: {a: {extends: onnxruntime, params: {arena: 1}}}", 56, "`1` is not a choice", "`true`, `false`"),
    ("frameworks: {a: {extends: onnxruntime, params: {arena: 1.5}}}", 56, "`1.5` is no value", "a whole number"),
    ("frameworks: {a: {extends: onnxruntime, verion: '1'}}", 40, "unknown key", "did you mean `version`?"),
    ("models: {resnet50: {onnx: README.md}}", 10, "is the name of a model", "a name of its own"),
    ("models: {mine: {onnx: nothing.onnx}}", 23, "no such file", "write the path of an ONNX file"),
    ("models: {mine: {onnx: tests}}", 23, "tests is a directory", "write the path of an ONNX file"),
    ("models: {mine: {onnx: reports/.gitkeep}}", 23, "is empty", "export the model again"),
    ("models: {mine: {onnx: 7}}", 23, "`7` is not the path of a file", "write the path"),
    ("models: {mine: {dims: {n: 1}}}", 10, "`onnx` is missing", "write `onnx: mine.onnx`"),
    ("models: {mine: {onnx: README.md, dims: {n: b}}}", 44, "`b` is no size", "write batch, sequence, or"),
    ("models: {mine: {onnx: README.md, dims: {n: sequence}}}", 34, "has no sequence lengths", "`sequence: [128]`"),
    ("models: {mine: {onnx: README.md, inputs: {x: {low: 1, high: 1}}}}", 43, "no value lies from 1", "larger"),
    ("models: {mine: {onnx: README.md, inputs: {x: {low: 1}}}}", 43, "`high` is missing", "write `high: 30522`"),
    ("models: {mine: {onnx: README.md, tolerance: 2}}", 45, "`2` is no tolerance", "such as 0.001"),
    ("models: {mine: {onnx: README.md, task: vision}}", 40, "`vision` is not a choice", "classification"),
    ("frameworks: jx", 13, "unknown framework `jx`", "did you mean `jax`? write a list of: pytorch"),
    ("frameworks: pytorch, jax", 13, "`pytorch, jax` is not a list", "write `[pytorch, jax]`"),
    ("models: [~]", 10, "has no value", "write a value, as in `[spam-fnn]`"),
    # CPU mode and threads
    ("cpu_mode: [cpus]", 12, "`cpus` is no way to limit CPUs", "write cpuset or quota"),
    ("cpu_mode: quota", 11, "`quota` is not a list", "write `[quota]`"),
    ("threads: [0]", 11, "`0` is no number of threads", "match (as many as CPUs), default (nothing is told), or"),
    ("threads: [all]", 11, "`all` is no number of threads", "a number from 1 to 4096"),
    ("threads: [2, 2]", 14, "`2` stands twice in the list", "keep one of them"),
    ("threads: [5000]", 11, "`5000` is no number of threads", "a number from 1 to 4096"),
    ("threads: [1.5]", 11, "`1.5` is no number of threads", "a number from 1 to 4096"),
    ("threads: [true]", 11, "`true` is no number of threads", "a number from 1 to 4096"),
    ('threads: ["2"]', 11, "`2` is no number of threads", "a number from 1 to 4096"),
    ("threads: [{a: 1}]", 11, "`{...}` is no number of threads", "a number from 1 to 4096"),
    ("threads: match", 10, "`match` is not a list", "write `[match]`"),
    ("cpu_mode: [quota, quota]", 19, "`quota` stands twice in the list", "keep one of them"),
    ("cpu_mode: []", 1, "is empty", "name at least one"),
    ("cpu_mode: [~]", 12, "has no value", "write a value, as in `[cpuset, quota]`"),
    ("cpu_modes: [quota]", 1, "unknown key", "did you mean `cpu_mode`?"),
    ("frameworks: [1.5]", 14, "`1.5` is not a name", "use up to 64 lower-case letters"),
    # cpus
    ("cpus: [-1]", 8, "`-1` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [0]", 8, "`0` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [0.001]", 8, "`0.001` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [1e9]", 8, "is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [.nan]", 8, "`nan` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [.inf]", 8, "`inf` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [1e999]", 8, "`inf` is not a possible number of CPUs", "from 0.01 to 4096"),
    ("cpus: [" + "9" * 5000 + "]", 8, "is text, not a number of CPUs", "write a number from 0.01 to 4096"),
    ("cpus: [1, 1.0000000001]", 11, "`1.0000000001` has more than three decimals", "write 1\n"),
    ("cpus: 1-4", 7, "`1-4` is not a list", "write a list such as `[1, 2]`"),
    ('cpus: "1, 2"', 7, "`1, 2` is not a list", "write `[1, 2]`"),
    ('cpus: "1 # \\u202e\\n"', 7, "is not a list", "write `[1]`\n"),
    ("cpus: [1m]", 8, "`1m` is text, not a number of CPUs", "write a number from 0.01 to 4096"),
    ("cpus:", 1, "has no value", "write `[1, 2]`\n"),
    ("cpus: [two]", 8, "`two` is text, not a number of CPUs", "write a plain number such as 1, 2 or 0.5"),
    ('cpus: ["2"]', 8, "`2` is text, not a number of CPUs", "write 2 without quotes"),
    ("cpus: [1:30]", 8, "`1:30` is text, not a number of CPUs", "such as 1, 2 or 0.5\n"),
    ("cpus: [017]", 8, "`017` is text, not a number of CPUs", "such as 1, 2 or 0.5\n"),
    ("cpus: [off]", 8, "`off` is text, not a number of CPUs", "write a plain number"),
    ("cpus: [true]", 8, "`true` is not a number of CPUs", "write a plain number"),
    ("cpus: [500m]", 8, "`500m` is text, not a number of CPUs", "write 0.5"),
    ("cpus: [0.1234]", 8, "`0.1234` has more than three decimals", "write 0.123"),
    ("cpus: [1, 1.0]", 11, "`1.0` is the same as `1`", "keep one of them"),
    ("cpus: 2", 7, "`2` is not a list", "write `[2]`"),
    # memory
    ("memory: [8]", 10, "`8` has no unit", "write 8GiB or 8MiB"),
    ("memory: [8gb]", 10, "`8gb` is not a memory size", "did you mean `8GB`? write one of 512MiB, 8GiB (binary)"),
    ("memory: [8gib]", 10, "`8gib` is not a memory size", "did you mean `8GiB`?"),
    ("memory: [8Gi]", 10, "`8Gi` is not a memory size", "did you mean `8GiB`?"),
    ("memory: [lots]", 10, "`lots` is not a memory size", "Docker's 512m, 8g (binary)"),
    ("memory: [no]", 10, "`no` is not a memory size", "write one of 512MiB"),
    ("memory: [true]", 10, "`true` is not a memory size", "write one of 512MiB"),
    ("memory: [-8GiB]", 10, "`-8GiB` is not a memory size", "write one of 512MiB"),
    ("memory: [1MiB]", 10, "`1MiB` is less than Docker takes", "write at least 6MiB"),
    ("memory: [2000TiB]", 10, "`2000TiB` is more than any machine has", "write at most 1024TiB"),
    ("memory: [" + "9" * 5000 + "GiB]", 10, "is no whole number of bytes", "fix: write one of"),
    ("memory: [6.000001MiB]", 10, "is no whole number of bytes", "fix: write one of"),
    ("memory: [.inf]", 10, "`inf` has no unit", "fix: write one of"),
    ("memory: [.nan]", 10, "`nan` has no unit", "fix: write one of"),
    ("memory: [3]", 10, "`3` has no unit", "write 3GiB\n"),
    ("memory: [8\u00a0GiB]", 10, "is not a memory size", "did you mean `8GiB`?"),
    ("memory: 8", 9, "`8` is not a list", "write a list such as `[512MiB, 8GiB]`"),
    ("memory: [8GiB, 8g]", 16, "`8g` is the same as `8GiB`", "keep one of them"),
    # the rest of the top level
    ("batch: [0]", 9, "`0` is too small", "write at least 1"),
    ("batch: [9999999999999999999]", 9, "is too large", "write at most 1000000"),
    ("batch: [1.5]", 9, "`1.5` is not a whole number", "write digits only"),
    ("batch: [2000000]", 9, "`2000000` is too large", "write at most 1000000"),
    ("over_host: no", 12, "`no` is not a choice here", "write `skip`, `refuse` or `run`"),
    ("baseline: openvino", 11, "`openvino` is no framework of this matrix", "the matrix has: pytorch, jax"),
    ("baseline: Py Torch", 11, "`Py Torch` is not a name", "lower-case letters"),
    ("framework: [jax]", 1, "unknown key", "did you mean `frameworks`? allowed here: frameworks, models, cpus"),
    ("trials: 5", 1, "unknown key", "`trials` belongs under `protocol:`"),
    ("protocol: {precision: 2}", 23, "`2` is no precision", "write a percentage up to 50%, such as 2% or 0.5%"),
    ("protocol: {precision: 80%}", 23, "`80%` is no precision", "up to 50%"),
    ("protocol: {precision: 0%}", 23, "`0%` is no precision", "such as 2% or 0.5%"),
    ("protocol: {precision: 0.02}", 23, "`0.02` is no precision", "such as 2% or 0.5%"),
    ("protocol: {max_time: 5m}", 12, "does nothing without a precision", "`precision: 2%`, or remove it"),
    ("protocol: {precision: 2%, max_trials: 4}", 39, "max_trials 4 is less than trials 5", "raise the one"),
    ("protocol: {precision: 2%, trials: 21}", 35, "max_trials 20 is less than trials 21", "raise the one"),
    ("protocol: {max_trials: 9}", 12, "does nothing without a precision", "`precision: 2%`, or remove it"),
    ("protocol: {precision: 2%, trials: 9, max_trials: 5}", 50, "max_trials 5 is less than trials 9", "raise the one"),
    ("<<: {cpus: [1]}", 1, "merge keys are not supported", "write out the keys"),
    ("devices: {pi: {cpus: 1, memory: 1GiB}}", 1, "does not go with `devices`", "keep `devices`, or keep"),
    # protocol
    ("protocol: {trails: 5}", 12, "protocol.trails: unknown key", "did you mean `trials`?"),
    ("protocol: {batch: [5]}", 12, "protocol.batch: unknown key", "`batch` belongs at the top level"),
    ("protocol: {trials: 0}", 20, "`0` is too small", "write at least 1"),
    ("protocol: {timeout: 1:30}", 21, "`1:30` is not a duration", "such as 500ms, 90s or 2m"),
    ("protocol: {timeout: 120}", 21, "`120` has no unit", "write 120s"),
    ("protocol: {timeout: .inf}", 21, "`inf` has no unit", "such as 500ms, 90s or 2m"),
    ("protocol: {timeout: 99h}", 21, "`99h` is too long", "write at most 24h"),
    ("protocol: {timeout: 1s}", 21, "the timeout of 1s is over before", "time to start the framework"),
    ("protocol: {budget: 5m}", 20, "the timeout of 120s is over before", "time to start the framework"),
    ("protocol: {max_iterations: 5}", 28, "max_iterations 5 is less than min_iterations 10", "lower the other"),
    ("protocol: {page_cache: off}", 24, "`off` is not a choice here", "write `cold` or `warm`"),
    ("protocol: {phase_timeouts: {lod: 5s}}", 29, "`lod` is no phase", "did you mean `load`?"),
    ("protocol: {phase_timeouts: {load: 5}}", 35, "`5` has no unit", "write 5s"),
    ("protocol: {phase_timeouts: {load: 120s}}", 35, "120s is not less than the timeout of 120s", "lower it"),
    ("protocol: {phase_timeouts: {steady: 1500ms}}", 37, "1500ms is over before steady is (1.5s)", "more time"),
    ("protocol: {phase_timeouts: {warmup: 200ms}}", 37, "200ms is over before warmup is (0.3s)", "more time"),
    ("protocol: 3", 11, "`3` is not a mapping of keys", "keys here: trials, precision"),
    # rules
    ("expect: [{framework: jax, status: oom}]", 10, "`reason` is missing", "write `reason: "),
    ("expect: [{framework: jax, status: ok, reason: r}]", 35, "`ok` is no ending to expect", "write one of: oom"),
    ("expect: [{status: oom, reason: r}]", 10, "does not say which cells", "give at least one of framework"),
    ("expect: [{framework: onnxruntime, status: oom, reason: r}]", 10, "matches no cell", "`edgematrix plan`"),
    ("exclude: [{framework: jax}]", 11, "`reason` is missing", "write `reason: "),
    ("exclude: [{framework: jax, reason: }]", 28, "has no value", "write `our board has no build of it`"),
    ("exclude: [{framework: jax, reason: 5}]", 36, "`5` is not a reason", "say in a few words why"),
    ('exclude: [{framework: jax, reason: "a\\nb"}]', 36, "holds the character U+000A", "one line of plain text"),
    ('exclude: [{framework: jax, reason: "a\\eb"}]', 36, "holds the character U+001B", "one line of plain text"),
    ("exclude: [{framework: jax, reason: a\u202eb}]", 36, "holds the character U+202E", "one line of plain text"),
    ("exclude: [{framework: jax, reason: x}, {framework: jax, cpus: 1, reason: y}]", 40, "matches no cell", "above"),
    ("exclude: [~]", 11, "has no value", "write a value, as in `[{framework: jax"),
    ("exclude: [{reason: x}]", 11, "does not say which cells", "at least one of framework"),
    ("exclude: [{framework: jx, reason: x}]", 23, "no cell has framework `jx`", "did you mean `jax`? the matrix has"),
    ("exclude: [{framework: [jax, openvino], reason: x}]", 29, "no cell has framework `openvino`", "the matrix has"),
    ("exclude: [{model: resnet50, reason: x}]", 19, "no cell has model `resnet50`", "the matrix has: spam-fnn"),
    ("exclude: [{cpus: 4, reason: x}]", 18, "no cell has cpus `4`", "the matrix has: 1, 2"),
    ("exclude: [{memory: 1GiB, reason: x}]", 20, "no cell has memory `1GiB`", "the matrix has: 512MiB, 8GiB"),
    ("exclude: [{batch: [1, 8], reason: x}]", 23, "no cell has batch `8`", "the matrix has: 1"),
    ("exclude: [{cpu_mode: quota, reason: x}]", 22, "no cell has cpu_mode `quota`", "the matrix has: cpuset"),
    ("exclude: [{cpu_mode: none, reason: x}]", 22, "`none` is no way to limit CPUs", "write cpuset or quota"),
    ("exclude: [{threads: default, reason: x}]", 21, "no cell has threads `default`", "the matrix has: match"),
    ("exclude: [{threads: [match, 3], reason: x}]", 29, "no cell has threads `3`", "the matrix has: match"),
    ("include: [{threads: 0}]", 21, "`0` is no number of threads", "match (as many as CPUs)"),
    ("include: [{cpu_mode: cpuset}]", 11, "adds nothing", "name a value that the matrix has not"),
    ("exclude: [{device: pi, reason: x}]", 12, "this matrix has no devices", "name cpus and memory"),
    ("exclude: [{batch: 1, reason: x}]", 1, "leaves no cell to run", "exclude fewer cells"),
    ("exclude: {framework: jax, reason: x}", 10, "`{...}` is not a list", "write `[{framework: jax, reason: x}]`"),
    ("exclude: {framework: jax, reason: " + "x" * 99 + "}", 10, "`{...}` is not a list", "write it in brackets"),
    ("exclude: [jax]", 11, "`jax` is not a mapping of keys", "keys here: framework, model"),
    ("include: [{framework: openvin}]", 23, "unknown framework `openvin`", "did you mean `openvino`?"),
    ("include: [{framework: jax, cpus: 2}]", 11, "adds nothing", "name a value that the matrix has not"),
    ("include: [{cpus: 4}, {framework: jax, cpus: 4}]", 22, "adds nothing", "remove the entry"),
    ("include: [{}]", 11, "does not say which cells", "at least one of framework"),
    ("include: [{batch: [" + ", ".join(map(str, range(1, 5002))) + "]}]", 1, "has 40,016 cells", "split the file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "column", "what", "fix"), BAD_VALUES, ids=[row[0][:50] for row in BAD_VALUES]
)
def test_a_bad_value_is_shown_where_it_stands_with_what_to_write(
    line: str, column: int, what: str, fix: str
) -> None:
    text = with_line(line)
    message = refusal(text)
    at = 1 if "has 40,016" in what else text.splitlines().index(line) + 1
    if "does not go with" in what:  # told of the keys that are there besides
        at = 3
    assert f"m.yaml:{at}:{column}: " in message
    assert what in message
    assert fix in f"{message}\n"


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "fix"),
    [
        ("", 1, 1, "the file is empty", "write at least frameworks, models, cpus and memory"),
        ("- a\n", 1, 1, "a matrix is a mapping of keys", "the keys are frameworks, models, cpus"),
        ("just words\n", 1, 1, "a matrix is a mapping of keys", "write `key: value` lines"),
        ("{}\n", 1, 1, "`frameworks` is missing", "write `frameworks: [pytorch, onnxruntime]`"),
        ("cpus: [1\n", 1, 7, "not YAML", "a comma or a closing bracket is missing"),
        (SHORT + "cpus: [4]\n", 5, 1, "cpus: the key stands twice, first on line 3", "keep one of them"),
        ("frameworks: [jax]\nmodels: [spam-fnn]\n", 1, 1, "the limits are missing", "`cpus: [1, 2]` and `memory: ["),
        ("frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [1]\n", 1, 1, "`memory` is missing", "`memory: [512MiB, 8GiB]`"),
        ("frameworks: [jax]\nmodels: [spam-fnn]\nmemory: [1GiB]\n", 1, 1, "`cpus` is missing", "`cpus: [1, 2]`"),
        (DEVICES + "  Pi 5: {cpus: 4, memory: 8GiB}\n", 6, 3, "`Pi 5` is not a name", "lower-case letters"),
        (DEVICES + "  zero: {cpus: 1, memroy: 1GiB}\n", 6, 19, "devices.zero.memroy: unknown key", "mean `memory`?"),
        (DEVICES + "  zero: {cpus: 1}\n", 6, 3, "devices.zero: `memory` is missing", "write `memory: 8GiB`"),
        (DEVICES + "  zero: 4\n", 6, 9, "`4` is not a mapping of keys", "write `{cpus: 2, memory: 8GiB}`"),
        (DEVICES + "  zero:\n", 6, 3, "has no value", "leave the key out"),
        (DEVICES + "  twin: {cpus: 4, memory: 4g}\n", 6, 3, "has the same limits as `pi`", "told apart by"),
        (DEVICES + "memory: [8GiB]\n", 6, 1, "does not go with `devices`", "keep `devices`"),
        (DEVICES + "include: [{cpus: 2}]\n", 6, 11, "`cpus` and `memory` go together here", "or a device"),
        (DEVICES + "include: [{device: pi, cpus: 2}]\n", 6, 24, "does not go with `device`", "keep the one"),
        (DEVICES + "exclude: [{device: hup, reason: x}]\n", 6, 20, "no cell has device `hup`", "mean `hub`?"),
        (SHORT + "exclude: [{cpus: 1, reason: x}]\ninclude: [{cpus: 1}]\n", 5, 11, "matches no cell", "adds all its"),
        (DEVICES + "exclude: [{cpus: 4, memory: 512MiB, reason: x}]\n", 6, 11, "matches no cell", "have both these"),
        (SHORT.replace("[1, 2]", "[0.5, 2]") + "exclude: [{cpus: 0.5, cpu_mode: cpuset, reason: x}]\n", 5, 11,
         "matches no cell", "a fraction of a CPU is always a quota"),
    ],
)  # fmt: skip
def test_a_bad_file_is_shown_where_it_is_wrong(
    text: str, line: int, column: int, what: str, fix: str
) -> None:
    message = refusal(text)
    assert f"m.yaml:{line}:{column}: " in message
    assert what in message
    assert fix in message


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    message = refusal("frameworks: [jx]\nmodels: []\ncpus: [0]\nmemory: [8]\nmemory: [8]\ncolour: red\n")
    heads = [line for line in message.splitlines() if line.startswith("m.yaml:")]
    assert message.startswith("6 mistakes in m.yaml\n")
    assert [head.split(":")[1] for head in heads] == ["1", "2", "3", "4", "5", "6"]


def test_a_misspelled_key_is_not_also_missing() -> None:
    message = refusal("framworks: [jax]\nmodels: [spam-fnn]\ncpus: [1]\nmemory: [1GiB]\n")
    assert "did you mean `frameworks`?" in message
    assert "missing" not in message
    assert "mistakes" not in message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SHORT.replace("cpus", "CPUs"), "CPUs: unknown key"),
        (SHORT + "batch: !foo [1]\n", "the tag `!foo` has no meaning"),
        (SHORT + "batch: [!!int x]\n", "`x` is not what its tag says"),
        ("--- !foo\n" + SHORT, "the tag `!foo` has no meaning"),
        (DEVICES.replace("devices", "cpus:\ndevices"), "cpus: does not go with `devices`"),
        (SHORT + "devices:\n", "devices: has no value"),
        (DEVICES.partition("  pi")[0] + "  ? [a]\n  : {cpus: 1, memory: 1GiB}\n", "a key must be plain text"),
        (SHORT + "exclude: [{<<: {framework: jax, reason: x}}]\n", "merge keys are not supported"),
        (SHORT + "services:\n", "services: unknown key"),
        (SHORT.replace("[pytorch, jax]", "pytorch, jax"), "`pytorch, jax` is not a list"),
    ],
)
def test_one_slip_is_told_once(text: str, what: str) -> None:
    message = refusal(text)
    assert what in message
    assert message.count("fix: ") == 1


@pytest.mark.parametrize(
    "text",
    [
        DEVICES.replace("cpus: 1,", "cpus: 1.0000000001,"),
        SHORT + "include: [{cpus: 1.0000000001}]\n",
        SHORT + "exclude: [{cpus: 1.0000000001, reason: x}]\n",
    ],
)
def test_cpus_that_would_share_an_id_are_refused_everywhere(text: str) -> None:
    assert "`1.0000000001` has more than three decimals" in refusal(text)


@given(st.integers(10, 4_096_000))
def test_every_number_of_millicores_is_accepted(millis: int) -> None:
    (limits,) = parse(
        f"frameworks: [jax]\nmodels: [spam-fnn]\ncpus: [{millis / 1000!r}]\nmemory: [1g]\n"
    ).crossed.limits
    assert round(limits.cpus * 1000) == millis


def test_the_source_line_is_shown_with_carets() -> None:
    assert refusal(with_line("memory: [8GiB, 8gb]")).splitlines()[1:3] == [
        "   4 | memory: [8GiB, 8gb]",
        "     |                ^^^",
    ]


def test_a_file_that_is_wrong_throughout_is_cut_short() -> None:
    message = refusal("".join(f"key{number}: 1\n" for number in range(100)))
    assert message.startswith("103 mistakes in m.yaml")
    assert message.endswith("... and 83 more")


def test_an_included_cell_may_have_values_that_the_matrix_has_not() -> None:
    matrix = parse(SHORT + "include: [{framework: openvino, model: resnet50, cpus: 0.5, memory: 1GB}]\n")
    (block,) = matrix.included
    assert [cell.id for cell in block.cells()] == ["openvino.resnet50.c500m.m1000000000b.b1"]


def test_an_included_cell_may_have_options_that_the_matrix_has_not() -> None:
    matrix = parse(
        SHORT + "include: [{framework: jax, cpus: 2, memory: 8GiB, cpu_mode: quota, threads: [default, 1]}]\n"
    )
    (block,) = matrix.included
    assert [cell.id for cell in block.cells()] == [
        "jax.spam-fnn.c2.m8g.b1.quota.tdefault", "jax.spam-fnn.c2.m8g.b1.quota.t1",
    ]  # fmt: skip


def test_a_precision_brings_its_budget_with_it() -> None:
    protocol = parse(SHORT + "protocol: {precision: 0.5 %}\n").protocol
    assert (protocol.trials, protocol.max_trials) == (5, 20)
    assert (protocol.precision, protocol.max_time_s) == (0.005, 1800.0)
    own = parse(SHORT + "protocol: {trials: 3, precision: 50%, max_trials: 3, max_time: 90s}\n").protocol
    assert (own.trials, own.max_trials, own.precision, own.max_time_s) == (3, 3, 0.5, 90.0)


def test_a_thousand_iterations_exactly_are_a_thousand_at_both_ends() -> None:
    protocol = parse(SHORT + "protocol: {min_iterations: 1000, max_iterations: 1000}\n").protocol
    assert (protocol.min_iterations, protocol.max_iterations) == (1000, 1000)


@pytest.mark.parametrize(
    "lines",
    [
        "cpu_mode: [quota, cpuset]\nthreads: [default, 4, match]\n",
        "protocol: {precision: 2%, max_time: 10m}\n",
        "cpu_mode: [cpuset, quota]\nexclude: [{cpu_mode: quota, cpus: 2, reason: x}]\n",
        "threads: [match, default]\ninclude: [{threads: 7, cpus: 0.5}]\n",
    ],
)
def test_options_survive_being_resolved(lines: str) -> None:
    matrix = parse(SHORT + lines)
    again = parse(yaml.safe_dump(matrix.resolved()))
    assert list(again.crossed.cells()) == list(matrix.crossed.cells())
    assert again.excluded_cells == matrix.excluded_cells
    assert again.protocol == matrix.protocol
    assert again.resolved() == matrix.resolved()


def test_null_is_a_name_when_it_is_quoted() -> None:
    text = SHORT.replace("[pytorch, jax]", '["null", jax]')
    known = ("null", *FRAMEWORKS)
    matrix = parse_matrix("m.yaml", text, name="m", folder=Path(), catalog=catalog(known, MODELS))
    assert matrix.crossed.frameworks == ("null", "jax")
    resolved = yaml.safe_dump(matrix.resolved())
    again = parse_matrix("m.yaml", resolved, name="m", folder=Path(), catalog=catalog(known, MODELS))
    assert (again.crossed, again.baseline) == (matrix.crossed, "null")


def test_a_rule_may_refer_to_a_device() -> None:
    matrix = parse(DEVICES + "exclude: [{framework: jax, device: hub, reason: no build}]\n")
    assert [(cell.id, rule) for cell, rule in matrix.excluded_cells.items()] == [
        ("jax.spam-fnn.c1.m512m.b1", 0)
    ]


def test_the_first_of_two_matching_excludes_counts() -> None:
    rules = "exclude: [{framework: jax, cpus: 1, reason: first}, {framework: jax, reason: second}]\n"
    assert list(parse(SHORT + rules).excluded_cells.values()) == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"frameworks: [jax]\nmodels: [caf\xe9]\n", "not UTF-8: byte 0xe9"),
        (b"#" * (MAX_BYTES + 1), "is larger than 128 KiB"),
        (b"\xff\xfef\x00", "1:1: not UTF-8: byte 0xff"),
    ],
)
def test_a_file_that_is_no_small_text_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load_matrix(path, catalog=catalog(FRAMEWORKS, MODELS))


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.encode())
    assert load_matrix(path, catalog=catalog(FRAMEWORKS, MODELS)).name == "small"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("absent.yaml", "no such file"),
        (".", "is a directory"),
        ("a\0b", "cannot be read"),
        ("x" * 300, "cannot be read"),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_matrix(tmp_path / name, catalog=catalog(FRAMEWORKS, MODELS))
    assert "such as matrix.yaml" in caught.value.fix


def test_a_device_file_is_not_waited_for() -> None:
    with pytest.raises(ConfigError, match="no regular file"):
        load_matrix(Path("/dev/zero"), catalog=catalog(FRAMEWORKS, MODELS))


SHIPPED = [
    (ROOT / name).read_text() for name in ("matrix.yaml", "examples/devices.yaml", "tests/data/matrix.yaml")
]
PIECES = st.sampled_from(
    ["[", "]", "{", "}", ":", ",", "- ", "\n", "\n  ", "\t", "'", '"', "&a ", "*a", "~", "!!int ", "#",
     "\x00", "\u2028", "no", "off", "1:30", "devices", "cpus", "memory", "reason", "8gb", ".nan", "1e999", "9" * 30]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([SHORT, DEVICES, *SHIPPED]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 12), PIECES), min_size=1, max_size=4),
)
def test_a_mutated_matrix_is_read_or_refused(text: str, edits: list[tuple[int, int, str]]) -> None:
    for at, cut, piece in edits:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + cut :]
    try:
        parse(text).resolved()
    except ConfigError as error:
        str(error).encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["frameworks", "models", "cpus", "memory", "devices", "batch", "include", "exclude"])
MORE_KEYS = st.sampled_from(
    ["over_host", "baseline", "protocol", "framework", "reason", "cpu_mode", "precision", "threads"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        KEYS | MORE_KEYS, VALUES | st.lists(st.dictionaries(KEYS | MORE_KEYS, VALUES), max_size=2)
    )
)
def test_any_value_under_any_key_is_read_or_refused(data: dict[str, object]) -> None:
    try:
        parse(yaml.safe_dump(data, allow_unicode=True))
    except ConfigError as error:
        str(error).encode()

"""What the harness makes of a preparing container's words, which are as untrusted as all that comes from one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from harness.container import ContainerSpec, Outcome
from harness.engine import Engine
from harness.errors import BuildError, UnsupportedError
from harness.prepare import NATIVE, REFUSED, Volume, make_volume

VOLUME = Volume(
    name="v", model="m", subject="model m for jax", path=NATIVE, image="i", module="runner.convert"
)
ENDED = Outcome(
    exit_code=0,
    oom_flag=False,
    out_of_time_s=None,
    flooded=False,
    error=None,
    log_tail="Traceback",
    engine_s=1.0,
)


class Speaking:
    """An engine whose container says these lines and ends so."""

    def __init__(self, *lines: bytes, **ended: Any) -> None:
        self.lines, self.outcome = lines, replace(ENDED, **ended)
        self.spec: ContainerSpec | None = None

    def run(self, spec: ContainerSpec, *, on_line: Callable[[bytes], None], **_: object) -> Outcome:
        self.spec = spec
        for line in self.lines:
            on_line(line)
        return self.outcome


def make(engine: Speaking) -> list[tuple[str, float]]:
    steps: list[tuple[str, float]] = []
    make_volume(cast(Engine, engine), VOLUME, lambda *told: steps.append(told), memory_bytes=2**20)
    return steps


def test_steps_are_passed_on_and_chatter_is_not() -> None:
    engine = Speaking(b'{"step": "reading", "done": 0.5}', b"loading ...", b"7", b'{"step": "sealing"}')
    assert make(engine) == [("reading", 0.5), ("sealing", 0.0)]
    assert engine.spec is not None
    assert engine.spec.memory_bytes == 2**20


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000, b'{"step": "x", "done": "a"}', b'{"step": "x", "done": NaN}', b'{"step": 5}', b"{}",
        b'{"step": "x", "done": 2}', b'{"unsupported": 5}', b'{"what": ["x"]}', b"\xff\xfe", b'{"more": 1}',
    ],
)  # fmt: skip
def test_no_line_of_a_container_breaks_the_harness(line: bytes) -> None:
    assert make(Speaking(line)) == []
    with pytest.raises(BuildError, match="could not be prepared"):
        make(Speaking(line, exit_code=REFUSED))


def test_a_refusal_is_told_in_its_own_words() -> None:
    with pytest.raises(BuildError) as caught:
        make(Speaking(b'{"what": "it is bad", "why": "w", "fix": "f"}', exit_code=REFUSED))
    assert str(caught.value) == "model m for jax: it is bad\nwhy: w\nfix: f"


def test_what_a_framework_cannot_do_is_no_failure() -> None:
    with pytest.raises(UnsupportedError, match=r"^operator Foo$"):
        make(Speaking(b'{"unsupported": "operator Foo"}', exit_code=REFUSED))


def test_a_terminal_cannot_be_moved() -> None:
    with pytest.raises(UnsupportedError) as caught:
        make(Speaking(b'{"unsupported": "operator \\u001b[2J"}', exit_code=REFUSED))
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"exit_code": 1}, "Traceback"),
        ({"exit_code": 137, "out_of_time_s": 1800.0}, "it took longer than 30 min"),
        ({"exit_code": 137, "oom_flag": True}, "it ran out of memory"),
        ({"exit_code": 137, "flooded": True}, "more output than may be read"),
        ({"exit_code": None, "error": "no such image"}, "no such image"),
    ],
)
def test_a_container_that_dies_has_its_cause_told(ended: dict[str, Any], words: str) -> None:
    with pytest.raises(BuildError, match=words):
        make(Speaking(**ended))

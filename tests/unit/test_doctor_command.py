import json
from pathlib import Path

import pytest
from runner import probe

from harness.doctor import Check, Diagnosis, Verdict
from harness.errors import ExitCode
from harness.host import ProbeFacts
from tests.unit.commands import exit_code


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.GOOD, ExitCode.OK), (Verdict.POOR, ExitCode.OK), (Verdict.BAD, ExitCode.ENVIRONMENT)],
)
@pytest.mark.parametrize("words", [(), ("--json",), ("--quick",)])
def test_the_exit_code_says_whether_measuring_is_possible(
    verdict: Verdict,
    code: ExitCode,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[bool] = []

    def examine(*, quick: bool, listener: object) -> Diagnosis:
        assert callable(listener)
        asked.append(quick)
        return Diagnosis(checks=(Check(name="limits", verdict=verdict, found="f"),))

    monkeypatch.setattr("harness.doctor.examine", examine)

    assert exit_code("doctor", *words) == code
    assert asked == ["--quick" in words]
    printed = capsys.readouterr().out
    if "--json" in words:
        assert json.loads(printed)["possible"] is (verdict is not Verdict.BAD)
    else:
        assert printed.startswith(f"{verdict:<4}  limits  f\n")


def test_the_probe_says_what_the_doctor_asks() -> None:
    facts = ProbeFacts.model_validate(json.loads(json.dumps(probe.facts())))
    assert facts.available_bytes is None or 0 < facts.available_bytes <= facts.memory_bytes
    assert facts.disk_free_bytes >= 0
    assert facts.conditions.at_ns > 0


@pytest.mark.parametrize(
    ("file", "text", "turbo"),
    [
        ("intel_pstate/no_turbo", "1\n", False),
        ("intel_pstate/no_turbo", "0\n", True),
        ("cpufreq/boost", "1\n", True),
        ("cpufreq/boost", "0\n", False),
        ("online", "0-1\n", None),
    ],
)
def test_turbo_is_read_where_the_host_shows_it(
    file: str, text: str, turbo: bool | None, tmp_path: Path
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert probe.turbo(str(tmp_path)) is turbo


def test_memory_is_read_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  2048 kB\nMemAvailable: 1024 kB\nHugePages_Total: 0\n")
    assert probe.memory(str(tmp_path)) == {"MemTotal": 2048 * 1024, "MemAvailable": 1024 * 1024}

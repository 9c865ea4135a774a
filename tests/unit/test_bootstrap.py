from dataclasses import replace

import pytest

from harness import bootstrap
from harness.bootstrap import Machine, Step, advise, decide, ensure_engine
from harness.errors import EngineError, ExitCode

MACHINE = Machine(
    named_elsewhere=False, socket_denied=False, root=True, debian=True, daemon_installed=True, systemd=False
)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, (Step.START_DAEMON,)),
        ({"systemd": True}, (Step.START_SERVICE,)),
        ({"daemon_installed": False}, (Step.INSTALL, Step.START_DAEMON)),
        ({"daemon_installed": False, "systemd": True}, (Step.INSTALL, Step.START_SERVICE)),
        ({"debian": False}, (Step.START_DAEMON,)),
        ({"debian": False, "daemon_installed": False}, ()),
        ({"root": False}, ()),
        ({"root": False, "daemon_installed": False}, ()),
        ({"named_elsewhere": True}, ()),
        ({"named_elsewhere": True, "daemon_installed": False}, ()),
        ({"socket_denied": True}, ()),
    ],
)
def test_an_engine_is_started_only_by_root_and_never_beside_a_named_one(
    changes: dict[str, bool], steps: tuple[Step, ...]
) -> None:
    assert decide(replace(MACHINE, **changes)) == steps


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "systemctl start docker"),
        ({"daemon_installed": False}, "apt-get install docker.io"),
        ({"daemon_installed": False, "debian": False}, "https://docs.docker.com"),
    ],
)
def test_who_must_act_himself_is_told_how(changes: dict[str, bool], words: str) -> None:
    assert words in advise(replace(MACHINE, root=False, **changes))


def silent_engine(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> list[Step]:
    """A machine where no engine answers; what would be done about it is noted and not done."""
    taken: list[Step] = []

    def refuse() -> None:
        raise EngineError("no engine", why="nobody answers")

    monkeypatch.setattr(bootstrap, "connect", refuse)
    monkeypatch.setattr(bootstrap, "read_machine", lambda _: machine)
    monkeypatch.setattr(bootstrap, "_take", taken.append)
    return taken


def test_a_named_engine_that_is_silent_is_reported_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = silent_engine(monkeypatch, replace(MACHINE, named_elsewhere=True))
    with pytest.raises(EngineError, match="no engine"):
        ensure_engine()
    assert taken == []


def test_an_engine_that_this_user_may_not_start_ends_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    silent_engine(monkeypatch, replace(MACHINE, root=False))
    with pytest.raises(EngineError) as caught:
        ensure_engine()
    assert "systemctl start docker" in caught.value.fix


def test_every_step_is_taken_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = silent_engine(monkeypatch, replace(MACHINE, daemon_installed=False))

    def describe(state: str) -> str:
        if not taken:
            raise EngineError("no engine")
        return state

    monkeypatch.setattr(bootstrap, "_describe", describe)
    assert ensure_engine() == "started"
    assert taken == [Step.INSTALL, Step.START_DAEMON]


def test_the_command_prints_the_error_and_ends_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent_engine(monkeypatch, replace(MACHINE, root=False))
    assert bootstrap.main([]) == ExitCode.ENVIRONMENT
    assert "fix: Start the engine" in capsys.readouterr().err


def test_a_browser_that_is_there_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/chromium" if name == "chromium" else None)
    assert bootstrap.ensure_browser() == "browser: /usr/bin/chromium"

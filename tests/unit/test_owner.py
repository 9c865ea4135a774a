import os
import socket

import pytest

from harness.owner import is_gone, own_name

NAMELESS = "getpwuid(): uid not found: 54321"
NOBODY = 2**22 + 1
"""Above the largest process id that Linux gives."""


def test_this_process_lives() -> None:
    assert not is_gone(own_name("a test"))


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError(NAMELESS)

    monkeypatch.setattr("getpass.getuser", unknown)
    assert own_name("a test").startswith(f"a test by uid {os.getuid()}@")
    assert not is_gone(own_name("a test"))


@pytest.mark.parametrize(
    ("owner", "gone"),
    [
        (f"ann@{socket.gethostname()}, pid {NOBODY}", True),
        (f"edgematrix run by ann@{socket.gethostname()}, pid {NOBODY}", True),
        (f"ann@{socket.gethostname()}, pid {os.getppid()}", False),
        (f"ann@elsewhere, pid {NOBODY}", False),
        ("the tests", False),
        ("", False),
        (f"ann@{socket.gethostname()}, pid 99999999999999", False),
    ],
)
def test_only_a_process_of_this_machine_that_is_not_there_is_gone(owner: str, gone: bool) -> None:
    assert is_gone(owner) is gone

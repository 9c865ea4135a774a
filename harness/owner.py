"""Who a harness is: for the labels of its containers, for those whom it keeps waiting, and whether it still lives."""

from __future__ import annotations

import getpass
import os
import re
import socket


def user_name() -> str:
    """The name of who runs this; its number where the machine has no name for it, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def own_name(purpose: str) -> str:
    """This process and what it does, such as `edgematrix run by ann@build-3, pid 4711`: no other has that name."""
    return f"{purpose} by {user_name()}@{socket.gethostname()}, pid {os.getpid()}"


def is_gone(owner: str) -> bool:
    """Whether an owner is certainly dead: a process of this machine that is not there. Of others nothing is known."""
    found = re.fullmatch(r".*@(?P<host>.+), pid (?P<pid>[0-9]{1,10})", owner)
    if found is None or found["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(found["pid"]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return False

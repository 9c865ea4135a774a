"""What a run survives, at full length: `make prove`."""

from pathlib import Path

import docker
import pytest

from tests.docker.survival import engine_restarts, kills, soak

pytestmark = [pytest.mark.docker, pytest.mark.prove]


def test_fifty_kills_lose_and_leave_nothing(client: docker.DockerClient, tmp_path: Path) -> None:
    kills(client, tmp_path, 50)


def test_an_engine_that_dies_five_times_is_waited_for(client: docker.DockerClient, tmp_path: Path) -> None:
    engine_restarts(client, tmp_path, 5)


def test_five_hundred_trials_leave_no_trace_in_the_harness(tmp_path: Path) -> None:
    soak(tmp_path, trials=500, settled=50)

"""What a run survives: kills, a lost engine, a full disk; small versions of the proofs in `test_prove_survival.py`."""

import shutil
import subprocess
from pathlib import Path

import docker
import pytest

from harness.results import Trial
from tests.docker.privileges import need_root
from tests.docker.survival import Command, engine_restarts, kills, soak

pytestmark = pytest.mark.docker


def test_five_kills_lose_and_leave_nothing(client: docker.DockerClient, tmp_path: Path) -> None:
    kills(client, tmp_path, 5)


def test_an_engine_that_dies_in_a_trial_is_waited_for(client: docker.DockerClient, tmp_path: Path) -> None:
    engine_restarts(client, tmp_path, 1)


def test_thirty_trials_leave_no_trace_in_the_harness(tmp_path: Path) -> None:
    soak(tmp_path, trials=30, settled=10)


def test_a_full_disk_loses_nothing_that_is_finished(tmp_path: Path) -> None:
    """On a file system of 2 MB, which a few trials fill."""
    need_root("mounting a file system")
    reports = tmp_path / "reports"
    reports.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(reports)], check=True)
    try:
        full = Command(tmp_path, trials=10).run()
        assert full.returncode == 5, full.stderr
        assert "No space left on device" in full.stderr
        assert "fix: check free space" in full.stderr
        assert "Traceback" not in full.stderr
        kept = {path.name: path.read_bytes() for path in reports.glob("*-*/trials/*.json")}
        assert kept
        subprocess.run(["mount", "-o", "remount,size=200m", str(reports)], check=True)
        again = Command(tmp_path, trials=10).run()
        assert again.returncode == 0, again.stderr
        # A round that the noise of this host had spoiled has a second file.
        rounds = {Trial.model_validate_json(content).index for content in kept.values()}
        assert f"{len(rounds)} kept from before" in again.stderr
        after = {path.name: path.read_bytes() for path in reports.glob("*-*/trials/*.json")}
        assert kept.items() <= after.items()
    finally:
        subprocess.run(["umount", "--lazy", str(reports)], check=True)
        shutil.rmtree(reports, ignore_errors=True)

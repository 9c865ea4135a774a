import json
from dataclasses import asdict

import numpy as np
import pytest

from harness.doctor.checks import Check, Verdict
from harness.doctor.diagnosis import Diagnosis
from harness.doctor.noise import check_noise, describe_noise, percent, resolution, two_speeds
from harness.doctor.render import anonymized, as_document, as_lines
from tests.unit.invented_hosts import series

RNG = np.random.default_rng(0)
QUIET = series([[10.0 + 0.01 * probe + 0.001 * step for step in range(20)] for probe in range(5)])
FLIPPING = series(
    [[10.0] * 20] * 5,
    loop=[[1.0] * 20, [1.0] * 8 + [1.8] * 12, [1.8] * 20, [1.8] * 20, [1.0] * 20],
)


def test_the_resolution_follows_student() -> None:
    # t(0.975, 4) = 2.776; times the square root of 2, over that of 5
    assert resolution(0.01) == pytest.approx(0.01 * 2.776 * 2**0.5 / 5**0.5, rel=1e-3)


def test_the_resolution_holds_its_promise() -> None:
    """Of pairs of cells that are alike, one in twenty seems to differ by more than told."""
    noise, trials, rounds = 0.03, 5, 4000
    differences = RNG.normal(0, noise, (rounds, trials)) - RNG.normal(0, noise, (rounds, trials))
    quantile = resolution(1.0) / (2**0.5 / trials**0.5)
    seen = np.abs(differences.mean(axis=1)) > quantile * differences.std(axis=1, ddof=1) / trials**0.5
    assert 0.04 < seen.mean() < 0.06


def test_a_quiet_machine() -> None:
    matmul, copy, loop = describe_noise("1 core", QUIET)
    assert (matmul.work, copy.work, loop.work) == ("matrix product", "copy", "interpreter loop")
    assert matmul.cpus == (1,)
    assert matmul.speed == pytest.approx(2 * 768**3 / 10.03e6, rel=1e-3)
    assert matmul.between == pytest.approx(0.01 * 2.5**0.5 / 10.03, rel=1e-2)
    assert matmul.move == pytest.approx(1.001, abs=1e-4)
    assert matmul.within == pytest.approx(1.0015, abs=2e-4)
    assert (loop.between, loop.move, loop.within, loop.speeds) == (0, 1, 1, None)
    check = check_noise("1 core", (matmul, copy, loop))
    assert check.verdict is Verdict.GOOD
    assert check.cure == ""


def test_two_speeds_are_told() -> None:
    matmul, copy, loop = describe_noise("1 core", FLIPPING)
    assert matmul.speeds is None
    assert copy.speeds is None
    assert loop.speeds == pytest.approx((1000 / 1.8, 1000), rel=1e-3)
    assert loop.move == pytest.approx(1.8)
    check = check_noise("1 core", (matmul, copy, loop))
    assert check.verdict is Verdict.POOR
    assert "the interpreter loop runs at two speeds, 1.8 times apart" in check.found
    assert "precision" in check.cure


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_two_noisy_speeds_are_found(share: float) -> None:
    fast = RNG.random(1000) < share
    speeds = np.where(fast, 1.8, 1.0) * np.exp(RNG.normal(0, 0.04, 1000))
    found = two_speeds(speeds)
    assert found is not None
    assert found == pytest.approx((1.0, 1.8), rel=0.03)


@pytest.mark.parametrize(
    "speeds",
    [
        np.exp(RNG.normal(0, 0.3, 1000)),  # wandering, but not between two speeds
        RNG.uniform(1, 2, 1000),
        1 / (1 + RNG.exponential(0.3, 1000)),  # a long tail
        np.where(RNG.random(1000) < 0.5, 1.0, 1.05),  # two speeds that hardly differ
        np.where(RNG.random(1000) < 0.005, 0.1, 1.0),  # preempted now and then
        np.ones(1000),
        np.ones(1),
    ],
)
def test_other_spreads_are_not_two_speeds(speeds: np.ndarray) -> None:
    assert two_speeds(speeds) is None


def test_a_spread_that_is_only_wide_is_poor_too() -> None:
    wide = series([[10.0], [14.0], [11.0], [13.0], [12.0]])
    figures = describe_noise("all 2 cores", wide)
    assert check_noise("all 2 cores", figures).verdict is Verdict.POOR
    assert check_noise("all 2 cores", figures).found.startswith("differences below about 23 %")


def test_too_few_probes_are_no_figure() -> None:
    assert describe_noise("1 core", FLIPPING[:2]) == ()
    assert check_noise("1 core", ()).verdict is Verdict.POOR


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0012, "0.12 %"),
        (0.00999, "1.0 %"),
        (0.053, "5.3 %"),
        (0.0999, "10 %"),
        (0.53, "53 %"),
        (0, "0.00 %"),
    ],
)
def test_a_share_has_two_digits(share: float, text: str) -> None:
    assert percent(share) == text


def diagnosis(*verdicts: Verdict) -> Diagnosis:
    checks = tuple(Check(name=f"n{at}", verdict=verdict, found="f") for at, verdict in enumerate(verdicts))
    return Diagnosis(checks=checks, noise=describe_noise("1 core", FLIPPING))


def test_the_report_shows_two_speeds_and_ends_with_what_comes_next() -> None:
    lines = list(as_lines(diagnosis(Verdict.GOOD, Verdict.NOTE, Verdict.NOTE)))
    assert lines[0] == "good  n0  f"
    assert any("interpreter loop" in line and line.endswith("two speeds") for line in lines)
    assert lines[-1] == "measuring is possible (1 good, 2 notes); next: edgematrix run matrix.yaml"


def test_one_bad_finding_makes_measuring_impossible() -> None:
    lines = list(as_lines(diagnosis(Verdict.GOOD, Verdict.BAD)))
    assert lines[-1] == "measuring is not possible now (1 good, 1 bad): see n1"


def test_the_document_is_json() -> None:
    document = json.loads(json.dumps(as_document(diagnosis(Verdict.POOR))))
    assert document["possible"] is True
    assert document["checks"] == [{"name": "n0", "verdict": "poor", "found": "f", "cure": ""}]
    assert [noise["work"] for noise in document["noise"]] == ["matrix product", "copy", "interpreter loop"]
    assert set(document["noise"][0]) == set(asdict(diagnosis().noise[0]))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("No engine at unix:///home/alice/.docker/run/docker.sock (x).", "No engine at <address> (x)."),
        ("tcp://board.example:2376, refused", "<address>, refused"),
        ("Too little disk: 1 GiB free in /srv/alice/docker.", "Too little disk: 1 GiB free in <path>"),
        ("open '~/x': denied for alice on board", "open '<path>': denied for <name> on <name>"),
        ("linux/amd64, 60 GFLOP/s, malice", "linux/amd64, 60 GFLOP/s, malice"),
    ],
)
def test_a_report_names_no_path_no_user_and_no_host(found: str, told: str) -> None:
    check = Check(name="engine", verdict=Verdict.BAD, found=found, cure="ask alice")
    clean = anonymized(check, ("/home/alice", "alice", "board", "root"))
    assert clean.found == told
    assert clean.cure == "ask <name>"

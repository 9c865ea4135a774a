import re
from pathlib import Path

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()
TARGETS = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()


def test_every_target_is_described_in_the_form_that_help_prints() -> None:
    described = re.findall(r"^([a-z]*):.*## .", MAKEFILE, re.MULTILINE)
    assert sorted(described) == sorted(TARGETS)


def test_make_alone_lists_the_targets() -> None:
    assert ".DEFAULT_GOAL := help" in MAKEFILE


def test_the_promised_targets_are_there() -> None:
    assert {"help", "matrix", "test", "bench", "prove", "check", "clean", "lock", "schemas"} <= set(TARGETS)


def test_what_needs_the_engine_has_it_started() -> None:
    for target in ("matrix", "test", "bench", "prove"):
        assert re.search(rf"^{target}:.*\bengine\b", MAKEFILE, re.MULTILINE)

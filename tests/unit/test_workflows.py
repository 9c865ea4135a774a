"""The example workflows: valid, pinned, with no more rights than they need, and with commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from harness.cli import cli
from tests.unit.test_makefile import TARGETS

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "examples" / "workflows").glob("*.yml"))

TEXT = {"type": "string", "minLength": 1}
RIGHTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        name: {"enum": ["read", "write"]} for name in ("contents", "pages", "id-token", "pull-requests")
    },
}
STEP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "run": TEXT,
        "uses": {"type": "string", "pattern": r"^actions/[a-z/-]+@v[0-9]+$"},
        "with": {"type": "object", "additionalProperties": TEXT},
    },
    "oneOf": [{"required": ["uses"]}, {"required": ["run"], "not": {"required": ["with"]}}],
}
JOB = {
    "type": "object",
    "additionalProperties": False,
    "required": ["runs-on", "steps"],
    "properties": {
        "runs-on": {"const": "ubuntu-latest"},
        "needs": TEXT,
        "timeout-minutes": {"type": "string", "pattern": "^[0-9]+$"},
        "permissions": RIGHTS,
        "environment": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {"name": TEXT, "url": TEXT},
        },
        "steps": {"type": "array", "minItems": 1, "items": STEP},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "on", "permissions", "jobs"],
    "properties": {
        "name": TEXT,
        "on": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "push": {"type": "object", "required": ["branches"]},
                "pull_request": {"const": ""},
                "workflow_dispatch": {"const": ""},
            },
        },
        "permissions": RIGHTS,
        "concurrency": {
            "type": "object",
            "additionalProperties": False,
            "required": ["group"],
            "properties": {"group": TEXT, "cancel-in-progress": {"enum": ["true", "false"]}},
        },
        "jobs": {"type": "object", "minProperties": 1, "additionalProperties": JOB},
    },
}
"""What GitHub's syntax allows, as far as the examples use it. Scalars are texts: YAML 1.1 would read `on` as true."""


def load(path: Path) -> dict[str, Any]:
    found = yaml.load(path.read_text(), yaml.BaseLoader)
    assert isinstance(found, dict)
    return found


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_both() -> None:
    assert [path.name for path in WORKFLOWS] == ["pages.yml", "summary.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_it_is_valid_and_its_jobs_depend_on_jobs(path: Path) -> None:
    workflow = load(path)
    jsonschema.validate(workflow, SCHEMA)
    needed = {job["needs"] for job in workflow["jobs"].values() if "needs" in job}
    assert needed <= workflow["jobs"].keys()
    ids = {step["id"] for step in steps(workflow) if "id" in step}
    assert set(re.findall(r"steps\.([a-z]+)\.", path.read_text())) <= ids


def test_only_the_job_that_deploys_may_write() -> None:
    pages, summary = (load(path) for path in WORKFLOWS)
    for workflow in (pages, summary):
        assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions") for name, job in pages["jobs"].items()}
    assert rights == {"measure": None, "publish": {"pages": "write", "id-token": "write"}}
    assert not any("permissions" in job for job in summary["jobs"].values())


def test_the_site_is_what_is_uploaded_kept_and_deployed() -> None:
    workflow = load(WORKFLOWS[0])
    used = {
        step["uses"].partition("@")[0]: step.get("with", {}) for step in steps(workflow) if "uses" in step
    }
    places = ("actions/upload-pages-artifact", "actions/cache/restore", "actions/cache/save")
    assert {used[name]["path"] for name in places} == {"reports/site"}
    assert used["actions/cache/restore"]["key"] == used["actions/cache/save"]["key"]
    assert used["actions/cache/restore"]["key"].startswith(used["actions/cache/restore"]["restore-keys"])
    assert "actions/deploy-pages" in used
    assert workflow["jobs"]["publish"]["needs"] == "measure"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_command_exists(path: Path) -> None:
    for step in steps(load(path)):
        words = shlex.split(step.get("run", ""), posix=True)
        if not words:
            continue
        if words[0] == "make":
            assert set(words[1:]) <= set(TARGETS)
            continue
        assert words[0] == ".venv/bin/edgematrix"
        command = cli.commands[words[1]]
        options = {name for each in command.params if isinstance(each, click.Option) for name in each.opts}
        assert {word for word in words[2:] if word.startswith("--")} <= options
        for word in words[2:]:
            assert not word.endswith(".yaml") or (ROOT / word).is_file()


def test_the_report_is_kept_with_all_that_its_page_links_to() -> None:
    (kept,) = [
        step["with"] for step in steps(load(WORKFLOWS[1])) if "upload-artifact" in step.get("uses", "")
    ]
    assert kept["path"] == "reports/latest/"
    assert "archive" not in kept

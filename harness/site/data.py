"""What programs read of the site: all runs, the history of every cell, and a badge for each run. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from harness.report.table import FLOAT_FORMAT
from harness.results import Status
from harness.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.site.changes import Change
    from harness.site.entry import Entry

DOCUMENT_VERSION: Final = 1
_COLOURS: Final = {"good": "brightgreen", "mixed": "orange", "bad": "red", "unfinished": "lightgrey"}


def runs_document(entries: Sequence[Entry], changes: Mapping[str, Change]) -> str:
    """All runs, the newest first, as JSON."""
    runs = [_run(entry, changes.get(entry.run_id)) for entry in entries]
    return _json({"version": DOCUMENT_VERSION, "runs": runs})


def history_csv(entries: Sequence[Entry]) -> str:
    """One row per cell and run, the oldest run first; what is unknown is empty."""
    frame = pd.concat([entry.table for entry in reversed(entries)], ignore_index=True)
    return frame.to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")


def badge(entry: Entry) -> str:
    """A run in the form that shields.io draws (`https://shields.io/badges/endpoint-badge`)."""
    ok, total = entry.counts.get(Status.OK, 0), sum(entry.counts.values())
    if entry.run.state is not RunState.COMPLETE:
        kind, message = "unfinished", f"{entry.run.state}, {ok} of {total} cells ok"
    else:
        kind = "good" if entry.expected and ok else "mixed" if entry.expected or ok else "bad"
        message = f"{ok} of {total} cells ok"
    return _json({"schemaVersion": 1, "label": "edgematrix", "message": message, "color": _COLOURS[kind]})


def _run(entry: Entry, change: Change | None) -> dict[str, Any]:
    run = entry.run
    return {
        "run_id": entry.run_id,
        "page": f"runs/{entry.run_id}/index.html",
        "state": run.state.value,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "matrix": run.matrix_name,
        "harness_version": run.harness_version,
        "git_commit": run.git_commit,
        "host_group": entry.group,
        "host": {
            "fingerprint": run.host.fingerprint,
            "cpu_model": run.host.cpu_model,
            "physical_cores": run.host.physical_cores,
            "memory_bytes": run.host.memory_bytes,
            "architecture": run.host.architecture,
        },
        "cells": {status.value: count for status, count in entry.counts.items()},
        "as_expected": entry.expected,
        "limits": entry.limits.text,
        "fastest": list(entry.fastest),
        "compared": None
        if change is None
        else {
            "base": change.base,
            "page": f"compare/{change.folder}/index.html" if change.folder else None,
            "text": change.text,
            "verdict": change.kind or None,
        },
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"

"""The JSON Schemas of what users write and of what runs leave; `python -m harness.schemas` writes them anew.

They stand here as files because editors and other programs read them; a test keeps them current.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from harness.article.readings import Sitting
from harness.columns import results_schema
from harness.config.json_schema import matrix_schema
from harness.records import AnyRecord
from harness.results import CellResult, ReferenceProbe, Trial
from harness.runs import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).parent


def schemas() -> Mapping[str, dict[str, Any]]:
    """All schemas by file name.

    The matrix keeps to draft 7, which editors read. The others are for programs, in pydantic's own dialect.
    """
    return {
        "matrix.schema.json": matrix_schema(),
        "record.schema.json": _dialect("One line from a container", TypeAdapter(AnyRecord)),
        "trial.schema.json": _dialect("One trial: trials/<cell-id>.<round>.json", TypeAdapter(Trial)),
        "probe.schema.json": _dialect(
            "One reference probe: probes/<number>.json", TypeAdapter(ReferenceProbe)
        ),
        "cell.schema.json": _dialect("One cell: cells/<cell-id>.json", TypeAdapter(CellResult)),
        "run.schema.json": _dialect("One run: run.json", TypeAdapter(Run)),
        "results.schema.json": results_schema(),
        "sitting.schema.json": _dialect(
            "One sitting of the article: article/<edition>.<rung>.<round>.json", TypeAdapter(Sitting)
        ),
    }


def text_of(schema: Mapping[str, Any]) -> str:
    """A schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _dialect(title: str, kind: TypeAdapter[Any]) -> dict[str, Any]:
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **kind.json_schema(), "title": title}

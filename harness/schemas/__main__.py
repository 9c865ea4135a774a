"""Write every JSON Schema to its file."""

from __future__ import annotations

from harness.schemas import FOLDER, schemas, text_of

for name, schema in schemas().items():
    (FOLDER / name).write_text(text_of(schema), encoding="utf-8")

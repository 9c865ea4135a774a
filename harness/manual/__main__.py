"""Write every reference page to its file, in the checkout that this runs from."""

from __future__ import annotations

from pathlib import Path

from harness.manual import pages

for name, text in pages().items():
    (Path("docs/reference") / name).write_text(text, encoding="utf-8")

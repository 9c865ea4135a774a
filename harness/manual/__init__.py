"""The reference pages of the guide, made from the code; `python -m harness.manual` writes them anew (`make reference`).

They stand in `docs/reference/` as files because they are read on a code host too; a test keeps them current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli import cli
from harness.manual.commands import commands_page
from harness.manual.matrix import matrix_page
from harness.manual.results import columns_page, exit_codes_page, statuses_page

if TYPE_CHECKING:
    from collections.abc import Mapping


def pages() -> Mapping[str, str]:
    """All pages by file name."""
    return {
        "matrix.md": matrix_page(),
        "columns.md": columns_page(),
        "statuses.md": statuses_page(),
        "commands.md": commands_page(cli),
        "exit-codes.md": exit_codes_page(),
    }

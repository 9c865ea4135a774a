"""Pages of what a run says: columns, statuses and exit codes."""

from __future__ import annotations

from harness.columns import COLUMNS
from harness.errors import ExitCode
from harness.manual.markdown import code, page, table
from harness.results import EXPECTABLE, Status


def columns_page() -> str:
    """Every column of `results.csv`."""
    rows = [
        (code(name), column.unit, column.meaning, column.empty or "never") for name, column in COLUMNS.items()
    ]
    return page(
        "Columns of results.csv",
        "One row per cell. How the file is made, and what holds for all columns, stands with "
        "[the result files](../contracts/results.md#resultscsv).",
        table(("column", "unit", "meaning", "empty when"), rows),
    )


def statuses_page() -> str:
    """Every status of a cell or a trial."""
    rows = [
        (code(status.value), status.meaning, "yes" if status in EXPECTABLE else "no") for status in Status
    ]
    return page(
        "Statuses",
        "How a cell or a trial ended, worst last. A cell is `ok` only if all its trials are; else it takes the "
        "worst of theirs. Those that a matrix may [expect](matrix.md#expectations) are the doing of framework, "
        "image or limits.",
        table(("status", "meaning", "may be expected"), rows),
    )


def exit_codes_page() -> str:
    """Every exit code."""
    rows = [(code(str(exit_code.value)), exit_code.meaning) for exit_code in ExitCode]
    return page(
        "Exit codes",
        "Of every `edgematrix` command. `make` turns each failure into its own 2: scripts should call the command. "
        "1 and 2 are never used on purpose; 1 is Python's own for an uncaught exception.",
        table(("code", "meaning"), rows),
    )

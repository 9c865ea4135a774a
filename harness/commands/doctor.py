"""`edgematrix doctor`."""

from __future__ import annotations

import json
import sys

import click

from harness.errors import ExitCode

EXAMPLES = """\b
Examples:
  edgematrix doctor                  all of it, with the noise figure
  edgematrix doctor --quick --json   for programs, at once
"""


@click.command(epilog=EXAMPLES)
@click.option("--quick", is_flag=True, help="Leave out the noise figure, which takes 20 s.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(quick: bool, as_json: bool) -> None:
    """Show whether the engine's host is fit to measure on, and how noisy it is; changes nothing on it."""
    from harness.doctor import as_document, as_lines, examine
    from harness.progress import choose_display

    with choose_display() as display:
        diagnosis = examine(quick=quick, listener=display)
    if as_json:
        click.echo(json.dumps(as_document(diagnosis), indent=1))
    else:
        for line in as_lines(diagnosis):
            click.echo(line)
    if not diagnosis.possible:
        sys.exit(ExitCode.ENVIRONMENT)

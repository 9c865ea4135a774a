"""What helps at the beginning: `edgematrix new` and `completion`."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def new() -> None:
    """Write a commented start to go on from."""


@new.command("matrix")
@click.argument("file", type=click.Path(path_type=Path), default="matrix.yaml")
def new_matrix(file: Path) -> None:
    """Write a matrix to FILE that runs as it is and explains every key; never over a file that is there."""
    from harness.starts import write_matrix

    write_matrix(file)
    click.echo(f"wrote {file}; try: edgematrix plan {file}", err=True)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    For bash, in ~/.bashrc: eval "$(edgematrix completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "edgematrix", "_EDGEMATRIX_COMPLETE").source())

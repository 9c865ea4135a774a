"""What helps at the beginning: `edgematrix new` and `completion`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.options import ANY_PATH

EXAMPLES = """\b
Examples:
  edgematrix new matrix night.yaml   a matrix to change
  edgematrix new framework mine      frameworks/mine/, beside matrix.yaml
  edgematrix new model small         models/small/, beside matrix.yaml
"""


@click.group(epilog=EXAMPLES)
def new() -> None:
    """Write a commented start to go on from."""


@new.command("matrix")
@click.argument("file", type=ANY_PATH, default="matrix.yaml")
def new_matrix(file: Path) -> None:
    """Write a matrix to FILE that runs as it is and explains the most used keys; never over a file that is there.

    All keys are in docs/reference/matrix.md, and in the JSON Schema that FILE names for editors.
    """
    from harness.starts import write_matrix

    write_matrix(file)
    click.echo(f"wrote {file}; try: edgematrix plan {file}", err=True)


@new.command("framework")
@click.argument("name")
def new_framework(name: str) -> None:
    """Write a framework of your own to frameworks/NAME, beside matrix.yaml: it runs, and says what each part is for."""
    from harness.starts import write_framework

    _say_written(write_framework(name, Path()), "frameworks", name)


@new.command("model")
@click.argument("name")
def new_model(name: str) -> None:
    """Write a model of your own to models/NAME, beside matrix.yaml: a small network, its weights drawn from a seed.

    A trained ONNX file needs no folder: write `models: {NAME: {onnx: file.onnx}}` in the matrix.
    """
    from harness.starts import write_model

    _say_written(write_model(name, Path()), "models", name)


def _say_written(folder: Path, key: str, name: str) -> None:
    files = ", ".join(sorted(file.name for file in folder.iterdir()))
    click.echo(f"wrote {folder}: {files}", err=True)
    click.echo(f"next: write {name} under `{key}:` in matrix.yaml, then: edgematrix run", err=True)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands, options and runs.

    For bash, in ~/.bashrc: eval "$(edgematrix completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "edgematrix", "_EDGEMATRIX_COMPLETE").source())

"""`edgematrix images`: what the engine has, and the way to machines without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from harness.commands.options import ANY_PATH, known_frameworks, talk_options

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = """\b
Examples:
  edgematrix images list                         what the engine has
  edgematrix images export images.tar openvino   one framework, to carry
  edgematrix images import images.tar            where there is no network
"""


@click.group(epilog=EXAMPLES)
def images() -> None:
    """List the project's images, or carry them to a machine without a network."""


@images.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_command(as_json: bool) -> None:
    """List the images on the engine with size, version and the hash of what they were built from."""
    from harness.engine_connection import connect
    from harness.transfer import list_images
    from harness.units import format_memory

    found = list_images(connect())
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for each in found:
        size = format_memory(each["size_bytes"])
        click.echo(f"{each['image']:<36} {size:>10}  {each['version']:<16}  {each['fingerprint'][:16]}")
    click.echo(f"{len(found)} images; `edgematrix build` says which are up to date", err=True)


@images.command("export")
@click.argument("file", type=ANY_PATH)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@talk_options
def export_command(file: Path, names: tuple[str, ...], talk: str | None) -> None:
    """Write the images of the frameworks NAME, or of all, to FILE, with all that measuring with them takes.

    What is not up to date is built first. FILE is as `docker save` writes it.
    """
    from harness.engine import refuse_if_held
    from harness.engine_connection import connect
    from harness.progress import choose_display
    from harness.transfer import export_images

    known = known_frameworks(names)
    client = connect()
    refuse_if_held(client)
    with choose_display(talk) as display:
        tags = export_images(client, file, names or tuple(known), frameworks=known, listener=display)
    for tag in tags:
        click.echo(tag)
    click.echo(f"next, where there is no network: edgematrix images import {file.name}", err=True)


@images.command("import")
@click.argument("file", type=ANY_PATH)
@talk_options
def import_command(file: Path, talk: str | None) -> None:
    """Have the images of FILE on the engine; `edgematrix run` of the same version then builds nothing."""
    from harness.engine import refuse_if_held
    from harness.engine_connection import connect
    from harness.progress import choose_display
    from harness.transfer import import_images
    from harness.units import format_memory

    client = connect()
    refuse_if_held(client)
    with choose_display(talk) as display:
        found = import_images(client, file, display)
    for image in found:
        click.echo(f"{image.tag:<36} {format_memory(image.size_bytes):>10}")
    click.echo(f"imported {len(found)} images; next: edgematrix run", err=True)

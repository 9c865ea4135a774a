"""What the engine holds for measuring: `edgematrix build`, `models` and `clean`."""

from __future__ import annotations

import json

import click

from harness.commands.options import known_frameworks, talk_options

BUILD_EXAMPLES = """\b
Examples:
  edgematrix build                        all images
  edgematrix build onnxruntime openvino   two frameworks
"""

CLEAN_EXAMPLES = """\b
Example:
  edgematrix clean   whatever the engine holds for measuring
"""


@click.command(epilog=BUILD_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@talk_options
@click.option("--json", "as_json", is_flag=True, help="Print the images as JSON.")
def build(names: tuple[str, ...], talk: str | None, as_json: bool) -> None:
    """Build the images of the frameworks NAME, or of all; what is up to date is skipped."""
    from harness.build import build_images
    from harness.engine import refuse_if_held
    from harness.engine_connection import connect
    from harness.errors import BuildError
    from harness.names import SUPPORT_IMAGES
    from harness.progress import choose_display
    from harness.supplies import step_listener
    from harness.units import format_memory

    known = known_frameworks(names)
    client = connect()
    refuse_if_held(client)
    with choose_display(talk) as display:
        built = build_images(
            client,
            names or [*SUPPORT_IMAGES, *known],
            frameworks=known,
            on_event=step_listener(display),
        )
    images = {name: image for name, image in built.items() if not isinstance(image, BuildError)}
    if as_json:
        click.echo(
            json.dumps([{"name": name, **image.model_dump()} for name, image in images.items()], indent=1)
        )
    else:
        for name, image in images.items():
            click.echo(f"{image.tag:<36} {format_memory(image.size_bytes):>10}  {name}")
    for result in built.values():
        if isinstance(result, BuildError):
            raise result


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def models(as_json: bool) -> None:
    """List the prepared models on the engine with size and hash; `clean` removes them."""
    from harness.artefacts import list_artefacts
    from harness.engine_connection import connect
    from harness.progress import choose_display
    from harness.units import format_memory

    with choose_display() as display:
        found = list_artefacts(connect(), listener=display)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for each in found:
        size = "unfinished" if each["size_bytes"] is None else format_memory(each["size_bytes"])
        click.echo(f"{each['holds']:<44} {size:>10}  {(each['hash'] or '')[:16]:<16}  {each['volume']}")
    total = sum(each["size_bytes"] or 0 for each in found)
    click.echo(f"{len(found)} volumes, {format_memory(total)}; `edgematrix clean` removes them", err=True)


@click.command(epilog=CLEAN_EXAMPLES)
def clean() -> None:
    """Remove this project's containers, volumes and images from the engine; reports stay."""
    from harness.cleaning import clean_engine
    from harness.engine import refuse_if_held, translated
    from harness.engine_connection import connect

    client = connect()
    refuse_if_held(client)
    with translated("not everything could be removed"):
        for line in clean_engine(client):
            click.echo(f"removed {line}", err=True)

"""What may be called how: names are file names, image names and parts of ids."""

from __future__ import annotations

import re
from typing import Final

NAME_PATTERN: Final = "[a-z0-9][a-z0-9_-]*"
LONGEST_NAME: Final = 64
NAME_RULE: Final = f"up to {LONGEST_NAME} lower-case letters, digits, `-` and `_`, a letter or digit first"
"""Of all that a matrix names."""
IMAGE_NAME_RULE: Final = "a letter or digit last too, and no `_` beside a `-` or more than two in a row"
"""Beside that of names, of a framework: its name is an image's as well."""
_IMAGE_NAME: Final = re.compile("[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*")
"""A part of a repository's name, as an engine takes it."""

SUPPORT_IMAGES: Final = ("prepare", "probe")
"""Images that measure nothing: the one makes model artefacts, the other reads the host."""
ARTICLE_IMAGES: Final = ("article", "article-current")
"""All frameworks of the replayed article in one environment, in its versions and in the current ones."""
RESERVED_NAMES: Final = (*SUPPORT_IMAGES, *ARTICLE_IMAGES, "base", "runner", "site")
"""Folders and image names of the project's own, which no framework may have."""
TOOLS_SUFFIX: Final = "-tools"
"""Of the name of the image that is made of a framework's tools; no framework's name may end so."""


def is_name(text: str) -> bool:
    """Whether a matrix can name something so."""
    return len(text) <= LONGEST_NAME and re.fullmatch(NAME_PATTERN, text) is not None


def is_image_name(text: str) -> bool:
    """Whether an image can be called so too, as a framework has to be."""
    return is_name(text) and _IMAGE_NAME.fullmatch(text) is not None

"""What can be asked for: an image by its folder's name, in the version that is locked or in another, or its tools."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from harness.catalog import TOOLS_FOLDER
from harness.errors import ConfigError
from harness.names import TOOLS_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from harness.catalog import FrameworkSpec


@dataclass(frozen=True)
class ImageRequest:
    """One image that is wanted.

    Attributes:
        name: of the framework, or of a folder in `images/`.
        version: of the framework; `None` for the one in the project's own lock.
        tools: the framework's converters and compilers around that version, instead of what is measured.

    Raises:
        ConfigError: the version is none.
    """

    name: str
    _: KW_ONLY
    version: str | None = None
    tools: bool = False

    def __post_init__(self) -> None:
        if self.version is not None:
            try:
                Version(self.version)
            except InvalidVersion as error:
                raise ConfigError(
                    f"{self.version!r} is no version of {self.name}.", fix="Write one such as '1.17.0'."
                ) from error

    def __str__(self) -> str:
        """For people."""
        return " ".join(filter(None, (self.name, "tools" if self.tools else "", self.version)))

    def folder(self, images: Path, framework: FrameworkSpec | None) -> Path:
        """Where its Dockerfile, its requirements and its programs are: a framework may stand beside a matrix."""
        own = framework.folder if framework else images / self.name
        return own / TOOLS_FOLDER if self.tools else own

    @property
    def stem(self) -> str:
        """What its files and its packages' image are called; no two requests share one."""
        return "-".join(filter(None, (self._repository, self._label)))

    @property
    def tag(self) -> str:
        """What the image is called on the engine."""
        return f"edgematrix/{self._repository}:{self._label or 'latest'}"

    @property
    def _repository(self) -> str:
        return f"{self.name}{TOOLS_SUFFIX}" if self.tools else self.name

    @property
    def _label(self) -> str:
        """The version in characters that a tag may have: a local part begins with `+`."""
        return (self.version or "").replace("+", "_").replace("!", "_")

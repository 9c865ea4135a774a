"""Images: from lock files and Dockerfiles to what the engine runs."""

from harness.build.builder import remove_stages
from harness.build.events import BuildEvent, Step
from harness.build.images import build_images
from harness.build.request import ImageRequest

__all__ = ["BuildEvent", "ImageRequest", "Step", "build_images", "remove_stages"]

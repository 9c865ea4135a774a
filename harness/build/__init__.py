"""Images: from lock files and Dockerfiles to what the engine runs."""

from harness.build.builder import remove_stages
from harness.build.events import BuildEvent, Step
from harness.build.images import build_images

__all__ = ["BuildEvent", "Step", "build_images", "remove_stages"]

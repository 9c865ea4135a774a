"""`edgematrix publish`: the runs as a static site that works under any address and opens from disk."""

from harness.site.build import Published, publish

__all__ = ["Published", "publish"]

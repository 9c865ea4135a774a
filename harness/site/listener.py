"""What a publisher says while it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.errors import StoreError


class Listener(Protocol):
    """Told how publishing goes."""

    def read(self, done: int, total: int) -> None:
        """So many runs are read, of so many."""

    def left_out(self, run_id: str, error: StoreError, *, stays: bool) -> None:
        """A run cannot be published anew, and why; whether what was published of it before stays."""

"""A container's standard streams over one connection, attached before it starts so that no byte is lost."""

from __future__ import annotations

import contextlib
import struct
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from socket import socket

    from docker import APIClient

HEADER = struct.Struct(">BxxxL")
"""Docker's multiplexed stream: the stream's number, three zeros, the chunk's length."""
CHUNK = 1 << 18


class ConnectionLostError(Exception):
    """The connection to a container's streams broke."""


class Attachment:
    """Standard input, output and error of one container.

    Standard input stays open until this is closed: a harness that is killed closes it by dying, and the
    container's supervisor then ends the trial.
    """

    def __init__(self, api: APIClient, container: str) -> None:
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._response: Any = api.attach_socket(container, params=params)
        # For plain connections the library wraps the socket in a file, whose reads cannot go on after a timeout.
        self._socket: socket = getattr(self._response, "_sock", self._response)
        self._buffer = b""

    def __enter__(self) -> Self:
        """Use as a context manager; the connection is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both directions, whatever else still refers to the socket."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(SHUT_RDWR)
        self._response.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Write all of `data` to standard input.

        Raises:
            ConnectionLostError: the other side is gone.
        """
        try:
            self._socket.settimeout(None)
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLostError(str(error)) from error

    def receive(self, timeout_s: float) -> list[tuple[int, bytes]] | None:
        """Wait for output.

        Returns:
            Chunks as (stream, data), where 1 is standard output and 2 standard error; an empty list when the
            timeout passed in silence or no whole chunk is there yet; `None` once the container has closed both.

        Raises:
            ConnectionLostError: the other side is gone.
        """
        try:
            self._socket.settimeout(timeout_s)
            data = self._socket.recv(CHUNK)
        except TimeoutError:
            return []
        except OSError as error:
            raise ConnectionLostError(str(error)) from error
        if not data:
            return None
        self._buffer += data
        return self._chunks()

    def _chunks(self) -> list[tuple[int, bytes]]:
        chunks = []
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            stream, size = HEADER.unpack_from(self._buffer, start)
            end = start + HEADER.size + size
            if end > len(self._buffer):
                break
            chunks.append((stream, self._buffer[start + HEADER.size : end]))
            start = end
        self._buffer = self._buffer[start:]
        return chunks

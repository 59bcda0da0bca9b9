"""The protocol class given to uvicorn: HTTP as always, and a handle on the connection for faults."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .request import EXTENSION

_LINGER_NOT = struct.pack("ii", 1, 0)


class _Wire:
    """The connection of one request."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send `data` as it is."""
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._transport.close()

    def closing(self) -> bool:
        """Tell whether the connection is gone, or about to be."""
        return self._transport.is_closing()

    def reset(self) -> None:
        """Reset the connection: with no time to linger, closing it sends a RST in place of a FIN."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()


class FaultyProtocol(HttpToolsProtocol):
    """Puts a handle on the connection into every request's scope."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
        extensions[EXTENSION] = _Wire(self.transport)

"""One side of a connection: bytes that came and were not asked for yet are kept."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable

from .heads import MAX_HEAD_BYTES, NoHeadError

_CHUNK = 256 * 1024
_END = b"\r\n\r\n"


class _Reader(asyncio.StreamReader):
    """A reader that says when nothing more will come."""

    ended: Callable[[], None] | None = None

    def feed_eof(self) -> None:
        super().feed_eof()
        if self.ended is not None:
            self.ended()

    def set_exception(self, exc: Exception) -> None:
        super().set_exception(exc)
        if self.ended is not None:
            self.ended()


class Wire:
    """One side of a connection."""

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._held = b""

    def when_ended(self, tell: Callable[[], None] | None) -> None:
        """Call `tell` when the other side ends the connection; at once where it has."""
        self._reader.ended = tell
        if tell is not None and (self._reader.at_eof() or self._reader.exception() is not None):
            tell()

    async def some(self) -> bytes:
        """Return the bytes that came, as soon as there are any; none where the connection has ended.

        Raises:
            OSError: it was reset.
        """
        if self._held:
            data, self._held = self._held, b""
            return data
        return await self._reader.read(_CHUNK)

    @property
    def has_some(self) -> bool:
        """Whether bytes are here that were read too far."""
        return bool(self._held)

    def hold(self, data: bytes) -> None:
        """Keep bytes that were read too far."""
        self._held = data + self._held

    async def head(self) -> bytes:
        """Return the head of the next message; nothing where the connection ends before it.

        Raises:
            NoHeadError: it is too long, or breaks off.
            OSError: the connection was reset.
        """
        data = b""
        while True:
            more = await self.some()
            if not more:
                if data.strip(b"\r\n"):
                    raise NoHeadError("the connection ended within a head")
                return b""
            data += more
            if data[:2] == b"\r\n":  # an empty line before a request means nothing
                data = data.lstrip(b"\r\n")
            end = data.find(_END)
            if end >= 0:
                self.hold(data[end + len(_END) :])
                return data[: end + len(_END)]
            if len(data) > MAX_HEAD_BYTES:
                raise NoHeadError(f"its head is longer than {MAX_HEAD_BYTES:,} bytes")

    async def send(self, data: bytes) -> None:
        """Send `data`.

        Raises:
            OSError: nobody takes it any more.
        """
        self.writer.write(data)
        if self.writer.transport.get_write_buffer_size():
            await self.writer.drain()

    def close(self) -> None:
        """End the connection when what was sent has left."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection at once, so that the other side notices."""
        found = self.writer.get_extra_info("socket")
        if found is not None:
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


async def connect(host: str, port: int, tls: ssl.SSLContext | None, seconds: float) -> Wire:
    """Return a connection to `host`.

    Raises:
        OSError: there is none, or none within `seconds`.
    """
    loop = asyncio.get_running_loop()
    reader = _Reader(limit=_CHUNK, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    try:
        async with asyncio.timeout(seconds):
            transport, _ = await loop.create_connection(
                lambda: protocol, host, port, ssl=tls, server_hostname=host if tls else None
            )
    except TimeoutError:
        raise OSError(f"no connection within {seconds:g} s") from None
    return Wire(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


def accepting(serve: Callable[[Wire], object]) -> Callable[[], asyncio.StreamReaderProtocol]:
    """Return what a server makes of each connection that comes: `serve` gets it."""

    def made() -> asyncio.StreamReaderProtocol:
        loop = asyncio.get_running_loop()
        reader = _Reader(limit=_CHUNK, loop=loop)

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serve(Wire(reader, writer))

        return asyncio.StreamReaderProtocol(reader, connected, loop=loop)

    return made

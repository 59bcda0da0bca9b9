"""A provider that answers with given bytes and keeps the bytes that it was sent; and what speaks to it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket, bytes], None]


class Upstream:
    """Accepts connections; `script` is called with each and the head that came, and does what it likes."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[bytes] = []
        self.closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Return this provider."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Accept no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            head = read_until(connection, b"\r\n\r\n")
            self.heads.append(head)
            try:
                self._script(connection, head)
            except OSError:
                self.closed.set()


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what comes up to and with `end`, or up to the end of the connection."""
    data = b""
    while end not in data:
        more = connection.recv(65_536)
        if not more:
            break
        data += more
    return data


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the connection ends."""
    data = b""
    while more := connection.recv(1_000_000):
        data += more
    return data


def reset(connection: socket.socket) -> None:
    """End a connection so that the other side notices."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()

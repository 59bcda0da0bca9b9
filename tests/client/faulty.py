"""A server that does, request by request, what a test tells it: real sockets, and every way to get HTTP wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Act = Callable[[socket.socket, Received], None]


def answer(status: int = 200, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Act:
    """Answer with JSON, or with raw bytes; header names are written with underscores."""
    content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    told = {"content-type": "application/json", "content-length": str(len(content)), "connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}

    def act(connection: socket.socket, _: Received) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        connection.sendall(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + content)

    return act


def raw(data: bytes) -> Act:
    """Send bytes as they are, and close."""
    return lambda connection, _: connection.sendall(data)


def close(connection: socket.socket, _: Received) -> None:
    """Close without a byte."""


def reset(connection: socket.socket, _: Received) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class FaultyServer:
    """Does the acts of its script in order, and the last one for ever.

    Attributes:
        url: where it is.
        received: the requests that came.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.script: list[Act] = []
        self._done = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def plays(self, *acts: Act) -> None:
        """Play these from now on."""
        self.script = list(acts)

    def hang(self, connection: socket.socket, _: Received) -> None:
        """Answer nothing until the server is stopped."""
        self._done.wait(20)

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until the server is stopped."""
        self._done.wait(seconds)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._done.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        handlers = []
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                handlers.append(threading.Thread(target=self._handle, args=(connection,), daemon=True))
                handlers[-1].start()
        for each in handlers:
            each.join()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            received = _read(connection)
            if received is None:
                return
            self.received.append(received)
            act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            act(connection, received)


def _read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body)

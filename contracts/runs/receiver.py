"""A receiver of callbacks on this machine, which can be told to misbehave."""

from __future__ import annotations

import asyncio
import time
from collections import deque

import h11

from ..checks.exchange import Callback
from .target import Target

MAX_BODY_BYTES = 1_000_000
MAX_CALLBACKS = 10_000
HANG_SECONDS = 0.3
"""How long a receiver that hangs keeps a connection before it breaks it: nobody wants to wait for the whole of a
provider's timeout, and to the provider it is the same, an attempt without an answer."""


class Receiver:
    """Listens on loopback while its target's loop runs, and keeps what comes.

    Attributes:
        url: where it is reached.
        callbacks: what came, in order.
        answers: how the next ones are answered, 200 once there are none: a status, ``hang`` or ``reset``.
    """

    def __init__(self, target: Target, host: str = "127.0.0.1", port: int = 0) -> None:
        self._target = target
        self.callbacks: list[Callback] = []
        self.answers: deque[int | str] = deque()
        self._open: set[asyncio.Task[None]] = set()
        self._server = target.run(asyncio.start_server(self._connected, host, port))
        name, number = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{name}:{number}/callback"

    def close(self) -> None:
        """Stop listening."""
        self._target.run(self._closed())

    async def _closed(self) -> None:
        self._server.close()
        served = list(self._open)
        for connection in served:
            connection.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: those that the server starts for coroutines complain where they are cancelled.
        connection = asyncio.get_running_loop().create_task(self._held(reader, writer))
        self._open.add(connection)
        connection.add_done_callback(self._open.discard)

    async def _held(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._served(reader, writer)
        except (h11.RemoteProtocolError, ConnectionError):
            pass  # who does not speak HTTP is no provider
        finally:
            writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65_536)
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body = (body + bytes(event.data))[:MAX_BODY_BYTES]
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                if not await self._answered(connection, writer, request, body):
                    return
                connection.start_next_cycle()
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return

    async def _answered(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
    ) -> bool:
        """Answer one callback; tell whether the connection goes on."""
        answer = self.answers.popleft() if self.answers else 200
        came, real = await self._target.clock.at_arrival(), time.time_ns() // 1_000_000
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers)
        if len(self.callbacks) < MAX_CALLBACKS:
            status = answer if isinstance(answer, int) else None
            self.callbacks.append(Callback(headers, body, came, real, status, len(self.callbacks) + 1))
        if answer == "hang":
            await asyncio.sleep(HANG_SECONDS)
        if not isinstance(answer, int):
            writer.transport.abort()
            return False
        text = b'{"code":200,"msg":"success"}' if answer < 300 else b"{}"
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        for event in (h11.Response(status_code=answer, headers=head), h11.Data(data=text), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE
